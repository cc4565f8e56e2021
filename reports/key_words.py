"""A run that destroyed the keys of a container, in words for people. Pure; decides nothing."""

from __future__ import annotations

from .language import ENGLISH, Speaker
from .record import KeyErasure, SanitizationRecord

CIPHERS = {("aes-xts-plain64", 256): "AES-128-XTS", ("aes-xts-plain64", 512): "AES-256-XTS"}
"""What cipher and bits of a volume key are called; XTS encrypts with half of them (SP 800-38E)."""
FIELDS = (
    "method.key_erasure.area",
    "method.key_erasure.area_stored_bytes",
    "method.key_erasure.cipher",
    "method.key_erasure.key_bits",
    "method.key_erasure.ciphertext_sha256_before",
    "method.key_erasure.ciphertext_sha256_after",
    "method.key_erasure.answers",
)
"""What a claim about such a run rests on."""


def _cipher(found: KeyErasure) -> str:
    return CIPHERS.get((found.cipher, found.key_bits), found.cipher)


def details(record: SanitizationRecord, passes: str, speaker: Speaker = ENGLISH) -> str:
    """What was done, in one cell; `passes` are the passes in words."""
    found = record.method.key_erasure
    if found is None:
        return passes
    return speaker.say(
        "keys.cell-details",
        passes=passes,
        area=speaker.size(found.area[1]),
        uuid=found.uuid,
        cipher=_cipher(found),
        bits=found.key_bits,
        slots=found.keyslots,
    )


def verification(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """How it was verified, in one cell; for a record that says full or representative."""
    check = record.verification
    if check.kind == "full":
        return speaker.say("keys.cell-full")
    share = check.bytes_read * 100 // max(record.device.capacity_bytes, 1)
    return speaker.say("keys.cell-samples", count=check.regions, share=share)


def claim(record: SanitizationRecord, method: str, speaker: Speaker = ENGLISH) -> str:
    """The sentence about what was reached; empty where the record does not tell of keys."""
    found = record.method.key_erasure
    if found is None:
        return ""
    return speaker.say(
        "keys.claim",
        area=speaker.size(found.area[1]),
        uuid=found.uuid,
        cipher=_cipher(found),
        bits=found.key_bits,
        method=speaker.word("method", method),
    )


def held(speaker: Speaker = ENGLISH) -> str:
    """What the read-back found."""
    return speaker.say("keys.held")


def beyond(speaker: Speaker = ENGLISH) -> tuple[str, ...]:
    """What such a run leaves, and what its proof rests on."""
    return speaker.say("keys.beyond"), speaker.say("keys.beyond-look"), speaker.say("keys.beyond-areas")


def means(method: str, speaker: Speaker = ENGLISH) -> str:
    """What the method's word means, beside what a run of this kind can show."""
    return speaker.say("keys.means-purge") if method == "purge" else speaker.say("claims.means-clear")
