"""The roster: whose approvals agents believe. Changed only by a quorum of the roster before it; the first by its own members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .context import Actor, Context
from .views import RosterView


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
    raise NotImplementedError


def sign(context: Context, actor: Actor, command: SignRoster) -> RosterView:
    """Add a signature; at the quorum the roster is published and logged in the same transaction. Permission `roster.sign`.

    Raises:
        EvidenceRefused: other bytes than the proposal's, or the signature does not hold.
        Forbidden: the key is not the actor's, or does not count for this roster.
        Conflict: not the open proposal.
    """
    raise NotImplementedError


def current(context: Context, actor: Actor) -> RosterView | None:
    """The published roster. Permission `inventory.read`."""
    raise NotImplementedError


def proposal(context: Context, actor: Actor) -> RosterView | None:
    """The open proposal. Permission `inventory.read`."""
    raise NotImplementedError


def history(context: Context, actor: Actor) -> tuple[RosterView, ...]:
    """Every roster, newest first."""
    raise NotImplementedError


def chain_since(context: Context, actor: Actor, version: int) -> tuple[dict[str, Any], ...]:
    """Published roster envelopes after `version`, oldest first: what an agent needs to move its pin. For agents and people."""
    raise NotImplementedError
