"""The bytes that belong at an address: constants and the keyed stream. Pure; fills memory it is handed, and reads no clock.

The keyed stream is AES-256-CTR in chunks of 1 MiB. A chunk's first counter block is `pass (4 bytes) || chunk number (8
bytes) || 2 (4 bytes)`, all big endian: that is also what AES-256-GCM encrypts zeros with under the nonce `pass ||
chunk number`, and OpenSSL has wider code for GCM than for CTR on some processors and versions, the reverse on others.
Both ways give the same bytes; which one is used is measured at the start, after both have given a known answer. Any
tool with AES-CTR can make the stream again from the key.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import SelfTestFailed
from .patterns import Content, Fixed

CHUNK = 1 << 20
SLICE = 256 << 10
"""Compared in pieces of this size, so that what was just made is still in the processor's cache."""
SLACK = 16
"""Bytes a cipher may want beyond the length it fills."""

MARKER_PASS = 0
"""Pass number of the addressed markers; passes count from 1."""

_ZEROS = memoryview(bytes(CHUNK))
_COUNTER_BLOCK = 16
_GCM_FIRST_COUNTER = 2  # SP 800-38D, 7.1: J0 has counter 1, the plaintext starts at inc32(J0)

# SHA-256 of chunk 3 of pass 7 under the key 00 01 .. 1f, made with
# openssl enc -aes-256-ctr -K 000102..1f -iv 00000007000000000000000300000002 over 1 MiB of zeros.
_KNOWN_KEY = bytes(range(32))
_KNOWN_PASS = 7
_KNOWN_CHUNK = 3
_KNOWN_ANSWER = "cc5c56b1ffd5d158c9394832f836158f4015b063e264fbdf873abb1cd26111f7"


def stream_key(master: bytes, fingerprint: str) -> bytes:
    """The key of one run's stream: HKDF-SHA-256 of a fresh master key and the medium's identity (RFC 5869)."""
    info = b"sanitrail/keyed-stream/1\0" + fingerprint.encode("ascii")
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master)


def drawn_bytes(master: bytes, fingerprint: str) -> bytes:
    """The random single bytes of legacy pattern sets, the same again when a run is resumed."""
    info = b"sanitrail/drawn-bytes/1\0" + fingerprint.encode("ascii")
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=info).derive(master)


def commitment(key: bytes) -> str:
    """What a record says of a key without telling it: its SHA-256."""
    return hashlib.sha256(key).hexdigest()


class Source(Protocol):
    """Content as bytes by address."""

    @property
    def constant(self) -> bool:
        """Whether every chunk holds the same bytes, so that one buffer serves for all of them."""
        ...

    def fill(self, view: memoryview, length: int, offset: int) -> None:
        """Put the bytes of `[offset, offset + length)` into the view, which has `SLACK` bytes more."""
        ...

    def pieces(self, view: memoryview, length: int, offset: int) -> Iterator[tuple[int, int]]:
        """Make `[offset, offset + length)` piece by piece at the start of the view: yields (place in the range, length)."""
        ...


