"""`run`: the daemon."""

from __future__ import annotations

import logging
import os
import signal
import sys

import click

from agents import assembly
from agents.daemon import Daemon
from agents.notify import Notifier

from .common import Common, explained

_LEVELS = ("debug", "info", "warning", "error")


@click.command("run")
@click.option("--log-level", type=click.Choice(_LEVELS), default="info", show_default=True, help="To standard error.")
@explained
def run_command(common: Common, log_level: str) -> None:
    """Work: the daemon. Ends cleanly on SIGTERM; runs under way are resumed at the next start."""
    logging.basicConfig(level=log_level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        daemon = Daemon(assembly.build(settings, state=state), Notifier.from_environment(os.environ))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.stop())
        code = daemon.run()
    sys.exit(code)
