"""Single sign-on: people who come from the provider, and which of our people they are.

Nothing is stored while somebody is away at the provider: the browser carries a sealed note of what it is for, and code verifier
and nonce follow from that note and a key of ours. An answer spends its note.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.signin import Standing, Way
from inventory.errors import Conflict, Duplicate, NotFound, NotSignedIn
from inventory.events import Tag
from inventory.models import Identity, Nonce, Person
from inventory.oidc import Expected, Provider, TokenRefused
from inventory.settings import SingleSignOn

from .context import Actor, Context, require_full, require_person, require_recent
from .factors import passkeys_of
from .kernel import find, next_number, note
from .passkeys import show_in_session
from .sessions import SignedIn, open_session

log = logging.getLogger("inventory.sso")

Purpose = Literal["sign-in", "link", "confirm"]
_LIFE: Final = timedelta(minutes=10)
_PURPOSES: Final = {"sign-in", "link", "confirm"}


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Somebody is sent to the provider."""

    address: str
    note: str
    """Goes into a cookie of this browser; it must come back with the answer."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the browser brought back from the provider."""

    code: str
    state: str
    issuer: str | None
    note: str
    """From the cookie."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Somebody came back."""

    purpose: Purpose
    onward: str
    """The page they wanted."""
    signed_in: SignedIn | None
    """Of a sign-in."""


@dataclass(frozen=True)
class _Note:
    state: str
    purpose: Purpose
    session: str
    onward: str
    made: datetime


def _provider(context: Context) -> Provider:
    if context.settings.sso is None:
        raise Conflict("Single sign-on is not set up here.")
    return _known_provider(context.settings.sso)


@lru_cache(maxsize=8)
def _known_provider(settings: SingleSignOn) -> Provider:
    """One for each, so that its description and keys are fetched now and then, not each time."""
    return Provider(settings)


def is_offered(context: Context) -> str:
    """What the sign-in page calls the provider; empty where there is none."""
    return "" if context.settings.sso is None else context.settings.sso.name


def depart(context: Context, actor: Actor | None, purpose: Purpose, redirect: str, onward: str) -> Departure:
    """Send somebody to the provider.

    Args:
        context: of the service.
        actor: who is signed in, for anything but a sign-in.
        purpose: why.
        redirect: our own address to come back to.
        onward: the page they want afterwards.

    Raises:
        Conflict: single sign-on is not set up.
        ConfirmationNeeded, SecondFactorNeeded: before linking.
        Unavailable: the provider does not answer.
    """
    if purpose != "sign-in":
        if actor is None or actor.session_id is None:
            raise NotSignedIn("session")
        require_full(actor)
    if purpose == "link" and actor is not None:
        require_recent(actor)
    session = "" if actor is None or purpose == "sign-in" else actor.session_id or ""
    made = _Note(secrets.token_urlsafe(24), purpose, session, onward[:1000], context.now())
    nonce, verifier = _derived(context, "nonce", made.state), _derived(context, "verifier", made.state)
    address = _provider(context).ask(redirect, made.state, nonce, verifier, anew=purpose == "confirm")
    return Departure(address=address, note=_seal(context, made))


def arrive(context: Context, actor: Actor | None, answer: Answer, redirect: str, label: str) -> Arrival:
    """Take somebody in who came back from the provider.

    Raises:
        NotSignedIn: the answer does not hold, belongs to another browser or came too late; or the account is nobody's here.
        Duplicate: linking an account that is somebody else's.
        Unavailable: the provider does not answer.
    """
    found = _unseal(context, answer.note)
    if (
        found is None
        or not answer.code
        or not hmac.compare_digest(found.state.encode(), answer.state.encode("utf-8", "replace"))
    ):
        raise NotSignedIn("sso")
    here = "" if actor is None or found.purpose == "sign-in" else actor.session_id or ""
    if found.session != here or (found.purpose != "sign-in" and not here):
        raise NotSignedIn("sso")
    expected = Expected(
        nonce=_derived(context, "nonce", found.state),
        now=context.now(),
        shown_since=found.made if found.purpose == "confirm" else None,
    )
    verifier = _derived(context, "verifier", found.state)
    try:
        claims = _provider(context).redeem(answer.code, redirect, verifier, answer.issuer, expected)
    except TokenRefused as error:
        log.warning("single sign-on refused: %s", error)
        raise NotSignedIn("sso") from error
    with context.writing(actor) as session:
        _spend(session, found)
        if found.purpose == "sign-in" or actor is None:
            person = _person_of(session, context, claims)
            signed_in = open_session(session, context, person, label, Way.SSO)
            return Arrival(purpose="sign-in", onward=found.onward, signed_in=signed_in)
        if found.purpose == "link":
            _link(session, context, actor, str(claims["sub"]))
        else:
            _confirm(session, context, actor, str(claims["sub"]))
        return Arrival(purpose=found.purpose, onward=found.onward, signed_in=None)


