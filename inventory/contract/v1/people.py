"""Signing in, people, tokens, approvers' keys and the roster."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .common import Base64, Envelope, Message, Sha256
from .vocabulary import Key, Line, OptionalLine, Prose, RoleName, Seconds, Secret


class SignInRequest(Message):
    """Login name and password; the answer sets the session cookie."""

    login: Line
    password: Secret
    code: OptionalLine = ""
    """Of an authenticator app, or a recovery code; it may be shown afterwards instead."""


class CodeShown(Message):
    """The second factor, after the password: a code of the authenticator app, or a recovery code."""

    code: Line


class Confirmation(Message):
    """Showing again who one is, before a dangerous act."""

    password: Secret
    code: OptionalLine = ""
    """Where an authenticator app counts."""


class PasskeyAnswer(Message):
    """What `navigator.credentials.get` gave; bytes in base64."""

    credential_id: Base64
    client_data: Base64
    authenticator_data: Base64
    signature: Base64


class PasskeyMade(Message):
    """What `navigator.credentials.create` gave; bytes in base64."""

    label: Line
    """What its owner calls it."""
    client_data: Base64
    attestation: Base64


class PasskeyWelcome(PasskeyMade):
    """A one-time link, spent by registering a passkey instead of setting a password."""

    secret: Secret


class LinkShown(Message):
    """A one-time link, looked at without using it."""

    secret: Secret


class LinkUse(Message):
    """A one-time link, spent: sets the first or a new password, and signs in."""

    secret: Secret
    password: Secret
    """12 to 256 characters, not containing the login name."""


class PasswordChange(Message):
    """One's own password."""

    current: Secret
    new: Secret


class PersonCreate(Message):
    """A new person. The answer holds the one-time link that lets them in."""

    login: Line
    """3 to 64 of `a-z 0-9 . _ -`."""
    name: Line
    title: OptionalLine = ""
    contact: OptionalLine = ""
    roles: Annotated[tuple[RoleName, ...], Field(max_length=8)]
    everywhere: bool = False
    """Sees everything, by name. Otherwise what the sites and teams give, or what the roles need."""
    sites: Annotated[tuple[Key, ...], Field(max_length=200)] = ()
    teams: Annotated[tuple[Key, ...], Field(max_length=200)] = ()


class RolesSet(Message):
    """The roles a person shall have, all of them."""

    roles: Annotated[tuple[RoleName, ...], Field(max_length=8)]


class ScopeSet(Message):
    """How far a person shall see, all of it: everything by name, or what is at these sites and of these teams."""

    everywhere: bool
    sites: Annotated[tuple[Key, ...], Field(max_length=200)]
    teams: Annotated[tuple[Key, ...], Field(max_length=200)]
    reason: Prose


class DirectoryUpdate(Message):
    """A person's entry in the directory."""

    name: Line
    title: OptionalLine
    contact: OptionalLine


class Reason(Message):
    """Why; it stands in the history."""

    reason: Prose


class TokenCreate(Message):
    """An API token for oneself; its secret is shown once."""

    name: Line
    roles: Annotated[tuple[RoleName, ...], Field(max_length=8)]
    """A subset of one's own roles."""
    lifetime_seconds: Annotated[int, Field(ge=60, le=366 * 86_400)] = 90 * 86_400
    sites: Annotated[tuple[Key, ...], Field(max_length=200)] = ()
    """Narrows the token to these of one's own sites; none: no further than oneself."""
    teams: Annotated[tuple[Key, ...], Field(max_length=200)] = ()


class EnrolmentTokenCreate(Message):
    """Leave for one new agent to introduce itself; the secret is shown once."""

    note: OptionalLine = ""
    lifetime_seconds: Seconds = 86_400


class HostConfirmation(Message):
    """The fingerprint as it was read from the host's own screen."""

    fingerprint: Line


class HostRevocation(Message):
    """The agent's key no longer counts."""

    reason: Prose
    valid_below: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    """Records logged below this index stay valid; null: everything logged so far does."""


class ApproverKeyRegister(Message):
    """One's own public key; the private one never leaves its owner."""

    public_key: Base64
    """DER SubjectPublicKeyInfo: P-256 or Ed25519."""


class ApproverPasskeyMade(Message):
    """A passkey to approve with: what `navigator.credentials.create` gave; bytes in base64."""

    client_data: Base64
    attestation: Base64


class RosterProposal(Message):
    """A new roster: whose approvals agents shall believe."""

    key_ids: Annotated[tuple[Sha256, ...], Field(min_length=1, max_length=200)]
    quorum: Annotated[int, Field(ge=1, le=9)]
    """How many of these people must sign the next roster."""
    minimum_approvals: Annotated[int, Field(ge=1, le=9)]


class SignedEnvelope(Message):
    """A DSSE envelope made with one's own key: an approval, or a signature under a proposed roster."""

    envelope: Envelope
