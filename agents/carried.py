"""The helper's way to the service: requests handed to a carrier, which is another process and believed in nothing.

The helper has no network. It listens on a Unix socket; the carrier connects a few times and each connection carries one
exchange at a time. Whoever connects must be the one user that the settings name. A connection that breaks the form, answers
another question, speaks unasked or is late is closed, and the exchange counts as not answered.
"""

from __future__ import annotations

import itertools
import logging
import os
import pwd
import queue
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .channel import is_quiet, peer_of, receive, send
from .errors import ConfigInvalid
from .exchange import (
    MAX_TOLD_BODY,
    MAX_WAIT,
    Answer,
    Ask,
    Failed,
    FrameMalformed,
    encode_ask,
    read_answer,
)
from .link import NotReached, Reply, Request

log = logging.getLogger("agents.carried")

MOST = 16
"""Connections of a carrier kept at once."""


@dataclass(frozen=True)
class CarrierUser:
    """The carrier's user and group, by number."""

    uid: int
    gid: int


class NotCarried(NotReached):
    """The exchange did not take place as far as anybody knows: no carrier, or one that did not keep to the form."""


class Carriers:
    """Connections of the carrier. `exchange` may be called from any thread."""

    def __init__(self, address: Path, carrier: CarrierUser, grace: float = 1.0) -> None:
        """Nothing listens yet.

        Args:
            address: Of the Unix socket.
            carrier: The one user that may connect.
            grace: Seconds the carrier has beyond the time of the exchange, to say that it is over.
        """
        self._grace = grace
        self._address = address
        self._carrier = carrier
        self._idle: queue.LifoQueue[socket.socket] = queue.LifoQueue()
        self._numbers = itertools.count(1)
        self._listener: socket.socket | None = None
        self._listening = threading.Lock()

    def listen(self) -> None:
        """Take connections from now on. Raises `OSError` where the address cannot be bound."""
        self._address.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        before = os.umask(0o117)  # 0660 from its first moment on
        try:
            listener.bind(str(self._address))
        finally:
            os.umask(before)
        try:
            os.chown(self._address, -1, self._carrier.gid)
        except PermissionError:  # under systemd the group is this process's own, and nothing is left to do
            log.debug("the socket keeps group %d", os.getegid())
        listener.listen(MOST)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="carriers", daemon=True).start()

    def close(self) -> None:
        """End every connection."""
        with self._listening:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave `accept` waiting for one more connection
            listener.close()
        self._address.unlink(missing_ok=True)
        while (stream := self._next_idle()) is not None:
            stream.close()

    def take(self, stream: socket.socket) -> bool:
        """Keep a connection, if it is the carrier's. Closes it otherwise."""
        try:
            peer = peer_of(stream)
        except OSError:
            stream.close()
            return False
        if peer.uid != self._carrier.uid:
            log.warning("process %d of user %d is not the carrier and was turned away", peer.pid, peer.uid)
            stream.close()
            return False
        if self._idle.qsize() >= MOST:
            self._sweep()
        if self._idle.qsize() >= MOST:
            stream.close()
            return False
        self._idle.put(stream)
        return True

    def adopt(self, stream: socket.socket) -> None:
        """Keep a connection whose other end this process itself gave to a carrier (`errand`)."""
        self._idle.put(stream)

    def exchange(self, ask: Ask, body: bytes, patience: float) -> tuple[Answer, bytes]:
        """Have one request carried.

        Args:
            ask: The request; its `id` is set here.
            body: Its content.
            patience: Seconds to wait for a free connection.

        Raises:
            NotCarried: As it says.
        """
        stream = self._connection(patience)
        number = next(self._numbers)
        asked = Ask(number, ask.method, ask.url, ask.headers, ask.milliseconds)
        deadline = time.monotonic() + asked.milliseconds / 1000 + self._grace
        try:
            send(stream, encode_ask(asked, body), deadline)
            head, data = receive(stream, MAX_TOLD_BODY, deadline)
            answer = _answer_to(number, head, data)
        except FrameMalformed as error:
            stream.close()
            log.error("the carrier does not keep to the form: %s", error)  # noqa: TRY400 - nothing in the trace helps
            raise NotCarried("broken", f"the carrier does not keep to the form: {error}") from error
        except TimeoutError as error:
            stream.close()
            raise NotCarried("timeout", "the carrier did not answer in time") from error
        except OSError as error:
            stream.close()
            raise NotCarried("connect", f"the carrier is gone: {error}") from error
        except BaseException:
            stream.close()
            raise
        self._idle.put(stream)
        return answer, data

    def _connection(self, patience: float) -> socket.socket:
        deadline = time.monotonic() + patience
        while True:
            try:
                stream = self._idle.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise NotCarried("connect", "no carrier is connected (sanitrail-carrier.service)") from None
            if is_quiet(stream):
                return stream
            stream.close()

    def _next_idle(self) -> socket.socket | None:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return None

    def _sweep(self) -> None:
        """Forget connections whose other side is gone."""
        kept = []
        while (stream := self._next_idle()) is not None:
            if is_quiet(stream):
                kept.append(stream)
            else:
                stream.close()
        for stream in kept:
            self._idle.put(stream)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return  # closed
            with self._listening:
                if self._listener is not listener:  # closed just now: nobody would close what is kept after that
                    stream.close()
                    return
                self.take(stream)


class Carried:
    """`Link` in a process without network."""

    def __init__(self, carriers: Carriers, *, connect_timeout: float, reply_timeout: float) -> None:
        """As the settings say, in seconds; the carrier keeps to them."""
        self._carriers = carriers
        self._patience = connect_timeout
        self._milliseconds = min(MAX_WAIT, max(1, round((connect_timeout + reply_timeout) * 1000)))

    def close(self) -> None:
        """End the carrier's connections; it makes new ones where somebody listens."""
        self._carriers.close()

    def exchange(self, request: Request) -> Reply:
        """One exchange. Raises `NotReached`."""
        ask = Ask(1, request.method, request.url, tuple(request.headers.items()), self._milliseconds)
        try:
            answer, body = self._carriers.exchange(ask, request.body or b"", self._patience)
        except FrameMalformed as error:  # our own request: too long for the form
            raise NotReached("broken", str(error)) from error
        if isinstance(answer, Failed):
            raise NotReached(answer.kind, answer.words)
        return Reply(answer.status, dict(answer.headers), body)


def _answer_to(number: int, head: bytes, data: bytes) -> Answer:
    answer = read_answer(head)
    if answer.id != number:
        raise FrameMalformed("an answer to another request")
    if isinstance(answer, Failed) and data:
        raise FrameMalformed("a failure with a body")
    return answer


def carrier_user(name: str) -> CarrierUser:
    """The user the carrier runs as. Raises `ConfigInvalid` where there is none, or it is root."""
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise ConfigInvalid("carrier_user", f"there is no user {name} on this host") from error
    if found.pw_uid == 0:
        raise ConfigInvalid("carrier_user", "the carrier must not be root")
    return CarrierUser(found.pw_uid, found.pw_gid)
