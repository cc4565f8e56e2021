"""`run`: the whole agent in one process."""

from __future__ import annotations

import os
import sys

import click

from agents import assembly, logs
from agents.daemon import Daemon
from agents.ending import on_signals
from agents.notify import Notifier

from .common import Common, explained
from .staying import logging_options


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
