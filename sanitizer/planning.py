"""From what was asked to what will be done, or a reason per technique why nothing fits. Pure.

Overwriting is the one technique here; it reaches Clear and never more (SP 800-88 Rev. 2, 3.1.1 and 3.1.2: purge needs
a dedicated device command), so a purge or destroy order ends in `NoTechnique`, never in a quieter method.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from .errors import NoTechnique
from .inspection import Inspection
from .patterns import PATTERN_SETS, PatternSet, pattern_set

METHODS = ("clear", "purge", "destroy")
TECHNIQUES = ("overwrite",)
VERIFICATIONS = ("none", "representative", "full")


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What shall be done to a medium; an order seals the digest of exactly these words.

    `inventory.contract.v1.orders.PlanRequest` mirrors it word for word.
    """

    method: str = "clear"
    technique: str = "overwrite"
    pattern_set: str = "keyed-stream"
    verification: str = "full"
    acknowledged_signatures: tuple[str, ...] = ()
    """Dormant signatures that may be destroyed, by the names `Inspection.dormant_signatures` gives them."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "method": self.method,
            "technique": self.technique,
            "pattern_set": self.pattern_set,
            "verification": self.verification,
            "acknowledged_signatures": list(self.acknowledged_signatures),
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> PlanRequest:
        """Read what `to_dict` wrote; an unknown field is a `TypeError`."""
        return cls(**{**value, "acknowledged_signatures": tuple(value.get("acknowledged_signatures", ()))})

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785 and plain sorted JSON are the same for these fields)."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A request that can be carried out on one inspected device."""

    request: PlanRequest
    patterns: PatternSet
    capacity_bytes: int

    @property
    def digest(self) -> str:
        """The request's digest: what an order seals and a record repeats."""
        return self.request.digest

    @property
    def passes(self) -> int:
        """How often the whole medium is written."""
        return len(self.patterns.passes)

    def describe(self) -> str:
        """One line for a person."""
        passes = "1 pass" if self.passes == 1 else f"{self.passes} passes"
        asked = self.request
        return f"{asked.method} by overwriting with {self.patterns.label}, {passes}, {asked.verification} verification"


def _reasons(request: PlanRequest, inspection: Inspection) -> list[str]:
    reasons: list[str] = []
    if request.technique not in TECHNIQUES:
        reasons.append(f"{request.technique}: not a technique of this tool")
    if request.method not in METHODS:
        reasons.append(f"{request.method}: not a method (clear, purge, destroy)")
    elif request.method != "clear":
        reasons.append(f"overwrite: reaches clear, never {request.method}")
    if request.verification not in VERIFICATIONS:
        reasons.append(f"{request.verification}: not a kind of verification (none, representative, full)")
    if pattern_set(request.pattern_set) is None:
        reasons.append(
            f"overwrite: no pattern set {request.pattern_set!r}; known are {', '.join(PATTERN_SETS)} and fixed:HEX"
        )
    if inspection.identity is None:
        reasons.append("overwrite: the device has no readable identity")
    elif inspection.identity.capacity_bytes % inspection.identity.logical_block_bytes:
        reasons.append(
            "overwrite: the capacity is no whole number of blocks, so the last bytes cannot be reached without the page cache"
        )
    if inspection.zoned is None:
        reasons.append("overwrite: whether the device writes in zones is unknown")
    elif inspection.zoned:
        reasons.append("overwrite: the device writes in zones")
    return reasons


def plan(request: PlanRequest, inspection: Inspection) -> Plan:
    """Turn a request into a plan for this device.

    Raises:
        NoTechnique: nothing here reaches what was asked, with every reason found.
    """
    reasons = _reasons(request, inspection)
    patterns = pattern_set(request.pattern_set)
    if reasons or patterns is None or inspection.identity is None:
        raise NoTechnique(fingerprint=inspection.fingerprint, reasons=tuple(reasons))
    return Plan(request=request, patterns=patterns, capacity_bytes=inspection.identity.capacity_bytes)
