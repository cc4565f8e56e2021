"""Approvers' public keys: registered by their owner, confirmed by an administrator, known to the log. Private keys never come here."""

from __future__ import annotations

from dataclasses import dataclass

from .context import Actor, Context
from .views import ApproverKeyView


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
    raise NotImplementedError


def confirm_key(context: Context, actor: Actor, key_id: str) -> ApproverKeyView:
    """Confirm a key after comparing fingerprints with its owner; a signed key-event enters the log. Permission `approver_key.confirm`.

    Raises:
        NotFound, Conflict (not waiting), SeparationOfDuty (one's own key).
    """
    raise NotImplementedError


def revoke_key(context: Context, actor: Actor, key_id: str, reason: str) -> ApproverKeyView:
    """Revoke a key from the present end of the log on. By its owner, or with `approver_key.confirm`.

    Approvals by it that agents have not yet acted upon no longer count. The roster must be renewed besides: agents trust the roster.
    """
    raise NotImplementedError


def list_keys(context: Context, actor: Actor, *, person: str | None = None) -> tuple[ApproverKeyView, ...]:
    """All approver keys, or one person's; waiting ones first. Permission `inventory.read`."""
    raise NotImplementedError
