"""A command's way to the service: a command of root's sends a carrier of its own, and never speaks to a network itself.

`enrol`, `pin-roster`, `replace-key` and `log compare` read keys and pins, so root runs them; what a stranger answers over a
network is read by another process: started for this one errand, without a right, a key or a device, and gone with the command.
What it brings back is believed as little as what the installed carrier brings.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from .assembly import open_network
from .carried import Carried, Carriers, CarrierUser, carrier_user
from .config import Settings
from .errors import ConfigInvalid
from .link import Link

NOBODY: Final = "nobody"
"""Carries where the host has no user for the carrier: an agent that was not installed as a package."""

_PROGRAM: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from agents.carrier import on_errand
on_errand(sys.argv[2:])
"""
_GONE_WITHIN: Final = 5.0


@contextmanager
def way(settings: Settings) -> Iterator[Link]:
    """A link for one command. As root it is a carrier's; other users have no right to give up, and use the network themselves.

    Raises:
        ConfigInvalid: The settings name root as the carrier's user, or a user that does not exist.
    """
    if os.geteuid() != 0:
        link = open_network(settings)
        try:
            yield link
        finally:
            link.close()
        return
    with ExitStack() as ending:
        mine, theirs = socket.socketpair()
        ending.callback(mine.close)
        child = _send_out(settings, theirs)
        ending.callback(_end, child)
        carriers = Carriers(settings.carrier_socket, CarrierUser(0, 0))
        carriers.adopt(mine)
        yield Carried(carriers, connect_timeout=settings.connect_timeout, reply_timeout=settings.reply_timeout)


def user_of(settings: Settings) -> str:
    """Who carries for a command: the carrier's user, or `nobody` where the host has none by the usual name."""
    try:
        carrier_user(settings.carrier_user)
    except ConfigInvalid:
        if settings.carrier_user != Settings.model_fields["carrier_user"].default or _exists(settings.carrier_user):
            raise
        return NOBODY
    return settings.carrier_user


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _send_out(settings: Settings, stream: socket.socket) -> subprocess.Popen[bytes]:
    """Start the carrier with one end of a connection, and give that end up."""
    with stream:
        ca_file = "" if settings.ca_file is None else str(settings.ca_file)
        line = [sys.executable, "-I", "-B", "-c", _PROGRAM, json.dumps(sys.path)]
        line += [str(stream.fileno()), user_of(settings), str(settings.connect_timeout), ca_file]
        return subprocess.Popen(line, pass_fds=(stream.fileno(),), stdin=subprocess.DEVNULL, env={"LC_ALL": "C.UTF-8"})


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_GONE_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
