"""Approvers' public keys: registered by their owner, confirmed by an administrator, logged. Private keys never come here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission, Role
from inventory.domain.vocabulary import KeyState
from inventory.errors import Conflict, Duplicate, EvidenceRefused, Invalid, SeparationOfDuty
from inventory.events import Tag
from inventory.keyring import versions
from inventory.models import ApproverKey, Host, LogHead, Person, Roster
from reports.canonical import from_base64, parse_strict, to_base64
from reports.enrolled import EnrolledRole, key_event
from reports.errors import MalformedDocument
from reports.keys import fingerprint_words, load_public_key
from reports.keys import key_id as key_id_of
from reports.passkeys import PasskeyKey, load_approver_key
from reports.trust import read_body

from ._revocation import disown_approved
from .context import Actor, Context, authorize, require_person
from .kernel import find, note, required, sign_and_log, stamp
from .views import ApproverKeyView
from .views.people import ApproverPasskeyView


@dataclass(frozen=True, kw_only=True)
class RegisterKey:
    """One's own public key."""

    public_key: str
    """Base64 of the DER SubjectPublicKeyInfo: P-256 or Ed25519."""


def register_key(context: Context, actor: Actor, command: RegisterKey) -> ApproverKeyView:
    """Register one's own key; it waits for confirmation. Permission `approver_key.register`.

    Raises:
        EvidenceRefused: not a P-256 or Ed25519 public key.
        Duplicate: the key is registered already, by anyone.
    """
    authorize(actor, Permission.APPROVER_KEY_REGISTER)
    try:
        spki = from_base64(command.public_key, "public key")
        key = load_public_key(spki)
    except MalformedDocument as error:
        raise EvidenceRefused("public_key", f"This is no public key that can approve: {error.problem}.") from error
    with context.writing(actor) as session:
        if session.get(ApproverKey, key.key_id) is not None or _known_otherwise(session, key.key_id):
            raise Duplicate("key", "public key")
        row = ApproverKey(
            key_id=key.key_id, person=actor.ref, spki=spki, state=KeyState.REGISTERED, registered=context.now()
        )
        session.add(row)
        session.flush()
        note(session, context, actor, Tag.APPROVER_KEY_REGISTERED, "approver-key", row.key_id)
        return key_view(row, keys_in_roster(session))


def confirm_key(context: Context, actor: Actor, key_id: str) -> ApproverKeyView:
    """Confirm a key after comparing fingerprints with its owner; a signed key-event enters the log.

    Permission `approver_key.confirm`.

    Raises:
        NotFound, Conflict (not waiting), SeparationOfDuty (one's own key).
    """
    authorize(actor, Permission.APPROVER_KEY_CONFIRM)
    with context.writing(actor) as session:
        row = find(session, ApproverKey, key_id, "approver key")
        if row.person == actor.ref:
            raise SeparationOfDuty("confirm the key", "registered the key")
        if row.state is not KeyState.REGISTERED:
            raise Conflict(f"This key is {row.state}, not waiting for confirmation.")
        owner = find(session, Person, row.person, "person")
        if Role.APPROVER not in owner.roles or not owner.enabled:
            raise Conflict("Its owner is not an approver (any more).")
        row.enrolled_index, digest = log_key_event(session, context, "enrol", "approver", row.person, row.spki)
        row.state, row.confirmed, row.confirmed_by = KeyState.CONFIRMED, context.now(), actor.ref
        note(session, context, actor, Tag.APPROVER_KEY_CONFIRMED, "approver-key", row.key_id, evidence=[digest])
        return key_view(row, keys_in_roster(session))


def revoke_key(
    context: Context, actor: Actor, key_id: str, reason: str, *, valid_below: int | None = None
) -> ApproverKeyView:
    """Revoke a key from the present end of the log on, or from an earlier index. By its owner, or with `approver_key.confirm`.

    Its approvals of orders that are not leased yet stop counting. The roster must be renewed besides: agents trust the roster.

    Raises:
        NotFound, Conflict (revoked already), Forbidden.
    """
    require_person(actor)
    with context.writing(actor) as session:
        row = find(session, ApproverKey, key_id, "approver key")
        if row.person != actor.ref:
            authorize(actor, Permission.APPROVER_KEY_CONFIRM)
        revoke_within(session, context, actor, row, reason, valid_below)
        return key_view(row, keys_in_roster(session))


