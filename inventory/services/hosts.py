"""Hosts and their agents' keys: one-time token, enrolment, confirmation by fingerprint, revocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.agents import EnrolmentReply, EnrolmentRequest
from inventory.contract.v1.common import Envelope
from inventory.domain.questions import ChangeKind
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.errors import AgentNotTrusted, Conflict, Duplicate, EvidenceRefused, Forbidden, Invalid, NotSignedIn
from inventory.events import Tag
from inventory.models import ApproverKey, EnrolmentToken, Host, LogEntry
from reports.canonical import from_base64
from reports.errors import MalformedDocument
from reports.keys import fingerprint_words, load_public_key

from ._questions import raise_for_host
from ._revocation import disown_records, end_orders
from .approvers import has_ended, log_key_event
from .context import SYSTEM, Actor, Context, authorize
from .kernel import digest_of_secret, find, load_envelope, new_secret, next_number, note, optional, required
from .queries.hosts import host_detail
from .roster import published
from .views import AgentKeyView, EnrolmentTokenView, HostDetail


@dataclass(frozen=True, kw_only=True)
class CreateEnrolmentToken:
    """Leave for one new agent to introduce itself."""

    note: str = ""
    lifetime: timedelta = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class RevokeHost:
    """The agent's key no longer counts from now on, or from an earlier log index on."""

    host: str
    reason: str
    valid_below: int | None = None
    """Records logged below this index stay valid; None: everything logged so far does."""


def create_enrolment_token(context: Context, actor: Actor, command: CreateEnrolmentToken) -> EnrolmentTokenView:
    """A one-time token, shown once. Permission `host.manage`. Raises `Invalid` (lifetime outside a minute to 30 days)."""
    authorize(actor, Permission.HOST_MANAGE)
    if not timedelta(minutes=1) <= command.lifetime <= timedelta(days=30):
        raise Invalid("lifetime", "An enrolment token lives between one minute and 30 days.")
    secret, digest = new_secret()
    now = context.now()
    with context.writing(actor) as session:
        row = EnrolmentToken(
            id=next_number(session, "enrolment"),
            secret_sha256=digest,
            note=optional("note", command.note, most=200),
            created=now,
            created_by=actor.ref,
            expires=now + command.lifetime,
        )
        session.add(row)
        session.flush()
        note(session, context, actor, Tag.HOST_TOKEN_CREATED, "enrolment-token", row.id, reason=row.note)
        return EnrolmentTokenView(id=row.id, secret=secret, note=row.note, expires=row.expires)


def enrol(context: Context, request: EnrolmentRequest, key_id: str) -> EnrolmentReply:
    """An agent introduces itself; it stays `pending` until its fingerprint is confirmed.

    Args:
        context: the open inventory.
        request: the message.
        key_id: the key whose RFC 9421 signature over this very request has been verified; must be the key in the message.

    The same token with the same key may ask again and gets the same answer (a lost reply costs nothing).

    Raises:
        NotSignedIn: the token is unknown, expired or was used by another key.
        EvidenceRefused: neither an Ed25519 nor a P-256 key, or not the one that signed.
        Duplicate: the key belongs to a host or approver already.
    """
    spki = _agent_public_key(request.public_key, key_id)
    with context.writing() as session:
        digest = digest_of_secret(request.token)
        token = session.scalar(sa.select(EnrolmentToken).where(EnrolmentToken.secret_sha256 == digest))
        known = session.scalar(sa.select(Host).where(Host.key_id == key_id))
        if token is None:
            raise NotSignedIn("token")
        if token.used_by is not None:
            if known is None or known.id != token.used_by or known.state is HostState.REVOKED:
                raise NotSignedIn("token")
            return _reply(session, context, known)
        if token.expires <= context.now():
            raise NotSignedIn("token")
        if known is not None or session.get(ApproverKey, key_id) is not None:
            raise Duplicate("host", "key")
        host = Host(
            id=next_number(session, "host"),
            name=required("host_name", request.host_name, most=256),
            state=HostState.PENDING,
            key_id=key_id,
            spki=spki,
            machine_id_sha256=request.machine_id_sha256,
            agent_version=request.agent_version,
            kernel=request.kernel,
            enrolled=context.now(),
        )
        session.add(host)
        session.flush()
        token.used, token.used_by = context.now(), host.id
        note(
            session,
            context,
            _as_actor(host),
            Tag.HOST_ENROLLED,
            "host",
            host.id,
            details={"name": host.name, "key": key_id},
        )
        return _reply(session, context, host)


