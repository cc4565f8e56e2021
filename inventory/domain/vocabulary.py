"""The words of the procedure, each an enumeration with one meaning (docs/glossary.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class DeviceState(StrEnum):
    """Where a medium stands in its life (governance, section 2)."""

    DECLARED = "declared"
    """Known by a person's statement; no agent has seen it yet."""
    IN_SERVICE = "in_service"
    RETIRED = "retired"
    """Out of use, still in place."""
    QUARANTINED = "quarantined"
    """Out of use and under lock, awaiting sanitization or destruction."""
    SANITIZING = "sanitizing"
    """An order may have written to it, and no validated record has closed the matter."""
    SANITIZED = "sanitized"
    """A validated record covers it."""
    FAILED = "failed"
    """A run ended badly or its record was rejected: sanitize again or destroy."""
    MISSING = "missing"
    RELEASED = "released"
    """Left our control through the gate. Final."""
    DESTROYED = "destroyed"
    """Physically destroyed, witnessed and validated. Final."""
    RETURNED_UNSANITIZED_BY_WAIVER = "returned_unsanitized_by_waiver"
    """Left unsanitized under a waiver of two named people; printed everywhere. Final."""


class OrderState(StrEnum):
    """Where an order stands (governance, section 4)."""

    REQUESTED = "requested"
    APPROVED = "approved"
    LEASED = "leased"
    EXECUTING = "executing"
    SETTLING = "settling"
    VERIFYING = "verifying"
    RECORDED = "recorded"
    VALIDATED = "validated"
    REJECTED = "rejected"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Category(StrEnum):
    """FIPS 199 confidentiality category."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


class Method(StrEnum):
    """SP 800-88 Rev. 2, 3.1: the sanitization methods, weakest first."""

    CLEAR = "clear"
    PURGE = "purge"
    DESTROY = "destroy"


class Verification(StrEnum):
    """How much is read back (SP 800-88 Rev. 1, 4.7.3; Rev. 2, 4.5.1), weakest first."""

    NONE = "none"
    REPRESENTATIVE = "representative"
    FULL = "full"


class Zone(StrEnum):
    """How secure a place is, most secure first."""

    SECURE = "secure"
    CONTROLLED = "controlled"
    OPEN = "open"


class PartyKind(StrEnum):
    """Who somebody is to us."""

    OWN = "own"
    VENDOR = "vendor"


class HoldingKind(StrEnum):
    """In what form a data set lies on a medium."""

    PRIMARY = "primary"
    REPLICA = "replica"
    BACKUP = "backup"
    CACHE = "cache"
    SWAP = "swap"


class HoldingSource(StrEnum):
    """How we know of a holding."""

    DECLARED = "declared"
    """A person said so."""
    RESOLVED = "resolved"
    """An agent followed a declared path down to the medium."""
    INHERITED = "inherited"
    """Concluded from the history of attachments: the volume lay on it before, or came with it to another host."""


class HoldingState(StrEnum):
    """What is on the medium of a data set."""

    LIVE = "live"
    RESIDUE = "residue"
    """Files deleted, moved or unmounted; the bytes remain until a validated record covers them."""
    COVERED = "covered"
    """A validated record of a later sanitization covers it."""


class ObligationKind(StrEnum):
    """What an erasure case demands of one holding."""

    LOGICAL_DELETION = "logical_deletion"
    BACKUP_GONE = "backup_gone"
    """The backup has expired or was destroyed."""
    MEDIUM_SANITIZED = "medium_sanitized"


class CaseState(StrEnum):
    """Where an erasure case stands."""

    OPEN = "open"
    FULFILLED = "fulfilled"
    """Every obligation is closed by evidence; the privacy officer has not closed the case yet."""
    CLOSED = "closed"


class HostState(StrEnum):
    """Whether an agent's key counts."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    REVOKED = "revoked"


class KeyState(StrEnum):
    """Whether an approver's key counts."""

    REGISTERED = "registered"
    CONFIRMED = "confirmed"
    REVOKED = "revoked"


class ValidationDecision(StrEnum):
    """SP 800-88 Rev. 2, 4.5.2: the decision whether the result suffices."""

    APPROVE = "approve"
    REJECT = "reject"
    ESCALATE = "escalate"
    """A stronger method is needed (clear to purge to destroy)."""


class EscrowState(StrEnum):
    """What became of a drive's password in custody."""

    HELD = "held"
    RELEASED = "released"
    """The agent says that the drive has no password any more."""
    REVEALED = "revealed"
    """A person has seen it."""


class RecordStanding(StrEnum):
    """What a stored record counts for."""

    CURRENT = "current"
    """It is the order's record."""
    EVIDENCE_ONLY = "evidence_only"
    """Kept, logged, and without effect: at least one check failed."""


class ExceptionState(StrEnum):
    """Whether something unaccounted still waits for an answer."""

    OPEN = "open"
    RESOLVED = "resolved"


METHOD_ORDER: Final = (Method.CLEAR, Method.PURGE, Method.DESTROY)
VERIFICATION_ORDER: Final = (Verification.NONE, Verification.REPRESENTATIVE, Verification.FULL)
CATEGORY_ORDER: Final = (Category.LOW, Category.MODERATE, Category.HIGH)
ZONE_ORDER: Final = (Zone.SECURE, Zone.CONTROLLED, Zone.OPEN)


def method_reaches(achieved: str, required: Method) -> bool:
    """Whether a method is at least as strong as required; anything unknown, and `none`, reaches nothing."""
    known = [str(method) for method in METHOD_ORDER]
    return achieved in known and known.index(achieved) >= METHOD_ORDER.index(required)


def coverage_reaches(achieved: str, required: Verification) -> bool:
    """Whether a read-back covered at least as much as required; anything unknown covers nothing."""
    known = [str(kind) for kind in VERIFICATION_ORDER]
    return achieved in known and known.index(achieved) >= VERIFICATION_ORDER.index(required)


def highest(categories: list[Category]) -> Category | None:
    """The highest category, or None of none."""
    return max(categories, key=CATEGORY_ORDER.index, default=None)


def less_secure(here: Zone, there: Zone) -> bool:
    """Whether moving from `here` to `there` loses protection."""
    return ZONE_ORDER.index(there) > ZONE_ORDER.index(here)
