"""Hosts and their agents' keys: one-time token, enrolment, confirmation by fingerprint, revocation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from inventory.contract.v1.agents import EnrolmentReply, EnrolmentRequest

from .context import Actor, Context
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
    """A one-time token, shown once. Permission `host.manage`."""
    raise NotImplementedError


def enrol(context: Context, request: EnrolmentRequest, key_id: str) -> EnrolmentReply:
    """An agent introduces itself; it stays `pending` until its fingerprint is confirmed.

    Args:
        context: the open inventory.
        request: the message.
        key_id: the key whose RFC 9421 signature over this very request has been verified; must be the key in the message.

    The same token with the same key may ask again and gets the same answer (a lost reply costs nothing).

    Raises:
        NotSignedIn: the token is unknown, expired or was used by another key.
        EvidenceRefused: not an Ed25519 key, or not the one that signed.
        Duplicate: the key belongs to a host already.
    """
    raise NotImplementedError


def enrolment_status(context: Context, actor: Actor) -> EnrolmentReply:
    """What the agent asks until it is confirmed. For agents in any state but revoked."""
    raise NotImplementedError


def agent_key(context: Context, key_id: str) -> AgentKeyView | None:
    """The key behind a request's key id, whatever its state; None where nobody has it. For request authentication."""
    raise NotImplementedError


def actor_for_key(context: Context, key_id: str) -> Actor:
    """The agent behind a verified signature.

    Raises:
        NotSignedIn: unknown key.
        AgentNotTrusted: pending, rejected or revoked.
    """
    raise NotImplementedError


def pending_actor_for_key(context: Context, key_id: str) -> Actor:
    """As `actor_for_key`, and a pending or rejected agent passes as well: only for asking about its own enrolment."""
    raise NotImplementedError


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
    raise NotImplementedError


def reject(context: Context, actor: Actor, host: str, reason: str) -> HostDetail:
    """Turn an agent away. Permission `host.manage`."""
    raise NotImplementedError


def revoke(context: Context, actor: Actor, command: RevokeHost) -> HostDetail:
    """Revoke an agent's key; a signed key-event enters the log; its open leases end, its open orders are cancelled. Permission `host.manage`.

    Raises:
        NotFound, Conflict (not confirmed), Invalid (index beyond the log).
    """
    raise NotImplementedError
