"""`carry`: the half of a separated agent that has the network."""

from __future__ import annotations

import os

import click

from agents import logs
from agents.carrier import Carrier, become, require_unprivileged
from agents.notify import Notifier

from .common import Common, explained
from .staying import logging_options, on_signals


@click.command("carry")
@click.option("--user", help="Started as root: become this user, for good, before anything else.")
@logging_options
@explained
def carry_command(common: Common, user: str | None, log_level: str, log_format: str) -> None:
    """Carry requests between `sanitrail-helper` and the service.

    The only half that has the network. It needs no right, holds no key, and decides nothing: what it carries is signed by
    the helper, and what it brings back the helper checks. It refuses to run as root.
    """
    settings = common.settings()
    if user is not None:
        become(user)
    require_unprivileged()
    logs.begin("carrier", log_level, log_format)
    carrier = Carrier(
        settings.carrier_socket, connect_timeout=settings.connect_timeout, ca_file=settings.ca_file, helper_uid=0
    )
    on_signals(carrier.stop)
    notifier = Notifier.from_environment(os.environ)
    notifier.ready("Carrying between helper and service")
    carrier.run()
    notifier.stopping()