def unlink(context: Context, actor: Actor, identity: str) -> None:
    """Take one's own account at the provider away again.

    Raises:
        NotFound.
        Conflict: nothing would be left to sign in with.
    """
    require_person(actor)
    require_recent(actor)
    with context.writing(actor) as session:
        row = find(session, Identity, identity, "identity")
        if row.person != actor.ref or row.removed is not None:
            raise NotFound("identity", identity)
        person = find(session, Person, actor.ref, "person")
        if person.password_hash is None and not passkeys_of(session, actor.ref):
            raise Conflict("It is the only thing you sign in with. Register a passkey first.")
        row.removed = context.now()
        note(session, context, actor, Tag.IDENTITY_REMOVED, "identity", row.id)


def _issuer(context: Context) -> str:
    return _provider(context).settings.issuer


def _known(session: Session, context: Context, subject: str) -> Identity | None:
    return session.scalar(
        sa.select(Identity).where(
            Identity.issuer == _issuer(context), Identity.subject == subject, Identity.removed.is_(None)
        )
    )


def _person_of(session: Session, context: Context, claims: dict[str, object]) -> Person:
    row = _known(session, context, str(claims["sub"]))
    if row is None:
        row = _by_login(session, context, claims)
    person = session.get_one(Person, row.person)
    if not person.enabled:
        raise NotSignedIn("sso")
    row.last_used = context.now()
    return person


def _by_login(session: Session, context: Context, claims: dict[str, object]) -> Identity:
    """Somebody who comes for the first time, where the settings say that a claim is our login name."""
    name = _provider(context).settings.login_claim
    value = claims.get(name) if name else None
    if not isinstance(value, str) or (name == "email" and claims.get("email_verified") is not True):
        raise NotSignedIn("sso")
    person = session.scalar(sa.select(Person).where(Person.login == value.strip().lower(), Person.enabled))
    if person is None:
        raise NotSignedIn("sso")
    # Whoever was linked before stays who they are: a name that was given to somebody else lets nobody in.
    ever = sa.select(Identity.id).where(Identity.person == person.ref, Identity.issuer == _issuer(context))
    if session.scalar(ever) is not None:
        raise NotSignedIn("sso")
    return _add(session, context, Actor(person.ref, "person"), str(claims["sub"]), by=name)


def _link(session: Session, context: Context, actor: Actor, subject: str) -> None:
    if actor.standing is not Standing.FULL:
        require_full(actor)
    require_recent(actor)
    if _known(session, context, subject) is not None:
        raise Duplicate("identity", "account at the provider")
    _add(session, context, actor, subject, by="")


def _confirm(session: Session, context: Context, actor: Actor, subject: str) -> None:
    row = _known(session, context, subject)
    if row is None or row.person != actor.ref:
        raise NotSignedIn("sso")
    row.last_used = context.now()
    show_in_session(session, context, actor, Way.SSO)


def _add(session: Session, context: Context, actor: Actor, subject: str, *, by: str) -> Identity:
    row = Identity(
        id=next_number(session, "identity"),
        person=actor.ref,
        issuer=_issuer(context),
        subject=subject,
        created=context.now(),
    )
    session.add(row)
    session.flush()
    note(session, context, actor, Tag.IDENTITY_LINKED, "identity", row.id, details={"claim": by} if by else {})
    return row


def _derived(context: Context, what: str, state: str) -> str:
    """43 characters that only we can work out from a state (RFC 7636, 4.1 asks for as many)."""
    digest = hmac.new(context.secrets.cookie_key, f"sso {what}\x00{state}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _seal(context: Context, made: _Note) -> str:
    body = [made.state, made.purpose, made.session, made.onward, int(made.made.timestamp())]
    text = base64.urlsafe_b64encode(json.dumps(body).encode()).decode()
    return f"{text}.{_derived(context, 'note', text)}"


def _unseal(context: Context, sealed: str) -> _Note | None:
    text, _, checksum = sealed.rpartition(".")
    expected = _derived(context, "note", text)
    if not text or not hmac.compare_digest(checksum.encode("utf-8", "replace"), expected.encode()):
        return None
    state, purpose, session, onward, made = json.loads(base64.urlsafe_b64decode(text))
    moment = datetime.fromtimestamp(made, tz=UTC)
    if purpose not in _PURPOSES or not timedelta(seconds=-1) <= context.now() - moment <= _LIFE:
        return None
    return _Note(state, purpose, session, onward, moment)


def _spend(session: Session, found: _Note) -> None:
    kind, digest = (hashlib.sha256(text.encode()).hexdigest() for text in ("sso", found.state))
    if session.get(Nonce, (kind, digest)) is not None:
        raise NotSignedIn("sso")
    session.add(Nonce(key_id=kind, nonce=digest, expires=found.made + 2 * _LIFE))
    session.flush()
