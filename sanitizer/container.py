"""An encrypted container that begins where a device begins, and whether destroying its keys could sanitize the device. Pure.

Cryptographic erase has conditions (SP 800-88 Rev. 2, 3.2). Those that can be read from the medium are held against it here, each
with a sentence where it does not hold; those that only a person knows are asked for (`planning.ANSWERS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .wire.errors import MalformedReply
from .wire.luks2 import (
    BINARY_BYTES,
    CHECKSUM,
    COPY_SIZES,
    LUKS1,
    LUKS2,
    BinaryHeader,
    DataSegment,
    Keyslot,
    Metadata,
    checksum_holds,
    decode_binary,
    decode_metadata,
    magic_of,
    version_of,
)

Read = Callable[[int, int], bytes | None]
"""`(offset, length)` to bytes, or None where the medium gives none back."""

APPROVED = {("aes-xts-plain64", 256): "AES-128-XTS", ("aes-xts-plain64", 512): "AES-256-XTS"}
"""Cipher and bits of the volume key, and what the two are called (SP 800-38E): at least 128 bits of strength (Rev. 2, 3.2.1)."""
_SECTORS = frozenset({512, 1024, 2048, 4096})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WHOLE = "0"
"""The one data segment a container at rest has."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """A LUKS container on a whole device, as one look found it."""

    version: int
    faults: tuple[str, ...]
    """Why a cryptographic erase of it is refused, as sentences without full stop; empty when every readable condition holds."""
    uuid: str = ""
    cipher: str = ""
    """As the header has it: aes-xts-plain64."""
    key_bits: int = 0
    """Of the volume key; XTS uses half of it to encrypt."""
    keyslots: int = 0
    key_area_bytes: int = 0
    """From the first byte of the device to the first of the ciphertext: both copies of the header, all key slots, and padding."""

    @property
    def cipher_name(self) -> str:
        """AES-256-XTS and the like; empty for what is not approved."""
        return APPROVED.get((self.cipher, self.key_bits), "")


def container_on(size_bytes: int, block_bytes: int, read: Read) -> Container | None:
    """The container at the beginning of a device; None when no LUKS header stands there.

    Args:
        size_bytes: Of the device.
        block_bytes: The logical block.
        read: Reads the device past the page cache.
    """
    start = read(0, BINARY_BYTES) if size_bytes >= BINARY_BYTES else None
    if start is None or magic_of(start) != "first":
        return None
    version = version_of(start) or 0
    if version != LUKS2:
        known = f"it is LUKS{version}" if version == LUKS1 else f"its version is {version}"
        return Container(version=version, faults=(f"{known}, and only LUKS2 says where all of its keys are",))
    try:
        header, metadata = _agreed(start, size_bytes, read)
    except _Unsound as unsound:
        return Container(version=version, faults=(str(unsound),))
    return _judged(header, metadata, size_bytes, block_bytes, read)


class _Unsound(Exception):
    """The headers cannot be believed; the sentence says why."""


def _agreed(start: bytes, size_bytes: int, read: Read) -> tuple[BinaryHeader, Metadata]:
    """Both copies, sound and of the same age."""
    try:
        first = decode_binary(start)
    except MalformedReply as error:
        raise _Unsound(f"the first copy of its header is damaged ({error.got})") from None
    if 2 * first.size > size_bytes:
        raise _Unsound("its header is larger than the device")
    copies = [read(at, first.size) for at in (0, first.size)]
    headers: list[BinaryHeader] = []
    for copy, which, magic, at in zip(copies, ("first", "second"), ("first", "second"), (0, first.size), strict=True):
        headers.append(_sound(copy, which, magic, at, first.size))
    one, other = headers
    if one.sequence != other.sequence:
        raise _Unsound(
            f"the two copies of its header differ in age ({one.sequence}, {other.sequence}): a change was cut off; "
            "opening the container once repairs that"
        )
    if one.uuid != other.uuid or not _UUID.fullmatch(one.uuid):
        raise _Unsound("the two copies of its header do not belong to one container")
    areas = [copy[BINARY_BYTES:].partition(b"\0")[0] for copy in copies if copy is not None]
    if areas[0] != areas[1]:
        raise _Unsound("the two copies of its header say different things")
    try:
        return one, decode_metadata((copies[0] or b"")[BINARY_BYTES:])
    except MalformedReply as error:
        raise _Unsound(f"its metadata are not understood (expected {error.expected}, got {error.got})") from None


def _sound(copy: bytes | None, which: str, magic: str, at: int, size: int) -> BinaryHeader:
    if copy is None:
        raise _Unsound(f"the {which} copy of its header cannot be read")
    try:
        header = decode_binary(copy) if magic_of(copy) == magic else None
    except MalformedReply:
        header = None
    if header is None:
        raise _Unsound(f"the {which} copy of its header is missing or damaged")
    if header.checksum_algorithm != CHECKSUM:
        raise _Unsound(f"the {which} copy of its header has a checksum of an unknown kind")
    if not checksum_holds(copy):
        raise _Unsound(f"the checksum of the {which} copy of its header does not hold")
    if header.offset != at or header.size != size:
        raise _Unsound(f"the {which} copy of its header belongs elsewhere")
    return header


def _judged(header: BinaryHeader, metadata: Metadata, size_bytes: int, block_bytes: int, read: Read) -> Container:
    segment = next((one for one in metadata.segments if one.name == _WHOLE), None)
    if segment is None or len(metadata.segments) != 1:
        count = len(metadata.segments)
        return Container(
            version=LUKS2, uuid=header.uuid, faults=(f"it has {count} data segments, and one is expected",)
        )
    keyslots_end = 2 * header.size + metadata.keyslots_bytes
    key_bits = 8 * max((slot.key_bytes for slot in metadata.keyslots), default=0)
    faults = [
        *_of_state(metadata, segment),
        *_of_segment(segment, keyslots_end, size_bytes, block_bytes),
        *_of_cipher(segment, metadata.keyslots),
        *_of_keys(header, metadata, keyslots_end),
        *_of_strays(header, segment, size_bytes, read),
    ]
    return Container(
        version=LUKS2,
        faults=tuple(dict.fromkeys(faults)),
        uuid=header.uuid,
        cipher=segment.encryption,
        key_bits=key_bits,
        keyslots=len(metadata.keyslots),
        key_area_bytes=segment.offset,
    )


def _of_state(metadata: Metadata, segment: DataSegment) -> Iterator[str]:
    kinds = {slot.kind for slot in metadata.keyslots} | {slot.area_kind for slot in metadata.keyslots}
    named = [word for word in metadata.requirements if "reencrypt" in word]
    if "reencrypt" in kinds or named or segment.flags:
        yield "a reencryption is under way or was cut off: the data is not all under one key"
    others = [word for word in metadata.requirements if word not in named]
    if others:
        yield f"it asks for something unknown here ({', '.join(others)[:80]})"


def _of_segment(segment: DataSegment, keyslots_end: int, size_bytes: int, block_bytes: int) -> Iterator[str]:
    if segment.kind != "crypt":
        yield f"its data segment is {segment.kind[:40]}, not encrypted by the host"
    if segment.offset == 0:
        yield "its data begins at 0: this is a detached header, or the header of another device"
    elif segment.offset < keyslots_end:
        yield "its data begins inside its own key slots"
    elif segment.offset % block_bytes or segment.offset >= size_bytes:
        yield "its data begins where no block of this device begins"
    if segment.size is not None:
        yield "its data does not reach to the end of the device, and nothing tells what lies behind it"
    elif segment.sector_bytes in _SECTORS and (size_bytes - segment.offset) % segment.sector_bytes:
        yield "bytes at the end of the device lie outside its last encrypted sector"


def _of_cipher(segment: DataSegment, keyslots: tuple[Keyslot, ...]) -> Iterator[str]:
    if segment.authenticated:
        yield "it stores authentication tags beside the data, which is not covered here"
    if segment.sector_bytes not in _SECTORS:
        yield "the size of its encrypted sectors makes no sense"
    sizes = {8 * slot.key_bytes for slot in keyslots}
    if not keyslots:
        yield "it has no key slot: there is no key here to destroy, and how long its key was is unknown"
    elif len(sizes) > 1 or (segment.encryption, max(sizes)) not in APPROVED:
        told = f"{segment.encryption[:40]} with {', '.join(str(bits) for bits in sorted(sizes))} bits"
        yield f"its cipher is not one of those accepted ({told}; accepted: aes-xts-plain64 with 256 or 512 bits)"


def _of_keys(header: BinaryHeader, metadata: Metadata, keyslots_end: int) -> Iterator[str]:
    """Every stored copy of the key lies in the area that is erased, and nothing names one that lies elsewhere."""
    names = {slot.name for slot in metadata.keyslots}
    for slot in metadata.keyslots:
        start, end = slot.area
        if slot.kind != "luks2" or slot.area_kind != "raw":
            yield f"key slot {slot.name} is of a kind unknown here ({slot.kind[:40]}, {slot.area_kind[:40]})"
        elif not 2 * header.size <= start < end <= keyslots_end:
            yield f"key slot {slot.name} lies outside the area of the key slots"
    told = [slots for _, slots in metadata.tokens] + [slots for slots, _ in metadata.digests]
    if any(not set(slots) <= names for slots in told):
        yield "it names key slots that are not in it"
    if [segments for _, segments in metadata.digests] != [(_WHOLE,)]:
        yield "its data is not tied to exactly one volume key"
    if metadata.json_bytes != header.size - BINARY_BYTES:
        yield "the sizes of its metadata contradict each other"


def _of_strays(header: BinaryHeader, segment: DataSegment, size_bytes: int, read: Read) -> Iterator[str]:
    """Another second copy, of an earlier container, at one of the places where one may stand."""
    for at in COPY_SIZES:
        if at == header.size or at < segment.offset or at + BINARY_BYTES > size_bytes:
            continue
        found = read(at, BINARY_BYTES)
        if found is None:
            yield f"the block at {at}, where a copy of a header may stand, cannot be read"
        elif magic_of(found):
            yield f"another copy of a header stands at {at}, inside the data"
