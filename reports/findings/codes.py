"""The codes of everything that can be found against a record, and the words a record may use. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from reports.language import ENGLISH, Said, said

Effect = Literal["caution", "partial", "failed", "interrupted", "refused", "unknown"]
"""What a finding does to the outcome; a caution limits what was reached without taking it away."""
Range = tuple[int, int]


class Finding(NamedTuple):
    """One thing that speaks against a record, or limits what it shows."""

    code: str
    """Stable; listed in `FINDINGS`."""
    effect: Effect
    said: Said
    """A whole sentence, for a person."""
    fields: tuple[str, ...]
    """The fields of the record it rests on."""

    @property
    def text(self) -> str:
        """The sentence in English, the language of what is signed."""
        return ENGLISH.tell(self.said)


KINDS = frozenset({"ata", "scsi", "nvme", "mmc", "virtio", "loop", "zram", "other"})
MEDIA = frozenset({"magnetic", "flash", "virtual", "pmem", "unknown"})
METHODS = frozenset({"clear", "purge"})
COVERAGES = ("none", "representative", "full")
STATES = frozenset({"succeeded", "failed", "refused", "interrupted"})
ENDINGS = frozenset({"completed", "stopped", "crashed", "failed"})
POLICY_ONLY = frozenset({"verification-below-policy", "method-below-policy", "method-below-request"})
"""Findings that leave what was done untouched: it was simply not enough."""
REPRESENTATIVE_REGIONS = 2000
"""Rev. 1, 4.7.3: at least 1,000 subsections with at least two samples each."""
REPRESENTATIVE_SHARE = 10
"""Rev. 1, 4.7.3: together at least a tenth (1/10) of the medium."""
PATTERN = re.compile(r"zeros|ones|keyed-stream|fixed:(?:[0-9a-f]{2}){1,64}")
NONCE = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")

FINDINGS: dict[str, str] = {
    "approvals-repeated": "An approval is counted twice",
    "canaries-missing": "No canaries where they were needed",
    "canary-unwritten": "A canary could not be written",
    "capacity-unusable": "Sizes make no sense",
    "ciphertext-changed": "The ciphertext changed",
    "classification-by-setting": "Purge by a decision of the organization",
    "clock-unsynchronized": "Host clock not synchronized",
    "command-failed": "The drive reported failure",
    "command-incomplete": "A preparing command was not carried out",
    "command-malformed": "A command is not written as one",
    "command-missing": "A step without its command",
    "command-out-of-order": "Commands in another order than the steps",
    "command-refused": "The drive refused the command",
    "command-repeated": "An earlier attempt did not succeed",
    "command-status-differs": "Raw status and conclusion differ",
    "command-status-missing": "No status to conclude from",
    "command-unanswered": "The answer was lost, the status was not",
    "command-unexpected": "A command that belongs to no step",
    "command-unsettled": "How a command ended is not known",
    "content-undefined": "What stands there now is not defined",
    "crypto-erase-only": "Only keys were destroyed",
    "device-not-identified": "Nothing tells this medium from another",
    "digest-malformed": "A digest is not a digest",
    "error-recorded": "Success with an error",
    "expected-content-differs": "Compared with something else than was written",
    "facts-contradict": "Two facts contradict each other",
    "field-empty": "A field is left empty",
    "fingerprint-does-not-fit": "Fingerprint of another identity",
    "flash-medium": "Flash keeps copies out of reach",
    "health-failing": "The drive predicts its own failure",
    "health-worsened": "The drive got worse in the run",
    "hidden-capacity": "Hidden areas not reached",
    "hidden-capacity-unknown": "Hidden areas not ruled out",
    "hidden-capacity-unread": "Hidden areas not ruled out, and not read",
    "identity-changed": "Another medium at the end",
    "identity-unread-after": "Identity not read at the end",
    "keys-cipher": "A cipher that is not accepted",
    "keys-not-stored": "The area of the keys did not store what was written",
    "keys-passes": "The area of the keys was not overwritten as a whole",
    "keys-reading": "Not the same ciphertext was read before and after",
    "keys-unshown": "Which keys were destroyed is not shown",
    "keys-unvouched": "A condition nobody vouched for",
    "media-unknown": "Kind of medium unknown",
    "method-below-policy": "Policy requires more than was reached",
    "method-below-request": "Request was for more than was reached",
    "no-pass": "Nothing was written",
    "not-verified": "Not verified",
    "pass-incomplete": "A pass did not cover the medium",
    "pass-not-flushed": "A pass was not flushed",
    "password-over-bridge": "A password through a USB bridge",
    "pattern-set-is-clear": "More passes reach no further",
    "pattern-uncommitted": "Key of a keyed stream not committed to",
    "representative-only": "Verified by samples",
    "residual": "Other content found",
    "run-failed": "The run failed",
    "run-interrupted": "The run was cut off",
    "run-refused": "The run was refused",
    "run-resumed": "The run was interrupted and resumed",
    "sample-not-committed": "Choice of samples cannot be repeated",
    "sample-too-small": "Too few samples",
    "seed-not-from-order": "Samples were not drawn from the order's nonce",
    "self-test-missed": "Faults planted in scratch devices were not found",
    "setting-does-not-fit": "A setting that decides nothing here",
    "spare-areas-reported": "Spare areas by the drive's report",
    "technique-does-not-fit": "A technique of another kind of device",
    "times-unusable": "Times make no sense",
    "touched-unknown": "Not known whether the medium was changed",
    "unmapped-unread": "Reads may be answered without the media",
    "unknown-field": "A field of a newer writer",
    "unknown-word": "A word outside the vocabulary",
    "unreadable": "Regions could not be read back",
    "unwritten": "Regions could not be written",
    "verification-below-policy": "Policy requires more verification",
    "verification-cached": "Read-back did not bypass the cache",
    "verification-incomplete": "Verification did not cover what it says",
    "virtual-medium": "Virtual medium",
    "writes-retried": "Writes failed and were repeated",
}
"""Every code with its headline; a test compares it with the documentation."""


_MIRRORS = " (as implemented by "


def pattern_set_name(label: str) -> str:
    """The name of a pattern set without the implementation it mirrors, ` (as implemented by ...)`."""
    return label.split(_MIRRORS, 1)[0]


def content_of(pattern: str) -> str:
    """What a pattern puts on the medium, whatever it is called: `ones`, `fixed:ff` and `fixed:ffff` are one content."""
    unit = {"zeros": "00", "ones": "ff"}.get(pattern, pattern.removeprefix("fixed:"))
    for length in range(2, len(unit), 2):
        if len(unit) % length == 0 and unit == unit[:length] * (len(unit) // length):
            return unit[:length]
    return unit


def total(ranges: Sequence[Range]) -> int:
    """Bytes in half-open ranges."""
    return sum(end - start for start, end in ranges)


def well_formed(ranges: Sequence[Range], capacity: int) -> bool:
    """In order, not empty, not overlapping, within the medium."""
    edge = 0
    for start, end in ranges:
        if start < edge or end <= start or end > capacity:
            return False
        edge = end
    return True


def in_words(ranges: Sequence[Range]) -> Said:
    """Ranges in words, the first three by offset."""
    shown = ", ".join(f"{start}-{end - 1}" for start, end in ranges[:3])
    if len(ranges) > 3:
        return said("findings.ranges-more", total=total(ranges), shown=shown, more=len(ranges) - 3)
    return said("findings.ranges", total=total(ranges), shown=shown)
