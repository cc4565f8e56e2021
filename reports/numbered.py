"""A signed envelope as a row of numbered texts, each short enough for one QR code; and back again, in any order.

    SANITRAIL:1:<digest>:<number>/<of>:<check>:<text>

Everything is of the alphabet that QR codes hold best (ISO/IEC 18004, 7.3.4, alphanumeric), but for its space, which forms and
people lose: 41 signs, of which three hold two bytes.
`digest` is the beginning of the SHA-256 of the whole, so that parts of two rows never mix; `check` is over the part's own text,
so that a damaged part is named and the others are kept. What comes out is an envelope as it went in, byte for byte; whether it
is to be believed its signature says, as ever.

An envelope holds its payload in base64, and bundles hold envelopes in envelopes: `pack` takes the layers apart before it
compresses, and gives up where they could not be put together again exactly.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .canonical import canonical, from_base64, parse_strict, to_base64
from .envelope import Envelope, payload_bytes
from .errors import MalformedDocument

MAX_PACKED: Final = 1 << 20
MAX_UNPACKED: Final = 4 << 20
MOST_PARTS: Final = 999
PART_BYTES: Final = 520
"""Of the packed bytes in one part: a code of some 100 modules a side, which a telephone reads from a screen or from paper."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-."
_BASE: Final = len(_ALPHABET)
_VALUES: Final = {sign: value for value, sign in enumerate(_ALPHABET)}
_MARK: Final = "SANITRAIL:"
_PART: Final = re.compile(
    r"SANITRAIL:1:([0-9A-F]{16}):([1-9][0-9]{0,2})/([1-9][0-9]{0,2}):([0-9A-F]{8}):([0-9A-Z$*+\-.]+)"
)
_FIELDS: Final = frozenset({"payloadType", "payload", "signatures"})
_DEEPEST: Final = 8


class PartRefused(MalformedDocument):
    """One text is not a part of this row. What was read before it stays."""

    def __init__(self, problem: str) -> None:
        super().__init__("part", problem)


