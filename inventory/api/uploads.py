"""Files from strangers: counted by address, bounded in size and time, a few at once, kept in memory only.

Nothing of an upload is written to disk or logged, its name included. A body that comes too slowly is given up on; the thread
that still waits for it keeps its place among the few until the connection ends, so that it takes none from anybody else.
"""

from __future__ import annotations

import io
import ipaddress
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

from .problems import ApiError

RECEIVE_SECONDS: Final = 60.0
"""A body has this long to arrive."""
_CHUNK: Final = 16 * 1024
_AT_ONCE: Final = 8
_AT_ONCE_EACH: Final = 2
_CHECKS: Final = 2
_PATIENCE_SECONDS: Final = 10.0
_WINDOW_SECONDS: Final = 60.0
_ADDRESSES: Final = 10_000
_PARTS: Final = 8
_FIELD_BYTES: Final = 4096
_FORM_BYTES: Final = 256 * 1024
"""Of all fields but the file; the parser holds as much of the body at once."""


class RateLimit:
    """So many a minute for each address, by a bucket that refills steadily. Forgets who has not come for longest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, per_minute: int) -> float:
        """One of the address's tokens: 0, or after how many seconds there will be one."""
        key = network_of(address)
        with self._lock:
            now = self._clock()
            left, seen = self._buckets.pop(key, (float(per_minute), now))
            left = min(float(per_minute), left + (now - seen) * per_minute / _WINDOW_SECONDS)
            wait = 0.0 if left >= 1 else (1 - left) * _WINDOW_SECONDS / per_minute
            self._buckets[key] = (left - 1 if not wait else left, now)
            while len(self._buckets) > _ADDRESSES:
                self._buckets.popitem(last=False)
        return wait


def network_of(address: str) -> str:
    """Whom an address belongs to: of IPv6 the first 64 bits, since one host may use all the others."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)


class _Room:
    """Who is being received and what is being checked at this moment."""

    def __init__(self) -> None:
        self.limit = RateLimit()
        self.checks = threading.BoundedSemaphore(_CHECKS)
        self.pool = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="upload")
        self._lock = threading.Lock()
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> None:
        with self._lock:
            if self._by_address.total() >= _AT_ONCE or self._by_address[address] >= _AT_ONCE_EACH:
                raise ApiError(
                    "busy", detail="Too many files are being received at once.", headers={"Retry-After": "10"}
                )
            self._by_address[address] += 1

    def leave(self, address: str) -> None:
        with self._lock:
            self._by_address[address] -= 1
            if self._by_address[address] <= 0:
                del self._by_address[address]


_ROOM = _Room()


@dataclass(frozen=True)
class Form:
    """What a form with a file said."""

    fields: dict[str, str]
    file: bytes


def admit(request: Request, per_minute: int) -> None:
    """Count this request against its address.

    Raises:
        ApiError: `too-many-requests` (429).
    """
    wait = _ROOM.limit.take(request.remote_addr or "", per_minute)
    if wait:
        raise ApiError(
            "too-many-requests",
            detail="Too many files from this address within a minute.",
            headers={"Retry-After": str(int(wait) + 1)},
        )


def receive(request: Request, limit: int, *, seconds: float = RECEIVE_SECONDS) -> bytes:
    """The whole body, in memory.

    Raises:
        ApiError: `length-required` (411), `body-too-large` (413), `too-slow` (408), `busy` (503), `bad-request` (400: it ended
            before its announced length).
    """
    length = request.content_length
    if length is None:
        raise ApiError("length-required")
    if length > limit:
        raise ApiError("body-too-large", detail=f"At most {limit} bytes are read here.")
    address = network_of(request.remote_addr or "")
    stream: IO[bytes] = request.environ["wsgi.input"]
    stop = threading.Event()
    _ROOM.enter(address)
    work: Future[bytes] = _ROOM.pool.submit(_read, stream, length, stop)
    work.add_done_callback(lambda _: _ROOM.leave(address))
    try:
        found = work.result(timeout=seconds)
    except TimeoutError:
        stop.set()
        raise ApiError("too-slow", headers={"Connection": "close"}) from None
    if len(found) != length:
        raise ApiError("bad-request", detail="The body ended before the length it announced.")
    return found


def _read(stream: IO[bytes], length: int, stop: threading.Event) -> bytes:
    kept = bytearray()
    while len(kept) < length and not stop.is_set():
        part = stream.read(min(_CHUNK, length - len(kept)))
        if not part:
            break
        kept += part
    return bytes(kept)


def read_form(request: Request, content: bytes) -> Form:
    """The fields of a multipart form and its one file, `file`; nothing goes to disk.

    Raises:
        ApiError: `unsupported-media-type` (415), `bad-request` (400).
    """
    if request.mimetype != "multipart/form-data":
        raise ApiError("unsupported-media-type", detail="Send the form as multipart/form-data.")
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=_FORM_BYTES,
        max_content_length=len(content),
        max_form_parts=_PARTS,
        silent=False,
    )
    try:
        _, fields, files = parser.parse(
            io.BytesIO(content), request.mimetype, len(content), options=dict(request.mimetype_params)
        )
    except (HTTPException, ValueError) as error:
        raise ApiError("bad-request", detail="The form cannot be read.") from error
    found = files.get("file")
    texts = {name: value[:_FIELD_BYTES] for name, value in fields.items()}
    return Form(texts, b"" if found is None else found.stream.read())


def _in_memory(
    total_content_length: int | None,  # noqa: ARG001 - werkzeug's signature
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> IO[bytes]:
    return io.BytesIO()


@contextmanager
def checking() -> Iterator[None]:
    """One of the few places where a file is checked.

    Raises:
        ApiError: `busy` (503).
    """
    if not _ROOM.checks.acquire(timeout=_PATIENCE_SECONDS):
        raise ApiError("busy", detail="Too many files are being checked at once.", headers={"Retry-After": "10"})
    try:
        yield
    finally:
        _ROOM.checks.release()
