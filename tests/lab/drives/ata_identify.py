"""What an ATA drive says of itself: IDENTIFY DEVICE and the identify device data log (ACS-3, 7.12 and 9.10)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .ata_registers import SECTOR, Abort

_CHECKSUM_SIGNATURE = 0xA5


@dataclass(frozen=True, kw_only=True)
class AtaModel:
    """The facts of a model; a drive that lies about them is built with other facts than it acts by."""

    model: str = "LAB SATA SSD"
    firmware: str = "LAB1"
    rotation: int = 1
    """Word 217: 1 does not rotate, else revolutions per minute; 0 says nothing."""
    sanitize: frozenset[str] = frozenset({"crypto", "block", "overwrite"})
    antifreeze: bool = True
    security: bool = True
    enhanced: bool = True
    erase_minutes: int = 2
    enhanced_minutes: int = 2
    hpa: bool = True
    dco: bool = True
    amax: bool = False
    lba48: bool = True
    trim: bool = True
    encrypts: bool = False
    """Word 69 bit 4: all user data are encrypted."""
    trusted: bool = False
    restricted_overrides_security: bool = False
    """A restricted sanitize is accepted while security is locked (identify device data log, page 06h)."""
    logs: bool = True
    """General purpose logging."""
    wear: int | None = None
    """Percent used, by its device statistics; None: it keeps none."""
    sector_bytes: int = 512
    physical_exponent: int = 0
    """2 to this power logical sectors in a physical one."""
    erased_byte: int = 0
    """What block erase leaves."""
    crypto_noise: bool = True
    """Crypto scramble leaves noise, else zeros."""

    @classmethod
    def magnetic(cls, **facts: object) -> AtaModel:
        """A hard disk: overwrite is all its sanitize can."""
        usual: dict[str, object] = {
            "model": "LAB SATA DISK",
            "rotation": 7200,
            "sanitize": frozenset({"overwrite"}),
            "trim": False,
            "physical_exponent": 3,
        }
        return cls(**(usual | facts))  # type: ignore[arg-type]  # field names, checked by the constructor


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What of it changes while the drive is used."""

    serial: str
    sectors: int
    security_status: int
    """Word 128 but bit 0 and 5, which are the model's."""
    master_identifier: int
    write_cache: bool
    wwn: int


def text(value: str, length: int) -> bytes:
    """A string field: padded with spaces, the two bytes of each word swapped (ACS-3, 3.4.9)."""
    raw = value.encode("ascii").ljust(length)[:length]
    return b"".join(raw[at : at + 2][::-1] for at in range(0, length, 2))


