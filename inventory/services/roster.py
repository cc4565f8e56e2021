"""The roster: whose approvals agents believe. Changed only by a quorum of the roster before it; the first by its own members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

import reports.orders
from inventory.domain.policy_document import ROLES
from inventory.domain.roles import Permission, Role
from inventory.domain.vocabulary import KeyState
from inventory.errors import Conflict, EvidenceRefused, Forbidden, Invalid
from inventory.events import Tag
from inventory.models import ApproverKey, Person, Roster
from reports.canonical import canonical, from_base64, parse_strict, sha256_hex, to_base64
from reports.envelope import Envelope, open_envelope, payload_bytes, payload_type
from reports.errors import ReportError
from reports.orders import ApproverRole
from reports.passkeys import approver_keys

from ._gate import policy_in_force
from .approvers import has_ended
from .context import Actor, Context, authorize
from .kernel import load_envelope, note, store_envelope
from .views import RosterPersonView, RosterView


@dataclass(frozen=True, kw_only=True)
class ProposeRoster:
    """A new roster: confirmed keys of people with the approver role."""

    key_ids: tuple[str, ...]
    quorum: int
    """How many of these people must sign the next roster."""
    minimum_approvals: int


@dataclass(frozen=True, kw_only=True)
class SignRoster:
    """One signer's envelope over exactly the proposed payload."""

    version: int
    envelope: dict[str, Any]


def propose(context: Context, actor: Actor, command: ProposeRoster) -> RosterView:
    """Propose the next roster; an earlier unpublished proposal is withdrawn. Permission `roster.propose`.

    Raises:
        Invalid: unknown or unconfirmed keys, two keys of one person, or numbers that can never be met.
    """
    authorize(actor, Permission.ROSTER_PROPOSE)
    with context.writing(actor) as session:
        people = _listed(session, command.key_ids)
        for field, number in (("quorum", command.quorum), ("minimum_approvals", command.minimum_approvals)):
            if not 1 <= number <= min(len(people), 9):
                raise Invalid(field, f"{field.replace('_', ' ').capitalize()} is 1 to the number of people, at most 9.")
        before = published(session)
        body = reports.orders.Roster(
            schema="sanitrail/roster/2" if reports.orders.names_roles(people) else "sanitrail/roster/1",
            version=1 if before is None else before.version + 1,
            previous=None if before is None else before.sha256,
            quorum=command.quorum,
            minimum_approvals=command.minimum_approvals,
            people=people,
        )
        payload = canonical(body.to_dict())
        _withdraw_proposal(session, context, actor)
        row = session.get(Roster, sha256_hex(payload))
        if row is None:
            row = Roster(sha256=sha256_hex(payload), version=body.version, payload=payload)
            session.add(row)
        row.state, row.signatures = "proposed", []
        row.proposed, row.proposed_by = context.now(), actor.ref
        session.flush()
        details = {"version": row.version, "people": [person.ref for person in people]}
        note(session, context, actor, Tag.ROSTER_PROPOSED, "roster", str(row.version), details=details)
        return roster_view(session, row)


def sign(context: Context, actor: Actor, command: SignRoster) -> RosterView:
    """Add a signature; at the quorum the roster is published and logged in the same transaction. Permission `roster.sign`.

    Raises:
        EvidenceRefused: other bytes than the proposal's, or the signature does not hold.
        Forbidden: the key is not the actor's, or does not count for this roster.
        Conflict: not the open proposal.
    """
    authorize(actor, Permission.ROSTER_SIGN)
    with context.writing(actor) as session:
        row = session.scalar(sa.select(Roster).where(Roster.state == "proposed"))
        if row is None or row.version != command.version:
            raise Conflict(f"Roster {command.version} is not open for signatures.")
        electors = _electors(session, row)
        mine = {key: spki for key, (person, spki) in electors.items() if person == actor.ref}
        if not mine:
            raise Forbidden("roster.sign", "None of your keys counts for this roster.")
        entry = _checked(command.envelope, row.payload, mine)
        if all(one["keyid"] != entry["keyid"] for one in row.signatures):
            row.signatures = [*row.signatures, entry]
            note(
                session, context, actor, Tag.ROSTER_SIGNED, "roster", str(row.version), details={"key": entry["keyid"]}
            )
        if len(row.signatures) >= _needed(session, row):
            _publish(session, context, actor, row)
        session.flush()
        return roster_view(session, row)


