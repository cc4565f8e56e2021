"""A customer's statement of erasure: each medium with its proof, what people attest, and what is still open and why. Pure.

`compose` takes the facts about media from their bundles and lets nobody claim completeness: a statement is complete when
something was erased or attested and nothing is open. The verifier calls `check` to see whether it says what its bundles carry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .bundle import DestructionBundle
from .envelope import unverified_body
from .errors import BrokenChain, ClaimRefused
from .statements import (
    Attestation,
    Certificate,
    ErasedMedium,
    ErasureStatement,
    OpenObligation,
    Organization,
    Person,
)
from .times import parse_instant


@dataclass(frozen=True, kw_only=True)
class ProvenMedium:
    """A medium of the case and the bundle that proves it clean."""

    data_set: str
    holding: str
    """primary, replica, backup, cache, swap, residue."""
    bundle: DestructionBundle


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """What the inventory knows of an erasure case."""

    number: str
    issued: str
    organization: Organization
    case: str
    opened: str
    due: str
    responsible: Person
    data_sets: tuple[str, ...]
    attested: tuple[Attestation, ...]
    open: tuple[OpenObligation, ...]


def compose(facts: CaseFacts, media: Sequence[ProvenMedium]) -> ErasureStatement:
    """The statement that follows from the case and its bundles.

    Raises:
        ClaimRefused: there is nothing to state.
        MalformedDocument: a time is none, or a bundle's certificate cannot be read.
    """
    if not (media or facts.attested or facts.open):
        raise ClaimRefused("statement of erasure", ("The case names no medium, no attestation and nothing open.",))
    for time in (facts.issued, facts.opened, facts.due, *(one.time for one in facts.attested)):
        parse_instant(time, "statement")
    return ErasureStatement(
        number=facts.number,
        issued=facts.issued,
        organization=facts.organization,
        case=facts.case,
        opened=facts.opened,
        due=facts.due,
        responsible=facts.responsible,
        data_sets=facts.data_sets,
        media=tuple(_line(one.bundle, one.data_set, one.holding) for one in media),
        attested=facts.attested,
        open=facts.open,
        complete=is_complete(len(media), len(facts.attested), len(facts.open)),
    )


def is_complete(media: int, attested: int, still_open: int) -> bool:
    """Something was done and nothing is open. Nothing follows from an empty case."""
    return media + attested > 0 and still_open == 0


def check(statement: ErasureStatement, bundles: Sequence[DestructionBundle]) -> None:
    """Raise `BrokenChain` unless the statement says of its media what their bundles carry, and of itself what follows."""
    by_digest = {bundle.digest(): bundle for bundle in bundles}
    for line in statement.media:
        bundle = by_digest.get(line.bundle_sha256)
        if bundle is None:
            raise BrokenChain("statement", f"medium {line.serial or line.asset_tag} has no bundle in this file.")
        if _line(bundle, line.data_set, line.holding) != line:
            raise BrokenChain(
                "statement", f"what it says of medium {line.serial or line.asset_tag} is not in its bundle."
            )
    mentioned = list(dict.fromkeys(line.bundle_sha256 for line in statement.media))
    if mentioned != [bundle.digest() for bundle in bundles]:
        raise BrokenChain("statement", "the bundles are not those of its media, each once and in that order.")
    if statement.complete != is_complete(len(statement.media), len(statement.attested), len(statement.open)):
        raise BrokenChain("statement", "it calls itself complete (or not) against what it lists.")
    for time in (statement.issued, statement.opened, statement.due, *(one.time for one in statement.attested)):
        parse_instant(time, "statement")


def _line(bundle: DestructionBundle, data_set: str, holding: str) -> ErasedMedium:
    certificate = Certificate.from_dict(unverified_body(bundle.certificate.envelope, "certificate"), "certificate")
    medium = certificate.medium
    return ErasedMedium(
        data_set=data_set,
        holding=holding,
        manufacturer=medium.manufacturer,
        model=medium.model,
        serial=medium.serial,
        asset_tag=medium.asset_tag,
        certificate=certificate.number,
        bundle_sha256=bundle.digest(),
    )
