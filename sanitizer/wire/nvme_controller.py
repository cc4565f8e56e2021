"""NVMe Identify Controller (admin command 06h, CNS 01h), 4,096 bytes, little-endian.

Byte offsets are those of the Identify Controller data structure, NVM Express Base 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.fields import Buffer, as_is, exactly, trimmed

REPLY = "NVMe Identify Controller"
LENGTH = 4096


@dataclass(frozen=True, kw_only=True)
class OptionalAdmin:
    """OACS, bytes 256 and 257: optional admin commands."""

    raw: int
    security: bool
    """Bit 0: Security Send and Receive, the way to Opal."""
    format_nvm: bool
    """Bit 1."""
    firmware: bool
    """Bit 2: firmware download and commit."""
    namespace_management: bool
    """Bit 3."""
    self_test: bool
    """Bit 4."""
    directives: bool
    """Bit 5."""
    nvme_mi: bool
    """Bit 6."""
    virtualization: bool
    """Bit 7."""


@dataclass(frozen=True, kw_only=True)
class SanitizeCapabilities:
    """SANICAP, bytes 328 to 331; all zero where the controller has no Sanitize command (it came with NVMe 1.3)."""

    raw: int
    crypto_erase: bool
    """Bit 0."""
    block_erase: bool
    """Bit 1."""
    overwrite: bool
    """Bit 2."""
    verification: bool
    """Bit 3 (VERS): media verification after sanitize."""
    namespace_verification: bool
    """Bit 4 (NVERS)."""
    no_deallocate_inhibited: bool
    """Bit 29 (NDI): a request not to deallocate after sanitize is not carried out."""
    no_deallocate_modifies: int
    """Bits 31:30 (NODMMAS): 0 not defined, 1 media not modified after sanitize, 2 additionally modified, 3 reserved."""

    @property
    def any(self) -> bool:
        """At least one way to sanitize."""
        return self.crypto_erase or self.block_erase or self.overwrite


@dataclass(frozen=True, kw_only=True)
class FormatAttributes:
    """FNA, byte 524: what Format NVM reaches."""

    raw: int
    format_all_namespaces: bool
    """Bit 0: a format without secure erase changes every namespace."""
    erase_all_namespaces: bool
    """Bit 1 (SENS): a secure erase by format takes every namespace."""
    crypto_erase: bool
    """Bit 2: format with cryptographic erase (SES 2) is supported."""
    no_broadcast: bool
    """Bit 3: namespace FFFFFFFFh is not accepted."""


@dataclass(frozen=True, kw_only=True)
class IdentifyController:
    """What an NVMe controller says of itself and of its subsystem."""

    raw: bytes
    """All 4,096 bytes, as evidence."""
    vendor_id: int
    """Bytes 0 and 1: PCI vendor."""
    subsystem_vendor_id: int
    """Bytes 2 and 3."""
    serial: str | None
    """Bytes 4 to 23 without padding."""
    serial_padded: str
    """Bytes 4 to 23 as they are (Latin-1)."""
    model: str | None
    """Bytes 24 to 63 without padding."""
    firmware: str | None
    """Bytes 64 to 71 without padding."""
    ieee_oui: str
    """Bytes 73 to 75, in hexadecimal as one writes it."""
    multi_port: bool
    """Byte 76 bit 0: the subsystem may have more than one port."""
    multi_controller: bool
    """Byte 76 bit 1: the subsystem may have more than one controller, so another host may share the medium."""
    controller_id: int
    """Bytes 78 and 79."""
    version: int
    """Bytes 80 to 83: major 31:16, minor 15:8, tertiary 7:0; 0 before NVMe 1.2."""
    admin: OptionalAdmin
    log_page_attributes: int
    """Byte 261 (LPA)."""
    host_memory_preferred: int
    """Bytes 272 to 275 (HMPRE), in units of 4 KiB."""
    total_bytes: int | None
    """Bytes 280 to 295 (TNVMCAP); None for 0, not reported."""
    unallocated_bytes: int | None
    """Bytes 296 to 311 (UNVMCAP): capacity in no namespace, which may hold what deleted ones held. None where the total
    is not reported."""
    unallocated_raw: int
    """Bytes 296 to 311 as they are."""
    rpmb_units: int
    """Bytes 312 to 315 bits 2:0: replay-protected memory blocks, which Sanitize does not touch."""
    sanitize: SanitizeCapabilities
    namespaces: int
    """Bytes 516 to 519 (NN): highest namespace number."""
    optional_nvm: int
    """Bytes 520 and 521 (ONCS)."""
    format: FormatAttributes
    volatile_write_cache: bool
    """Byte 525 bit 0."""
    qualified_name: str | None
    """Bytes 768 to 1023 (SUBNQN) without padding."""

    @property
    def version_name(self) -> str | None:
        """Such as 1.4.0; None where the controller is too old to say."""
        version = self.version
        return f"{version >> 16}.{version >> 8 & 0xFF}.{version & 0xFF}" if version else None


def _flag(value: int, number: int) -> bool:
    return bool(value >> number & 1)


def _admin(raw: int) -> OptionalAdmin:
    return OptionalAdmin(
        raw=raw,
        security=_flag(raw, 0),
        format_nvm=_flag(raw, 1),
        firmware=_flag(raw, 2),
        namespace_management=_flag(raw, 3),
        self_test=_flag(raw, 4),
        directives=_flag(raw, 5),
        nvme_mi=_flag(raw, 6),
        virtualization=_flag(raw, 7),
    )


def _sanitize(raw: int) -> SanitizeCapabilities:
    return SanitizeCapabilities(
        raw=raw,
        crypto_erase=_flag(raw, 0),
        block_erase=_flag(raw, 1),
        overwrite=_flag(raw, 2),
        verification=_flag(raw, 3),
        namespace_verification=_flag(raw, 4),
        no_deallocate_inhibited=_flag(raw, 29),
        no_deallocate_modifies=raw >> 30,
    )


def _format(raw: int) -> FormatAttributes:
    return FormatAttributes(
        raw=raw,
        format_all_namespaces=_flag(raw, 0),
        erase_all_namespaces=_flag(raw, 1),
        crypto_erase=_flag(raw, 2),
        no_broadcast=_flag(raw, 3),
    )


def decode_identify_controller(data: Buffer) -> IdentifyController:
    """Read Identify Controller.

    Args:
        data: Exactly 4,096 bytes.

    Raises:
        MalformedReply: other than 4,096 bytes.
    """
    raw = exactly(REPLY, data, LENGTH)

    def number(start: int, size: int) -> int:
        return int.from_bytes(raw[start : start + size], "little")

    total, unallocated = number(280, 16), number(296, 16)
    return IdentifyController(
        raw=raw,
        vendor_id=number(0, 2),
        subsystem_vendor_id=number(2, 2),
        serial=trimmed(raw[4:24]),
        serial_padded=as_is(raw[4:24]),
        model=trimmed(raw[24:64]),
        firmware=trimmed(raw[64:72]),
        ieee_oui=raw[75:72:-1].hex(),
        multi_port=_flag(raw[76], 0),
        multi_controller=_flag(raw[76], 1),
        controller_id=number(78, 2),
        version=number(80, 4),
        admin=_admin(number(256, 2)),
        log_page_attributes=raw[261],
        host_memory_preferred=number(272, 4),
        total_bytes=total or None,
        unallocated_bytes=unallocated if total else None,
        unallocated_raw=unallocated,
        rpmb_units=number(312, 4) & 7,
        sanitize=_sanitize(number(328, 4)),
        namespaces=number(516, 4),
        optional_nvm=number(520, 2),
        format=_format(raw[524]),
        volatile_write_cache=_flag(raw[525], 0),
        qualified_name=trimmed(raw[768:1024]),
    )
