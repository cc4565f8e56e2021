"""`carry`: the half of a separated agent that has the network."""

from __future__ import annotations

import json
import os
import sys
from typing import Final

import click

from agents.carried import carrier_user
from agents.errors import CarrierPrivileged
from agents.small_pages import only_small_pages

from .common import Common, explained
from .staying import logging_options

_PROGRAM: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from agents.carrier import for_good
for_good(sys.argv[2:])
"""


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
    if os.geteuid() == 0:
        if user is None:
            raise CarrierPrivileged
        carrier_user(user)
    # In the place of this process, under its number: what reads settings and explains itself takes a third of the memory.
    words = [str(settings.carrier_socket), user or "", str(settings.connect_timeout), str(settings.ca_file or "")]
    line = [sys.executable, "-I", "-B", "-c", _PROGRAM, json.dumps(sys.path), *words, log_level, log_format]
    only_small_pages()
    sys.stdout.flush()
    os.execv(sys.executable, line)  # noqa: S606 - no shell is wanted
