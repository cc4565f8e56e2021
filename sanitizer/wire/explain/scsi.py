"""INQUIRY, VPD pages and REPORT SUPPORTED OPERATION CODES: telling which it is, then keys and words."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.explain.model import Explanation, Group, Keys, Row, named, octet, or_nothing, or_unknown, yes_no
from sanitizer.wire.explain.vpd import explain_vpd
from sanitizer.wire.fields import Buffer, between, counted
from sanitizer.wire.scsi_inquiry import Inquiry, decode_inquiry
from sanitizer.wire.scsi_opcodes import (
    CommandSupport,
    CommandTimeouts,
    SupportedCommands,
    decode_command_support,
    decode_supported_commands,
)
from sanitizer.wire.scsi_vpd import KNOWN_PAGES

_QUALIFIERS = {0: "attached", 1: "not attached now", 3: "cannot be attached here"}
_VERSIONS = {0: "none claimed", 3: "SPC", 4: "SPC-2", 5: "SPC-3", 6: "SPC-4", 7: "SPC-5", 8: "SPC-6"}
_SANITIZE = {1: "overwrite", 2: "block erase", 3: "cryptographic erase", 0x1F: "exit failure mode"}
_TEXT = frozenset({0, *range(0x20, 0x7F)})


class ScsiForm(StrEnum):
    """Which reply it is."""

    AUTO = "auto"
    INQUIRY = "inquiry"
    VPD = "vpd"
    OPCODE = "opcode"
    OPCODES = "opcodes"


def inquiry_keys(unit: Inquiry) -> Keys:
    """The adopted keys."""
    return {
        "peripheral_qualifier": unit.peripheral_qualifier,
        "device_type": unit.device_type,
        "removable": unit.removable,
        "version": unit.version,
        "response_format": unit.response_format,
        "additional_length": unit.additional_length,
        "protect": unit.protection,
        "tpgs": unit.target_port_groups,
        "encserv": unit.enclosure_services,
        "multiport": unit.multiport,
        "cmdque": unit.command_queuing,
        "vendor": unit.vendor,
        "product": unit.product,
        "revision": unit.revision,
        "is_disk": unit.is_disk,
    }


def _explain_inquiry(raw: bytes) -> Explanation:
    unit = decode_inquiry(raw)
    groups = (
        Group(
            "Identity",
            (
                ("Device type", f"{unit.device_type_name} ({unit.device_type:02x}h)"),
                ("Vendor", or_nothing(unit.vendor)),
                ("Product", or_nothing(unit.product)),
                ("Revision", or_nothing(unit.revision)),
                ("Standard", named(unit.version, _VERSIONS)),
            ),
        ),
        Group(
            "Attachment",
            (
                ("Logical unit", named(unit.peripheral_qualifier, _QUALIFIERS)),
                ("Removable medium", yes_no(unit.removable)),
                ("More than one port", yes_no(unit.multiport)),
                ("Asymmetric paths (TPGS)", or_unknown(unit.target_port_groups)),
                ("Protection information", yes_no(unit.protection)),
                ("Command queuing", yes_no(unit.command_queuing)),
            ),
        ),
    )
    attention = {
        "This is no disk: it must not be offered for sanitization.": not unit.is_disk,
        "A translation layer stands before a SATA drive: ask the drive itself (sanitizer decode ata).": unit.vendor
        == "ATA",
        "Several paths lead to this unit: it may be one medium seen twice.": bool(
            unit.multiport or unit.target_port_groups
        ),
    }
    return Explanation(
        title="SCSI standard INQUIRY",
        groups=groups,
        attention=tuple(sentence for sentence, holds in attention.items() if holds),
        keys=inquiry_keys(unit),
    )


def _timeout_keys(timeouts: CommandTimeouts | None) -> Keys | None:
    if timeouts is None:
        return None
    return {"nominal_seconds": timeouts.nominal_seconds, "recommended_seconds": timeouts.recommended_seconds}


def _command_name(operation_code: int, service_action: int | None) -> str:
    name = f"{operation_code:02x}h"
    if service_action is not None:
        name += f"/{service_action:02x}h"
    if operation_code == 0x48 and service_action is not None:
        name += f" SANITIZE {_SANITIZE.get(service_action, 'unknown action')}"
    return name


def opcode_keys(command: CommandSupport) -> Keys:
    """Keys in the manner of the adopted ones; no independent reading came with our recordings."""
    return {
        "support": command.raw[1] & 7,
        "support_name": command.support.name.lower(),
        "supported": command.supported,
        "cdb_usage_hex": None if command.usage is None else command.usage.hex(),
        "timeouts": _timeout_keys(command.timeouts),
    }


def _explain_opcode(raw: bytes) -> Explanation:
    command = decode_command_support(raw)
    rows: list[Row] = [("Supported", command.support.value), ("Bits of the command it heeds", "none given")]
    if command.usage is not None:
        rows[1] = (rows[1][0], command.usage.hex(" "))
    if command.timeouts is not None:
        rows.append(("Recommended timeout", f"{or_unknown(command.timeouts.recommended_seconds)} seconds"))
    return Explanation(
        title="SCSI REPORT SUPPORTED OPERATION CODES (one command)",
        groups=(Group("The command that was asked about", tuple(rows)),),
        attention=(),
        keys=opcode_keys(command),
    )


def opcodes_keys(answer: SupportedCommands) -> Keys:
    """Keys in the manner of the adopted ones; no independent reading came with our recordings."""
    return {
        "commands": [
            {
                "opcode": octet(each.operation_code),
                "service_action": None if each.service_action is None else f"0x{each.service_action:04x}",
                "cdb_bytes": each.cdb_bytes,
                "timeouts": _timeout_keys(each.timeouts),
            }
            for each in answer.commands
        ],
        "truncated": answer.truncated,
    }


def _explain_opcodes(raw: bytes) -> Explanation:
    answer = decode_supported_commands(raw)
    sanitize = tuple(
        (f"SANITIZE {name}", yes_no(answer.has(0x48, action))) for action, name in sorted(_SANITIZE.items())
    )
    erasing = (*sanitize, ("FORMAT UNIT", yes_no(answer.has(0x04))), ("WRITE SAME(16)", yes_no(answer.has(0x93))))
    listed = tuple(
        (_command_name(each.operation_code, each.service_action), f"{each.cdb_bytes} bytes") for each in answer.commands
    )
    return Explanation(
        title="SCSI REPORT SUPPORTED OPERATION CODES (all commands)",
        groups=(Group("Commands that erase", erasing), Group("All commands", listed or (("none", ""),))),
        attention=("The list is cut off: what is not in it is unknown.",) if answer.truncated else (),
        keys=opcodes_keys(answer),
    )


def _like_inquiry(raw: bytes) -> bool:
    form = raw[3] & 0xF in {1, 2} and raw[1] & 0x3F == 0
    return len(raw) >= 36 and form and set(raw[8:36]) <= _TEXT and bool(raw[8:36].strip(b" \0"))


def _like_vpd(raw: bytes) -> bool:
    length = int.from_bytes(raw[2:4], "big")
    return raw[1] in KNOWN_PAGES and 0 < length <= len(raw) - 4 and not any(raw[4 + length :])


_EXPLAINERS: dict[ScsiForm, Callable[[bytes], Explanation]] = {
    ScsiForm.INQUIRY: _explain_inquiry,
    ScsiForm.VPD: explain_vpd,
    ScsiForm.OPCODE: _explain_opcode,
    ScsiForm.OPCODES: _explain_opcodes,
}


def explain_scsi(data: Buffer, form: ScsiForm = ScsiForm.AUTO) -> Explanation:
    """Explain INQUIRY data, a VPD page or an answer to REPORT SUPPORTED OPERATION CODES.

    The latter, and replies that are cut off, do not tell what they are and must be named.

    Raises:
        MalformedReply: the bytes are not of that form; or, with `AUTO`, they look like no form or like two.
    """
    raw = between("SCSI reply", data, 4, 65536 + 4)
    if form is ScsiForm.AUTO:
        likely = {ScsiForm.INQUIRY: _like_inquiry(raw), ScsiForm.VPD: _like_vpd(raw)}
        found = [name for name, likes in likely.items() if likes]
        if len(found) != 1:
            looks = "both" if found else "neither"
            raise MalformedReply(
                reply="SCSI reply",
                expected="standard INQUIRY data or a VPD page; name any other, or one that is cut off, with --form",
                got=f"{counted(len(raw))} that look like {looks}, starting {raw[:8].hex()}",
            )
        form = found[0]
    return _EXPLAINERS[form](raw)
