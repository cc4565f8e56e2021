"""One stream between the halves of a separated agent: whole frames, within a time, and who is at the other end."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

from .exchange import PREFIX, FrameMalformed, lengths

_CREDENTIALS = struct.Struct("3i")
_CHUNK = 64 << 10


class ChannelClosed(OSError):
    """The other side is gone."""


@dataclass(frozen=True)
class Peer:
    """Who is at the other end of a Unix socket, in the kernel's word (SO_PEERCRED, unix(7)): as it was when it connected."""

    pid: int
    uid: int
    gid: int


def peer_of(stream: socket.socket) -> Peer:
    """The process at the other end. Raises `OSError` where the kernel does not say."""
    raw = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(raw))


def send(stream: socket.socket, frame: bytes, deadline: float) -> None:
    """Send a whole frame. Raises `TimeoutError` or `OSError`."""
    view = memoryview(frame)
    while view:
        stream.settimeout(_left(deadline))
        view = view[stream.send(view[:_CHUNK]) :]


def receive(stream: socket.socket, largest_body: int, deadline: float | None) -> tuple[bytes, bytes]:
    """Head and body of one frame.

    Args:
        stream: The connection.
        largest_body: Bytes.
        deadline: Monotonic time by which all of it must be here; None waits for ever for the first byte.

    Raises:
        FrameMalformed: It is over a limit, or breaks off inside.
        ChannelClosed: The other side ended between two frames.
        TimeoutError: Not in time.
    """
    prefix = _exactly(stream, PREFIX.size, deadline, may_end=True)
    head_length, body_length = lengths(prefix, largest_body)
    return _exactly(stream, head_length, deadline), _exactly(stream, body_length, deadline)


def is_quiet(stream: socket.socket) -> bool:
    """Whether the other side is there and has said nothing unasked."""
    stream.setblocking(False)
    try:
        stream.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    return False  # its end, or bytes that nobody asked for


def _exactly(stream: socket.socket, count: int, deadline: float | None, *, may_end: bool = False) -> bytes:
    data = bytearray()
    while len(data) < count:
        stream.settimeout(None if deadline is None else _left(deadline))
        chunk = stream.recv(min(_CHUNK, count - len(data)))
        if not chunk:
            if may_end and not data:
                raise ChannelClosed("the other side is gone")
            raise FrameMalformed("the frame breaks off")
        data += chunk
    return bytes(data)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("not in time")
    return left
