"""What the commands of processes that stay have in common: how they log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from agents import logs

_F = TypeVar("_F", bound=Callable[..., None])


def logging_options(command: _F) -> _F:
    """How a process that stays logs."""
    style = click.option(
        "--log-format", type=click.Choice(logs.FORMATS), default="text", show_default=True, help="Words, or JSON lines."
    )
    level = click.option(
        "--log-level", type=click.Choice(logs.LEVELS), default="info", show_default=True, help="To standard error."
    )
    return level(style(command))
