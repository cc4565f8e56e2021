"""`run`: the whole agent in one process; and what it shares with the two halves of a separated one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from agents import assembly, logs
from agents.daemon import Daemon
from agents.notify import Notifier

from .common import Common, explained

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


@click.command("run")
@logging_options
@explained
def run_command(common: Common, log_level: str, log_format: str) -> None:
    """Work: the whole agent in one process, network and devices together.

    For trials and containers; an installed host runs `sanitrail-helper` and `sanitrail-agent carry` instead. Ends cleanly
    on SIGTERM; runs under way are resumed at the next start.
    """
    logs.begin("agent", log_level, log_format)
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        daemon = Daemon(assembly.build(settings, state=state), Notifier.from_environment(os.environ))
        on_signals(daemon.stop)
        code = daemon.run()
    sys.exit(code)