def minutes(value: int) -> int:
    """Words 89 and 90: two minutes a step, in the short form while it suffices."""
    return 0x8000 | min(value // 2, 0x7FFE) if value > 508 else -(-value // 2)


def sealed(page: bytearray) -> bytes:
    """The last word: A5h and what makes the sum of all bytes zero."""
    page[510] = _CHECKSUM_SIGNATURE
    page[511] = -sum(page[:511]) & 0xFF
    return bytes(page)


def identify(model: AtaModel, now: Condition) -> bytes:
    """The 512 bytes of IDENTIFY DEVICE."""
    word = [0] * 256
    word[0], word[47], word[49], word[50] = 0x0040, 0x8001, 0x0F00, 0x4000
    word[48] = 0x4000 | model.trusted
    word[53], word[59] = 0x0006, _word_59(model)
    small = min(now.sectors, 0x0FFFFFFF)
    word[60], word[61] = small & 0xFFFF, small >> 16
    word[63], word[64] = 0x0007, 0x0003
    word[65] = word[66] = word[67] = word[68] = 120
    word[69] = (0x4020 if model.trim else 0) | (0x0010 if model.encrypts else 0)
    word[76], word[80], word[81] = 0x000E, 0x07F0, 0x011B  # SATA generations 1 to 3; up to ACS-3
    _features(word, model, now)
    word[88], word[92] = 0x407F, now.master_identifier
    if model.security:
        word[89], word[90] = minutes(model.erase_minutes), minutes(model.enhanced_minutes) if model.enhanced else 0
        word[128] = 1 | now.security_status | (0x20 if model.enhanced else 0)
    if model.lba48:
        for at in range(4):
            word[100 + at] = now.sectors >> 16 * at & 0xFFFF
    word[105] = 8 if model.trim else 0
    word[106] = 0x4000 | (0x2000 | model.physical_exponent if model.physical_exponent else 0)
    if model.sector_bytes != SECTOR:
        word[106] |= 0x1000
        word[117], word[118] = model.sector_bytes // 2 & 0xFFFF, model.sector_bytes // 2 >> 16
    for at in range(4):
        word[108 + at] = now.wwn >> 16 * (3 - at) & 0xFFFF
    word[119] = word[120] = 0x4000 | (0x0100 if model.amax else 0)
    word[169], word[217], word[222] = int(model.trim), model.rotation, 0x10FF
    page = bytearray(struct.pack("<256H", *word))
    page[20:40], page[46:54], page[54:94] = text(now.serial, 20), text(model.firmware, 8), text(model.model, 40)
    return sealed(page)


def _word_59(model: AtaModel) -> int:
    """Sanitize: 12 the set, 13 crypto, 14 overwrite, 15 block, 10 antifreeze, 11 the commands of ACS-3 during it."""
    if not model.sanitize:
        return 0
    bits = {"crypto": 0x2000, "overwrite": 0x4000, "block": 0x8000}
    return 0x1800 | sum(bits[kind] for kind in model.sanitize) | (0x0400 if model.antifreeze else 0)


def _features(word: list[int], model: AtaModel, now: Condition) -> None:
    """Words 82 to 87: SMART, security, power, cache, look-ahead, HPA; flush, DCO, 48 bit; logs, world wide name."""
    word[82] = 0x0069 | (0x0002 if model.security else 0) | (0x0400 if model.hpa else 0)
    word[83] = 0x5000 | (0x2400 if model.lba48 else 0) | (0x0800 if model.dco else 0)
    word[84] = 0x4100 | (0x0020 if model.logs else 0)
    word[85] = word[82] & ~0x0022 | (0x0020 if now.write_cache else 0) | (0x0002 if now.security_status & 2 else 0)
    word[86] = word[83] & 0x3FFF | 0x8000
    word[87] = word[84]


def log_directory(pages: dict[int, int]) -> bytes:
    """Log 00h: version 1, then how many pages each log has."""
    raw = bytearray(SECTOR)
    struct.pack_into("<H", raw, 0, 1)
    for address, count in pages.items():
        struct.pack_into("<H", raw, address * 2, count)
    return bytes(raw)


def wear_statistics(number: int, percent: int) -> bytes:
    """Device statistics: the list of pages, or the page about solid state with its one value, supported and valid."""
    page = bytearray(SECTOR)
    struct.pack_into("<HB", page, 0, 1, number)
    if number == 0:
        page[8:11] = bytes((2, 0, 7))
    else:
        page[8], page[15] = percent, 0xC0
    return bytes(page)


def identify_log(model: AtaModel, now: Condition, number: int) -> bytes:
    """One page of the identify device data log. Raises `Abort` where there is none."""
    supported = (0x00, 0x01, 0x02, 0x06)
    if number not in supported:
        raise Abort
    if number == 0x01:
        return identify(model, now)
    page = bytearray(SECTOR)
    struct.pack_into("<Q", page, 0, 1 << 63 | number << 16 | 1)
    if number == 0x00:
        page[0:8] = struct.pack("<Q", 1)
        page[8] = len(supported)
        page[9 : 9 + len(supported)] = bytes(supported)
    elif number == 0x02:
        exponent = 1 << 62 | model.physical_exponent << 16 if model.physical_exponent else 0
        struct.pack_into("<3Q", page, 8, 1 << 63 | now.sectors, 1 << 63 | exponent, 1 << 63 | model.sector_bytes // 2)
    else:
        _security_page(page, model, now)
    return bytes(page)


def _security_page(page: bytearray, model: AtaModel, now: Condition) -> None:
    """Page 06h: master identifier, status, both times, trusted computing, capabilities."""
    valid = 1 << 63
    status = 1 | now.security_status | (0x20 if model.enhanced else 0) if model.security else 0
    kinds = (("crypto", 4), ("overwrite", 8), ("block", 16))
    able = (
        int(model.encrypts)
        | (2 if model.sanitize else 0)
        | sum(bit for kind, bit in kinds if kind in model.sanitize)
        | (0x20 if model.antifreeze and model.sanitize else 0)
        | (0x40 if model.sanitize else 0)
        | (0x80 if model.restricted_overrides_security else 0)
    )
    struct.pack_into(
        "<6Q",
        page,
        8,
        valid | now.master_identifier,
        valid | status,
        valid | minutes(model.enhanced_minutes) if model.enhanced else 0,
        valid | minutes(model.erase_minutes),
        valid | int(model.trusted),
        valid | able,
    )