def current(context: Context, actor: Actor) -> RosterView | None:
    """The published roster. Permission `inventory.read`."""
    return _one(context, actor, "published")


def proposal(context: Context, actor: Actor) -> RosterView | None:
    """The open proposal. Permission `inventory.read`."""
    return _one(context, actor, "proposed")


def history(context: Context, actor: Actor) -> tuple[RosterView, ...]:
    """Every roster, newest first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(Roster).order_by(Roster.version.desc(), Roster.proposed.desc())).all()
        return tuple(roster_view(session, row) for row in rows)


def chain_since(context: Context, actor: Actor, version: int) -> tuple[dict[str, Any], ...]:
    """Published roster envelopes after `version`, oldest first: what an agent needs to move its pin. For agents and people."""
    if actor.kind != "agent":
        authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return chain(session, version)


def chain(session: Session, version: int) -> tuple[Envelope, ...]:
    """As `chain_since`, within a transaction that is under way."""
    statement = (
        sa.select(Roster.envelope_sha256)
        .where(Roster.version > version, Roster.envelope_sha256.is_not(None))
        .order_by(Roster.version)
    )
    return tuple(load_envelope(session, str(digest)) for digest in session.scalars(statement))


def published(session: Session) -> Roster | None:
    """The roster in force."""
    return session.scalar(sa.select(Roster).where(Roster.state == "published"))


def read(row: Roster) -> reports.orders.Roster:
    """A roster's payload."""
    return reports.orders.Roster.from_dict(parse_strict(row.payload, "roster"), "roster")


def approvers_in_force(session: Session) -> dict[str, str]:
    """Key id -> person of the published roster, without keys that were revoked or have ended, and people disabled since."""
    row = published(session)
    if row is None:
        return {}
    confirmed = session.execute(
        sa.select(ApproverKey.key_id, ApproverKey.until_index)
        .join(Person, Person.ref == ApproverKey.person)
        .where(ApproverKey.state == KeyState.CONFIRMED, Person.enabled)
    )
    counting = {key_id for key_id, until in confirmed if not has_ended(session, until)}
    return {person.key_id: person.ref for person in read(row).people if person.key_id in counting}


def roster_view(session: Session, row: Roster) -> RosterView:
    """A roster as people see it."""
    body = read(row)
    signed = tuple(one["keyid"] for one in row.signatures)
    return RosterView(
        version=row.version,
        state=row.state,
        sha256=row.sha256,
        payload=to_base64(row.payload),
        previous=body.previous,
        quorum=body.quorum,
        minimum_approvals=body.minimum_approvals,
        people=tuple(
            RosterPersonView(
                ref=person.ref,
                key_id=person.key_id,
                public_key=person.public_key,
                roles=tuple(role for role in person.roles if role != "approver"),
                signed=person.key_id in signed,
            )
            for person in body.people
        ),
        signatures_needed=_needed(session, row),
        signatures=signed,
        proposed_by=row.proposed_by,
        proposed=row.proposed,
        published=row.published,
        log_index=row.log_index,
    )


def _one(context: Context, actor: Actor, state: str) -> RosterView | None:
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        row = session.scalar(sa.select(Roster).where(Roster.state == state))
        return None if row is None else roster_view(session, row)


