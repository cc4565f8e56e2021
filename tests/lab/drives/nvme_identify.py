"""What an emulated NVMe subsystem says of itself: the Identify data structures, built field by field.

Offsets are those of NVM Express Base 2.1 (Identify Controller, namespace lists, controller lists) and of the NVM Command Set 1.1
(Identify Namespace). Nothing here comes from the product: these structures judge it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

LENGTH = 4096
"""Bytes of every Identify answer."""
EVERY_NAMESPACE = 0xFFFFFFFF
"""The broadcast NSID."""
SHIFTS = (9, 12)
"""LBA formats: index 0 has blocks of 512 bytes, index 1 of 4,096."""
LIST_ENTRIES = LENGTH // 4

SECURITY, FORMAT, MANAGEMENT = 0x1, 0x2, 0x8
"""OACS bits 0, 1 and 3."""
CRYPTO, BLOCK, OVERWRITE, VERIFIES, INHIBITED = 0x1, 0x2, 0x4, 0x8, 0x20000000
"""SANICAP bits 0, 1, 2, 3 and 29."""
FORMAT_ALL, ERASE_ALL, FORMAT_CRYPTO, NO_BROADCAST = 0x1, 0x2, 0x4, 0x8
"""FNA bits 0 to 3."""
MODIFIES_NOT, MODIFIES = 0x1, 0x2
"""NODMMAS: media are not, or are, modified once more after a sanitize that does not deallocate."""


@dataclass
class NvmeNamespace:
    """One allocated namespace: which bytes of the subsystem's media it maps, and who may reach it."""

    nsid: int
    start: int
    """First byte in the subsystem's media."""
    size: int
    """Bytes."""
    shift: int = 9
    """Logical block size as a power of two (LBADS)."""
    attached: set[int] = field(default_factory=lambda: {1})
    """Controller numbers; empty: allocated and attached to nobody."""
    shared: bool = False
    """NMIC bit 0: more than one controller may have it."""
    write_protected: bool = False
    """NSATTR bit 0."""
    format_percent_left: int = 0
    """FPI bits 6:0."""

    @property
    def blocks(self) -> int:
        """NSZE."""
        return self.size >> self.shift

    @property
    def block_bytes(self) -> int:
        """Bytes of a logical block."""
        return 1 << self.shift


@dataclass
class NvmeTraits:
    """What the maker of a drive chose; a personality changes some of it."""

    serial: str = "LABNVME00000001"
    model: str = "SANITRAIL LAB NVME"
    firmware: str = "LAB1"
    oacs: int = SECURITY | FORMAT | MANAGEMENT
    fna: int = FORMAT_CRYPTO
    sanicap: int = CRYPTO | BLOCK | OVERWRITE
    nodmmas: int = MODIFIES_NOT
    """SANICAP bits 31:30."""
    most_namespaces: int = 16
    """NN."""
    volatile_cache: bool = True
    write_protect: bool = True
    """NWPC bit 0: namespaces can be write-protected."""
    seconds: dict[str, int | None] = field(default_factory=dict)
    """Estimates of the sanitize log by action, None not reported; see `nvme_logs.ESTIMATES`."""
    strict_nsid: bool = True
    """Sanitize with an NSID other than 0 is Invalid Field in Command (its NSID field is not used, so it shall be 0)."""
    deallocated_reads: int = 1
    """DLFEAT bits 2:0: what a deallocated block reads as: 1 zeros, 2 FFh bytes, 0 not reported (then what the media hold)."""
    keeps_format_progress: bool = False
    """FPI of a format that was cut off still tells what is left of it after a power cycle."""
    hides: bool = False
    """A lie: a sanitize unmaps every block, whatever it did to the media, and reads are answered by the mapping table; only
    one that was asked not to deallocate shows what the media hold."""

    @property
    def qualified_name(self) -> str:
        """SUBNQN."""
        return f"nqn.2026-01.lab:{self.serial}"


def text(value: str, length: int) -> bytes:
    """ASCII, left-aligned, padded with spaces."""
    return value.encode("ascii")[:length].ljust(length)