def revoke_within(
    session: Session, context: Context, actor: Actor, row: ApproverKey, reason: str, valid_below: int | None
) -> None:
    """As `revoke_key`, whoever acts, in a transaction that is under way."""
    if row.state is KeyState.REVOKED:
        raise Conflict("This key is revoked already.")
    size = context.ledger.size(session)
    if valid_below is not None and not 0 <= valid_below <= size:
        raise Invalid("valid_below", f"The log has {size} entries; name an index from 0 to {size}.")
    evidence = []
    below = size if valid_below is None else valid_below
    if row.state is KeyState.CONFIRMED:
        row.revoked_index, digest = log_key_event(
            session, context, "revoke", "approver", row.person, row.spki, valid_below
        )
        evidence.append(digest)
    row.state, row.revoked, row.revoked_below = KeyState.REVOKED, context.now(), below
    note(
        session,
        context,
        actor,
        Tag.APPROVER_KEY_REVOKED,
        "approver-key",
        row.key_id,
        reason=required("reason", reason),
        evidence=evidence,
    )
    session.flush()
    if valid_below is not None:
        disown_approved(session, context, row, below)


def has_ended(session: Session, until: int | None) -> bool:
    """Whether the log has grown to the index from which on a key has ended."""
    return until is not None and (session.scalar(sa.select(LogHead.size).where(LogHead.id == 1)) or 0) >= until


def list_keys(context: Context, actor: Actor, *, person: str | None = None) -> tuple[ApproverKeyView, ...]:
    """All approver keys, or one person's; waiting ones first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = sa.select(ApproverKey).order_by(
        ApproverKey.state != KeyState.REGISTERED, ApproverKey.registered.desc(), ApproverKey.key_id
    )
    if person is not None:
        statement = statement.where(ApproverKey.person == person)
    with context.reading(actor) as session:
        listed = keys_in_roster(session)
        return tuple(key_view(row, listed) for row in session.scalars(statement))


def log_key_event(
    session: Session,
    context: Context,
    event: Literal["enrol", "revoke"],
    role: EnrolledRole,
    ref: str,
    spki: bytes,
    valid_below: int | None = None,
) -> tuple[int, str]:
    """Sign and log that a key enters or leaves. Returns the log index and the envelope's digest."""
    body = key_event(event, role, ref, spki, stamp(context.now()), valid_below=valid_below)
    digest, index = sign_and_log(session, context, "key-event", body.to_dict(), "enrolment", f"{role} {ref}")
    return index, digest


def keys_in_roster(session: Session) -> frozenset[str]:
    """Key ids of the published roster."""
    payload = session.scalar(sa.select(Roster.payload).where(Roster.state == "published"))
    if payload is None:
        return frozenset()
    return frozenset(person["key_id"] for person in parse_strict(payload, "roster")["people"])


def key_view(row: ApproverKey, listed: frozenset[str]) -> ApproverKeyView:
    """An approver's key."""
    return ApproverKeyView(
        key_id=row.key_id,
        fingerprint=fingerprint_words(row.key_id),
        public_key=to_base64(row.spki),
        passkey=_passkey_view(row),
        person=row.person,
        state=row.state,
        registered=row.registered,
        confirmed=row.confirmed,
        confirmed_by=row.confirmed_by,
        revoked=row.revoked,
        in_roster=row.key_id in listed,
    )


def _passkey_view(row: ApproverKey) -> ApproverPasskeyView | None:
    if row.credential is None:
        return None
    key = load_approver_key(row.spki)
    if not isinstance(key, PasskeyKey):
        return None
    return ApproverPasskeyView(rp_id=key.rp_id, origins=key.origins, credential=to_base64(row.credential))


def _known_otherwise(session: Session, key_id: str) -> bool:
    """One key, one job: neither an agent's nor one of the service's own keys may approve."""
    return (
        key_id in service_key_ids(session)
        or session.scalar(sa.select(Host.id).where(Host.key_id == key_id)) is not None
    )


def service_key_ids(session: Session) -> frozenset[str]:
    """Ids of every key that any version of the trust root ever named: roots and the service's own."""
    bodies = [read_body(envelope) for _, envelope in versions(session)]
    named = [spki for body in bodies for spki in (*body.root_keys, *(key.spki for key in body.keys))]
    return frozenset(key_id_of(from_base64(spki)) for spki in named)