class FixedSource:
    """A repeated unit; the phase follows from the address."""

    def __init__(self, unit: bytes) -> None:
        self._unit = unit
        self._run = memoryview(unit * ((CHUNK + len(unit)) // len(unit) + 1))

    @property
    def constant(self) -> bool:
        """Whether the unit divides a chunk, so that every chunk is the same."""
        return CHUNK % len(self._unit) == 0

    def fill(self, view: memoryview, length: int, offset: int) -> None:
        """See `Source`."""
        for at in range(0, length, CHUNK):
            count = min(CHUNK, length - at)
            phase = (offset + at) % len(self._unit)
            view[at : at + count] = self._run[phase : phase + count]

    def pieces(self, view: memoryview, length: int, offset: int) -> Iterator[tuple[int, int]]:
        """See `Source`."""
        for at in range(0, length, CHUNK):
            count = min(CHUNK, length - at)
            self.fill(view, count, offset + at)
            yield at, count


class KeyedSource:
    """The keyed stream of one pass. Safe for several threads at once: it keeps no state between calls."""

    def __init__(self, key: bytes, pass_number: int, *, through_gcm: bool) -> None:
        self._algorithm = algorithms.AES256(key)
        self._pass = pass_number
        self._through_gcm = through_gcm

    @property
    def constant(self) -> bool:
        """Never."""
        return False

    def _cipher(self, chunk: int, skipped: int) -> Callable[[memoryview, memoryview], int]:
        """An encryptor that stands `skipped` bytes into a chunk; GCM can only start at its beginning."""
        if self._through_gcm and skipped == 0:
            nonce = struct.pack(">IQ", self._pass, chunk)
            return Cipher(self._algorithm, modes.GCM(nonce)).encryptor().update_into
        blocks, rest = divmod(skipped, _COUNTER_BLOCK)
        counter = struct.pack(">IQI", self._pass, chunk, _GCM_FIRST_COUNTER + blocks)
        encryptor = Cipher(self._algorithm, modes.CTR(counter)).encryptor()
        if rest:
            encryptor.update(bytes(rest))
        return encryptor.update_into

    def fill(self, view: memoryview, length: int, offset: int) -> None:
        """See `Source`."""
        at = 0
        while at < length:
            chunk, skipped = divmod(offset + at, CHUNK)
            count = min(CHUNK - skipped, length - at)
            self._cipher(chunk, skipped)(_ZEROS[:count], view[at:])
            at += count

    def pieces(self, view: memoryview, length: int, offset: int) -> Iterator[tuple[int, int]]:
        """See `Source`."""
        at = 0
        while at < length:
            chunk, skipped = divmod(offset + at, CHUNK)
            inside = min(CHUNK - skipped, length - at)
            update = self._cipher(chunk, skipped)
            for done in range(0, inside, SLICE):
                count = min(SLICE, inside - done)
                update(_ZEROS[:count], view)
                yield at + done, count
            at += inside


def source_of(content: Content, key: bytes, pass_number: int, *, through_gcm: bool) -> Source:
    """The bytes of one pass."""
    if isinstance(content, Fixed):
        return FixedSource(content.unit)
    return KeyedSource(key, pass_number, through_gcm=through_gcm)


def _gives_the_known_answer(*, through_gcm: bool) -> bool:
    source = KeyedSource(_KNOWN_KEY, _KNOWN_PASS, through_gcm=through_gcm)
    memory = memoryview(bytearray(CHUNK + SLACK))
    source.fill(memory, CHUNK, _KNOWN_CHUNK * CHUNK)
    return hashlib.sha256(memory[:CHUNK]).hexdigest() == _KNOWN_ANSWER


def calibrate(clock: Callable[[], float], memory: memoryview) -> bool:
    """Test both ways of making the stream and measure which is faster; True for the one through GCM.

    Args:
        clock: Seconds, monotonic.
        memory: Scratch of at least `CHUNK + SLACK` bytes.

    Raises:
        SelfTestFailed: one of them does not give the known answer. Not used with only one: seeking needs CTR, and an
            installation whose GCM is wrong is not to be trusted with CTR.
    """
    for through_gcm in (True, False):
        if not _gives_the_known_answer(through_gcm=through_gcm):
            raise SelfTestFailed(path="GCM" if through_gcm else "CTR")
    taken: dict[bool, float] = {}
    for _ in range(3):
        for through_gcm in (True, False):
            source = KeyedSource(_KNOWN_KEY, _KNOWN_PASS, through_gcm=through_gcm)
            begun = clock()
            for chunk in range(4):
                source.fill(memory, CHUNK, chunk * CHUNK)
            taken[through_gcm] = min(taken.get(through_gcm, float("inf")), clock() - begun)
    return taken[True] <= taken[False]
