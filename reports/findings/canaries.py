"""Findings about the canaries of a run with the drives' own commands, and what such a run leaves open. Standard library only.

Before the first command the agent writes a keyed stream over everything it will read back afterwards. What a drive only claims to
have done leaves these canaries where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.record import SanitizationRecord

from .codes import Finding, total
from .commands import steps_named
from .techniques import DRIVE, HOST, level_of

PATTERN_SET = "canaries"
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
        text = "The record does not show that canaries were written before the first command."
        yield Finding("canaries-missing", "unknown", text, fields)
    elif (written := method.passes[0].bytes_written + total(method.passes[0].unwritten)) != wanted:
        text = f"Canaries were written to {written} bytes, and {wanted} bytes had to be tried by them."
        yield Finding("canaries-missing", "unknown", text, fields)


def aftermath(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether the read-back looked for what the last step leaves behind."""
    last = steps_named(record)[-1]
    content = content_expected(record.verification.expected)
    if content is None or last not in DRIVE or content not in DRIVE[last].content:
        text = f"The read-back did not look for what {last} leaves behind."
        yield Finding("expected-content-differs", "unknown", text, ("verification.expected", "method.technique"))
    elif content == "":
        text = (
            f"What {last} leaves on the medium is not defined: the read-back shows that the canaries are gone, "
            "and not what stands there instead."
        )
        yield Finding("content-undefined", "caution", text, ("verification.expected",))


def left_open(record: SanitizationRecord) -> Iterator[Finding]:
    """What nobody but the drive can know, by technique."""
    media = record.device.media
    steps = [step for step in steps_named(record) if step in DRIVE]
    if all(DRIVE[step].rests_on_encryption for step in steps):
        text = (
            "Only keys were destroyed: what was stored stays on the medium as ciphertext, and the result rests on the drive "
            "having encrypted everything, soundly, from the first write (SP 800-88 Rev. 2, 3.2)."
        )
        yield Finding("crypto-erase-only", "caution", text, ("method.technique",))
    sanitize = any(DRIVE[step].sanitize and level_of(step, media) == "purge" for step in steps)
    if sanitize:
        text = (
            "That the command reached areas a host cannot address (spare, replaced and over-provisioned blocks) is its "
            "definition and the drive's report; nobody outside the drive can read them."
        )
        yield Finding("spare-areas-reported", "caution", text, ("method.commands",))
    elif media == "flash":
        text = (
            "The medium is flash: whether the command reached spare and replaced blocks is known to the drive alone, "
            "and its definition does not promise it."
        )
        yield Finding("flash-medium", "caution", text, ("device.media", "method.technique"))
    if record.device.hidden_capacity == "unknown":
        yield _hidden(sanitize=sanitize)


def _hidden(*, sanitize: bool) -> Finding:
    fields = ("device.hidden_capacity", "method.technique")
    if not sanitize:
        text = "It could not be ruled out that the medium hides areas from the host."
        return Finding("hidden-capacity-unknown", "unknown", text, fields)
    text = (
        "It could not be ruled out that the medium hides areas from the host; the sanitize command covers them by its "
        "definition, and nothing was read back there."
    )
    return Finding("hidden-capacity-unread", "caution", text, fields)
