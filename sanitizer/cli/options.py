"""Options that several commands share, and the one place where errors become exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sanitizer.errors import SanitizerError
from sanitizer.planning import ANSWERS, AUTO, CANARIES, DISPUTES, HOST, KEY_PATTERN, KEYS, SCOPES, PlanRequest

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
        "--method",
        type=click.Choice(["clear", "purge", "destroy"]),
        default="clear",
        show_default=True,
        help="What must be reached. Overwriting reaches clear and never more; purge needs a command of the drive's own.",
    )
    @click.option(
        "--technique",
        metavar="NAME",
        help="How: overwrite; one of the drive's own techniques, or several joined by + (docs/techniques.md); or auto, "
        "the best that reaches the method.  [default: overwrite for clear, else auto]",
    )
    @click.option(
        "--verification",
        type=click.Choice(["full", "representative"]),
        default="full",
        show_default=True,
        help="Read back all blocks, or the sample of SP 800-88 Rev. 1, 4.7.3.",
    )
    @click.option(
        "--pattern-set",
        help="What an overwrite writes: see `plan --patterns`. The keyed stream proves addressing as well. "
        "A drive's own technique takes none.  [default: keyed-stream]",
    )
    @click.option(
        "--acknowledge",
        multiple=True,
        metavar="SIGNATURE",
        help="Destroy this dormant membership too (lvm2-member, zfs-member, ...); once for each.",
    )
    @click.option(
        "--accept-scope",
        "scope",
        multiple=True,
        type=click.Choice(list(SCOPES)),
        help="Accept that this is destroyed too; once for each. `plan` says which is needed and why.",
    )
    @click.option(
        "--setting",
        "settings",
        multiple=True,
        type=click.Choice(list(DISPUTES)),
        metavar="NAME",
        help="Decide a disputed classification against the conservative default, once for each; `plan` and "
        "docs/techniques.md name them. Record and certificate say so.",
    )
    @click.option(
        "--answer",
        "answers",
        multiple=True,
        type=click.Choice(list(ANSWERS)),
        help="Vouch for a condition of cryptographic erase; once for each. The record says so.",
    )
    @click.option(
        "--firmware-pattern", metavar="HEX", help="Eight digits for a drive's own overwrite.  [default: zeros]"
    )
    @click.option(
        "--no-deallocate", is_flag=True, help="NVMe Sanitize: keep blocks allocated, so that reading sees them."
    )
    @functools.wraps(command)
    def with_request(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - hands on whatever the command takes
        words = {name: kwargs.pop(name) for name in _WORDS}
        command(*args, request=_request(**words), **kwargs)

    return with_request


_WORDS = (
    "method", "technique", "verification", "pattern_set", "acknowledge", "scope", "settings", "answers",
    "firmware_pattern", "no_deallocate",
)  # fmt: skip


def _request(
    *, technique: str | None, pattern_set: str | None, acknowledge: tuple[str, ...], scope: tuple[str, ...],
    firmware_pattern: str | None, **words: Any,  # noqa: ANN401 - the rest are fields of their own names
) -> PlanRequest:  # fmt: skip
    """The request these options make; what was left out follows from the method and the technique."""
    chosen = technique or (HOST if words["method"] == "clear" else AUTO)
    return PlanRequest(
        technique=chosen,
        pattern_set=pattern_set or {HOST: "keyed-stream", KEYS: KEY_PATTERN}.get(chosen, CANARIES),
        acknowledged_signatures=acknowledge,
        acknowledged_scope=scope,
        firmware_pattern=firmware_pattern or "",
        **words,
    )


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
