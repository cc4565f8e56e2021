"""What the raw bytes of a command and of the status after it say by themselves. Standard library only.

Not a decoder of drives (the sanitizer has one, with far more in it): only the few bits that must not contradict a success.
What was sent must be what the step says; a status must not say the opposite of success.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reports.language import Said, said
from reports.record import CommandFacts

_SANACT = {"nvme-sanitize-block-erase": 2, "nvme-sanitize-overwrite": 3, "nvme-sanitize-crypto-erase": 4}
"""NVMe Base, Sanitize command, CDW10 bits 2:0."""
_SES = {"nvme-format-user-data": 1, "nvme-format-crypto": 2}
"""NVMe Base, Format NVM command, CDW10 bits 11:9."""
_SERVICE_ACTION = {"scsi-sanitize-overwrite": 1, "scsi-sanitize-block-erase": 2, "scsi-sanitize-crypto-erase": 3}
"""SBC, SANITIZE, byte 1 bits 4:0."""
_NVME_DONE = frozenset({1, 4})
"""SSTAT bits 2:0: completed successfully; and with deallocation that was not asked for."""
_NVME_FIELDS = 32
"""Opcode, three zero bytes, NSID and CDW10 to CDW15."""
_SENSE_WORKING = frozenset({(0x04, 0x1B), (0x04, 0x04), (0x00, 0x16)})
"""Sanitize, format, operation in progress (SPC, additional sense codes)."""
_SENSE_FAILED = frozenset({(0x3, 0x31, 0x03), (0x3, 0x31, 0x01)})
"""Sanitize command failed, format command failed."""
_FEATURE = {"ata-sanitize-crypto-scramble": 0x11, "ata-sanitize-block-erase": 0x12, "ata-sanitize-overwrite": 0x14}
"""ACS, SANITIZE DEVICE, FEATURE field."""
_SANITIZE_DEVICE, _SECURITY_ERASE_UNIT = 0xB4, 0xF4
_PASS_THROUGH_16 = 0x85
_IDENTIFY = 512
_SANITIZE_START = 0x03A50101
"""JESD84, SWITCH: write 1 to byte 165 of EXT_CSD."""


def contradiction(step: str, command: CommandFacts) -> Said | None:
    """What in the bytes contradicts that this command of this step succeeded; None where nothing does."""
    try:
        sent, answer, after = (bytes.fromhex(text) for text in (command.sent, command.answer, command.after))
    except ValueError:
        return said("findings.bytes-not-bytes")
    if step.startswith("nvme-") and command.accepted == "yes" and any(answer):
        return said("findings.bytes-no-success")
    check = _CHECKS.get(step)
    return None if check is None else check(sent, answer, after)


def _word(data: bytes, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length], "little")


def _nvme_sanitize(sent: bytes, _answer: bytes, after: bytes, *, action: int) -> Said | None:
    """Sanitize Status log page (81h): SSTAT in bytes 2 and 3, CDW10 of the operation it is about in bytes 4 to 7."""
    if len(sent) != _NVME_FIELDS or sent[0] != 0x84 or _word(sent, 8, 4) & 7 != action:
        return said("findings.bytes-another-command")
    if _word(after, 2, 2) & 7 not in _NVME_DONE:
        return said("findings.bytes-not-completed")
    if _word(after, 4, 4) & 7 != action:
        return said("findings.bytes-another-operation")
    return None


def _nvme_format(sent: bytes, _answer: bytes, _after: bytes, *, ses: int) -> Said | None:
    if len(sent) != _NVME_FIELDS or sent[0] != 0x80 or _word(sent, 8, 4) >> 9 & 7 != ses:
        return said("findings.bytes-another-command")
    return None


def _scsi_sanitize(sent: bytes, answer: bytes, after: bytes, *, action: int) -> Said | None:
    if len(sent) != 10 or sent[1] & 0x1F != action:
        return said("findings.bytes-another-command")
    return _scsi(sent, answer, after, opcode=0x48)


def _scsi(sent: bytes, answer: bytes, after: bytes, *, opcode: int) -> Said | None:
    if sent[:1] != bytes((opcode,)):
        return said("findings.bytes-another-command")
    if {_sense(answer), _sense(after)} & _SENSE_FAILED:
        return said("findings.bytes-drive-failed")
    sense = _sense(after)
    if sense is not None and sense[1:] in _SENSE_WORKING:
        return said("findings.bytes-still-at-work")
    return None


def _ata_sanitize(sent: bytes, _answer: bytes, after: bytes, *, feature: int) -> Said | None:
    """SANITIZE STATUS EXT: COUNT bit 15 completed without error, bit 14 in progress; in a descriptor of type 09h (SAT)."""
    if not _ata(sent, _SANITIZE_DEVICE) or sent[3:5] != bytes((0, feature)):
        return said("findings.bytes-another-command")
    registers = _registers(after)
    if registers is None:
        return None
    error, count, status = registers
    if status & 1 and error & 4:
        return said("findings.bytes-drive-failed")
    if count & 0x4000 or not count & 0x8000:
        return said("findings.bytes-not-completed")
    return None


def _security_erase(sent: bytes, _answer: bytes, after: bytes) -> Said | None:
    """IDENTIFY DEVICE, word 128: bit 1 security enabled, bit 2 locked (ACS)."""
    if not _ata(sent, _SECURITY_ERASE_UNIT):
        return said("findings.bytes-another-command")
    if len(after) != _IDENTIFY:
        return said("findings.bytes-no-identify")
    return said("findings.bytes-password-left") if _word(after, 256, 2) & 6 else None


def _ata(sent: bytes, command: int) -> bool:
    """Whether this is ATA PASS-THROUGH (16) with this command (SAT)."""
    return len(sent) == 16 and sent[0] == _PASS_THROUGH_16 and sent[14] == command


def _registers(sense: bytes) -> tuple[int, int, int] | None:
    """ERROR, COUNT and STATUS of an ATA status return descriptor; None where there is none."""
    at = 8
    while sense[:1] in {b"\x72", b"\x73"} and at + 2 <= len(sense):
        size = sense[at + 1] + 2
        if sense[at] == 9 and at + 14 <= len(sense):
            return sense[at + 3], sense[at + 4] << 8 | sense[at + 5], sense[at + 13]
        at += size
    return None


def _sense(data: bytes) -> tuple[int, int, int] | None:
    """Key and additional codes of fixed (70h, 71h) or descriptor (72h, 73h) sense data (SPC)."""
    if len(data) >= 4 and data[0] & 0x7F in {0x72, 0x73}:
        return data[1] & 0xF, data[2], data[3]
    if len(data) >= 14 and data[0] & 0x7F in {0x70, 0x71}:
        return data[2] & 0xF, data[12], data[13]
    return None


def _mmc_sanitize(sent: bytes, _answer: bytes, _after: bytes) -> Said | None:
    return None if sent == bytes((6,)) + _SANITIZE_START.to_bytes(4, "big") else said("findings.bytes-another-command")


_CHECKS: dict[str, Callable[[bytes, bytes, bytes], Said | None]] = {
    **{step: partial(_nvme_sanitize, action=action) for step, action in _SANACT.items()},
    **{step: partial(_nvme_format, ses=ses) for step, ses in _SES.items()},
    **{step: partial(_scsi_sanitize, action=action) for step, action in _SERVICE_ACTION.items()},
    **{step: partial(_ata_sanitize, feature=feature) for step, feature in _FEATURE.items()},
    "scsi-format-unit": partial(_scsi, opcode=0x04),
    "ata-security-erase": _security_erase,
    "ata-security-erase-enhanced": _security_erase,
    "mmc-sanitize": _mmc_sanitize,
}
"""Takes what was sent, the answer, and the status after; opal and the like say nothing a few bits could contradict."""
