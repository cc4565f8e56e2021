"""LUKS2 headers as they lie on a medium: two copies, each a binary part and a JSON area (LUKS2 On-Disk Format 1.1).

    0                 first copy: 4,096 bytes of fields, then JSON up to the copy's size
    size of a copy    second copy, with another magic
    twice that        key slots: the volume's key, split and encrypted under what opens each slot
    data segment      the ciphertext

Numbers of the binary part are big endian. In the JSON every 64-bit number is a string of decimal digits. A name that stands twice
in one object could be read in two ways, so it is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, between, counted, shown_utf8

REPLY = "LUKS2 header"
METADATA_REPLY = "LUKS2 metadata"
FIRST_MAGIC, SECOND_MAGIC = b"LUKS\xba\xbe", b"SKUL\xba\xbe"
BINARY_BYTES = 4096
COPY_SIZES = tuple(0x4000 << step for step in range(9))
"""A copy has one of these sizes, 16 KiB to 4 MiB, and so the second one stands at one of these offsets (3.1)."""
LUKS1, LUKS2 = 1, 2
CHECKSUM = "sha256"
"""The one checksum that is in use; the field could name others."""

_CHECKSUM_AT, _CHECKSUM_FIELD = 448, 64
_TEXT = re.compile(rb"[\x20-\x7e]*")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_MOST_OBJECTS = 64
"""More key slots than a header may have (32), and more of anything else than was ever seen."""


@dataclass(frozen=True, kw_only=True)
class BinaryHeader:
    """The fields of one copy."""

    version: int
    size: int
    """Of this copy, its JSON included."""
    sequence: int
    """Counts every change; both copies of a container at rest have the same."""
    checksum_algorithm: str
    uuid: str
    label: str
    offset: int
    """Where this copy says it stands."""
    checksum: bytes


@dataclass(frozen=True, kw_only=True)
class Keyslot:
    """One stored copy of the volume's key."""

    name: str
    kind: str
    key_bytes: int
    area_kind: str
    area: tuple[int, int]
    """Start and end, in bytes of the device."""


@dataclass(frozen=True, kw_only=True)
class DataSegment:
    """One stretch of data."""

    name: str
    kind: str
    offset: int
    size: int | None
    """None: to the end of the device ("dynamic")."""
    encryption: str
    sector_bytes: int
    authenticated: bool
    """Whether tags are stored beside it ("integrity")."""
    flags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What the JSON area says, as far as an erase rests on it."""

    keyslots: tuple[Keyslot, ...]
    segments: tuple[DataSegment, ...]
    tokens: tuple[tuple[str, tuple[str, ...]], ...]
    """Kind of each token, and the key slots it speaks of."""
    digests: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """Key slots and segments that each digest of a volume key ties together."""
    json_bytes: int
    """Size of the area, by its own account."""
    keyslots_bytes: int
    requirements: tuple[str, ...]
    """What a program must understand to use the container; reencryption under way is one."""


def magic_of(data: Buffer) -> str:
    """`first`, `second` or nothing: which copy's magic these bytes begin with."""
    start = bytes(data[:6])
    return {FIRST_MAGIC: "first", SECOND_MAGIC: "second"}.get(start, "")


def version_of(data: Buffer) -> int | None:
    """The version behind a magic; 1 is LUKS1, whose fields differ. None where there is no magic or no version."""
    return int.from_bytes(bytes(data[6:8]), "big") if magic_of(data) and len(data) >= 8 else None


def decode_binary(data: Buffer) -> BinaryHeader:
    """The binary part of one copy, whichever it is.

    Raises:
        MalformedReply: it is none, or a field cannot be one.
    """
    held = between(REPLY, data, BINARY_BYTES, COPY_SIZES[-1])
    version = version_of(held)
    if version != LUKS2:
        raise MalformedReply(reply=REPLY, expected="a magic and version 2", got=held[:8].hex())
    size, sequence = (int.from_bytes(held[at : at + 8], "big") for at in (8, 16))
    if size not in COPY_SIZES:
        raise MalformedReply(reply=REPLY, expected="a copy of 16 KiB to 4 MiB", got=counted(size))
    return BinaryHeader(
        version=version,
        size=size,
        sequence=sequence,
        label=_text(held[24:72]),
        checksum_algorithm=_text(held[72:104]),
        uuid=_text(held[168:208]),
        offset=int.from_bytes(held[256:264], "big"),
        checksum=held[_CHECKSUM_AT : _CHECKSUM_AT + _CHECKSUM_FIELD],
    )