def _listed(session: Session, key_ids: tuple[str, ...]) -> tuple[reports.orders.RosterPerson, ...]:
    """The people behind confirmed keys, each person and key once."""
    found: dict[str, reports.orders.RosterPerson] = {}
    named = ROLES if policy_in_force(session).demands_roles else ()
    for key_id in sorted(key_ids):
        key = session.get(ApproverKey, key_id)
        owner = None if key is None else session.get(Person, key.person)
        if key is None or owner is None or key.state is not KeyState.CONFIRMED:
            raise Invalid("key_ids", f"Key {key_id[:16]}… is not a confirmed approver key.")
        if Role.APPROVER not in owner.roles or not owner.enabled:
            raise Invalid("key_ids", f"The owner of key {key_id[:16]}… is not an approver (any more).")
        if owner.ref in found:
            raise Invalid("key_ids", f"{owner.ref} stands there with two keys; a person counts once.")
        found[owner.ref] = reports.orders.RosterPerson(
            ref=owner.ref, key_id=key_id, public_key=to_base64(key.spki), roles=_roles(owner, named)
        )
    if not found:
        raise Invalid("key_ids", "A roster names at least one person.")
    return tuple(found.values())


def _roles(owner: Person, named: Sequence[Role]) -> tuple[ApproverRole, ...]:
    """That they approve, and what else the policy may ask for: only where it does, since older agents know no roles."""
    words: dict[str, ApproverRole] = {one: one for one in get_args(ApproverRole)}
    return tuple(words[role] for role in (Role.APPROVER, *named) if role in owner.roles)


def _previous(session: Session, row: Roster) -> Roster | None:
    previous = read(row).previous
    return None if previous is None else session.get(Roster, previous)


def _electors(session: Session, row: Roster) -> dict[str, tuple[str, bytes]]:
    """Whose signatures count: the roster before; for the first, its own members. Key id -> (person, key)."""
    electing = read(_previous(session, row) or row)
    revoked = set(session.scalars(sa.select(ApproverKey.key_id).where(ApproverKey.state == KeyState.REVOKED)))
    return {
        person.key_id: (person.ref, from_base64(person.public_key))
        for person in electing.people
        if person.key_id not in revoked
    }


def _needed(session: Session, row: Roster) -> int:
    return read(_previous(session, row) or row).quorum


def _checked(envelope: dict[str, Any], payload: bytes, keys: dict[str, bytes]) -> dict[str, str]:
    """The one good signature of this person over exactly these bytes."""
    try:
        if payload_bytes(envelope, "roster") != payload:
            raise EvidenceRefused(
                "envelope", "It signs another roster than the one proposed; read it again before signing."
            )
        _, signed = open_envelope(envelope, approver_keys(*keys.values()), "roster")
    except ReportError as error:
        raise EvidenceRefused("envelope", error.summarize()) from error
    return next(
        {"keyid": one["keyid"], "sig": one["sig"]} for one in envelope["signatures"] if one["keyid"] == signed[0]
    )


def _withdraw_proposal(session: Session, context: Context, actor: Actor) -> None:
    row = session.scalar(sa.select(Roster).where(Roster.state == "proposed"))
    if row is not None:
        row.state = "withdrawn"
        session.flush()
        note(session, context, actor, Tag.ROSTER_WITHDRAWN, "roster", str(row.version))


def _publish(session: Session, context: Context, actor: Actor, row: Roster) -> None:
    envelope: Envelope = {
        "payloadType": payload_type("roster"),
        "payload": to_base64(row.payload),
        "signatures": row.signatures,
    }
    keys = approver_keys(*(spki for _, spki in _electors(session, row).values()))
    open_envelope(envelope, keys, "roster", exact=True)
    before = published(session)
    if before is not None:
        before.state = "superseded"
        session.flush()
    digest = store_envelope(session, context, "roster", envelope)
    row.envelope_sha256, row.state, row.published = digest, "published", context.now()
    row.log_index = context.ledger.append(session, "roster", digest, f"roster {row.version}")
    note(session, context, actor, Tag.ROSTER_PUBLISHED, "roster", str(row.version), evidence=[digest])
