"""Findings about the canaries of a run with the drives' own commands, and what such a run leaves open. Standard library only.

Before the first command the agent writes a keyed stream over everything it will read back afterwards. What a drive only claims to
have done leaves these canaries where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.language import said
from reports.record import SanitizationRecord

from .codes import Finding, total
from .commands import steps_named
from .techniques import DRIVE, HOST, level_of

PATTERN_SET = "canaries"
_DWORD_10, _NO_DEALLOCATE = 16, 0x200
"""Where command dword 10 begins in what a record keeps of an NVMe command, in hexadecimal digits; its bit NDAS."""
_WORD = re.compile(r"[0-9a-f]{8}")
_LABEL = re.compile(r"no-canary(?:\+(?:(zeros)|(uniform):(?:00|ff)|(pattern):[0-9a-f]{8}))?")


def content_expected(label: str) -> str | None:
    """What a label of the read-back says had to be there beside no canary: "", zeros, uniform, pattern; None: no such label."""
    found = _LABEL.fullmatch(label)
    return None if found is None else next((word for word in found.groups() if word), "")


def canaries(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether canaries stood, before the first command, on everything that was read back after the last."""
    method, check, capacity = record.method, record.verification, record.device.capacity_bytes
    fields = ("method.passes", "method.pattern_set", "verification.bytes_read")
    whole = check.kind == "full" or HOST in steps_named(record)
    wanted = capacity if whole else check.bytes_read
    if len(method.passes) != 1 or method.passes[0].pattern != "keyed-stream" or method.pattern_set != PATTERN_SET:
        text = said("findings.canaries-unshown")
        yield Finding("canaries-missing", "unknown", text, fields)
    elif (written := method.passes[0].bytes_written + total(method.passes[0].unwritten)) != wanted:
        text = said("findings.canaries-short", written=written, wanted=wanted)
        yield Finding("canaries-missing", "unknown", text, fields)


def aftermath(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether the read-back looked for what the last step leaves behind."""
    last = steps_named(record)[-1]
    content = content_expected(record.verification.expected)
    if content is None or last not in DRIVE or content not in DRIVE[last].content:
        text = said("findings.aftermath-not-sought", step=last)
        yield Finding("expected-content-differs", "unknown", text, ("verification.expected", "method.technique"))
    elif content == "":
        text = said("findings.content-undefined", step=last)
        yield Finding("content-undefined", "caution", text, ("verification.expected",))


def left_open(record: SanitizationRecord) -> Iterator[Finding]:
    """What nobody but the drive can know, by technique."""
    media = record.device.media
    steps = [step for step in steps_named(record) if step in DRIVE]
    if all(DRIVE[step].rests_on_encryption for step in steps):
        text = said("findings.crypto-erase-only")
        yield Finding("crypto-erase-only", "caution", text, ("method.technique",))
    sanitize = any(DRIVE[step].sanitize and level_of(step, media) == "purge" for step in steps)
    if sanitize:
        text = said("findings.spare-areas-reported")
        yield Finding("spare-areas-reported", "caution", text, ("method.commands",))
    elif media == "flash":
        text = said("findings.flash-commanded")
        yield Finding("flash-medium", "caution", text, ("device.media", "method.technique"))
    if media != "magnetic" and _unmapped(record):
        fields = ("verification.expected", "method.commands")
        yield Finding("unmapped-unread", "caution", said("findings.unmapped-unread"), fields)
    if record.device.hidden_capacity == "unknown":
        yield _hidden(sanitize=sanitize)


def _unmapped(record: SanitizationRecord) -> bool:
    """Whether the last step lets the drive forget where its blocks are: then it may answer for them without looking.

    One byte of its own in every block is such an answer; so is anything after an NVMe Sanitize that was not told to leave the
    blocks allocated (NVMe Base, Sanitize command, NDAS: bit 9 of command dword 10).
    """
    if content_expected(record.verification.expected) in {"zeros", "uniform"}:
        return True
    last = steps_named(record)[-1]
    sent = [one.sent for one in record.method.commands if one.technique == last]
    word = sent[-1][_DWORD_10 : _DWORD_10 + 8] if sent else ""
    if not last.startswith("nvme-sanitize-") or not _WORD.fullmatch(word):
        return False
    return not int.from_bytes(bytes.fromhex(word), "little") & _NO_DEALLOCATE


def _hidden(*, sanitize: bool) -> Finding:
    fields = ("device.hidden_capacity", "method.technique")
    if not sanitize:
        text = said("findings.hidden-capacity-unknown")
        return Finding("hidden-capacity-unknown", "unknown", text, fields)
    text = said("findings.hidden-capacity-unread")
    return Finding("hidden-capacity-unread", "caution", text, fields)
