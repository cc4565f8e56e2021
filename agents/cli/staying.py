"""What processes that stay have in common: how they log, and how they end. Imports nothing heavy: the carrier starts with it."""

from __future__ import annotations

import signal
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


def on_signals(stop: Callable[[], None]) -> None:
    """End cleanly when systemd or a person says so."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
