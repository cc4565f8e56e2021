"""The carrier: the half of a separated agent that has the network, and nothing else.

It carries signed requests from the helper to the service and what comes back. It holds no key, believes and decides nothing, and
can open no device. Whoever takes it over can lose messages and read them, and can neither sign nor alter a request, nor make the
helper believe an order, an approval, a roster or the answer to a hold question.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # looked for by name at the first connection, when this process may read nothing of root's any more
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from . import logs
from .backoff import Backoff
from .carried import carrier_user
from .channel import ChannelClosed, peer_of, receive, send
from .ending import on_signals
from .errors import CarrierPrivileged
from .exchange import (
    MAX_ASK_BODY,
    TOLD_HEADERS,
    Answer,
    Ask,
    Failed,
    FrameMalformed,
    Told,
    encode_answer,
    printable,
    read_ask,
)
from .link import NotReached, Request
from .network import Network
from .notify import Notifier

log = logging.getLogger("agents.carrier")

_LOADED_BEFORE_ROOT_IS_GIVEN_UP = encodings.idna

CONNECTIONS = 6
"""Exchanges at once: the main loop's, the hold questions' and the progress of a few runs; more wait for a moment."""


class Carrier:
    """Carries until `stop`. The helper may come and go meanwhile."""

    def __init__(
        self,
        address: Path,
        *,
        connect_timeout: float,
        ca_file: Path | None = None,
        transport: httpx2.BaseTransport | None = None,
        helper_uid: int = 0,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            address: The helper's socket.
            connect_timeout: Seconds to reach the service.
            ca_file: Certificate authorities instead of the system's.
            transport: Something else than the network, for tests.
            helper_uid: Whose socket it must be: a false helper would only learn what it sends, but none is served.
        """
        self._address = address
        self._helper_uid = helper_uid
        self._ended = threading.Event()
        self._network = Network(
            connect_timeout=connect_timeout, reply_timeout=connect_timeout, ca_file=ca_file, transport=transport
        )
        self._threads = [
            threading.Thread(target=self._serve, name=f"carrier-{number}", daemon=True) for number in range(CONNECTIONS)
        ]

    def run(self, notifier: Notifier | None = None) -> None:
        """Carry until `stop`, and give whoever watches its signs of life."""
        for thread in self._threads:
            thread.start()
        watched = None if notifier is None else notifier.watchdog_seconds
        while not self._ended.wait(None if watched is None else watched / 3):
            if notifier is not None:
                notifier.alive()

    def stop(self) -> None:
        """End; an exchange under way is given up, and the helper asks again."""
        self._ended.set()

    def _serve(self) -> None:
        backoff = Backoff(0.2, 10.0)
        while not self._ended.is_set():
            try:
                with contextlib.closing(self._connect()) as stream:
                    backoff.succeeded()
                    while not self._ended.is_set():
                        self._carry_one(stream)
            except ChannelClosed:
                log.info("the helper ended the connection")
            except (OSError, FrameMalformed) as error:
                log.info("the helper is not there: %s", error)
            except Exception:
                log.exception("a defect of the carrier; the connection is made anew")
            self._ended.wait(backoff.failed())

    def serve(self, stream: socket.socket) -> None:
        """Carry over this one connection, until its other side ends it."""
        with contextlib.closing(stream), contextlib.suppress(ChannelClosed):
            while True:
                self._carry_one(stream)

    def _connect(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            stream.connect(str(self._address))
            self._require_helper(stream)
        except BaseException:
            stream.close()
            raise
        return stream

    def _require_helper(self, stream: socket.socket) -> None:
        if (peer := peer_of(stream)).uid != self._helper_uid:
            raise ChannelClosed(f"the socket belongs to user {peer.uid}, not to {self._helper_uid}")

    def _carry_one(self, stream: socket.socket) -> None:
        head, body = receive(stream, MAX_ASK_BODY, None)
        ask = read_ask(head)
        answer, data = self.carry(ask, body)
        send(stream, encode_answer(answer, data), time.monotonic() + 30.0)

    def carry(self, ask: Ask, body: bytes) -> tuple[Answer, bytes]:
        """One exchange with the service; never raises for what the network does."""
        request = Request(ask.method, ask.url, dict(ask.headers), body if ask.method != "GET" else None)
        try:
            reply = self._network.exchange(request, ask.milliseconds / 1000)
        except NotReached as error:
            return Failed(ask.id, error.kind, printable(str(error))), b""
        if not 200 <= reply.status <= 599:
            return Failed(ask.id, "broken", f"HTTP status {reply.status}"), b""
        kept = {name: printable(text, 500) for name, text in reply.headers.items() if name in TOLD_HEADERS}
        return Told(ask.id, reply.status, tuple(kept.items())), reply.body


def become(user: str, set_ids: Callable[[int, int], None] | None = None) -> None:
    """Give up root for good and be `user`. Does nothing where this process is not root.

    Raises:
        ConfigInvalid: There is no such user, or it is root.
    """
    if os.geteuid() != 0:
        return
    found = carrier_user(user)
    (set_ids or _set_ids)(found.uid, found.gid)


def require_unprivileged() -> None:
    """Raises `CarrierPrivileged` where this process is root after all."""
    if 0 in {os.getuid(), os.geteuid()}:
        raise CarrierPrivileged


def _set_ids(uid: int, gid: int) -> None:
    os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def on_errand(words: list[str]) -> None:
    """A process for one command (`errand`): load what it needs, give up root, carry until the command ends.

    Args:
        words: The connection's number, the user to be, seconds to reach the service, a file of authorities or nothing.
    """
    number, user, connect_timeout, ca_file = words
    authorities = Path(ca_file) if ca_file else None
    carrier = Carrier(Path("/nonexistent"), connect_timeout=float(connect_timeout), ca_file=authorities)
    become(user)
    require_unprivileged()
    carrier.serve(socket.socket(fileno=int(number)))


def for_good(words: list[str]) -> None:
    """The process that `carry` becomes: it has what carrying takes, and no longer what reading settings took.

    Args:
        words: The helper's socket, the user to be or nothing, seconds to reach the service, a file of authorities or nothing,
            how much is logged, and how.
    """
    address, user, connect_timeout, ca_file, log_level, log_format = words
    logs.begin("carrier", log_level, log_format)
    authorities = Path(ca_file) if ca_file else None
    carrier = Carrier(Path(address), connect_timeout=float(connect_timeout), ca_file=authorities)
    if user:
        become(user)
    require_unprivileged()
    on_signals(carrier.stop)
    notifier = Notifier.from_environment(os.environ)
    notifier.ready("Carrying between helper and service")
    carrier.run(notifier)
    notifier.stopping()
