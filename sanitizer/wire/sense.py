"""SCSI sense data, fixed (70h, 71h) and descriptor (72h, 73h) format: SPC-5, 4.4.

Sense buffers are cut by allocation lengths and padded by hosts: a field beyond the end is None, bytes beyond the
additional length are not read as sense data (`pass_through` alone knows a kernel that puts registers there).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, be, between, bit, bits

REPLY = "SCSI sense data"
LONGEST = 1024
"""Bytes; the standard allows 252 (SPC-5, 4.4), hosts hand over padded buffers."""
NO_SENSE, RECOVERED_ERROR, NOT_READY, MEDIUM_ERROR = 0x0, 0x1, 0x2, 0x3
ILLEGAL_REQUEST, UNIT_ATTENTION, ABORTED_COMMAND = 0x5, 0x6, 0xB


class SenseFormat(StrEnum):
    """How the fields lie."""

    FIXED = "fixed"
    DESCRIPTOR = "descriptor"


@dataclass(frozen=True, kw_only=True)
class SenseDescriptor:
    """One descriptor of descriptor format (SPC-5, 4.4), whole or cut off."""

    kind: int
    """Byte 0: 00h information, 01h command specific, 02h sense key specific, 03h field replaceable unit, 05h block
    commands, 09h ATA status return, 0Ah another progress indication."""
    length: int
    """Byte 1: bytes that should follow it."""
    body: bytes
    """Bytes 2 onwards, as many as are there."""

    @property
    def whole(self) -> bool:
        """Whether the buffer holds all of it."""
        return len(self.body) == self.length


@dataclass(frozen=True, kw_only=True)
class Sense:
    """One set of sense data."""

    raw: bytes
    """The whole buffer, padding included, as evidence."""
    response_code: int
    """Byte 0 bits 6:0."""
    format: SenseFormat
    deferred: bool
    """71h, 73h: it tells of an earlier command, not of this one."""
    key: int | None
    """Fixed: byte 2 bits 3:0. Descriptor: byte 1 bits 3:0."""
    asc: int | None
    """Additional sense code. Fixed: byte 12. Descriptor: byte 2."""
    ascq: int | None
    """Additional sense code qualifier. Fixed: byte 13. Descriptor: byte 3."""
    additional_length: int | None
    """Byte 7: bytes that should follow it."""
    information_valid: bool
    """Fixed: byte 0 bit 7. Descriptor: descriptor 00h byte 2 bit 7."""
    information: bytes | None
    """Fixed: bytes 3 to 6. Descriptor: descriptor 00h bytes 4 to 11. Often the block address."""
    command_specific: bytes | None
    """Fixed: bytes 8 to 11. Descriptor: descriptor 01h bytes 4 to 11."""
    field_replaceable_unit: int | None
    """Fixed: byte 14. Descriptor: descriptor 03h byte 3."""
    key_specific: bytes | None
    """Three bytes whose first has bit 7 (SKSV) set. Fixed: bytes 15 to 17. Descriptor: descriptor 02h bytes 4 to 6."""
    descriptors: tuple[SenseDescriptor, ...]
    """Descriptor format only, in the order they came."""
    truncated: bool
    """The buffer ends before the additional length does."""

    @property
    def code(self) -> tuple[int | None, int | None, int | None]:
        """Key, additional code, qualifier: the triple standards name conditions by."""
        return (self.key, self.asc, self.ascq)

    @property
    def progress(self) -> int | None:
        """How far an operation is, in 65,536ths; None where the device says nothing, which is not "done".

        Keys 0 and 2 carry it in the key-specific bytes, any key in a descriptor 0Ah (another progress indication).
        """
        if self.key in {NO_SENSE, NOT_READY} and self.key_specific is not None:
            return int.from_bytes(self.key_specific[1:3], "big")
        for found in self.descriptors:
            if found.kind == 0x0A and found.whole and found.length >= 6:
                return int.from_bytes(found.body[4:6], "big")
        return None

    @property
    def sanitize_in_progress(self) -> bool:
        """NOT READY 04h/1Bh: sanitize in progress (SBC-4, sanitize operations)."""
        return self.code == (NOT_READY, 0x04, 0x1B)

    @property
    def sanitize_failed(self) -> bool:
        """MEDIUM ERROR 31h/03h: SANITIZE command failed (SBC-4, sanitize operations)."""
        return self.code == (MEDIUM_ERROR, 0x31, 0x03)

    @property
    def write_required(self) -> bool:
        """11h/15h: this block must be written before it can be read after sanitize (SBC-4, WABEREQ and WACEREQ)."""
        return (self.asc, self.ascq) == (0x11, 0x15)

    @property
    def host_reset(self) -> bool:
        """UNIT ATTENTION 29h: power on, reset or bus reset happened meanwhile."""
        return self.key == UNIT_ATTENTION and self.asc == 0x29


def _fixed(data: bytes, held: bytes, code: int) -> Sense:
    specific = held[15:18] if len(held) >= 18 and held[15] & 0x80 else None
    return Sense(
        raw=data,
        response_code=code,
        format=SenseFormat.FIXED,
        deferred=code == 0x71,
        key=bits(be(held, 2, 1), 3, 0),
        asc=be(held, 12, 1),
        ascq=be(held, 13, 1),
        additional_length=be(held, 7, 1),
        information_valid=bool(data[0] & 0x80),
        information=held[3:7] if len(held) >= 7 else None,
        command_specific=held[8:12] if len(held) >= 12 else None,
        field_replaceable_unit=be(held, 14, 1),
        key_specific=specific,
        descriptors=(),
        truncated=_truncated(data),
    )


def _truncated(data: bytes) -> bool:
    return len(data) < 8 or len(data) < 8 + data[7]


def _descriptors(held: bytes) -> tuple[SenseDescriptor, ...]:
    found: list[SenseDescriptor] = []
    at = 8
    while at + 2 <= len(held):  # each step moves on by two bytes at least
        length = held[at + 1]
        found.append(SenseDescriptor(kind=held[at], length=length, body=held[at + 2 : at + 2 + length]))
        at += 2 + length
    return tuple(found)


def _body(descriptors: tuple[SenseDescriptor, ...], kind: int, least: int) -> bytes | None:
    """Body of the first descriptor of a kind that is whole and as long as the standard has it."""
    return next((d.body for d in descriptors if d.kind == kind and d.whole and d.length >= least), None)


def _descriptor(data: bytes, held: bytes, code: int) -> Sense:
    descriptors = _descriptors(held)
    information = _body(descriptors, 0x00, 10)
    command = _body(descriptors, 0x01, 10)
    specific = _body(descriptors, 0x02, 6)
    unit = _body(descriptors, 0x03, 2)
    return Sense(
        raw=data,
        response_code=code,
        format=SenseFormat.DESCRIPTOR,
        deferred=code == 0x73,
        key=bits(be(held, 1, 1), 3, 0),
        asc=be(held, 2, 1),
        ascq=be(held, 3, 1),
        additional_length=be(held, 7, 1),
        information_valid=bool(information and information[0] & 0x80),
        information=information[2:10] if information else None,
        command_specific=command[2:10] if command else None,
        field_replaceable_unit=unit[1] if unit else None,
        key_specific=specific[2:5] if specific and bit(specific[2], 7) else None,
        descriptors=descriptors,
        truncated=_truncated(data) or any(not d.whole for d in descriptors),
    )


def decode_sense(data: Buffer) -> Sense:
    """Read a sense buffer, whole, cut off or padded.

    Args:
        data: 1 to 1,024 bytes from the response code on.

    Raises:
        MalformedReply: empty, too long, or the first byte is no response code of the two formats (00h: the device
        sent no sense data; 7Fh: the vendor's own format).
    """
    raw = between(REPLY, data, 1, LONGEST)
    code = raw[0] & 0x7F
    held = raw[: 8 + raw[7]] if len(raw) >= 8 else raw
    if code in {0x70, 0x71}:
        return _fixed(raw, held, code)
    if code in {0x72, 0x73}:
        return _descriptor(raw, held, code)
    raise MalformedReply(reply=REPLY, expected="response code 70h to 73h in byte 0", got=f"{code:02x}h")