def enrolment_status(context: Context, actor: Actor) -> EnrolmentReply:
    """What the agent asks until it is confirmed. For agents in any state but revoked."""
    with context.reading(actor) as session:
        return _reply(session, context, find(session, Host, actor.ref, "host"))


def agent_key(context: Context, key_id: str) -> AgentKeyView | None:
    """The key behind a request's key id, whatever its state; None where nobody has it. For request authentication."""
    with context.reading() as session:
        host = session.scalar(sa.select(Host).where(Host.key_id == key_id))
        if host is None:
            return None
        return AgentKeyView(key_id=key_id, host=host.id, public_key_der=host.spki, state=host.state)


def actor_for_key(context: Context, key_id: str) -> Actor:
    """The agent behind a verified signature.

    Raises:
        NotSignedIn: unknown key.
        AgentNotTrusted: pending, rejected or revoked.
    """
    return _actor(context, key_id, frozenset({HostState.CONFIRMED}))


def pending_actor_for_key(context: Context, key_id: str) -> Actor:
    """As `actor_for_key`, and a pending or rejected agent passes as well: only for asking about its own enrolment."""
    return _actor(context, key_id, frozenset(HostState) - {HostState.REVOKED})


def trusted_host(session: Session, actor: Actor) -> Host:
    """The agent's host, asked again within the transaction that acts: a revocation may have come in between.

    Raises:
        Forbidden: not an agent.
        AgentNotTrusted: its key does not count.
    """
    if actor.kind != "agent":
        raise Forbidden("agent", "Only an agent may do this.")
    host = find(session, Host, actor.ref, "host")
    if host.state is not HostState.CONFIRMED or host.key_id != actor.key_id:
        raise AgentNotTrusted(host.key_id, str(host.state))
    if has_ended(session, host.until_index):
        raise AgentNotTrusted(host.key_id, f"ended at log index {host.until_index}")
    return host


def confirm(context: Context, actor: Actor, host: str, fingerprint: str) -> HostDetail:
    """Confirm an agent's key; a signed key-event enters the log. Permission `host.manage`.

    Args:
        context: the open inventory.
        actor: the administrator.
        host: its number.
        fingerprint: as the person read it from the host's own screen; spaces and case do not matter.

    Raises:
        NotFound, Conflict (not pending).
        EvidenceRefused: it is not this key's fingerprint.
    """
    authorize(actor, Permission.HOST_MANAGE)
    with context.writing(actor) as session:
        row = _pending(session, host)
        given = "".join(fingerprint.split()).replace(":", "").lower()
        if given != row.key_id:
            raise EvidenceRefused(
                "fingerprint",
                "This is not the fingerprint of the key that asks; do not confirm it: somebody else may be asking.",
            )
        row.enrolled_index, digest = log_key_event(session, context, "enrol", "agent", row.id, row.spki)
        row.state, row.confirmed, row.confirmed_by = HostState.CONFIRMED, context.now(), actor.ref
        note(session, context, actor, Tag.HOST_CONFIRMED, "host", row.id, evidence=[digest])
        session.flush()
        return host_detail(session, row, context.now(), context.settings.silent_after_seconds)


def reject(context: Context, actor: Actor, host: str, reason: str) -> HostDetail:
    """Turn an agent away. Permission `host.manage`. Raises `NotFound`, `Conflict` (not pending)."""
    authorize(actor, Permission.HOST_MANAGE)
    with context.writing(actor) as session:
        row = _pending(session, host)
        row.state = HostState.REJECTED
        note(session, context, actor, Tag.HOST_REJECTED, "host", row.id, reason=required("reason", reason))
        session.flush()
        return host_detail(session, row, context.now(), context.settings.silent_after_seconds)


