"""SCSI vital product data pages: 00h and 83h and 80h (SPC-5), B1h and B2h (SBC-4).

Each starts with the device type, the page code and the page's length. A reply may be cut off by its allocation length:
a field it does not reach is None, a designator it does not reach is left out and `truncated` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, as_is, be, between, bit, bits, shown_utf8, trimmed

REPLY = "SCSI vital product data page"
SUPPORTED_PAGES, UNIT_SERIAL_NUMBER, DEVICE_IDENTIFICATION = 0x00, 0x80, 0x83
BLOCK_DEVICE_CHARACTERISTICS, LOGICAL_BLOCK_PROVISIONING = 0xB1, 0xB2
_HEADER = 4


@dataclass(frozen=True, kw_only=True)
class VpdPage:
    """What every page starts with."""

    raw: bytes
    peripheral_qualifier: int
    """Byte 0 bits 7:5."""
    device_type: int
    """Byte 0 bits 4:0."""
    page: int
    """Byte 1."""
    page_length: int
    """Bytes 2 and 3: bytes that should follow byte 3."""

    @property
    def truncated(self) -> bool:
        """The reply ends before the page does."""
        return len(self.raw) < _HEADER + self.page_length


@dataclass(frozen=True, kw_only=True)
class SupportedPages(VpdPage):
    """Page 00h."""

    pages: tuple[int, ...]
    """Bytes 4 onwards, as listed."""


@dataclass(frozen=True, kw_only=True)
class UnitSerialNumber(VpdPage):
    """Page 80h."""

    serial: str | None
    """Bytes 4 onwards without padding; None if there is nothing else, or the page is cut off."""
    serial_padded: str
    """Bytes 4 onwards as they are (Latin-1)."""


@dataclass(frozen=True, kw_only=True)
class Designator:
    """One name in page 83h (SPC-5, designation descriptor)."""

    protocol: int | None
    """Byte 0 bits 7:4, if byte 1 bit 7 (PIV) is set and the association is a port or target device."""
    code_set: int
    """Byte 0 bits 3:0: 1 binary, 2 ASCII, 3 UTF-8."""
    association: int
    """Byte 1 bits 5:4: 0 logical unit, 1 target port, 2 target device."""
    kind: int
    """Byte 1 bits 3:0: 0 vendor's own, 1 T10 vendor, 2 EUI-64, 3 NAA, 4 relative port, 5 port group, 8 SCSI name, 10 UUID."""
    value: bytes
    """Bytes 4 onwards, as many as byte 3 says."""

    @property
    def text(self) -> str | None:
        """The value as text, for the code sets that are text."""
        return shown_utf8(self.value) if self.code_set in {2, 3} else None


@dataclass(frozen=True, kw_only=True)
class DeviceIdentification(VpdPage):
    """Page 83h: the names of the logical unit, its port and its target device."""

    designators: tuple[Designator, ...]

    def _of_unit(self, kind: int, lengths: frozenset[int]) -> tuple[str, ...]:
        return tuple(
            d.value.hex()
            for d in self.designators
            if d.association == 0 and d.kind == kind and d.code_set == 1 and len(d.value) in lengths
        )

    @property
    def unit_naa(self) -> tuple[str, ...]:
        """NAA names (8 or 16 bytes) of the logical unit: its world-wide name."""
        return self._of_unit(3, frozenset({8, 16}))

    @property
    def unit_eui64(self) -> tuple[str, ...]:
        """EUI-64 based names (8, 12 or 16 bytes) of the logical unit."""
        return self._of_unit(2, frozenset({8, 12, 16}))


@dataclass(frozen=True, kw_only=True)
class BlockDeviceCharacteristics(VpdPage):
    """Page B1h."""

    rotation: int | None
    """Bytes 4 and 5: 0000h not reported, 0001h does not rotate, 0401h to FFFEh revolutions a minute."""
    read_after_block_erase: int | None
    """Byte 7 bits 7:6 (WABEREQ): 0 not said, 1 reads succeed, 2 medium error, 3 error 11h/15h until written."""
    read_after_crypto_erase: int | None
    """Byte 7 bits 5:4 (WACEREQ), likewise."""
    form_factor: int | None
    """Byte 7 bits 3:0: 1 5.25, 2 3.5, 3 2.5, 4 1.8 inch, 5 less than 1.8 inch."""
    zoned: int | None
    """Byte 8 bits 5:4: 0 not said, 1 host-aware zones, 2 device-managed zones."""

    @property
    def rotational(self) -> bool | None:
        """Whether the medium rotates; None where it is not said or the value is reserved."""
        if self.rotation == 1:
            return False
        return True if self.rotation is not None and 0x0401 <= self.rotation <= 0xFFFE else None


@dataclass(frozen=True, kw_only=True)
class LogicalBlockProvisioning(VpdPage):
    """Page B2h. Unmapping is a hint and never an erase."""

    threshold_exponent: int | None
    """Byte 4."""
    unmap: bool | None
    """Byte 5 bit 7 (LBPU): UNMAP is supported."""
    write_same_16: bool | None
    """Byte 5 bit 6 (LBPWS): WRITE SAME(16) can unmap."""
    write_same_10: bool | None
    """Byte 5 bit 5 (LBPWS10)."""
    read_zeros: int | None
    """Byte 5 bits 4:2 (LBPRZ): 0 not said, xx1b unmapped blocks read as zeros, 2 as the vendor's pattern."""
    anchor: bool | None
    """Byte 5 bit 1 (ANC_SUP)."""
    descriptor_present: bool | None
    """Byte 5 bit 0 (DP)."""
    provisioning_type: int | None
    """Byte 6 bits 2:0: 0 not said or full, 1 resource (over-)provisioned, 2 thin."""


