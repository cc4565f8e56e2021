"""NVMe Identify Namespace (admin command 06h, CNS 00h), 4,096 bytes, little-endian.

Byte offsets are those of the Identify Namespace data structure, NVM Express NVM Command Set 1.x.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.fields import Buffer, exactly

REPLY = "NVMe Identify Namespace"
LENGTH = 4096
FORMATS_AT = 128
MOST_FORMATS = 64


@dataclass(frozen=True, kw_only=True)
class BlockFormat:
    """One LBA format, 4 bytes."""

    index: int
    metadata_bytes: int
    """Bytes 0 and 1 (MS)."""
    block_bytes: int | None
    """2 to the power of byte 2 (LBADS); None where that is less than 9: the format is not available."""
    relative_performance: int
    """Byte 3 bits 1:0: 0 best, 3 degraded."""


@dataclass(frozen=True, kw_only=True)
class IdentifyNamespace:
    """What a controller says of one namespace; all zero for one that is not there."""

    raw: bytes
    """All 4,096 bytes, as evidence."""
    size_blocks: int
    """Bytes 0 to 7 (NSZE)."""
    capacity_blocks: int
    """Bytes 8 to 15 (NCAP)."""
    used_blocks: int
    """Bytes 16 to 23 (NUSE)."""
    thin: bool
    """Byte 24 bit 0 (NSFEAT THINP): capacity may be less than size."""
    format_count: int
    """Byte 25 (NLBAF) plus one."""
    format_index: int
    """Byte 26 (FLBAS) bits 6:5 and 3:0; the upper two count only where there are more than 16 formats."""
    formats: tuple[BlockFormat, ...]
    """Bytes 128 to 383, as many as there are."""
    shared: bool
    """Byte 30 bit 0 (NMIC): other controllers may reach it at the same time."""
    format_percent_left: int | None
    """Byte 32 (FPI) bits 6:0, if its bit 7 says it is reported: 0 no format is running."""
    deallocated_reads: int
    """Byte 33 (DLFEAT) bits 2:0: 0 not reported, 1 zeros, 2 FFh bytes."""
    capacity_bytes: int | None
    """Bytes 48 to 63 (NVMCAP); None for 0, not reported."""
    write_protected: bool
    """Byte 99 (NSATTR) bit 0."""
    nguid: str | None
    """Bytes 104 to 119 in hexadecimal; None if all zero."""
    eui64: str | None
    """Bytes 120 to 127 in hexadecimal; None if all zero."""

    @property
    def block_format(self) -> BlockFormat | None:
        """The format in use; None where the index names none."""
        return self.formats[self.format_index] if self.format_index < len(self.formats) else None

    @property
    def exists(self) -> bool:
        """Whether there is such a namespace: an inactive one is answered with zeros (NVM Express Base, Identify)."""
        return any(self.raw)

    @property
    def size_bytes(self) -> int | None:
        """Addressable bytes."""
        used = self.block_format
        return None if used is None or used.block_bytes is None else self.size_blocks * used.block_bytes


def _block_format(raw: bytes, index: int) -> BlockFormat:
    entry = raw[FORMATS_AT + 4 * index : FORMATS_AT + 4 * index + 4]
    exponent = entry[2]
    return BlockFormat(
        index=index,
        metadata_bytes=int.from_bytes(entry[:2], "little"),
        block_bytes=1 << exponent if 9 <= exponent <= 31 else None,
        relative_performance=entry[3] & 3,
    )


def decode_identify_namespace(data: Buffer) -> IdentifyNamespace:
    """Read Identify Namespace.

    Args:
        data: Exactly 4,096 bytes.

    Raises:
        MalformedReply: other than 4,096 bytes.
    """
    raw = exactly(REPLY, data, LENGTH)

    def number(start: int, size: int) -> int:
        return int.from_bytes(raw[start : start + size], "little")

    count = raw[25] + 1
    index = raw[26] & 0xF
    if count > 16:
        index |= (raw[26] >> 5 & 3) << 4
    return IdentifyNamespace(
        raw=raw,
        size_blocks=number(0, 8),
        capacity_blocks=number(8, 8),
        used_blocks=number(16, 8),
        thin=bool(raw[24] & 1),
        format_count=count,
        format_index=index,
        formats=tuple(_block_format(raw, at) for at in range(min(count, MOST_FORMATS))),
        shared=bool(raw[30] & 1),
        format_percent_left=raw[32] & 0x7F if raw[32] & 0x80 else None,
        deallocated_reads=raw[33] & 7,
        capacity_bytes=number(48, 16) or None,
        write_protected=bool(raw[99] & 1),
        nguid=raw[104:120].hex() if any(raw[104:120]) else None,
        eui64=raw[120:128].hex() if any(raw[120:128]) else None,
    )
