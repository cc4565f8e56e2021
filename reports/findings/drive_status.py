"""What the raw bytes of a command and of the status after it say by themselves. Standard library only.

Not a decoder of drives (the sanitizer has one, with far more in it): only the few bits that must not contradict a success.
Bytes that cannot be read contradict it.
"""

from __future__ import annotations

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
_SENSE_IN_PROGRESS = (0x2, 0x04, 0x1B)
_SENSE_FAILED = (0x3, 0x31, 0x03)


def contradiction(step: str, command: CommandFacts) -> str | None:
    """What in the bytes contradicts that this command of this step succeeded; None where nothing does."""
    try:
        sent, answer, after = (bytes.fromhex(text) for text in (command.sent, command.answer, command.after))
    except ValueError:
        return "they are not bytes"
    if step in _SANACT:
        return _nvme_sanitize(sent, after, _SANACT[step])
    if step in _SES:
        return _nvme_format(sent, _SES[step])
    if step in _SERVICE_ACTION:
        return _scsi_sanitize(sent, answer, after, _SERVICE_ACTION[step])
    return None


def _word(data: bytes, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length], "little")


def _nvme_sanitize(sent: bytes, after: bytes, action: int) -> str | None:
    """Sanitize Status log page (81h): SSTAT in bytes 2 and 3, CDW10 of the operation it is about in bytes 4 to 7."""
    if len(sent) != _NVME_FIELDS or sent[0] != 0x84 or _word(sent, 8, 4) & 7 != action:
        return "another command was sent"
    if len(after) < 8:
        return "the status is too short to be one"
    if _word(after, 2, 2) & 7 not in _NVME_DONE:
        return "the status is not that of a completed operation"
    if _word(after, 4, 4) & 7 != action:
        return "the status is about another operation"
    return None


def _nvme_format(sent: bytes, ses: int) -> str | None:
    if len(sent) != _NVME_FIELDS or sent[0] != 0x80 or _word(sent, 8, 4) >> 9 & 7 != ses:
        return "another command was sent"
    return None


def _scsi_sanitize(sent: bytes, answer: bytes, after: bytes, action: int) -> str | None:
    if len(sent) != 10 or sent[0] != 0x48 or sent[1] & 0x1F != action:
        return "another command was sent"
    for sense in (answer, after):
        if _sense(sense) == _SENSE_FAILED:
            return "the drive said that it failed"
    if _sense(after) == _SENSE_IN_PROGRESS:
        return "the drive said that it was still at work"
    return None


def _sense(data: bytes) -> tuple[int, int, int] | None:
    """Key and additional codes of fixed (70h, 71h) or descriptor (72h, 73h) sense data (SPC)."""
    if len(data) >= 4 and data[0] & 0x7F in {0x72, 0x73}:
        return data[1] & 0xF, data[2], data[3]
    if len(data) >= 14 and data[0] & 0x7F in {0x70, 0x71}:
        return data[2] & 0xF, data[12], data[13]
    return None
