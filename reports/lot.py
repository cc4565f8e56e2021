"""Certificate of sanitization for a lot: a frozen list of media, how many of how many, and each one's own certificate. Pure.

`compose` lets nobody claim completeness: a lot is complete when every medium of it is proven sanitized or destroyed. Anything
less is a report, which the same rule decides and the verifier decides anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .errors import BrokenChain, ClaimRefused
from .media import PROVEN, Counts, MediumLine, Outcome, annex_digest, count, grouped_exceptions, sound
from .parts import StrictPart
from .statements import Destination, Organization, Person
from .times import parse_instant

LOT_CERTIFICATE: Final = "sanitrail/lot-certificate/1"
OUTCOMES: Final[tuple[Outcome, ...]] = (*PROVEN, "failed", "missing", "waived", "open")


@dataclass(frozen=True, kw_only=True)
class LotCertificate(StrictPart):
    """The certificate; not `complete`, it is a report, and certifies nothing of the lot as a whole."""

    schema: Literal["sanitrail/lot-certificate/1"] = LOT_CERTIFICATE
    number: str
    issued: str
    organization: Organization
    lot: str
    """What the lot is called."""
    reference: str
    """The customer's order or contract; may be empty."""
    requested_by: Person | None
    responsible: Person
    """Who issued it."""
    concurrence: Person | None
    destination: Destination
    counts: Counts
    exceptions: tuple[str, ...]
    annex_sha256: str
    """Of the canonical list of all lines."""
    evidence: Literal["inside", "beside"]
    """Whether the evidence of each medium is in this file or lies beside it."""
    complete: bool


@dataclass(frozen=True, kw_only=True)
class LotFacts:
    """What the inventory states of a lot."""

    number: str
    issued: str
    organization: Organization
    lot: str
    reference: str
    requested_by: Person | None
    responsible: Person
    concurrence: Person | None
    destination: Destination
    evidence: Literal["inside", "beside"]

    @classmethod
    def of(cls, document: LotCertificate) -> LotFacts:
        """The facts that a document states."""
        return cls(
            number=document.number,
            issued=document.issued,
            organization=document.organization,
            lot=document.lot,
            reference=document.reference,
            requested_by=document.requested_by,
            responsible=document.responsible,
            concurrence=document.concurrence,
            destination=document.destination,
            evidence=document.evidence,
        )


def compose(facts: LotFacts, lines: Sequence[MediumLine], exceptions: Sequence[tuple[str, ...]]) -> LotCertificate:
    """The document that follows.

    Args:
        facts: what is stated of the lot.
        lines: one for each medium, in the order of the annex.
        exceptions: those of each proven medium's own certificate, in the order of the lines.

    Raises:
        ClaimRefused: the lot has no name, or nobody is responsible.
        BrokenChain, MalformedDocument: the lines contradict themselves.
    """
    if not facts.lot.strip() or not facts.responsible.name.strip():
        raise ClaimRefused("certificate of a lot", ("It does not state the name of the lot and who is responsible.",))
    parse_instant(facts.issued, "lot.issued")
    sound(lines, OUTCOMES)
    counts = count(lines)
    return LotCertificate(
        number=facts.number,
        issued=facts.issued,
        organization=facts.organization,
        lot=facts.lot,
        reference=facts.reference,
        requested_by=facts.requested_by,
        responsible=facts.responsible,
        concurrence=facts.concurrence,
        destination=facts.destination,
        counts=counts,
        exceptions=grouped_exceptions(exceptions),
        annex_sha256=annex_digest(lines),
        evidence=facts.evidence,
        complete=is_complete(counts),
    )


def is_complete(counts: Counts) -> bool:
    """Every medium is proven sanitized or destroyed, and there is at least one."""
    return counts.total > 0 and counts.sanitized + counts.destroyed == counts.total


def check(document: LotCertificate, lines: Sequence[MediumLine], exceptions: Sequence[tuple[str, ...]]) -> None:
    """Raise `BrokenChain` unless the document says exactly what follows from its lines and their certificates."""
    expected = compose(LotFacts.of(document), lines, exceptions).to_dict()
    found = document.to_dict()
    for name, value in expected.items():
        if found[name] != value:
            raise BrokenChain("lot", f"what it says of {name} does not follow from its media.")
