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
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from .backoff import Backoff
from .carried import carrier_user
from .channel import ChannelClosed, peer_of, receive, send
from .errors import CarrierPrivileged
from .exchange import (
    MAX_ASK_BODY,
    MAX_TOLD_BODY,
    TOLD_HEADERS,
    Answer,
    Ask,
    Failed,
    Failure,
    FrameMalformed,
    Told,
    encode_answer,
    printable,
    read_ask,
)

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
        self._connect_timeout = connect_timeout
        self._helper_uid = helper_uid
        self._ended = threading.Event()
        self._http = httpx2.Client(
            transport=transport,
            verify=True if transport is not None else ssl.create_default_context(cafile=_text(ca_file)),
            follow_redirects=False,
            trust_env=False,
            headers={},
        )
        self._threads = [
            threading.Thread(target=self._serve, name=f"carrier-{number}", daemon=True) for number in range(CONNECTIONS)
        ]

    def run(self) -> None:
        """Carry until `stop`."""
        for thread in self._threads:
            thread.start()
        self._ended.wait()

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
        seconds = ask.milliseconds / 1000
        deadline = time.monotonic() + seconds
        content = body if ask.method != "GET" else None
        # content-length and host follow from address and body; what is signed about them is compared by the service.
        headers = [(name, text) for name, text in ask.headers if name not in {"content-length", "host"}]
        timeout = httpx2.Timeout(seconds, connect=min(self._connect_timeout, seconds))
        request = httpx2.Request(
            ask.method, ask.url, content=content, headers=headers, extensions={"timeout": timeout.as_dict()}
        )
        try:
            response = self._http.send(request, stream=True)
        except httpx2.TimeoutException as error:
            return _failed(ask, "timeout", error), b""
        except httpx2.RequestError as error:
            return _failed(ask, "connect", error), b""
        try:
            return self._read(ask, response, deadline)
        except httpx2.TimeoutException as error:
            return _failed(ask, "timeout", error), b""
        except httpx2.RequestError as error:
            return _failed(ask, "broken", error), b""
        finally:
            response.close()

    def _read(self, ask: Ask, response: httpx2.Response, deadline: float) -> tuple[Answer, bytes]:
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > MAX_TOLD_BODY:
                return Failed(ask.id, "too-large", f"more than {MAX_TOLD_BODY} bytes"), b""
            if time.monotonic() > deadline:
                return Failed(ask.id, "timeout", "the answer did not end in time"), b""
        if not 200 <= response.status_code <= 599:
            return Failed(ask.id, "broken", f"HTTP status {response.status_code}"), b""
        kept = {name: printable(text, 500) for name, text in response.headers.items() if name in TOLD_HEADERS}
        return Told(ask.id, response.status_code, tuple(kept.items())), bytes(data)


def _failed(ask: Ask, kind: Failure, error: Exception) -> Failed:
    return Failed(ask.id, kind, printable(f"{type(error).__name__}: {error}"))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


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