@dataclass
class Row:
    """Parts as they come in: any order, any of them twice."""

    digest: str = ""
    of: int = 0
    parts: dict[int, bytes] = field(default_factory=dict)

    def add(self, text: str) -> int:
        """Take in one part. Returns its number.

        Raises:
            PartRefused: not a part, a damaged one, or one of another row.
        """
        number, of, digest, data = _read_part(text)
        if self.digest and (digest, of) != (self.digest, self.of):
            raise PartRefused("It is of another row; finish one before beginning the next.")
        if self.parts.get(number, data) != data:
            raise PartRefused(f"Part {number} was read before, and was different.")
        self.digest, self.of = digest, of
        self.parts[number] = data
        return number

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the parts that were not read yet; empty before the first part was read."""
        return tuple(number for number in range(1, self.of + 1) if number not in self.parts)

    @property
    def complete(self) -> bool:
        """Whether every part is here."""
        return self.of > 0 and not self.missing

    def envelope(self) -> Envelope:
        """The envelope that went in.

        Raises:
            MalformedDocument: parts are missing, or they do not give what the row's digest says.
        """
        if not self.complete:
            raise MalformedDocument("parts", f"missing: {numbers(self.missing) or 'all of them'}")
        packed = b"".join(self.parts[number] for number in range(1, self.of + 1))
        if _digest(packed) != self.digest:
            raise MalformedDocument("parts", "together they are not what the row's digest says")
        return unpack(packed)


def parts_of(envelope: Mapping[str, Any], part_bytes: int = PART_BYTES) -> tuple[str, ...]:
    """The envelope as numbered texts.

    Raises:
        MalformedDocument: it is no envelope, or would need more parts than anybody carries.
    """
    packed = pack(envelope)
    pieces = [packed[start : start + part_bytes] for start in range(0, len(packed), part_bytes)]
    if len(pieces) > MOST_PARTS:
        raise MalformedDocument("parts", f"{len(pieces)} parts would be needed, {MOST_PARTS} are the most; take a file")
    digest = _digest(packed)
    return tuple(_write_part(digest, number, len(pieces), piece) for number, piece in enumerate(pieces, 1))


def gather(texts: Iterable[str]) -> Row:
    """A row of what was read, one part a text. Raises `PartRefused`."""
    row = Row()
    for text in texts:
        row.add(text)
    return row


def split_texts(content: str) -> tuple[str, ...]:
    """Texts from one file or field, one a line; empty lines are left out."""
    return tuple(line.strip("\r\n\t") for line in content.splitlines() if line.strip())


def is_part(text: str) -> bool:
    """Whether a code that was read is meant to be a part of a bundle, misread or not."""
    return text.startswith(_MARK)


def numbers(found: Iterable[int]) -> str:
    """Numbers for a person: `1-3, 7`."""
    runs: list[list[int]] = []
    for number in sorted(found):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def pack(envelope: Mapping[str, Any]) -> bytes:
    """An envelope, small. Raises `MalformedDocument`."""
    payload_bytes(envelope)
    return zlib.compress(canonical(_open(dict(envelope), _DEEPEST)), 9)


def unpack(data: bytes) -> Envelope:
    """What `pack` was given. Raises `MalformedDocument`."""
    if len(data) > MAX_PACKED:
        raise MalformedDocument("bundle", "larger than anything that is carried")
    machine = zlib.decompressobj()
    try:
        plain = machine.decompress(data, MAX_UNPACKED)
    except zlib.error as error:
        raise MalformedDocument("bundle", "it cannot be unpacked") from error
    if not machine.eof or machine.unused_data:
        raise MalformedDocument("bundle", "it breaks off, or is larger than anything that is carried")
    envelope = _close(parse_strict(plain, "bundle", max_bytes=MAX_UNPACKED))
    if not isinstance(envelope, dict):
        raise MalformedDocument("bundle", "not an envelope")
    payload_bytes(envelope)
    return envelope


def _open(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """The value with the payload of every envelope in it as what it is, where that can be undone exactly."""
    if isinstance(value, list):
        return [_open(one, depth) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) != _FIELDS or not isinstance(value["payload"], str) or depth == 0:
        return {name: _open(one, depth) for name, one in value.items()}
    try:
        plain = from_base64(value["payload"], "payload")
        body = _open(parse_strict(plain, "payload", max_bytes=MAX_UNPACKED), depth - 1)
        exact = isinstance(body, dict) and canonical(_close(body)) == plain
    except MalformedDocument:
        exact = False
    return {**value, "payload": body} if exact else value


def _close(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, list):
        return [_close(one) for one in value]
    if not isinstance(value, dict):
        return value
    closed = {name: _close(one) for name, one in value.items()}
    if set(closed) == _FIELDS and isinstance(closed["payload"], dict):
        closed["payload"] = to_base64(canonical(closed["payload"]))
    return closed


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()[:16].upper()


def _check(head: str, text: str) -> str:
    return f"{zlib.crc32(f'{head}:{text}'.encode('ascii')):08X}"


def _write_part(digest: str, number: int, of: int, piece: bytes) -> str:
    head, text = f"SANITRAIL:1:{digest}:{number}/{of}", _as_text(piece)
    return f"{head}:{_check(head, text)}:{text}"


def _read_part(text: str) -> tuple[int, int, str, bytes]:
    found = _PART.fullmatch(text)
    if found is None:
        raise PartRefused("It is no part of a bundle.")
    digest, number, of, check, body = found.groups()
    if _check(f"SANITRAIL:1:{digest}:{number}/{of}", body) != check:
        raise PartRefused(f"Part {number} was misread; read it again.")
    if int(number) > int(of):
        raise PartRefused("It numbers itself beyond the end of its row.")
    return int(number), int(of), digest, _from_text(body)


def _as_text(data: bytes) -> str:
    signs: list[str] = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, sign = divmod(value, _BASE)
            signs.append(_ALPHABET[sign])
    return "".join(signs)


def _from_text(text: str) -> bytes:
    found = bytearray()
    for start in range(0, len(text), 3):
        signs = text[start : start + 3]
        value = sum(_VALUES[sign] * _BASE**place for place, sign in enumerate(signs))
        size = len(signs) - 1
        if size == 0 or value >= 256**size:
            raise PartRefused("Its text was not made here.")
        found += value.to_bytes(size, "big")
    return bytes(found)
