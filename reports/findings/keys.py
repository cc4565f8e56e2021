"""Findings about a run that destroyed the keys of an encrypted container, and left its ciphertext. Standard library only.

Cryptographic erase has conditions (SP 800-88 Rev. 2, 3.2). Those that were read from the medium must stand in the record, those
that only a person knows must have been vouched for, and the proof must be whole: every byte of the key area took a stream nobody
could foresee, then zeros, and gave both back; the rest of the medium is what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.language import said
from reports.record import KeyErasure, SanitizationRecord

from .codes import SHA256, Finding, in_words, total
from .techniques import KEYS, by_keys, level_of

PATTERN_SET = "keyed-stream-then-zeros"
LABEL = "zeros+ciphertext"
"""What the read-back had to find: zeros in the key area, and behind it the ciphertext of before."""
ANSWERS = frozenset({"encrypted-before-first-use", "no-key-outside"})
"""What somebody must vouch for (Rev. 2, 3.2.2)."""
APPROVED = frozenset({("aes-xts-plain64", 256), ("aes-xts-plain64", 512)})
"""Cipher and bits of the volume key; XTS encrypts with half of them, so at least 128 bits (Rev. 2, 3.2.1)."""
_PATTERNS = ["keyed-stream", "zeros"]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FIELD = "method.key_erasure"


def stated_elsewhere(record: SanitizationRecord) -> Iterator[Finding]:
    """The facts of a key erase in the record of something else, or commands in the record of one. True of every run."""
    keys = by_keys(record.method.technique)
    if (record.method.key_erasure is not None and not keys) or (keys and record.method.commands):
        fields = (_FIELD, "method.technique", "method.commands")
        yield Finding("facts-contradict", "unknown", said("keys.of-another-run"), fields)


def erasure(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether a successful run of this kind is one."""
    found = record.method.key_erasure
    if found is None:
        yield Finding("keys-unshown", "unknown", said("keys.unshown"), (_FIELD, "method.technique"))
        return
    yield from _conditions(found)
    yield from _shape(record, found)
    yield from _proof(record, found)
    yield from _setting(record, found)
    yield from _left_open(record)


def _conditions(found: KeyErasure) -> Iterator[Finding]:
    missing = sorted(ANSWERS - set(found.answers))
    if missing or len(found.answers) != len(ANSWERS):
        text = said("keys.unvouched", missing=", ".join(missing) or "-")
        yield Finding("keys-unvouched", "unknown", text, (f"{_FIELD}.answers",))
    if found.container != "luks2" or not _UUID.fullmatch(found.uuid) or found.keyslots < 1:
        fields = (f"{_FIELD}.container", f"{_FIELD}.uuid", f"{_FIELD}.keyslots")
        yield Finding("keys-unshown", "unknown", said("keys.container-unknown"), fields)
    if (found.cipher, found.key_bits) not in APPROVED:
        text = said("keys.cipher", cipher=found.cipher[:40], bits=found.key_bits)
        yield Finding("keys-cipher", "unknown", text, (f"{_FIELD}.cipher", f"{_FIELD}.key_bits"))


def _shape(record: SanitizationRecord, found: KeyErasure) -> Iterator[Finding]:
    """Area and ciphertext are the whole medium, and the two passes went over the area."""
    capacity, method = record.device.capacity_bytes, record.method
    start, end = found.area
    if start != 0 or not 0 < end < capacity:
        fields = (f"{_FIELD}.area", "device.capacity_bytes")
        yield Finding("facts-contradict", "unknown", said("keys.area-senseless"), fields)
        return
    named = method.pattern_set == PATTERN_SET and [one.pattern for one in method.passes] == _PATTERNS
    if not named:
        fields = ("method.passes", "method.pattern_set")
        yield Finding("keys-passes", "unknown", said("keys.passes-differ"), fields)
    for one in method.passes:
        if one.bytes_written + total(one.unwritten) != end:
            text = said("keys.pass-short", number=one.number, written=one.bytes_written, area=end)
            yield Finding("keys-passes", "unknown", text, ("method.passes", f"{_FIELD}.area"))
        elif one.unwritten:
            text = said("keys.unwritten", ranges=in_words(one.unwritten))
            yield Finding("keys-passes", "failed", text, ("method.passes",))


def _proof(record: SanitizationRecord, found: KeyErasure) -> Iterator[Finding]:
    end, check = found.area[1], record.verification
    if found.area_stored_bytes != end:
        text = said("keys.not-stored", stored=found.area_stored_bytes, area=end)
        yield Finding("keys-not-stored", "unknown", text, (f"{_FIELD}.area_stored_bytes",))
    if found.ciphertext_sha256_after != found.ciphertext_sha256_before:
        fields = (f"{_FIELD}.ciphertext_sha256_before", f"{_FIELD}.ciphertext_sha256_after")
        yield Finding("ciphertext-changed", "failed", said("keys.ciphertext-changed"), fields)
    digests = (found.area_sha256_before, found.ciphertext_sha256_before)
    if not all(SHA256.fullmatch(each) for each in digests):
        yield Finding("digest-malformed", "unknown", said("keys.digest-malformed"), (_FIELD,))
    read = check.bytes_read - end
    counted = found.ciphertext_regions > 0 and 0 <= found.ciphertext_uniform_bytes <= found.ciphertext_bytes
    if not counted or found.ciphertext_bytes != read:
        text = said("keys.reading-differs", before=found.ciphertext_bytes, after=read)
        yield Finding("keys-reading", "unknown", text, (f"{_FIELD}.ciphertext_bytes", "verification.bytes_read"))


def _setting(record: SanitizationRecord, found: KeyErasure) -> Iterator[Finding]:
    word, media = found.setting, record.device.media
    if word is None:
        return
    fields = (f"{_FIELD}.setting",)
    if level_of(KEYS, media, {word}) == level_of(KEYS, media):
        text = said("findings.setting-does-not-fit", step=KEYS, setting=word[:60])
        yield Finding("setting-does-not-fit", "unknown", text, fields)
    else:
        text = said("findings.classification-by-setting", step=KEYS, setting=word)
        yield Finding("classification-by-setting", "caution", text, fields)


def _left_open(record: SanitizationRecord) -> Iterator[Finding]:
    """What no reading shows."""
    yield Finding("crypto-erase-only", "caution", said("keys.ciphertext-stays"), (_FIELD, "method.technique"))
    if record.device.media == "flash":
        yield Finding("flash-medium", "caution", said("keys.flash"), ("device.media", "method.technique"))
    if record.device.hidden_capacity == "unknown":
        text = said("findings.hidden-capacity-unknown")
        yield Finding("hidden-capacity-unknown", "unknown", text, ("device.hidden_capacity",))


def residual(record: SanitizationRecord) -> Finding:
    """What the last read-back found that may not be there."""
    ranges = record.verification.residual
    found = record.method.key_erasure
    end = found.area[1] if found is not None else 0
    key = "keys.residual-area" if any(start < end for start, _ in ranges) else "keys.residual-ciphertext"
    return Finding("residual", "failed", said(key, ranges=in_words(ranges)), ("verification.residual",))


def compared(record: SanitizationRecord) -> Iterator[Finding]:
    """Whether the read-back looked for what this technique leaves behind."""
    if record.verification.expected != LABEL:
        text = said("findings.aftermath-not-sought", step=KEYS)
        yield Finding("expected-content-differs", "unknown", text, ("verification.expected", "method.technique"))
