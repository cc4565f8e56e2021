"""What a customer's withdrawal demands of each holding, and what closes it. Only evidence closes anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from .holdings import Held, overlaps
from .vocabulary import CaseState, HoldingKind, ObligationKind


class Evidence(StrEnum):
    """What may close an obligation."""

    ATTESTATION = "attestation"
    """A named person's statement, signed in by their session."""
    VALIDATED_RECORD = "validated_record"
    """A validated record, or a validated destruction, that covers the holding."""


CLOSES: Final[dict[ObligationKind, frozenset[Evidence]]] = {
    ObligationKind.LOGICAL_DELETION: frozenset({Evidence.ATTESTATION, Evidence.VALIDATED_RECORD}),
    ObligationKind.BACKUP_GONE: frozenset({Evidence.ATTESTATION, Evidence.VALIDATED_RECORD}),
    ObligationKind.MEDIUM_SANITIZED: frozenset({Evidence.VALIDATED_RECORD}),
}
"""A medium is never attested clean by word alone."""


@dataclass(frozen=True)
class Draft:
    """An obligation to be."""

    holding: str
    kind: ObligationKind
    open: bool


def demands(kind: HoldingKind, *, live: bool) -> tuple[ObligationKind, ...]:
    """What a holding of this kind owes. Residue has no rows left to delete, but its medium stays to be sanitized."""
    if kind is HoldingKind.BACKUP:
        return (ObligationKind.BACKUP_GONE, ObligationKind.MEDIUM_SANITIZED)
    if live:
        return (ObligationKind.LOGICAL_DELETION, ObligationKind.MEDIUM_SANITIZED)
    return (ObligationKind.MEDIUM_SANITIZED,)


def derive(
    holdings: Iterable[tuple[Held, HoldingKind]], customer_since: datetime | None, deleted: datetime | None
) -> tuple[Draft, ...]:
    """Obligations for every holding that existed in the customer's time.

    Args:
        holdings: of the data sets the case names.
        customer_since: None where it is not known: then everything before counts.
        deleted: when logical deletion was attested for all live holdings; None while it was not, so that copies made after the
            withdrawal count, too.
    """
    drafts: list[Draft] = []
    for held, kind in holdings:
        if not overlaps(held, customer_since, deleted):
            continue
        covered = held.covered_at is not None
        drafts += [
            Draft(held.id, demand, not covered) for demand in demands(kind, live=held.until is None and not covered)
        ]
    return tuple(drafts)


def may_close(kind: ObligationKind, evidence: Evidence) -> bool:
    """Whether this evidence closes this kind of obligation."""
    return evidence in CLOSES[kind]


def case_state(current: CaseState, open_obligations: int) -> CaseState:
    """Where a case stands; a closed case opens again when an obligation is found afterwards."""
    if open_obligations:
        return CaseState.OPEN
    return CaseState.CLOSED if current is CaseState.CLOSED else CaseState.FULFILLED


def why_open(kind: ObligationKind, device: str, *, device_state: str) -> str:
    """The sentence that stands in the customer's statement while it is open."""
    if kind is ObligationKind.LOGICAL_DELETION:
        return "Deletion of the customer's rows has not been attested yet."
    if kind is ObligationKind.BACKUP_GONE:
        return "The backup has neither expired nor been destroyed yet."
    words = device_state.replace("_", " ")
    return f"Medium {device} is {words}; no validated record of its sanitization exists yet."
