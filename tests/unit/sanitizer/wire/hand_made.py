"""Replies put together byte by byte for these tests. None of them was ever sent by a device: no recordings, no samples."""

from __future__ import annotations

from collections.abc import Mapping

GOOD_DRIVE: dict[int, int] = {
    0: 0x0040,
    49: 0x0200,  # LBA
    59: 0xF400,  # sanitize: all three ways, and antifreeze
    60: 0xFFFF,
    61: 0x0FFF,
    69: 0x4020,  # deterministic zeros after trim
    76: 0x850E,
    80: 0x0FF8,  # up to ACS-4
    82: 0x0402,  # HPA, security
    83: 0x4D00,  # valid; DCO, LBA48, SET MAX security
    84: 0x4100,
    85: 0x0400,
    86: 0x8C00,  # words 119-120 there; DCO, LBA48
    87: 0x4100,  # valid; world-wide name
    89: 0x0010,
    90: 0x8020,
    92: 0xFFFE,
    100: 0x6DB0,
    101: 0x3A38,
    106: 0x4000,
    108: 0x5002,
    109: 0x538E,
    110: 0x4000,
    111: 0x0001,
    119: 0x4000,
    128: 0x0021,  # supported, enhanced erase
    169: 0x0001,
    217: 0x0001,
}
"""Words of a made-up solid state drive with everything a drive can have."""


def swapped(text: str, length: int) -> bytes:
    """A string as IDENTIFY DEVICE has it: padded, and the bytes of each word exchanged."""
    padded = text.encode("ascii").ljust(length)
    return bytes(padded[at ^ 1] for at in range(length))


def identify(words: Mapping[int, int] | None = None, *, serial: str = "HANDMADE0001", checksum: bool = True) -> bytes:
    """IDENTIFY DEVICE of the made-up drive, single words replaced."""
    data = bytearray(512)
    for number, value in {**GOOD_DRIVE, **(words or {})}.items():
        data[2 * number : 2 * number + 2] = value.to_bytes(2, "little")
    data[20:40] = swapped(serial, 20)
    data[46:54] = swapped("HM01", 8)
    data[54:94] = swapped("HAND MADE DRIVE", 40)
    if checksum:
        data[510] = 0xA5
        data[511] = -sum(data[:511]) % 256
    return bytes(data)


def patched(length: int, parts: Mapping[int, bytes]) -> bytes:
    """Zeros with parts put in at their offsets."""
    data = bytearray(length)
    for offset, part in parts.items():
        data[offset : offset + len(part)] = part
    return bytes(data)


def _altered(length: int, base: Mapping[int, bytes], parts: Mapping[int, bytes] | None) -> bytes:
    data = bytearray(patched(length, base))
    for offset, part in (parts or {}).items():
        data[offset : offset + len(part)] = part
    return bytes(data)


def controller(parts: Mapping[int, bytes] | None = None) -> bytes:
    """Identify Controller of a made-up drive, parts replaced."""
    base = {
        0: bytes.fromhex("34127856"),
        4: b"HANDMADE-NVME-01".ljust(20),
        24: b"Hand Made NVMe".ljust(40),
        64: b"1.0".ljust(8),
        73: bytes.fromhex("563412"),
        78: b"\x05\x00",
        80: bytes.fromhex("00040100"),  # 1.4.0
        256: b"\x0b\x00",
        280: (10**12).to_bytes(16, "little"),
        328: bytes.fromhex("03000080"),  # crypto, block; modified afterwards
        516: b"\x02\x00\x00\x00",
        524: b"\x04",
        525: b"\x01",
        768: b"nqn.2026-01.example:hand-made",
    }
    return _altered(4096, base, parts)


def namespace(parts: Mapping[int, bytes] | None = None) -> bytes:
    """Identify Namespace of a made-up drive: 4096-byte blocks in format 1 of 2."""
    base = {
        0: (244190646).to_bytes(8, "little"),
        8: (244190646).to_bytes(8, "little"),
        16: (1000).to_bytes(8, "little"),
        25: b"\x01",
        26: b"\x01",
        33: b"\x01",
        104: bytes.fromhex("00112233445566778899aabbccddeeff"),
        120: bytes.fromhex("0011223344556677"),
        128: bytes.fromhex("00000902"),
        132: bytes.fromhex("00000c00"),
    }
    return _altered(4096, base, parts)


def sanitize_log(status: int, *, progress: int = 0xFFFF, command: int = 2, state: int = 0) -> bytes:
    """Log page 81h; estimates 3600 s, 60 s, 2 s, none for the rest."""
    head = progress.to_bytes(2, "little") + status.to_bytes(2, "little") + command.to_bytes(4, "little")
    times = (3600).to_bytes(4, "little") + (60).to_bytes(4, "little") + (2).to_bytes(4, "little") + b"\xff" * 12
    return patched(512, {0: head + times, 36: bytes([state])})


def inquiry(parts: Mapping[int, bytes] | None = None) -> bytes:
    """Standard INQUIRY data of a made-up disk."""
    base = {
        0: bytes.fromhex("0000060247101002"),
        8: b"HANDMADE",
        16: b"SAS DISK".ljust(16),
        32: b"0001",
    }
    return _altered(76, base, parts)


def vpd(page: int, body: bytes) -> bytes:
    """A VPD page with the right length."""
    return bytes([0, page]) + len(body).to_bytes(2, "big") + body


def designator(
    kind: int, value: bytes, *, code_set: int = 1, association: int = 0, protocol: int | None = None
) -> bytes:
    """One designator of page 83h."""
    first = code_set | (protocol or 0) << 4
    return bytes([first, (0x80 if protocol is not None else 0) | association << 4 | kind, 0, len(value)]) + value


def fixed_sense(key: int, asc: int, ascq: int, parts: Mapping[int, bytes] | None = None, length: int = 18) -> bytes:
    """Fixed-format sense data with an additional length of 10."""
    base = {0: b"\x70", 2: bytes([key]), 7: b"\x0a", 12: bytes([asc, ascq])}
    return _altered(length, base, parts)


def descriptor_sense(key: int, asc: int, ascq: int, *descriptors: bytes) -> bytes:
    """Descriptor-format sense data."""
    body = b"".join(descriptors)
    return bytes([0x72, key, asc, ascq, 0, 0, 0, len(body)]) + body


def ata_return(*, error: int = 0, status: int = 0x50, count: int = 0, lba: int = 0, extend: bool = True) -> bytes:
    """The ATA status return descriptor (SAT-4)."""
    low, high = lba & 0xFFFFFF, lba >> 24
    pairs = bytes(byte for at in (0, 8, 16) for byte in (high >> at & 0xFF, low >> at & 0xFF))
    return bytes([0x09, 0x0C, int(extend), error]) + count.to_bytes(2, "big") + pairs + bytes([0x40, status])


def ext_csd(parts: Mapping[int, bytes] | None = None) -> bytes:
    """EXT_CSD of a made-up 5.1 device of 8 GB."""
    base = {
        16: b"\x19",
        168: b"\x20",
        192: b"\x08",
        212: (15269888).to_bytes(4, "little"),
        221: b"\x10",
        223: b"\x02",
        224: b"\x01",
        226: b"\x20",
        231: b"\x55",
        232: b"\x03",
        249: (65536).to_bytes(4, "little"),
        267: b"\x01\x02\x03",
    }
    return _altered(512, base, parts)
