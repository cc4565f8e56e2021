"""VPD pages in keys and in words."""

from __future__ import annotations

from sanitizer.wire.explain.model import Explanation, Group, Keys, Row, named, octet, or_nothing, tell_rotation, yes_no
from sanitizer.wire.scsi_vpd import (
    AnyVpdPage,
    BlockDeviceCharacteristics,
    Designator,
    DeviceIdentification,
    LogicalBlockProvisioning,
    SupportedPages,
    UnitSerialNumber,
    VpdPage,
    decode_vpd,
)

_ASSOCIATIONS = {0: "logical unit", 1: "target port", 2: "target device"}
_KINDS = {
    0: "vendor's own",
    1: "T10 vendor",
    2: "EUI-64",
    3: "NAA",
    4: "relative port",
    5: "port group",
    6: "unit group",
    7: "MD5",
    8: "SCSI name",
    9: "protocol port",
    10: "UUID",
}
_FORM_FACTORS = {
    0: "not reported",
    1: "5.25 inch",
    2: "3.5 inch",
    3: "2.5 inch",
    4: "1.8 inch",
    5: "less than 1.8 inch",
}
_READS = {0: "not said", 1: "succeed", 2: "end in a medium error", 3: "end in 11h/15h until the block is written"}
_ZONED = {0: "no, or not said", 1: "host-aware zones", 2: "zones the device manages itself"}
_PROVISIONING = {0: "full, or not said", 1: "resource provisioned", 2: "thin"}
_PAGES = {
    0x00: "supported pages",
    0x80: "unit serial number",
    0x83: "device identification",
    0x86: "extended INQUIRY data",
    0x89: "ATA information",
    0x8A: "power condition",
    0xB0: "block limits",
    0xB1: "block device characteristics",
    0xB2: "logical block provisioning",
    0xB6: "zoned block device characteristics",
    0xB9: "concurrent positioning ranges",
}


def _header(page: VpdPage) -> Keys:
    return {
        "page": octet(page.page),
        "page_length": page.page_length,
        "bytes_present": len(page.raw),
        "device_type": page.device_type,
    }


def _designator_keys(designator: Designator) -> Keys:
    found: Keys = {
        "protocol": designator.protocol,
        "code_set": designator.code_set,
        "association": designator.association,
        "type": designator.kind,
        "length": len(designator.value),
        "hex": designator.value.hex(),
    }
    if designator.text is not None:
        found["text"] = designator.text
    return found


def keys(page: AnyVpdPage) -> Keys:
    """The adopted keys of the page it is."""
    found = _header(page)
    match page:
        case SupportedPages():
            found["pages"] = [octet(each) for each in page.pages]
        case UnitSerialNumber():
            found |= {"serial": page.serial, "serial_raw": page.serial_padded}
        case DeviceIdentification():
            found |= {
                "designators": [_designator_keys(each) for each in page.designators],
                "lu_naa": list(page.unit_naa),
            }
        case BlockDeviceCharacteristics():
            found |= {
                "rotation_rate_raw": page.rotation,
                "rotational": page.rotational,
                "form_factor": page.form_factor,
                "wabereq": page.read_after_block_erase,
                "wacereq": page.read_after_crypto_erase,
                "zoned": page.zoned,
            }
        case LogicalBlockProvisioning():
            found |= {
                "threshold_exponent": page.threshold_exponent,
                "lbpu_unmap": page.unmap,
                "lbpws_write_same16": page.write_same_16,
                "lbpws10": page.write_same_10,
                "lbprz": page.read_zeros,
                "anc_sup": page.anchor,
                "dp": page.descriptor_present,
                "provisioning_type": page.provisioning_type,
            }
    return found


def _designator_row(designator: Designator) -> Row:
    kind = _KINDS.get(designator.kind, f"type {designator.kind}")
    owner = _ASSOCIATIONS.get(designator.association, "reserved association")
    return (f"{kind} of the {owner}", designator.text if designator.text is not None else designator.value.hex())


def _groups(page: AnyVpdPage) -> tuple[Group, ...]:
    match page:
        case SupportedPages():
            rows = [(f"{each:02x}h", _PAGES.get(each, "other")) for each in page.pages]
            return (Group("Pages it has", tuple(rows) or (("none", ""),)),)
        case UnitSerialNumber():
            return (Group("Serial number", (("Serial number", or_nothing(page.serial)),)),)
        case DeviceIdentification():
            return (Group("Names", tuple(_designator_row(each) for each in page.designators) or (("none", ""),)),)
        case BlockDeviceCharacteristics():
            return (
                Group(
                    "Medium",
                    (
                        ("Medium", tell_rotation(page.rotation, page.rotational)),
                        ("Form factor", named(page.form_factor, _FORM_FACTORS)),
                        ("Zones", named(page.zoned, _ZONED)),
                    ),
                ),
                Group(
                    "Reads after sanitize",
                    (
                        ("After block erase they", named(page.read_after_block_erase, _READS)),
                        ("After cryptographic erase they", named(page.read_after_crypto_erase, _READS)),
                    ),
                ),
            )
        case LogicalBlockProvisioning():
            return (
                Group(
                    "Provisioning",
                    (
                        ("Type", named(page.provisioning_type, _PROVISIONING)),
                        ("UNMAP", yes_no(page.unmap)),
                        ("WRITE SAME(16) can unmap", yes_no(page.write_same_16)),
                        ("WRITE SAME(10) can unmap", yes_no(page.write_same_10)),
                        ("Unmapped blocks read as zeros", _zeros(page.read_zeros)),
                    ),
                ),
            )


def _zeros(read_zeros: int | None) -> str:
    if read_zeros is None:
        return "unknown"
    if read_zeros & 1:
        return "yes"
    return {0: "not said", 2: "no: the vendor's pattern"}.get(read_zeros, f"reserved value {read_zeros}")


def explain_vpd(raw: bytes) -> Explanation:
    """Explain a VPD page. Raises `MalformedReply` as the decoder does."""
    page = decode_vpd(raw)
    attention: list[str] = []
    if page.truncated:
        attention.append(f"The page is cut off: {len(raw) - 4} of {page.page_length} bytes are there.")
    if isinstance(page, DeviceIdentification) and not page.unit_naa and not page.unit_eui64:
        attention.append("The logical unit has no world-wide name here: it may not be told from another.")
    if isinstance(page, BlockDeviceCharacteristics) and 3 in {
        page.read_after_block_erase,
        page.read_after_crypto_erase,
    }:
        attention.append("After such an erase blocks must be written before they can be read back.")
    return Explanation(
        title=f"SCSI VPD page {page.page:02x}h, {_PAGES[page.page]}",
        groups=_groups(page),
        attention=tuple(attention),
        keys=keys(page),
    )
