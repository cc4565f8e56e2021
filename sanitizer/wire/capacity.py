"""Replies about a drive's true size: DCO identify data, READ CAPACITY (16), the mode block descriptor, namespace lists."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, be, between, bit, bits, exactly, le

DCO, CAPACITY_16 = "DEVICE CONFIGURATION IDENTIFY data", "READ CAPACITY (16) data"
MODE_10, NAMESPACES = "MODE SENSE (10) data", "NVMe namespace list"
ELEMENTS = "GET PHYSICAL ELEMENT STATUS data"


@dataclass(frozen=True, kw_only=True)
class DcoIdentify:
    """What the drive is without its overlay (ACS-2, DCO IDENTIFY data structure)."""

    raw: bytes
    max_lba: int | None
    """Words 3 to 6: the largest address; None for 0."""
    intact: bool
    """Byte 510 is A5h and all bytes add up to 0."""


def decode_dco_identify(data: Buffer) -> DcoIdentify:
    """Read the 512 bytes. Raises `MalformedReply` for another length."""
    raw = exactly(DCO, data, 512)
    return DcoIdentify(
        raw=raw,
        max_lba=int.from_bytes(raw[6:14], "little") or None,
        intact=raw[510] == 0xA5 and sum(raw) % 256 == 0,
    )


@dataclass(frozen=True, kw_only=True)
class ReadCapacity:
    """SBC-4, READ CAPACITY (16) parameter data."""

    raw: bytes
    last_lba: int
    """Bytes 0 to 7."""
    block_bytes: int
    """Bytes 8 to 11; without protection information."""
    protection_type: int | None
    """Byte 12: 0 none, 1 to 3 types 1 to 3; None where the reply ends before."""
    physical_exponent: int | None
    """Byte 13 bits 3:0."""

    @property
    def bytes(self) -> int:
        """Addressable bytes."""
        return (self.last_lba + 1) * self.block_bytes


def decode_read_capacity_16(data: Buffer) -> ReadCapacity:
    """Read 12 to 32 bytes. Raises `MalformedReply` for another length, or a block size of 0."""
    raw = between(CAPACITY_16, data, 12, 32)
    block = int.from_bytes(raw[8:12], "big")
    if block == 0:
        raise MalformedReply(reply=CAPACITY_16, expected="a block size", got="0 bytes")
    flags = be(raw, 12, 1)
    return ReadCapacity(
        raw=raw,
        last_lba=int.from_bytes(raw[:8], "big"),
        block_bytes=block,
        protection_type=None if flags is None else (flags >> 1 & 7) + 1 if flags & 1 else 0,
        physical_exponent=bits(be(raw, 13, 1), 3, 0),
    )


def decode_element_status(data: Buffer) -> int:
    """How many elements GET PHYSICAL ELEMENT STATUS lists: bytes 0 to 3 (SBC-4). Raises `MalformedReply` for a short header."""
    return int.from_bytes(between(ELEMENTS, data, 8, 1 << 20)[:4], "big")


@dataclass(frozen=True, kw_only=True)
class ModeBlockDescriptor:
    """MODE SENSE (10): its header and first block descriptor (SPC-5, SBC-4)."""

    raw: bytes
    write_protected: bool
    """Byte 3 bit 7 (WP)."""
    blocks: int | None
    """NUMBER OF LOGICAL BLOCKS; None without descriptor, or where the field is full or 0."""
    block_bytes: int | None
    """LOGICAL BLOCK LENGTH; None without descriptor."""


def decode_mode_block_descriptor(data: Buffer) -> ModeBlockDescriptor:
    """Read header and first block descriptor. Raises `MalformedReply` where not even a header is there."""
    raw = between(MODE_10, data, 8, 65535 + 2)
    size = int.from_bytes(raw[6:8], "big")
    descriptor = raw[8 : 8 + size]
    blocks = block_bytes = None
    if raw[4] & 1 and len(descriptor) >= 16:
        blocks, block_bytes = be(descriptor, 0, 8), be(descriptor, 12, 4)
        full = (1 << 64) - 1
    elif not raw[4] & 1 and len(descriptor) >= 8:
        blocks, block_bytes = be(descriptor, 0, 4), be(descriptor, 5, 3)
        full = (1 << 32) - 1
    else:
        full = 0
    return ModeBlockDescriptor(
        raw=raw,
        write_protected=bool(bit(raw[3], 7)),
        blocks=None if blocks in {0, full} else blocks,
        block_bytes=block_bytes or None,
    )


@dataclass(frozen=True, kw_only=True)
class NamespaceList:
    """Identify CNS 02h and 10h: up to 1,024 identifiers, ascending, ended by 0 (NVMe Base, Namespace List)."""

    raw: bytes
    identifiers: tuple[int, ...]
    full: bool
    """All 1,024 places are taken: there may be more."""


def decode_namespace_list(data: Buffer) -> NamespaceList:
    """Read the 4,096 bytes.

    Raises:
        MalformedReply: another length, or identifiers that do not ascend.
    """
    raw = exactly(NAMESPACES, data, 4096)
    found: list[int] = []
    for at in range(0, 4096, 4):
        identifier = le(raw, at, 4) or 0
        if identifier == 0:
            break
        if found and identifier <= found[-1]:
            raise MalformedReply(
                reply=NAMESPACES, expected="ascending identifiers", got=f"{identifier} after {found[-1]}"
            )
        found.append(identifier)
    return NamespaceList(raw=raw, identifiers=tuple(found), full=len(found) == 1024)
