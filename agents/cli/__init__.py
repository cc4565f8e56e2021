"""`sanitrail-agent`: the commands an administrator of a host uses."""

from __future__ import annotations

from pathlib import Path

import click

from agents import config

from .carrying import carry_command
from .common import Common
from .enrolling import enrol_command, pin_roster_command
from .examining import doctor_command, metrics_command
from .halting import go_on_command, stop_all_command
from .log import log_group
from .looking import devices_command, outbox_command, paths_command, status_command
from .output import table
from .replacing import replace_key_command
from .rules import rules_group
from .working import run_command

_HELP = f"""What this host has, and what may be done to it.

Enrol the host once, then let systemd run the two halves of the agent: `sanitrail-helper` and `sanitrail-agent carry`.
Nothing is ever written to a disk without an order that enough people signed, whose signatures the agent checks itself, and
without the root-owned local rules allowing it.

Every setting can also be given in the environment, as SANITRAIL_AGENT_<SETTING>.

\b
Exit status:
{table()}
"""


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Settings file (TOML) instead of {config.DEFAULT_FILE}.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="State directory instead of the one in the settings.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, for programs.")
@click.version_option(package_name="sanitrail", prog_name="sanitrail-agent")
@click.pass_context
def main(context: click.Context, file: Path | None, state_dir: Path | None, as_json: bool) -> None:
    """Entry point; the help text is `_HELP`, because it holds the table of exit codes."""
    context.obj = Common(file, state_dir, as_json)


for _command in (
    enrol_command,
    pin_roster_command,
    replace_key_command,
    run_command,
    carry_command,
    stop_all_command,
    go_on_command,
    status_command,
    doctor_command,
    metrics_command,
    devices_command,
    paths_command,
    rules_group,
    outbox_command,
    log_group,
):
    main.add_command(_command)