AnyVpdPage = (
    SupportedPages | UnitSerialNumber | DeviceIdentification | BlockDeviceCharacteristics | LogicalBlockProvisioning
)


def _start(data: Buffer, page: int | None) -> tuple[bytes, bytes, dict[str, int]]:
    """The reply, the page's own bytes, and the header's fields.

    Raises:
        MalformedReply: shorter than a header, longer than any page, or another page than `page`.
    """
    reply = REPLY if page is None else f"{REPLY} {page:02x}h"
    raw = between(reply, data, _HEADER, _HEADER + 65535)
    if page is not None and raw[1] != page:
        raise MalformedReply(reply=reply, expected=f"page code {page:02x}h in byte 1", got=f"{raw[1]:02x}h")
    length = int.from_bytes(raw[2:4], "big")
    header = {
        "peripheral_qualifier": raw[0] >> 5,
        "device_type": raw[0] & 0x1F,
        "page": raw[1],
        "page_length": length,
    }
    return raw, raw[: _HEADER + length], header


def decode_supported_pages(data: Buffer) -> SupportedPages:
    """Read page 00h. Raises `MalformedReply` for another page or a reply shorter than a header."""
    raw, page, header = _start(data, SUPPORTED_PAGES)
    return SupportedPages(raw=raw, **header, pages=tuple(page[_HEADER:]))


def decode_unit_serial_number(data: Buffer) -> UnitSerialNumber:
    """Read page 80h. Raises `MalformedReply` for another page or a reply shorter than a header."""
    raw, page, header = _start(data, UNIT_SERIAL_NUMBER)
    whole = len(page) == _HEADER + header["page_length"]
    text = page[_HEADER:]
    return UnitSerialNumber(raw=raw, **header, serial=trimmed(text) if whole else None, serial_padded=as_is(text))


def _designators(page: bytes) -> tuple[Designator, ...]:
    found: list[Designator] = []
    at = _HEADER
    while at + 4 <= len(page):  # each step moves on by four bytes at least
        length = page[at + 3]
        value = page[at + 4 : at + 4 + length]
        if len(value) < length:
            break
        association = page[at + 1] >> 4 & 3
        names_protocol = page[at + 1] & 0x80 and association in {1, 2}
        found.append(
            Designator(
                protocol=page[at] >> 4 if names_protocol else None,
                code_set=page[at] & 0xF,
                association=association,
                kind=page[at + 1] & 0xF,
                value=value,
            )
        )
        at += 4 + length
    return tuple(found)


def decode_device_identification(data: Buffer) -> DeviceIdentification:
    """Read page 83h. Raises `MalformedReply` for another page or a reply shorter than a header."""
    raw, page, header = _start(data, DEVICE_IDENTIFICATION)
    return DeviceIdentification(raw=raw, **header, designators=_designators(page))


def decode_block_device_characteristics(data: Buffer) -> BlockDeviceCharacteristics:
    """Read page B1h. Raises `MalformedReply` for another page or a reply shorter than a header."""
    raw, page, header = _start(data, BLOCK_DEVICE_CHARACTERISTICS)
    return BlockDeviceCharacteristics(
        raw=raw,
        **header,
        rotation=be(page, 4, 2),
        read_after_block_erase=bits(be(page, 7, 1), 7, 6),
        read_after_crypto_erase=bits(be(page, 7, 1), 5, 4),
        form_factor=bits(be(page, 7, 1), 3, 0),
        zoned=bits(be(page, 8, 1), 5, 4),
    )


def decode_logical_block_provisioning(data: Buffer) -> LogicalBlockProvisioning:
    """Read page B2h. Raises `MalformedReply` for another page or a reply shorter than a header."""
    raw, page, header = _start(data, LOGICAL_BLOCK_PROVISIONING)
    flags = be(page, 5, 1)
    return LogicalBlockProvisioning(
        raw=raw,
        **header,
        threshold_exponent=be(page, 4, 1),
        unmap=bit(flags, 7),
        write_same_16=bit(flags, 6),
        write_same_10=bit(flags, 5),
        read_zeros=bits(flags, 4, 2),
        anchor=bit(flags, 1),
        descriptor_present=bit(flags, 0),
        provisioning_type=bits(be(page, 6, 1), 2, 0),
    )


_DECODERS: dict[int, Callable[[Buffer], AnyVpdPage]] = {
    SUPPORTED_PAGES: decode_supported_pages,
    UNIT_SERIAL_NUMBER: decode_unit_serial_number,
    DEVICE_IDENTIFICATION: decode_device_identification,
    BLOCK_DEVICE_CHARACTERISTICS: decode_block_device_characteristics,
    LOGICAL_BLOCK_PROVISIONING: decode_logical_block_provisioning,
}
KNOWN_PAGES = tuple(_DECODERS)
"""Page codes `decode_vpd` reads."""


def decode_vpd(data: Buffer) -> AnyVpdPage:
    """Read whichever known page this is.

    Raises:
        MalformedReply: shorter than a header, longer than any page, or a page that is not in `KNOWN_PAGES`.
    """
    raw, _, header = _start(data, None)
    decoder = _DECODERS.get(header["page"])
    if decoder is None:
        known = ", ".join(f"{page:02x}h" for page in KNOWN_PAGES)
        raise MalformedReply(reply=REPLY, expected=f"page code {known} in byte 1", got=f"{header['page']:02x}h")
    return decoder(raw)
