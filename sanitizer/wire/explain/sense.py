"""Sense data in keys and in words, with the ATA registers it may carry."""

from __future__ import annotations

from enum import StrEnum

from sanitizer.wire.ata_status import SanitizeAbortReason, SanitizeStatus, decode_sanitize_status
from sanitizer.wire.explain.model import Explanation, Group, Keys, Row, code, octet, share, yes_no
from sanitizer.wire.fields import Buffer
from sanitizer.wire.pass_through import AtaRegisters, RegisterLayout, decode_pass_through_answer, registers_in
from sanitizer.wire.sense import RECOVERED_ERROR, Sense, SenseFormat, decode_sense

KEY_NAMES = (
    "NO SENSE",
    "RECOVERED ERROR",
    "NOT READY",
    "MEDIUM ERROR",
    "HARDWARE ERROR",
    "ILLEGAL REQUEST",
    "UNIT ATTENTION",
    "DATA PROTECT",
    "BLANK CHECK",
    "VENDOR SPECIFIC",
    "COPY ABORTED",
    "ABORTED COMMAND",
    "RESERVED",
    "VOLUME OVERFLOW",
    "MISCOMPARE",
    "COMPLETED",
)
_CODES = {
    (0x00, 0x00): "nothing to add",
    (0x00, 0x1D): "ATA pass-through information available",
    (0x04, 0x00): "not ready, cause not reported",
    (0x04, 0x01): "becoming ready",
    (0x04, 0x02): "must be started first",
    (0x04, 0x04): "format in progress",
    (0x04, 0x09): "self-test in progress",
    (0x04, 0x1B): "sanitize in progress",
    (0x0C, 0x00): "write error",
    (0x11, 0x00): "unrecovered read error",
    (0x11, 0x15): "write after sanitize required",
    (0x20, 0x00): "invalid command operation code",
    (0x20, 0x02): "access denied, no rights",
    (0x21, 0x00): "logical block address out of range",
    (0x21, 0x04): "ATA: aborted, ID not found",
    (0x24, 0x00): "invalid field in the command",
    (0x26, 0x00): "invalid field in the parameter list",
    (0x27, 0x00): "write-protected",
    (0x28, 0x00): "the medium may have changed",
    (0x29, 0x00): "power on, reset or bus reset",
    (0x2A, 0x01): "mode parameters changed",
    (0x2A, 0x09): "capacity changed",
    (0x2C, 0x00): "command sequence error",
    (0x31, 0x00): "medium format corrupted",
    (0x31, 0x01): "format command failed",
    (0x31, 0x03): "sanitize command failed",
    (0x35, 0x02): "enclosure services unavailable",
    (0x3A, 0x00): "medium not present",
    (0x3F, 0x0E): "reported units changed",
    (0x44, 0x00): "internal target failure",
    (0x55, 0x00): "system resource failure",
    (0x74, 0x71): "logical unit access not authorized (locked)",
}
_LAYOUTS = {
    RegisterLayout.DESCRIPTOR: "ATA status return descriptor (whole)",
    RegisterLayout.FIXED: "fixed format, bytes 3 to 11",
    RegisterLayout.FIXED_OLD_LINUX: "fixed format, bytes 8 to 19 (older Linux)",
}
_REASONS = {
    SanitizeAbortReason.NOT_REPORTED: "not reported, or the last sanitize failed",
    SanitizeAbortReason.AREAS_NOT_SANITIZED: "completed, but sectors available for user data were NOT sanitized",
    SanitizeAbortReason.UNSUPPORTED: "unsupported sanitize feature",
    SanitizeAbortReason.FROZEN: "sanitize is frozen",
    SanitizeAbortReason.ANTIFREEZE: "the antifreeze lock is set",
}


class Answer(StrEnum):
    """Which command the sense data answers, as far as it matters for reading it."""

    OTHER = "other"
    ATA_PASS_THROUGH = "ata-pass-through"  # noqa: S105 - the name of a SCSI command, no password
    SANITIZE_STATUS_EXT = "sanitize-status-ext"


def keys(sense: Sense, registers: AtaRegisters | None, status: SanitizeStatus | None) -> Keys:
    """The adopted keys; descriptors, progress and ATA registers where there are any."""
    found: Keys = {
        "response_code": octet(sense.response_code),
        "format": sense.format,
        "valid_sense": True,
        "sense_key": sense.key,
        "sense_key_name": None if sense.key is None else KEY_NAMES[sense.key],
        "asc": sense.asc,
        "ascq": sense.ascq,
        "additional_length": sense.additional_length,
        "information_valid_bit": sense.information_valid,
        "information": _hex(sense.information),
        "command_specific": _hex(sense.command_specific),
        "fru": sense.field_replaceable_unit,
        "sks": _hex(sense.key_specific),
        "truncated": sense.truncated,
    }
    if sense.progress is not None:
        found["progress_65536"] = sense.progress
    if sense.format is SenseFormat.DESCRIPTOR:
        found["descriptors"] = [
            {"type": each.kind, "length": each.length, "hex": each.body.hex(), "whole": each.whole}
            for each in sense.descriptors
        ]
    if registers is not None:
        found["ata_registers"] = _register_keys(registers)
    if status is not None:
        found["sanitize_status"] = _status_keys(status)
    return found


def _hex(raw: bytes | None) -> str | None:
    return None if raw is None else raw.hex()


