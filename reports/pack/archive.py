"""A ZIP archive in exactly one form, written and read as a stream.

APPNOTE 6.3.10 with ZIP64 throughout, UTF-8 names, sizes behind each member (data descriptor), no time, no comment, no gap.
The form leaves no choice but how members are compressed, so a reader that goes through once can tell every other byte. It never
seeks and keeps no directory: what the directory must say is hashed on the way and compared when it comes.

Ordinary tools (`unzip`, Windows, macOS) read such archives.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Final, Protocol

from reports.errors import MalformedDocument

MAX_NAME: Final = 200
CHUNK: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")

_VERSION: Final = 45
_FLAGS: Final = 0x0808  # sizes follow the data (bit 3), names are UTF-8 (bit 11)
_DEFLATE: Final = 8
_NO_TIME: Final = 0x0021_0000  # 1980-01-01 00:00
_ALL: Final = 0xFFFF_FFFF
_LOCAL: Final = struct.Struct("<IHHHIIIIHH")
_LOCAL_EXTRA: Final = struct.pack("<HHQQ", 1, 16, 0, 0)
_DESCRIPTOR: Final = struct.Struct("<IIQQ")
_CENTRAL: Final = struct.Struct("<IHHHHIIIIHHHHHII")
_END_64: Final = struct.Struct("<IQHHIIQQQQ")
_LOCATOR: Final = struct.Struct("<IIQI")
_END: Final = struct.Struct("<IHHHHIIH")
_REGULAR_FILE: Final = 0o100644 << 16
_STORED_BLOCK: Final = 0xFFFF
END: Final = _END.pack(0x0605_4B50, 0, 0, 0xFFFF, 0xFFFF, _ALL, _ALL, 0)
"""The last bytes of every archive."""
LOCAL_SIGNATURE: Final = b"PK\x03\x04"
_CENTRAL_SIGNATURE: Final = b"PK\x01\x02"


class Hasher(Protocol):
    """What hashlib's objects offer."""

    def update(self, data: bytes, /) -> None:
        """More bytes."""

    def hexdigest(self) -> str:
        """Of all bytes so far."""


def is_member_name(name: str) -> bool:
    """Whether a member may have this name: letters, digits, `._-` and folders; nothing hidden, nothing that climbs."""
    return len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def _local(name: bytes) -> bytes:
    return (
        _LOCAL.pack(0x0403_4B50, _VERSION, _FLAGS, _DEFLATE, _NO_TIME, 0, _ALL, _ALL, len(name), len(_LOCAL_EXTRA))
        + name
        + _LOCAL_EXTRA
    )


def _central(name: bytes, crc: int, packed: int, size: int, offset: int) -> bytes:
    extra = struct.pack("<HHQQQ", 1, 24, size, packed, offset)
    return (
        _CENTRAL.pack(
            0x0201_4B50, 3 << 8 | _VERSION, _VERSION, _FLAGS, _DEFLATE, _NO_TIME, crc, _ALL, _ALL,
            len(name), len(extra), 0, 0, 0, _REGULAR_FILE, _ALL,
        )
        + name
        + extra
    )  # fmt: skip


def _end(members: int, length: int, offset: int) -> bytes:
    return (
        _END_64.pack(0x0606_4B50, 44, 3 << 8 | _VERSION, _VERSION, 0, 0, members, members, length, offset)
        + _LOCATOR.pack(0x0706_4B50, 0, offset + length, 1)
        + END
    )


class _Directory:
    """The central directory as it must be, without keeping it."""

    def __init__(self) -> None:
        self.members = 0
        self.length = 0
        self._hash = hashlib.sha256()

    def add(self, entry: bytes) -> None:
        self.members += 1
        self.length += len(entry)
        self._hash.update(entry)

    def digest(self) -> bytes:
        return self._hash.digest()


