"""The `sanitizer` command: look at, plan, wipe and verify one host's devices by hand."""

from __future__ import annotations

import click

from .decode import decode_command
from .exit_codes import table
from .looking import health_command, list_command, show_command, status_command, verify_command
from .planning import plan_command
from .recovering import restore_capacity_command, settle_command, unlock_command
from .reverting import recover_command
from .wiping import resume_command, wipe_command

_HELP = f"""Look at, plan, wipe and verify this host's block devices.

Start with `sanitizer list`, then `show` one device, `plan` what shall be done, and `wipe` it.

\b
Exit status:
{table()}
"""


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sanitrail", prog_name="sanitizer")
def main() -> None:
    """Entry point; the help text is `_HELP`, because it holds the table of exit codes."""


for _command in (
    list_command,
    show_command,
    health_command,
    plan_command,
    wipe_command,
    verify_command,
    resume_command,
    status_command,
    settle_command,
    unlock_command,
    recover_command,
    restore_capacity_command,
    decode_command,
):
    main.add_command(_command)
