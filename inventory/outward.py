"""One request from the service to somebody outside: bounded in time and bytes, never redirected, no proxy of the environment.

What comes back is signed and checked by whoever asked; nothing is believed because of where it came from.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_TIMEOUT_SECONDS: Final = 10
"""For each step: to connect, to send, to hear something."""
_WHOLE_SECONDS: Final = 20
"""For all of it: somebody who sends a byte now and then does not hold us up."""


class Unreached(Exception):
    """No answer came; the text says why."""


@dataclass(frozen=True)
class Reply:
    """Whatever was answered, success or not."""

    status: int
    body: bytes


def post(
    url: str, body: bytes, media_type: str, *, limit: int = 1 << 16, headers: Mapping[str, str] | None = None
) -> Reply:
    """Send a request and read the answer.

    Args:
        url: http or https, from the settings.
        body: what is sent.
        media_type: of the body.
        limit: bytes of the answer that are read; a longer one counts as none.
        headers: further ones.

    Raises:
        Unreached: no answer in time, or one that is too long.
    """
    return _exchange("POST", url, body, {**(headers or {}), "Content-Type": media_type}, limit)


def get(url: str, *, limit: int = 1 << 20) -> Reply:
    """Fetch something; otherwise as `post`."""
    return _exchange("GET", url, None, {}, limit)


def _exchange(method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit: int) -> Reply:
    parts = urlsplit(url)
    kind = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}.get(parts.scheme)
    if kind is None or not parts.hostname:
        raise Unreached(f"{url[:100]} is no address of the kinds http and https.")
    connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
    late = threading.Event()
    # Kept here: an answer without a length takes the socket over, and the connection then knows of none.
    wires: list[socket.socket] = []

    def give_up() -> None:
        late.set()
        for wire in wires:
            with suppress(OSError):  # gone already
                wire.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_WHOLE_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.connect()
        wires.append(connection.sock)
        if late.is_set():  # there was nothing to cut yet
            raise TimeoutError("connecting took all the time")
        connection.request(method, target, body, {**headers, "User-Agent": "sanitrail"})
        reply = connection.getresponse()
        data = reply.read(limit + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set():
            raise Unreached(f"There was no whole answer within {_WHOLE_SECONDS} seconds.") from error
        raise Unreached(f"{type(error).__name__}: {error}"[:200]) from error
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise Unreached(f"There was no whole answer within {_WHOLE_SECONDS} seconds.")
    if len(data) > limit:
        raise Unreached(f"The answer is longer than {limit} bytes.")
    return Reply(reply.status, data)
