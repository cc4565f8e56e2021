"""What is asked for: the words an order seals. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from sanitizer.patterns import PATTERN_SETS, pattern_set

from .disputes import DISPUTES

METHODS = ("clear", "purge", "destroy")
VERIFICATIONS = ("none", "representative", "full")
HOST = "overwrite"
"""Writing by the host, block by block."""
KEYS = "luks-crypto-erase"
"""Writing by the host where the keys of an encrypted container lie, and nowhere else."""
AUTO = "auto"
"""The best technique that reaches the method on this drive."""
CANARIES = "canaries"
"""The pattern set of a drive's own command: marks that must be gone afterwards."""
KEY_PATTERN = "keyed-stream-then-zeros"
"""The pattern set of a key area: what nobody can foresee, read back, then zeros, read back."""

SCOPES: dict[str, str] = {
    "other-namespaces": "other namespaces of the same NVMe drive",
    "other-controllers": "what other controllers, and so perhaps other hosts, have on the same drive",
    "unallocated": "capacity that belongs to no namespace now, with what deleted ones left there",
    "boot-areas": "the boot and general purpose areas beside the user area",
}
"""What a drive's command can destroy beside the device named; each must be accepted by its word."""

ANSWERS: dict[str, str] = {
    "encrypted-before-first-use": "nothing was ever stored on this medium before it was encrypted",
    "no-key-outside": "no copy of the key or of a header that holds it exists anywhere else",
}
"""Conditions of cryptographic erase that only a person can vouch for (SP 800-88 Rev. 2, 3.2.2)."""

_ADDED: dict[str, Any] = {
    "firmware_pattern": "",
    "no_deallocate": False,
    "settings": (),
    "acknowledged_scope": (),
    "answers": (),
}
"""Fields that came later, with their defaults: left out of the sealed bytes while they hold them, so that older digests stay."""
_LISTS = ("acknowledged_signatures", "settings", "acknowledged_scope", "answers")


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What shall be done to a medium; an order seals the digest of exactly these words.

    `inventory.contract.v1.orders.PlanRequest` mirrors it word for word.
    """

    method: str = "clear"
    technique: str = HOST
    """overwrite, the name of one of the drive's own techniques, several joined by `+` in order, or auto."""
    pattern_set: str = "keyed-stream"
    """What the host writes; `canaries` for a drive's own technique, `keyed-stream-then-zeros` for `luks-crypto-erase`. With
    auto it counts only where overwriting is chosen."""
    verification: str = "full"
    acknowledged_signatures: tuple[str, ...] = ()
    """Dormant signatures that may be destroyed, by the names `Inspection.dormant_signatures` gives them."""
    firmware_pattern: str = ""
    """Eight hexadecimal digits for a drive's own overwrite; empty for zeros."""
    no_deallocate: bool = False
    """NVMe Sanitize shall leave the blocks allocated, so that reading back sees the media."""
    settings: tuple[str, ...] = ()
    """Disputed classifications decided otherwise than the conservative default: names of `DISPUTES`."""
    acknowledged_scope: tuple[str, ...] = ()
    """What else may be destroyed: words of `SCOPES`."""
    answers: tuple[str, ...] = ()
    """Conditions a person vouches for: words of `ANSWERS`."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; a field that came later is left out while it holds its default."""
        value = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        kept = {name: each for name, each in value.items() if name not in _ADDED or each != _ADDED[name]}
        return {name: list(each) if name in _LISTS else each for name, each in kept.items()}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> PlanRequest:
        """Read what `to_dict` wrote; an unknown field is a `TypeError`."""
        lists = {name: tuple(value[name]) for name in _LISTS if name in value}
        return cls(**{**value, **lists})

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785 and plain sorted JSON are the same for these fields)."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def steps(self) -> tuple[str, ...]:
        """The techniques named, in order; empty for auto."""
        return () if self.technique == AUTO else tuple(self.technique.split("+"))


def _foreign(given: tuple[str, ...], known: dict[str, Any], what: str) -> list[str]:
    return [f"{word}: not {what} ({', '.join(known)})" for word in given if word not in known]


def misspelt(request: PlanRequest) -> list[str]:
    """Words of the request that mean nothing here, whatever the device."""
    found: list[str] = []
    if request.method not in METHODS:
        found.append(f"{request.method}: not a method ({', '.join(METHODS)})")
    if request.verification not in VERIFICATIONS:
        found.append(f"{request.verification}: not a kind of verification ({', '.join(VERIFICATIONS)})")
    if request.firmware_pattern and not re.fullmatch("[0-9a-f]{8}", request.firmware_pattern):
        found.append(f"{request.firmware_pattern}: not a pattern for a drive (8 lower-case hexadecimal digits)")
    if request.technique == AUTO and request.pattern_set != CANARIES and pattern_set(request.pattern_set) is None:
        found.append(
            f"{AUTO}: no pattern set {request.pattern_set!r}; known are {', '.join(PATTERN_SETS)} and fixed:HEX"
        )
    found += _foreign(request.settings, DISPUTES, "a disputed classification")
    found += _foreign(request.acknowledged_scope, SCOPES, "something that could be destroyed as well")
    found += _foreign(request.answers, ANSWERS, "a condition somebody could vouch for")
    return found
