"""Options that several commands share, and the one place where errors become exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sanitizer.errors import SanitizerError
from sanitizer.planning import PlanRequest

from .exit_codes import of_error
from .output import as_json, complain, complaint

DEFAULT_JOURNALS = Path("/var/lib/sanitizer/journal")

Command = Callable[..., None]


def as_json_option(command: Command) -> Command:
    """`--json`."""
    return click.option("--json", "json_output", is_flag=True, help="Print one JSON document instead of text.")(command)


def device_argument(command: Command) -> Command:
    """One device."""
    return click.argument("device", type=click.Path(path_type=Path))(command)


def journal_option(command: Command) -> Command:
    """`--journal-dir`."""
    return click.option(
        "--journal-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_JOURNALS,
        show_default=True,
        envvar="SANITIZER_JOURNAL_DIR",
        help="Folder of the runs' journals; must be on durable storage that is not being wiped.",
    )(command)


def plan_options(command: Command) -> Command:
    """What shall be done; handed to the command as one `PlanRequest`."""

    @click.option(
        "--pattern-set",
        default="keyed-stream",
        show_default=True,
        help="What to write: see `plan --patterns`. The keyed stream proves addressing as well.",
    )
    @click.option(
        "--verification",
        type=click.Choice(["full", "representative"]),
        default="full",
        show_default=True,
        help="Read back all blocks, or the sample of SP 800-88 Rev. 1, 4.7.3.",
    )
    @click.option(
        "--method",
        type=click.Choice(["clear", "purge", "destroy"]),
        default="clear",
        show_default=True,
        help="What must be reached. Overwriting reaches clear and never more.",
    )
    @click.option(
        "--acknowledge",
        multiple=True,
        metavar="SIGNATURE",
        help="Destroy this dormant membership too (lvm2-member, zfs-member, ...); once for each.",
    )
    @functools.wraps(command)
    def with_request(
        *args: Any,  # noqa: ANN401 - hands on whatever the command takes
        pattern_set: str,
        verification: str,
        method: str,
        acknowledge: tuple[str, ...],
        **kwargs: Any,  # noqa: ANN401 - as above
    ) -> None:
        request = PlanRequest(
            method=method,
            pattern_set=pattern_set,
            verification=verification,
            acknowledged_signatures=acknowledge,
        )
        command(*args, request=request, **kwargs)

    return with_request


def reported(command: Command) -> Command:
    """Turn this package's errors into a message and an exit status; everything else is a bug and shows its trace."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - hands on whatever the command takes
        try:
            command(*args, **kwargs)
        except SanitizerError as error:
            if kwargs.get("json_output"):
                as_json({"error": complaint(error)})
            else:
                complain(error)
            sys.exit(of_error(error))

    return guarded