def identify_controller(traits: NvmeTraits, number: int, controllers: int, total: int, unallocated: int) -> bytes:
    """CNS 01h.

    Args:
        traits: What the drive is.
        number: CNTLID of the controller that answers.
        controllers: How many controllers the subsystem has.
        total: Bytes of the subsystem (TNVMCAP).
        unallocated: Bytes in no namespace (UNVMCAP).
    """
    page = bytearray(LENGTH)
    struct.pack_into("<HH", page, 0, 0x1B36, 0x1AF4)
    page[4:24] = text(traits.serial, 20)
    page[24:64] = text(traits.model, 40)
    page[64:72] = text(traits.firmware, 8)
    page[72] = 6  # RAB
    page[76] = 0x3 if controllers > 1 else 0  # CMIC: several ports, several controllers
    struct.pack_into("<BHI", page, 77, 5, number, 0x00010400)  # MDTS 128 KiB, CNTLID, VER 1.4
    struct.pack_into("<I", page, 92, 0x100)  # OAES: namespace attribute notices
    page[111] = 1  # CNTRLTYPE: an I/O controller
    struct.pack_into("<HBBBBB", page, 256, traits.oacs, 3, 3, 0x3, 0x2, 15)  # OACS ACL AERL FRMW LPA ELPE
    struct.pack_into("<HH", page, 266, 343, 353)  # WCTEMP, CCTEMP in kelvin
    if traits.oacs & MANAGEMENT:
        page[280:296] = total.to_bytes(16, "little")
        page[296:312] = unallocated.to_bytes(16, "little")
    struct.pack_into("<H", page, 320, 10)  # KAS: keep alive in units of 100 ms
    struct.pack_into("<I", page, 328, traits.sanicap | traits.nodmmas << 30)
    struct.pack_into("<BBHIHH", page, 512, 0x66, 0x44, 128, traits.most_namespaces, 0x1C, 0)  # SQES to FUSES
    struct.pack_into("<BB", page, 524, traits.fna, int(traits.volatile_cache))
    page[531] = int(traits.write_protect)  # NWPC
    struct.pack_into("<I", page, 536, 0x00100001)  # SGLS
    page[768:1024] = traits.qualified_name.encode("ascii").ljust(256, b"\0")
    struct.pack_into("<IIHBB", page, 1792, (64 + 16384) // 16, 1, 0, 0, 1)  # IOCCSZ IORCSZ ICDOFF FCATT MSDBD
    struct.pack_into("<H", page, 2048, 500)  # power state 0: 5 W
    return bytes(page)


def nguid(traits: NvmeTraits, nsid: int) -> bytes:
    """A namespace's global identifier, from the serial number and the NSID."""
    return traits.serial.encode("ascii")[-12:].rjust(12, b"0") + struct.pack(">I", nsid)


def identify_namespace(traits: NvmeTraits, namespace: NvmeNamespace) -> bytes:
    """CNS 00h and 11h."""
    page = bytearray(LENGTH)
    struct.pack_into("<QQQ", page, 0, namespace.blocks, namespace.blocks, namespace.blocks)  # NSZE NCAP NUSE
    page[25] = len(SHIFTS) - 1  # NLBAF, zero-based
    page[26] = SHIFTS.index(namespace.shift)  # FLBAS
    page[30] = int(namespace.shared)  # NMIC
    page[32] = 0x80 | namespace.format_percent_left  # FPI
    page[33] = 0x08 | traits.deallocated_reads  # DLFEAT
    page[48:64] = namespace.size.to_bytes(16, "little")  # NVMCAP
    page[99] = int(namespace.write_protected)  # NSATTR
    page[104:120] = nguid(traits, namespace.nsid)
    for index, shift in enumerate(SHIFTS):
        struct.pack_into("<I", page, 128 + 4 * index, shift << 16)
    return bytes(page)


def common_namespace(traits: NvmeTraits) -> bytes:
    """CNS 00h with the broadcast NSID: what is the same for every namespace, namely the formats."""
    page = bytearray(LENGTH)
    page[25] = len(SHIFTS) - 1
    page[33] = 0x08 | traits.deallocated_reads
    for index, shift in enumerate(SHIFTS):
        struct.pack_into("<I", page, 128 + 4 * index, shift << 16)
    return bytes(page)


def descriptors(traits: NvmeTraits, nsid: int) -> bytes:
    """CNS 03h: one Namespace Identification Descriptor, the NGUID (type 2, 16 bytes)."""
    return (bytes((2, 16, 0, 0)) + nguid(traits, nsid)).ljust(LENGTH, b"\0")


def namespace_list(numbers: list[int], above: int) -> bytes:
    """CNS 02h and 10h: up to 1,024 NSIDs greater than the one asked with, ascending."""
    chosen = sorted(number for number in numbers if number > above)[:LIST_ENTRIES]
    return struct.pack(f"<{len(chosen)}I", *chosen).ljust(LENGTH, b"\0")


def controller_list(numbers: list[int], first: int) -> bytes:
    """CNS 12h and 13h: the count, then controller numbers equal to or greater than the one asked with, ascending."""
    chosen = sorted(number for number in numbers if number >= first)[:2047]
    return struct.pack(f"<{len(chosen) + 1}H", len(chosen), *chosen).ljust(LENGTH, b"\0")


def primary_capabilities(number: int) -> bytes:
    """CNS 14h: controller and port number, and no resources to give away."""
    return struct.pack("<HH", number, 0).ljust(LENGTH, b"\0")
