"""`sanitrail-agent`: the commands an administrator of a host uses."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

import click

from agents import config

from .common import Common
from .output import table

_HELP = f"""What this host has, and what may be done to it.

Enrol the host once, then let systemd run the two halves of the agent: `sanitrail-helper` and `sanitrail-agent carry`.
Nothing is ever written to a disk without an order that enough people signed, whose signatures the agent checks itself, and
without the root-owned local rules allowing it.

Every setting can also be given in the environment, as SANITRAIL_AGENT_<SETTING>.

\b
Exit status:
{table()}
"""


_WHERE: Mapping[str, str] = {
    "enrol": "enrolling:enrol_command",
    "pin-roster": "enrolling:pin_roster_command",
    "replace-key": "replacing:replace_key_command",
    "run": "working:run_command",
    "carry": "carrying:carry_command",
    "stop-all": "halting:stop_all_command",
    "go-on": "halting:go_on_command",
    "status": "looking:status_command",
    "doctor": "examining:doctor_command",
    "self-test": "testing:self_test_command",
    "metrics": "examining:metrics_command",
    "devices": "looking:devices_command",
    "dry-run": "rehearsing:dry_run_command",
    "paths": "looking:paths_command",
    "rules": "rules:rules_group",
    "outbox": "looking:outbox_command",
    "log": "log:log_group",
    "airgap": "airgap:airgap_group",
}
"""Module and name of each command: only the one that is asked for is loaded, so that the carrier stays small."""


class _Commands(MutableMapping[str, click.Command]):
    """Loaded when first asked for by name."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}
        self._names = dict(_WHERE)

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._names[name].partition(":")
            self._loaded[name] = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._names.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@click.group(
    help=_HELP,
    commands=_Commands(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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
