"""What a SCSI disk says of itself, as bytes: INQUIRY, vital product data, supported commands (SPC-4, SBC-4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ScsiModel:
    """The facts of a model, and by default of one that can do everything; a drive that lies is built with other facts."""

    vendor: str = "LAB"
    product: str = "SAS DISK"
    revision: str = "0001"
    rotation: int = 10000
    """VPD B1h bytes 4 and 5: 1 does not rotate, else revolutions per minute; 0 says nothing."""
    sanitize: frozenset[str] = field(default_factory=lambda: frozenset({"overwrite", "block", "crypto"}))
    unmap: bool = True
    physical_exponent: int = 0
    removable: bool = False
    write_after_block_erase: int = 0
    """WABEREQ."""
    write_after_crypto_erase: int = 0
    """WACEREQ."""
    zoned: int = 0
    """VPD B1h byte 8 bits 5:4: 1 host-aware, 2 device-managed. 3 stands here for a host-managed device type (14h)."""
    opcodes: bool = True
    """REPORT SUPPORTED OPERATION CODES."""
    elements_removed: int | None = None
    """Storage elements out of use; None for a disk that cannot take any out of use."""
    identification: bool = True
    """VPD pages 80h and 83h."""
    format: str = "honest"
    """What FORMAT UNIT does: honest writes all blocks, fast drops the mapping (old contents stay in spare blocks), nothing."""
    erased_byte: int = 0
    crypto_noise: bool = True
    """Cryptographic erase leaves noise, else zeros."""

    @classmethod
    def flash(cls, **facts: object) -> ScsiModel:
        """A solid state disk."""
        usual: dict[str, object] = {"product": "SAS SSD", "rotation": 1}
        return cls(**(usual | facts))  # type: ignore[arg-type]  # field names, checked by the constructor

    @property
    def device_type(self) -> int:
        """Peripheral device type."""
        return 0x14 if self.zoned == 3 else 0x00


def inquiry(model: ScsiModel) -> bytes:
    """Standard INQUIRY data, 96 bytes, with the versions SAM-5, SPC-4, SBC-3."""
    raw = bytearray(96)
    raw[0], raw[1], raw[2], raw[3], raw[4], raw[7] = model.device_type, 0x80 if model.removable else 0, 6, 2, 91, 2
    raw[8:16], raw[16:32], raw[32:36] = _text(model.vendor, 8), _text(model.product, 16), _text(model.revision, 4)
    struct.pack_into(">3H", raw, 58, 0x00A0, 0x0460, 0x04C0)
    return bytes(raw)


def _text(value: str, length: int) -> bytes:
    return value.encode("ascii").ljust(length)[:length]


def page(model: ScsiModel, number: int, body: bytes) -> bytes:
    """A VPD page with its head."""
    return struct.pack(">BBH", model.device_type, number, len(body)) + body


def identifiers(model: ScsiModel, serial: str, wwn: int) -> bytes:
    """VPD 83h: a T10 vendor identifier, and NAA."""
    text = (f"{model.vendor:8}{model.product:16}{serial}").encode("ascii")
    return bytes((2, 1, 0, len(text))) + text + struct.pack(">BBBBQ", 1, 3, 0, 8, wwn)


def block_limits(model: ScsiModel, blocks: int) -> bytes:
    """VPD B0h."""
    unmap = (0x10000, 16, 1, 0) if model.unmap else (0, 0, 0, 0)
    return struct.pack(">BBHIIIIIIIQ", 0, 0, 1, 2048, 256, 0, *unmap, min(blocks, 0x10000)).ljust(60, b"\0")


def characteristics(model: ScsiModel) -> bytes:
    """VPD B1h: rotation, what reads need after an erase, zones."""
    needs = model.write_after_block_erase << 6 | model.write_after_crypto_erase << 4
    zones = model.zoned << 4 if model.zoned < 3 else 0
    return struct.pack(">HBBB", model.rotation, 0, needs | 3, zones).ljust(60, b"\0")


ZONE_BLOCKS = 2048


def zoned_characteristics(model: ScsiModel) -> bytes:
    """VPD B6h (ZBC): reads are not restricted; any number of zones may be open."""
    most = 0xFFFFFFFF
    return struct.pack(">B3xIII", 1 if model.zoned == 3 else 0, most, most, most if model.zoned == 3 else 0).ljust(
        60, b"\0"
    )


def zones(model: ScsiModel, blocks: int, first: int) -> bytes:
    """REPORT ZONES (ZBC): all of one size and type, empty, from the one that holds a block on."""
    kind, condition = (0x02 if model.zoned == 3 else 0x03), 0x1
    rows = b"".join(
        struct.pack(">BB6xQQQ", kind, condition << 4, ZONE_BLOCKS, start, start).ljust(64, b"\0")
        for start in range(0, blocks, ZONE_BLOCKS)
        if start + ZONE_BLOCKS > first
    )
    return struct.pack(">IB3xQ", len(rows), 1, blocks - 1).ljust(64, b"\0") + rows


def provisioning(model: ScsiModel) -> bytes:
    """VPD B2h: unmap and write same do, and reads give zeros then."""
    return bytes((0, 0xE4, 2, 0)) if model.unmap else bytes(4)


@dataclass(frozen=True, kw_only=True)
class Supported:
    """One command as REPORT SUPPORTED OPERATION CODES tells of it."""

    opcode: int
    action: int | None
    length: int
    seconds: int = 0
    """The recommended timeout; 0 says nothing."""

    def timeouts(self) -> bytes:
        """Command timeouts descriptor (SPC-4, 6.35.4)."""
        return struct.pack(">HBBII", 10, 0, 0, 0, self.seconds)

    def usage(self) -> bytes:
        """Which bits of the CDB are looked at; the service action stands for itself."""
        raw = bytearray(b"\xff" * self.length)
        raw[0], raw[-1] = self.opcode, 0
        if self.action is not None:
            raw[1] = 0xE0 | self.action
        return bytes(raw)


def cdb_length(opcode: int) -> int:
    """By the group code (SPC-4, 4.2.5.1)."""
    return {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}.get(opcode >> 5, 0)


def all_opcodes(commands: list[Supported], *, timeouts: bool) -> bytes:
    """The list of everything."""
    rows = b"".join(
        struct.pack(
            ">BBHBBH",
            one.opcode,
            0,
            one.action or 0,
            0,
            (1 if one.action is not None else 0) | (2 if timeouts else 0),
            one.length,
        )
        + (one.timeouts() if timeouts else b"")
        for one in commands
    )
    return struct.pack(">I", len(rows)) + rows


def one_opcode(found: Supported | None, *, timeouts: bool) -> bytes:
    """Support 3: as a standard has it. Support 1: not supported."""
    if found is None:
        return struct.pack(">BBH", 0, 1, 0)
    usage = found.usage()
    head = struct.pack(">BBH", 0, (0x80 if timeouts else 0) | 3, len(usage))
    return head + usage + (found.timeouts() if timeouts else b"")