def _text(raw: bytes) -> str:
    return shown_utf8(raw.partition(b"\0")[0])


def checksum_holds(copy: Buffer) -> bool:
    """Whether a whole copy, JSON included, has the SHA-256 it states over itself with the checksum's own field empty (3.1)."""
    held = bytes(copy)
    field = held[_CHECKSUM_AT : _CHECKSUM_AT + _CHECKSUM_FIELD]
    digest = hashlib.sha256(held[:_CHECKSUM_AT])
    digest.update(bytes(_CHECKSUM_FIELD))
    digest.update(held[_CHECKSUM_AT + _CHECKSUM_FIELD :])
    return len(held) >= BINARY_BYTES and field == digest.digest().ljust(_CHECKSUM_FIELD, b"\0")


def decode_metadata(area: Buffer) -> Metadata:
    """The JSON area of one copy.

    Raises:
        MalformedReply: it is no JSON, or not of the shape the format gives it.
    """
    held = between(METADATA_REPLY, area, 2, COPY_SIZES[-1])
    text, ended, _ = held.partition(b"\0")
    if not ended:
        raise _bad("text that a zero byte ends", counted(len(held)))
    try:
        root = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _bad("JSON", type(error).__name__) from None
    config = _object(root, "config")
    mandatory = _names(_object(config, "requirements", {}).get("mandatory", []), "requirements")
    return Metadata(
        keyslots=tuple(_keyslot(name, one) for name, one in _children(root, "keyslots")),
        segments=tuple(_segment(name, one) for name, one in _children(root, "segments")),
        tokens=tuple(
            (_string(one, "type"), _names(one.get("keyslots"), "token")) for _, one in _children(root, "tokens")
        ),
        digests=tuple(
            (_names(one.get("keyslots"), "digest"), _names(one.get("segments"), "digest"))
            for _, one in _children(root, "digests")
        ),
        json_bytes=_number(config, "json_size"),
        keyslots_bytes=_number(config, "keyslots_size"),
        requirements=mandatory,
    )


def _keyslot(name: str, told: dict[str, Any]) -> Keyslot:
    area = _object(told, "area")
    kind = _string(area, "type")
    start, size = (_number(area, "offset"), _number(area, "size")) if "offset" in area else (0, 0)
    return Keyslot(
        name=name,
        kind=_string(told, "type"),
        key_bytes=_small(told, "key_size"),
        area_kind=kind,
        area=(start, start + size),
    )


def _segment(name: str, told: dict[str, Any]) -> DataSegment:
    size = _string(told, "size")
    return DataSegment(
        name=name,
        kind=_string(told, "type"),
        offset=_number(told, "offset"),
        size=None if size == "dynamic" else _number(told, "size"),
        encryption=_string(told, "encryption") if "encryption" in told else "",
        sector_bytes=_small(told, "sector_size") if "sector_size" in told else 0,
        authenticated="integrity" in told,
        flags=_names(told.get("flags", []), "flags"),
    )


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(name)
        found[name] = value
    return found


def _bad(expected: str, got: str) -> MalformedReply:
    return MalformedReply(reply=METADATA_REPLY, expected=expected, got=got[:80])


def _object(told: object, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    value = told.get(name, default) if isinstance(told, dict) else None
    if not isinstance(value, dict):
        raise _bad(f"an object {name}", type(value).__name__)
    return value


def _children(root: object, name: str) -> list[tuple[str, dict[str, Any]]]:
    found = _object(root, name)
    if len(found) > _MOST_OBJECTS or not all(
        isinstance(one, dict) and _NUMBER.fullmatch(n) for n, one in found.items()
    ):
        raise _bad(f"numbered objects in {name}", f"{len(found)} of another kind")
    return sorted(found.items(), key=lambda pair: int(pair[0]))


def _string(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or len(value) > BINARY_BYTES or not _TEXT.fullmatch(value.encode("utf-8", "replace")):
        raise _bad(f"a text {name}", type(value).__name__)
    return value


def _number(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise _bad(f"a number {name} in digits", str(value)[:40])
    return int(value)


def _small(told: dict[str, Any], name: str) -> int:
    value = told.get(name)
    if type(value) is not int or not 0 < value < 1 << 32:
        raise _bad(f"a number {name}", str(value)[:40])
    return value


def _names(value: object, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_OBJECTS or not all(isinstance(one, str) for one in value):
        raise _bad(f"a list of names in {what}", type(value).__name__)
    return tuple(str(one)[:64] for one in value)