def revoke(context: Context, actor: Actor, command: RevokeHost) -> HostDetail:
    """Revoke an agent's key; a signed key-event enters the log. Permission `host.manage`.

    Its leases end, its orders are cancelled (or, once it may have written, interrupted). Records logged at or above
    `valid_below` stop counting: their devices are quarantined, what they covered is residue again.

    Raises:
        NotFound, Conflict (not confirmed), Invalid (index beyond the log).
    """
    authorize(actor, Permission.HOST_MANAGE)
    with context.writing(actor) as session:
        row = revoke_within(session, context, actor, command)
        return host_detail(session, row, context.now(), context.settings.silent_after_seconds)


def revoke_within(session: Session, context: Context, actor: Actor, command: RevokeHost) -> Host:
    """As `revoke`, whoever acts, in a transaction that is under way."""
    reason = required("reason", command.reason)
    row = find(session, Host, command.host, "host")
    if row.state is not HostState.CONFIRMED:
        raise Conflict(f"The key of {row.id} is {row.state}; only a confirmed one can be revoked.")
    size = context.ledger.size(session)
    below = size if command.valid_below is None else command.valid_below
    if not 0 <= below <= size:
        raise Invalid("valid_below", f"The log has {size} entries; name an index from 0 to {size}.")
    row.revoked_index, digest = log_key_event(session, context, "revoke", "agent", row.id, row.spki, below)
    row.state, row.revoked, row.revoked_below = HostState.REVOKED, context.now(), below
    note(session, context, actor, Tag.HOST_REVOKED, "host", row.id, reason=reason, evidence=[digest])
    session.flush()
    end_orders(session, context, actor, row, reason)
    raise_for_host(
        session, context, SYSTEM, ChangeKind.HOST_DECOMMISSIONED, row, reason=f"Its key was revoked: {reason}"
    )
    disown_records(session, context, row, below)
    return row


def _agent_public_key(encoded: str, key_id: str) -> bytes:
    try:
        key = load_public_key(from_base64(encoded, "public key"))
    except MalformedDocument as error:
        raise EvidenceRefused("public_key", f"This is no public key: {error.problem}.") from error
    if key.key_id != key_id:
        raise EvidenceRefused("public_key", "The request was signed by another key than the one it registers.")
    return key.spki


def _actor(context: Context, key_id: str, accepted: frozenset[HostState]) -> Actor:
    with context.reading() as session:
        host = session.scalar(sa.select(Host).where(Host.key_id == key_id))
        if host is None:
            raise NotSignedIn("key")
        if host.state not in accepted:
            raise AgentNotTrusted(key_id, str(host.state))
        return _as_actor(host)


def _as_actor(host: Host) -> Actor:
    return Actor(host.id, "agent", key_id=host.key_id)


def _pending(session: Session, host: str) -> Host:
    row = find(session, Host, host, "host")
    if row.state is not HostState.PENDING:
        raise Conflict(f"{row.id} is {row.state}, not waiting for confirmation.")
    return row


def _reply(session: Session, context: Context, host: Host) -> EnrolmentReply:
    states: dict[HostState, Literal["pending", "confirmed", "rejected"]] = {
        HostState.PENDING: "pending",
        HostState.CONFIRMED: "confirmed",
    }
    roster = published(session)
    _, checkpoint, _ = context.ledger.checkpoint(session)
    pin = session.scalar(sa.select(LogEntry.sha256).where(LogEntry.idx == 0)) or ""
    return EnrolmentReply(
        status=states.get(host.state, "rejected"),
        host=host.id,
        fingerprint=fingerprint_words(host.key_id),
        log_origin=context.ledger.origin,
        log_keys=context.ledger.keyring.require(session).trust.body.log.vkeys,
        trust_root_sha256=pin,
        roster=None
        if roster is None or roster.envelope_sha256 is None
        else Envelope.model_validate(load_envelope(session, roster.envelope_sha256)),
        checkpoint=checkpoint,
    )
