"""Mode pages of a SCSI disk: block descriptor, caching, control (SPC-4, 6.11 and 7.5; SBC-3, 6.4)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .faults import Faults
from .sense import Layout, invalid_field, invalid_parameter

CACHING, CONTROL = 0x08, 0x0A
_CHANGEABLE, _DEFAULT, _SAVED = 1, 2, 3
_ALL = 0xFFFFFFFF


class Modes:
    """What MODE SELECT can change: the write cache, the sense format, and through `resize` the capacity."""

    def __init__(self, layout: Layout) -> None:
        self._built: Layout = layout
        self.layout: Layout = layout
        self.write_cache = True

    def power_on(self) -> None:
        """Unsaved changes are gone."""
        self.layout = self._built
        self.write_cache = True

    def _page(self, number: int, control: int) -> bytes:
        cache, descriptor = self.write_cache, self.layout == "descriptor"
        if control == _CHANGEABLE:
            cache = descriptor = True
        if number == CACHING:
            return bytes((CACHING, 18, 4 if cache else 0)) + bytes(17)
        return bytes((CONTROL, 10, 4 if descriptor else 0)) + bytes(9)

    def sense(self, cdb: bytes, *, blocks: int, built: int, block_bytes: int, faults: Faults) -> bytes:
        """MODE SENSE (6) and (10); the default values have all the blocks that were built in."""
        control, wanted, ten = cdb[2] >> 6, cdb[2] & 0x3F, cdb[0] == 0x5A
        numbers = [number for number in (CACHING, CONTROL) if wanted in {number, 0x3F}]
        if control == _SAVED or not numbers or cdb[3] not in {0, 0xFF}:
            raise invalid_field()
        blocks = built if control == _DEFAULT else blocks
        body = b"".join(self._page(number, control) for number in numbers)
        descriptor = b""
        long = ten and bool(cdb[1] & 0x10)
        if not cdb[1] & 0x08:
            descriptor = (
                struct.pack(">Q4xI", blocks, block_bytes)
                if long
                else struct.pack(">II", min(blocks, _ALL), block_bytes)
            )
        protection = 0x80 if faults.write_protected else 0
        rest = len(descriptor) + len(body)
        if ten:
            head = struct.pack(">HBBBBH", 6 + rest, 0, protection, int(long), 0, len(descriptor))
            return (head + descriptor + body)[: cdb[7] << 8 | cdb[8]]
        return (bytes((3 + rest, 0, protection, len(descriptor))) + descriptor + body)[: cdb[4]]

    def select(self, cdb: bytes, data: bytes, *, resize: Callable[[int | None], None], block_bytes: int) -> None:
        """MODE SELECT (6) and (10)."""
        ten = cdb[0] == 0x55
        length = cdb[7] << 8 | cdb[8] if ten else cdb[4]
        data = data[:length]
        head = 8 if ten else 4
        if not data:
            return
        if len(data) < head:
            raise invalid_parameter()
        long = ten and bool(data[4] & 1)
        described = data[6] << 8 | data[7] if ten else data[3]
        if described not in {0, 16 if long else 8} or len(data) < head + described:
            raise invalid_parameter()
        if described:
            self._descriptor(data[head : head + described], long=long, resize=resize, block_bytes=block_bytes)
        self._pages(data[head + described :])

    @staticmethod
    def _descriptor(raw: bytes, *, long: bool, resize: Callable[[int | None], None], block_bytes: int) -> None:
        if long:
            blocks, size = struct.unpack(">Q4xI", raw)
            most = 0xFFFFFFFFFFFFFFFF
        else:
            blocks, size = struct.unpack(">II", raw)
            size &= 0xFFFFFF  # above it is the density code
            most = _ALL
        if size not in {0, block_bytes}:
            raise invalid_parameter()
        if blocks:
            resize(None if blocks == most else blocks)

    def _pages(self, raw: bytes) -> None:
        while raw:
            number, length = raw[0] & 0x3F, raw[1] if len(raw) > 1 else 0
            if number not in {CACHING, CONTROL} or len(raw) < 2 + length or length != (18 if number == CACHING else 10):
                raise invalid_parameter()
            if number == CACHING:
                self.write_cache = bool(raw[2] & 4)
            elif bool(raw[2] & 4) != (self.layout == "descriptor"):
                self.layout = "descriptor" if raw[2] & 4 else "fixed"
            raw = raw[2 + length :]
