"""People, their sessions, tokens, links and approver keys, and the roster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.roles import Role
from inventory.domain.signin import Standing, Way
from inventory.domain.vocabulary import KeyState


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """A person: the pseudonym everywhere, the directory row where the reader may see it."""

    ref: str
    login: str
    name: str | None
    """None where it is not the reader's to see, or was erased."""
    title: str | None
    contact: str | None
    roles: frozenset[Role]
    enabled: bool
    has_password: bool
    created: datetime
    version: int
    everywhere: bool = False
    """Sees everything, because an administrator said so by name."""
    sites: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    sees: str = ""
    """How far they see, and why, in one sentence."""
    language: str | None = None
    """The language of the console they chose; None: their browser's."""


@dataclass(frozen=True)
class Known:
    """How a reader may know a person."""

    name: str
    """The name, with the login name where two bear it; the login name alone where the name is erased or not theirs to see."""
    login: str


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """A signed-in browser. `secret` is given once, at sign-in."""

    id: str
    person: str
    created: datetime
    last_seen: datetime
    expires: datetime
    label: str
    """The browser as it named itself, cut short."""
    way: Way
    """How it was opened."""
    standing: Standing
    """What it is worth: full, or half signed in."""
    confirmed: datetime
    """When the person last showed who they are."""


@dataclass(frozen=True, kw_only=True)
class ApiTokenView:
    """A token for scripts; its secret is shown once, at creation."""

    id: str
    person: str
    name: str
    roles: frozenset[Role]
    """Never more than the person has now."""
    created: datetime
    expires: datetime
    last_used: datetime | None
    revoked: datetime | None
    sites: tuple[str, ...] = ()
    """Narrowed to these; empty: no further than the person."""
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OneTimeLinkView:
    """A link that sets a password, once."""

    person: str
    secret: str
    """To be handed over; only its digest is stored."""
    path: str
    """`/welcome/<secret>`: append to the service's address."""
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class ApproverPasskeyView:
    """What is particular to a key that is a passkey."""

    rp_id: str
    """The domain it is bound to."""
    origins: tuple[str, ...]
    """The addresses it may be used from; agents and verifiers insist on them."""
    credential: str
    """Base64 of the credential's id, by which a browser finds it."""


@dataclass(frozen=True, kw_only=True)
class ApproverKeyView:
    """An approver's public key."""

    key_id: str
    fingerprint: str
    """As both sides show it: groups of four."""
    public_key: str
    """Base64 of the DER SubjectPublicKeyInfo, or of a passkey's document."""
    passkey: ApproverPasskeyView | None
    person: str
    state: KeyState
    registered: datetime
    confirmed: datetime | None
    confirmed_by: str | None
    revoked: datetime | None
    in_roster: bool
    """Whether the published roster holds it."""


@dataclass(frozen=True, kw_only=True)
class RosterPersonView:
    """Somebody in a roster."""

    ref: str
    key_id: str
    public_key: str
    roles: tuple[str, ...]
    """What else the roster says they are trusted with; agents believe it."""
    signed: bool
    """Whether this person has signed this roster."""


@dataclass(frozen=True, kw_only=True)
class RosterView:
    """A roster, proposed or published."""

    version: int
    state: str
    """proposed, published, superseded, withdrawn."""
    sha256: str
    """Digest of the payload: what agents pin and signers compare."""
    payload: str
    """Base64 of the exact payload bytes a signer signs (DSSE, kind roster)."""
    previous: str | None
    quorum: int
    """How many of these people must sign the next roster."""
    minimum_approvals: int
    people: tuple[RosterPersonView, ...]
    signatures_needed: int
    signatures: tuple[str, ...]
    """Key ids of the signatures collected so far that count."""
    proposed_by: str
    proposed: datetime
    published: datetime | None
    log_index: int | None
