"""SCSI standard INQUIRY data (SPC-5, INQUIRY command): what a logical unit is."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.fields import Buffer, be, between, bit, bits, trimmed

REPLY = "SCSI standard INQUIRY data"
DIRECT_ACCESS, OPTICAL, REDUCED_BLOCK, HOST_MANAGED_ZONED, NO_DEVICE_TYPE = 0x00, 0x05, 0x0E, 0x14, 0x1F
DEVICE_TYPES = {
    0x00: "disk",
    0x01: "tape",
    0x02: "printer",
    0x03: "processor",
    0x04: "write-once disk",
    0x05: "CD or DVD drive",
    0x07: "optical memory",
    0x08: "medium changer",
    0x0C: "storage array controller",
    0x0D: "enclosure",
    0x0E: "simplified disk (RBC)",
    0x0F: "optical card",
    0x11: "object storage",
    0x12: "automation interface",
    0x14: "host-managed zoned disk",
    0x1E: "well known logical unit",
    0x1F: "no device, or of unknown type",
}
"""Byte 0 bits 4:0 (SPC-5, peripheral device type)."""


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """Standard INQUIRY data; a field the reply is too short for is None."""

    raw: bytes
    peripheral_qualifier: int
    """Byte 0 bits 7:5: 0 a device is attached, 1 none is but could be, 3 none can be."""
    device_type: int
    """Byte 0 bits 4:0."""
    removable: bool | None
    """Byte 1 bit 7: the medium can be taken out."""
    version: int | None
    """Byte 2: 5 SPC-3, 6 SPC-4, 7 SPC-5; 0 no standard claimed."""
    response_format: int | None
    """Byte 3 bits 3:0: 2 is the only form in use."""
    additional_length: int | None
    """Byte 4: bytes the device has beyond byte 4."""
    protection: bool | None
    """Byte 5 bit 0 (PROTECT): protection information can be stored with each block."""
    target_port_groups: int | None
    """Byte 5 bits 5:4 (TPGS): asymmetric access, so there are several paths."""
    enclosure_services: bool | None
    """Byte 6 bit 6 (ENCSERV)."""
    multiport: bool | None
    """Byte 6 bit 4 (MULTIP): the unit has more than one port."""
    command_queuing: bool | None
    """Byte 7 bit 1 (CMDQUE)."""
    vendor: str | None
    """Bytes 8 to 15. "ATA" is a translation layer before a SATA drive."""
    product: str | None
    """Bytes 16 to 31; a translation layer cuts the model short here."""
    revision: str | None
    """Bytes 32 to 35."""

    @property
    def is_disk(self) -> bool:
        """A unit of addressable blocks is attached: disk, simplified disk or host-managed zoned disk."""
        return self.peripheral_qualifier == 0 and self.device_type in {DIRECT_ACCESS, REDUCED_BLOCK, HOST_MANAGED_ZONED}

    @property
    def device_type_name(self) -> str:
        """The device type in a word or two."""
        return DEVICE_TYPES.get(self.device_type, f"type {self.device_type:02x}h")


def _text(raw: bytes, start: int, end: int) -> str | None:
    return trimmed(raw[start:end]) if len(raw) >= end else None


def decode_inquiry(data: Buffer) -> Inquiry:
    """Read standard INQUIRY data (EVPD 0).

    Args:
        data: 5 to 65,535 bytes; a device gives 36 or more unless asked for fewer.

    Raises:
        MalformedReply: shorter or longer.
    """
    raw = between(REPLY, data, 5, 65535)
    return Inquiry(
        raw=raw,
        peripheral_qualifier=raw[0] >> 5,
        device_type=raw[0] & 0x1F,
        removable=bit(be(raw, 1, 1), 7),
        version=be(raw, 2, 1),
        response_format=bits(be(raw, 3, 1), 3, 0),
        additional_length=be(raw, 4, 1),
        protection=bit(be(raw, 5, 1), 0),
        target_port_groups=bits(be(raw, 5, 1), 5, 4),
        enclosure_services=bit(be(raw, 6, 1), 6),
        multiport=bit(be(raw, 6, 1), 4),
        command_queuing=bit(be(raw, 7, 1), 1),
        vendor=_text(raw, 8, 16),
        product=_text(raw, 16, 32),
        revision=_text(raw, 32, 36),
    )