class ArchiveWriter:
    """Writes members one after the other. The directory waits in a file the caller gives, not in memory."""

    def __init__(self, write: Callable[[bytes], None], directory: IO[bytes]) -> None:
        """Takes where bytes go, and an empty temporary file for the directory."""
        self._write = write
        self._entries = directory
        self._directory = _Directory()
        self._all = hashlib.sha256()
        self.offset = 0

    @property
    def members(self) -> int:
        """How many members there are so far."""
        return self._directory.members

    def digest(self) -> str:
        """SHA-256 of every byte so far."""
        return self._all.hexdigest()

    def _put(self, data: bytes) -> None:
        self._all.update(data)
        self.offset += len(data)
        self._write(data)

    def member(self, name: str, parts: Iterator[bytes], *, level: int = 6) -> Iterator[tuple[str, int]]:
        """Write one member, part by part; yields after each, and at the end its SHA-256 and size.

        Raises:
            ValueError: no name of a member.
        """
        if not is_member_name(name):
            raise ValueError(f"not a member name: {name!r}")
        raw, start = name.encode(), self.offset
        self._put(_local(raw))
        begin, size, crc, content = self.offset, 0, 0, hashlib.sha256()
        packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        for part in parts:
            size += len(part)
            crc = zlib.crc32(part, crc)
            content.update(part)
            self._put(packer.compress(part))
            yield "", 0
        self._put(packer.flush())
        self._finish(raw, crc, self.offset - begin, size, start)
        yield content.hexdigest(), size

    def last_member(self, name: str, content: bytes) -> None:
        """Write a member in stored blocks: its packed form, too, can be told from its content."""
        raw, start = name.encode(), self.offset
        self._put(_local(raw))
        packed = stored(content)
        self._put(packed)
        self._finish(raw, zlib.crc32(content), len(packed), len(content), start)

    def _finish(self, name: bytes, crc: int, packed: int, size: int, start: int) -> None:
        self._put(_DESCRIPTOR.pack(0x0807_4B50, crc, packed, size))
        entry = _central(name, crc, packed, size, start)
        self._directory.add(entry)
        self._entries.write(entry)

    def close(self) -> Iterator[None]:
        """Write the directory."""
        start = self.offset
        self._entries.seek(0)
        while part := self._entries.read(CHUNK):
            self._put(part)
            yield
        self._put(_end(self._directory.members, self._directory.length, start))


def stored(content: bytes) -> bytes:
    """Content as deflate's stored blocks (RFC 1951, 3.2.4), as long as they may be."""
    parts = [content[start : start + _STORED_BLOCK] for start in range(0, len(content), _STORED_BLOCK)] or [b""]
    return b"".join(
        struct.pack("<BHH", number == len(parts) - 1, len(part), len(part) ^ 0xFFFF) + part
        for number, part in enumerate(parts)
    )


class ArchiveReader:
    """Goes once through an archive of the one form. Every method raises `MalformedDocument` for anything else."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._buffer = b""
        self._at = 0
        self._directory = _Directory()
        self._all = hashlib.sha256()
        self.file_hash = hashlib.sha256()
        self.offset = 0

    def digest(self) -> str:
        """SHA-256 of every byte up to here."""
        return self._all.hexdigest()

    def members(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each member: its name and its content in parts, which must be read to the end before the next."""
        while True:
            signature = self._take(4)
            if signature == _CENTRAL_SIGNATURE:
                self._read_directory(signature)
                return
            start = self.offset - 4
            rest = self._take(_LOCAL.size - 4)
            length = struct.unpack("<HH", rest[-4:])[0]
            name = self._take(min(length, MAX_NAME + 1))
            if signature + rest + name + self._take(len(_LOCAL_EXTRA)) != _local(name):
                raise _broken("a member does not begin as it must")
            text = name.decode("ascii", "replace")
            if not is_member_name(text):
                raise _broken("a member has a name that is not allowed")
            yield text, self._content(name, start)

    def _content(self, name: bytes, start: int) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        begin, size, crc = self.offset, 0, 0
        while not unpacker.eof:
            data = self._some()
            try:
                part = unpacker.decompress(data, CHUNK)
                left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            except zlib.error:
                raise _broken("a member cannot be unpacked") from None
            used = len(data) - len(left)
            self._advance(used)
            if not used and not part:
                raise _broken("a member cannot be unpacked")
            size += len(part)
            crc = zlib.crc32(part, crc)
            if part:
                yield part
        packed = self.offset - begin
        if self._take(_DESCRIPTOR.size) != _DESCRIPTOR.pack(0x0807_4B50, crc, packed, size):
            raise _broken("a member's sizes or checksum do not fit its content")
        self._directory.add(_central(name, crc, packed, size, start))

    def _read_directory(self, signature: bytes) -> None:
        start = self.offset - 4
        left, found = self._directory.length - 4, hashlib.sha256(signature)
        while left > 0:
            part = self._take(min(CHUNK, left))
            found.update(part)
            left -= len(part)
        if left < 0 or found.digest() != self._directory.digest():
            raise _broken("its directory is not the one that follows from its members")
        end = _end(self._directory.members, self._directory.length, start)
        if self._take(len(end)) != end or self._at < len(self._buffer) or self._source.read(1):
            raise _broken("it does not end where it must")

    def _fill(self) -> None:
        data = self._source.read(CHUNK)
        if not data:
            raise _broken("it is cut off")
        self.file_hash.update(data)
        self._buffer = self._buffer[self._at :] + data
        self._at = 0

    def _some(self) -> memoryview:
        if self._at == len(self._buffer):
            self._fill()
        return memoryview(self._buffer)[self._at :]

    def _advance(self, used: int) -> None:
        self._all.update(memoryview(self._buffer)[self._at : self._at + used])
        self._at += used
        self.offset += used

    def _take(self, length: int) -> bytes:
        while len(self._buffer) - self._at < length:
            self._fill()
        found = self._buffer[self._at : self._at + length]
        self._advance(length)
        return found


def _broken(problem: str) -> MalformedDocument:
    return MalformedDocument("archive", problem)