def _register_keys(registers: AtaRegisters) -> Keys:
    return {
        "layout": registers.layout,
        "extend": registers.extend,
        "error": octet(registers.error),
        "status": octet(registers.status),
        "device": octet(registers.device),
        "count": registers.count,
        "count_low": registers.count_low,
        "lba": registers.lba,
        "lba_low24": registers.lba_low,
        "failed": registers.failed,
        "aborted": registers.aborted,
    }


def _status_keys(status: SanitizeStatus) -> Keys:
    return {
        "aborted": status.aborted,
        "completed_without_error": status.completed_without_error,
        "in_progress": status.in_progress,
        "frozen": status.frozen,
        "antifreeze": status.antifreeze,
        "progress_65536": status.progress,
        "abort_reason": None if status.reason is None else int(status.reason),
    }


def _sense_group(sense: Sense) -> Group:
    name = "unknown" if sense.key is None else f"{KEY_NAMES[sense.key].capitalize()} ({sense.key:x}h)"
    pair = (sense.asc, sense.ascq)
    meaning = next((text for known, text in _CODES.items() if known == pair), "no name here; see the standard's list")
    rows: list[Row] = [
        ("Format", f"{sense.format} ({sense.response_code:02x}h){', of an EARLIER command' if sense.deferred else ''}"),
        ("Sense key", name),
        ("Additional code", f"{code(sense.asc)}/{code(sense.ascq)}: {meaning}"),
    ]
    if sense.progress is not None:
        rows.append(("Progress", share(sense.progress)))
    if sense.information is not None and (sense.information_valid or any(sense.information)):
        valid = "" if sense.information_valid else " (not marked valid)"
        rows.append(("Information", f"{sense.information.hex()}h{valid}"))
    if sense.format is SenseFormat.DESCRIPTOR:
        kinds = ", ".join(f"{each.kind:02x}h{'' if each.whole else ' (cut off)'}" for each in sense.descriptors)
        rows.append(("Descriptors", kinds or "none"))
    rows.append(("Cut off", yes_no(sense.truncated)))
    return Group("Sense data", tuple(rows))


def _register_group(registers: AtaRegisters) -> Group:
    count = f"{registers.count:04x}h" if registers.count is not None else f"??{registers.count_low:02x}h"
    if registers.lba is not None:
        lba = f"{registers.lba:012x}h"
    else:
        lba = "unknown" if registers.lba_low is None else f"??????{registers.lba_low:06x}h"
    ended = (
        "the drive refused it (aborted)"
        if registers.aborted
        else "with an error"
        if registers.failed
        else "without error"
    )
    return Group(
        "Registers of the ATA drive",
        (
            ("Found in", _LAYOUTS[registers.layout]),
            ("The command ended", ended),
            ("STATUS, ERROR, DEVICE", f"{registers.status:02x}h, {registers.error:02x}h, {registers.device:02x}h"),
            ("COUNT", count),
            ("LBA", lba),
        ),
    )


def _status_group(status: SanitizeStatus) -> Group:
    rows: list[Row] = []
    if status.aborted:
        reason = "none of the standard's" if status.reason is None else _REASONS[status.reason]
        rows.append(("Refused, because", reason))
    rows += [
        ("In progress", yes_no(status.in_progress)),
        ("Last operation without error", yes_no(status.completed_without_error)),
        ("Frozen", yes_no(status.frozen)),
        ("Antifreeze lock", yes_no(status.antifreeze)),
    ]
    if status.progress is not None:
        rows.insert(1, ("Progress", share(status.progress)))
    return Group("SANITIZE STATUS EXT", tuple(rows))


def _registers(sense: Sense, data: Buffer, answers: Answer) -> AtaRegisters | None:
    if answers is not Answer.OTHER:
        return decode_pass_through_answer(data)
    unmistakable = sense.code == (RECOVERED_ERROR, 0x00, 0x1D) or any(each.kind == 0x09 for each in sense.descriptors)
    return registers_in(sense) if unmistakable else None


def explain_sense(data: Buffer, answers: Answer = Answer.OTHER) -> Explanation:
    """Explain a sense buffer.

    Args:
        data: The buffer, whole, cut off or padded.
        answers: The command it came back for. Registers in fixed format can be told from other data only by that,
            unless the additional code (00h/1Dh) says they are there.

    Raises:
        MalformedReply: no sense data; or it is said to answer an ATA command and holds no registers.
    """
    sense = decode_sense(data)
    registers = _registers(sense, data, answers)
    status = decode_sanitize_status(registers) if registers and answers is Answer.SANITIZE_STATUS_EXT else None
    groups = [_sense_group(sense)]
    if registers is not None:
        groups.append(_register_group(registers))
    if status is not None:
        groups.append(_status_group(status))
    attention = {
        "The buffer ends early: what is missing is unknown.": sense.truncated,
        "It reports an earlier command, not the one it came back for.": sense.deferred,
        "A reset or power loss came in between: what ran before may have been cut off.": sense.host_reset,
        "Fixed format lost the upper half of COUNT, and with it the sanitize states.": status is not None
        and not status.aborted
        and status.in_progress is None,
        "The states speak of the last sanitize ever, which may be years old.": status is not None
        and bool(status.completed_without_error),
    }
    return Explanation(
        title="SCSI sense data",
        groups=tuple(groups),
        attention=tuple(sentence for sentence, holds in attention.items() if holds),
        keys=keys(sense, registers, status),
    )
