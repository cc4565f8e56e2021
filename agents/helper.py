"""`sanitrail-helper`: the half of a separated agent that decides, keeps the keys and touches devices; it has no network.

It is the whole agent but for the network. Orders, approvals, roster, local rules, the log's proofs and the answers to hold
questions are checked here, in the process that writes, and by signatures alone; the carrier only carries.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from pathlib import Path

import click

from . import assembly, config, logs
from .assembly import Agent
from .carried import Carried, Carriers, carrier_user
from .cli.common import Common, explained
from .cli.output import table
from .cli.staying import logging_options
from .config import Settings
from .daemon import Daemon
from .ending import on_signals
from .notify import Notifier
from .small_pages import only_small_pages
from .state import StateDirectory

log = logging.getLogger("agents.helper")

_HELP = f"""The half of a separated agent that decides, keeps the keys and touches devices; it has no network.

systemd runs it as sanitrail-helper.service, beside sanitrail-carrier.service (`sanitrail-agent carry`), which has the
network and nothing else. Enrolling, looking and everything else a person does is `sanitrail-agent`.

\b
Exit status:
{table()}
"""


@click.command("sanitrail-helper", help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Settings file (TOML) instead of {config.DEFAULT_FILE}.",
)
@click.version_option(package_name="sanitrail", prog_name="sanitrail-helper")
@logging_options
@click.pass_context
def main(context: click.Context, file: Path | None, log_level: str, log_format: str) -> None:
    """Entry point; the help text is `_HELP`, because it holds the table of exit codes."""
    only_small_pages()
    logs.begin("helper", log_level, log_format)
    context.obj = Common(file, None, as_json=False)
    context.invoke(_serve)


@click.command
@explained
def _serve(common: Common) -> None:
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        carriers = Carriers(settings.carrier_socket, carrier_user(settings.carrier_user))
        agent = build(settings, state, carriers)
        if can_reach_a_network():
            log.warning("this process could open network connections itself: start it by sanitrail-helper.service")
        carriers.listen()
        try:
            daemon = Daemon(agent, Notifier.from_environment(os.environ))
            on_signals(daemon.stop)
            code = daemon.run()
        finally:
            carriers.close()
    sys.exit(code)


def build(settings: Settings, state: StateDirectory, carriers: Carriers) -> Agent:
    """The agent, with the carrier in the place of the network. Raises as `assembly.build`."""
    own, enrolled = assembly.require_enrolled(state)
    watch = assembly.open_watch(settings)
    link = Carried(carriers, connect_timeout=settings.connect_timeout, reply_timeout=settings.reply_timeout)
    client = assembly.open_client(enrolled.server, own, watch, link)
    return assembly.build(settings, state=state, service=client, watch=watch)


def can_reach_a_network() -> bool:
    """Whether this process may open a socket to another machine at all; systemd's units forbid it."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.socket(family, socket.SOCK_STREAM).close()
        except OSError:
            continue
        return True
    return False


if __name__ == "__main__":
    main()
