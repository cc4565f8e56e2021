"""What the commands share: settings, exit codes, how refusals are printed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import click

from inventory.errors import InventoryError
from reports.errors import ReportError

if TYPE_CHECKING:
    from inventory.services.context import Context
    from inventory.settings import Settings

EXIT_CODES: Final[dict[int, str]] = {
    0: "done",
    1: "a bug in this program",
    2: "the command line does not make sense",
    3: "refused: the message says by whom and why",
    4: "a check found something wrong",
    5: "the service could not be reached",
}
"""Printed by `sanitrail --help`; never reused."""

P = ParamSpec("P")
R = TypeVar("R")


class Refused(click.ClickException):
    """Ends the command with a sentence and exit code 3."""

    exit_code = 3


class Found(click.ClickException):
    """Ends the command with what a check found, exit code 4."""

    exit_code = 4


class Unreachable(click.ClickException):
    """Ends the command because the service did not answer, exit code 5."""

    exit_code = 5


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Turns our own refusals into their sentence; anything else stays a traceback, because it is a bug."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (InventoryError, ReportError) as error:
            raise Refused(f"{error.explain()} [{error.code}]") from error

    return run


def config_option(command: Callable[P, R]) -> Callable[P, R]:
    """The option that names the settings file."""
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="SANITRAIL_CONFIG",
        help="Settings file (TOML); SANITRAIL_* variables go before it.",
    )(command)


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """The option that asks for JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def settings_of(config: Path | None) -> Settings:
    """The settings in force."""
    from inventory.settings import Settings  # noqa: PLC0415 - an offline machine with the verifier's packages has none

    return Settings.load(config)


def opened(config: Path | None) -> Context:
    """The inventory on this machine, opened."""
    from inventory.clock import SystemClock  # noqa: PLC0415
    from inventory.services import setup  # noqa: PLC0415 - brings the database along, which clients of a service do not need

    return setup.open_inventory(settings_of(config), SystemClock())


def show(value: Any, *, as_json: bool, lines: Callable[[], list[str]]) -> None:  # noqa: ANN401 - whatever json can write
    """Prints one answer, for a program or for a person."""
    click.echo(json.dumps(value, indent=2, default=str) if as_json else "\n".join(lines()))
