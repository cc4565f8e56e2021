"""One message to an address somebody configured: resolved once, every address checked, connected to exactly what was checked.

Against a name that means one thing when it is asked and another when it is connected to (DNS rebinding), and against being used
to reach what only this machine can reach. Never redirected, no proxy of the environment.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inventory.domain.webhooks import Address, Network, Target, address_objection
from inventory.outward import Unreached

_STEP_SECONDS: Final = 10
_WHOLE_SECONDS: Final = 20
_LIMIT: Final = 1 << 14
"""Bytes of an answer that are read; nothing in it is used."""

Resolve = Callable[[str, int], Sequence[Address]]


@dataclass(frozen=True)
class Answer:
    """What the receiver said: success or not."""

    status: int
    retry_after: int | None
    """Seconds, where it named them."""


def resolve(host: str, port: int) -> Sequence[Address]:
    """Every address a name stands for now. Raises `Unreached`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreached(f"{host} is not known: {error}"[:200]) from error
    return tuple(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def checked(target: Target, inside: Sequence[Network], resolver: Resolve = resolve) -> Sequence[Address]:
    """The addresses of a target, if each of them may be connected to. Raises `Unreached`.

    One that may not refuses them all: whoever answers with both has something in mind.
    """
    addresses = resolver(target.host, target.port)
    if not addresses:
        raise Unreached(f"{target.host} has no address.")
    for address in addresses:
        objection = address_objection(address, target.scheme, inside)
        if objection is not None:
            raise Unreached(f"{target.host} stands for {objection}" if objection[0].isdigit() else objection)
    return addresses


def tls(authorities: Path | None = None) -> ssl.SSLContext:
    """The system's authorities, and those of a file beside them."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities is not None:
        context.load_verify_locations(authorities)
    return context


class _Plain(http.client.HTTPConnection):
    """Connects to an address that was checked, whatever the name stands for by now."""

    pinned: str

    def connect(self) -> None:
        """As the library does, but to the address."""
        self.sock = socket.create_connection((self.pinned, self.port), self.timeout)


class _Tls(_Plain):
    """The same over TLS; the certificate must be the name's."""

    default_port = http.client.HTTPS_PORT
    wrapping: ssl.SSLContext

    def connect(self) -> None:
        """As the library does, but to the address."""
        super().connect()
        self.sock = self.wrapping.wrap_socket(self.sock, server_hostname=self.host)


def post(
    target: Target, addresses: Sequence[Address], body: bytes, headers: Mapping[str, str], context: ssl.SSLContext
) -> Answer:
    """Send one message to the first address that takes a connection. Raises `Unreached`."""
    problem: Unreached | None = None
    for address in addresses[:4]:
        try:
            return _post(target, address, body, headers, context)
        except _NotConnected as error:
            problem = error
    raise problem or Unreached(f"{target.host} has no address.")


class _NotConnected(Unreached):
    """Nothing was sent: another address may be tried."""


def _connection(target: Target, address: Address, context: ssl.SSLContext) -> _Plain:
    connection = (_Tls if target.scheme == "https" else _Plain)(target.host, target.port, timeout=_STEP_SECONDS)
    connection.pinned = str(address)
    if isinstance(connection, _Tls):
        connection.wrapping = context
    return connection


def _post(target: Target, address: Address, body: bytes, headers: Mapping[str, str], context: ssl.SSLContext) -> Answer:
    connection = _connection(target, address, context)
    try:
        connection.connect()
    except (OSError, ValueError) as error:
        connection.close()
        raise _NotConnected(f"{type(error).__name__}: {error}"[:200]) from error
    late = threading.Event()
    socket_ = connection.sock

    def give_up() -> None:
        late.set()
        with suppress(OSError):  # gone already
            socket_.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_WHOLE_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", target.path, body, dict(headers))
        reply = connection.getresponse()
        reply.read(_LIMIT)
        return Answer(reply.status, _seconds(reply.getheader("Retry-After")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        words = (
            f"There was no answer within {_WHOLE_SECONDS} seconds."
            if late.is_set()
            else f"{type(error).__name__}: {error}"
        )
        raise Unreached(words[:200]) from error
    finally:
        timer.cancel()
        connection.close()


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else None
