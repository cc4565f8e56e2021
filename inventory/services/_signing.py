"""Personal signatures: what somebody is shown, and the taking in of what they signed with their own key."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import Conflict, Duplicate, EvidenceRefused, Forbidden, SeparationOfDuty
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import ApproverKey, Host, LogEntry, PersonalSignature, Roster
from reports.bundle import Logged, logged
from reports.canonical import from_base64, sha256_hex, to_base64
from reports.envelope import Envelope, open_envelope, signer_ids
from reports.errors import ReportError
from reports.passkeys import approver_keys
from reports.personal import PersonalSignature as Body
from reports.personal import SignerRole
from reports.times import parse_instant

from .context import Actor, Context
from .kernel import load_envelope, note, store_envelope
from .roster import approvers_in_force, published, read
from .views import FactsToSign

__all__ = ["encode", "take_in", "to_sign", "who_signed"]


def to_sign(
    session: Session, actor: Actor, *, role: SignerRole, subject: str, facts: bytes, shown: str, said: str
) -> FactsToSign:
    """What this person must see and sign.

    Raises:
        Forbidden: no key of the actor's stands in the published roster.
        Duplicate: the role is taken, or the person has signed already.
    """
    keys = _own_keys(session, actor)
    _free(session, actor, role, subject)
    return FactsToSign(
        subject=subject,
        role=role,
        sha256=sha256_hex(facts),
        payload=to_base64(facts),
        shown=shown,
        signer=actor.ref,
        key_ids=tuple(sorted(keys)),
        body={
            "schema": "sanitrail/personal-signature/1",
            "role": role,
            "subject": subject,
            "sha256": sha256_hex(facts),
            "signer": actor.ref,
            "shown": shown,
            "said": said,
        },
    )


def take_in(  # noqa: PLR0913 - all of it is compared
    session: Session,
    context: Context,
    actor: Actor,
    envelope: dict[str, Any],
    *,
    role: SignerRole,
    subject: str,
    facts: bytes,
    shown: str,
    said: str,
) -> str:
    """Check and keep a signature. Returns its digest.

    Raises:
        EvidenceRefused: other facts, another person or key, an altered envelope, or a time that cannot be.
        Forbidden, Duplicate: as `to_sign`.
    """
    keys = _own_keys(session, actor)
    _free(session, actor, role, subject)
    current = published(session)
    people = () if current is None else read(current).people
    try:
        known = approver_keys(*(from_base64(one.public_key) for one in people if one.key_id in keys))
        found, signed = open_envelope(envelope, known, "personal-signature", exact=True)
        body = Body.from_dict(found, "personal-signature")
        moment = parse_instant(body.time, "personal-signature.time")
    except ReportError as error:
        raise EvidenceRefused("envelope", error.summarize()) from error
    expected = (role, subject, sha256_hex(facts), actor.ref, shown, said)
    if (body.role, body.subject, body.sha256, body.signer, body.shown, body.said) != expected or len(signed) != 1:
        raise EvidenceRefused("envelope", "It signs something else than what you were shown.")
    if abs((moment - context.now()).total_seconds()) > max(context.settings.clock_tolerance_seconds, 300):
        raise EvidenceRefused("envelope", "It was not signed now: your clock and the service's do not agree.")
    digest = store_envelope(session, context, "personal-signature", envelope)
    session.add(
        PersonalSignature(
            sha256=digest, subject=subject, role=role, facts_sha256=sha256_hex(facts), person=actor.ref,
            key_id=signed[0], time=moment, received=context.now(),
        )
    )  # fmt: skip
    session.flush()
    note(
        session, context, actor, Tag.PAPER_SIGNED, "document", subject,
        reason=shown, details={"role": role}, evidence=[digest],
    )  # fmt: skip
    return digest


def _own_keys(session: Session, actor: Actor) -> frozenset[str]:
    keys = frozenset(key for key, person in approvers_in_force(session).items() if person == actor.ref)
    if not keys:
        raise Forbidden("facts.sign", "None of your keys stands in the published roster; nobody would believe you.")
    return keys


def _free(session: Session, actor: Actor, role: SignerRole, subject: str) -> None:
    for row in session.scalars(sa.select(PersonalSignature).where(PersonalSignature.subject == subject)):
        if row.person == actor.ref:
            raise Duplicate("personal signature", "person")
        if row.role == role:
            raise Conflict(f"Somebody has signed {subject} as {role} already.")


def apart(actor: Actor, act: str, *others: tuple[str | None, str]) -> None:
    """Raise `SeparationOfDuty` where the actor is one of these people; each with what they did."""
    for person, did in others:
        if person == actor.ref:
            raise SeparationOfDuty(act, did)


def who_signed(
    session: Session, context: Context, size: int, before: int, signatures: list[Envelope], hosts: tuple[Host, ...] = ()
) -> dict[str, Any]:
    """What shows whose keys these are: key events and rosters, proven against the checkpoint of `size` entries.

    Args:
        session: under way.
        context: of the service.
        size: of the checkpoint.
        before: the log index of the document; what came later does not count for it.
        signatures: personal signatures.
        hosts: whose agents signed something, too.
    """
    indices = {index for host in hosts for index in (host.enrolled_index, host.revoked_index)}
    keys = {key for envelope in signatures for key in signer_ids(envelope)}
    for key in session.scalars(sa.select(ApproverKey).where(ApproverKey.key_id.in_(keys))):
        indices |= {key.enrolled_index, key.revoked_index}
    known = sorted(index for index in indices if index is not None and index < size)
    events = session.execute(
        sa.select(LogEntry.sha256, LogEntry.idx).where(LogEntry.idx.in_(known)).order_by(LogEntry.idx)
    ).all()
    rosters = session.execute(
        sa.select(Roster.envelope_sha256, Roster.log_index)
        .where(Roster.log_index.is_not(None), Roster.log_index < before)
        .order_by(Roster.version)
    ).all()
    placed = [place(session, context, str(digest), int(index or 0), size) for digest, index in rosters]
    if not signatures:
        placed = []
    return {
        "key_events": tuple(place(session, context, digest, index, size) for digest, index in events),
        "earlier_rosters": tuple(placed[:-1]),
        "roster": placed[-1] if placed else None,
    }


def place(session: Session, context: Context, digest: str, index: int, size: int) -> Logged:
    """A stored envelope with its place in the log of `size` entries."""
    return logged(load_envelope(session, digest), index, context.ledger.inclusion(session, index, size))
