"""Passkeys to sign in with: registered by their owner, asked at the door, again before dangerous acts, and as second factor."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.signin import Standing, Way
from inventory.errors import Conflict, Duplicate, NotFound, NotSignedIn
from inventory.events import Tag
from inventory.models import Identity, Passkey, Person, WebSession

from . import ceremonies
from .ceremonies import SIGN_IN_ALGORITHMS, Assertion, Attestation, CreateOptions, RequestOptions
from .context import SYSTEM, Actor, Context, require_person, require_recent, require_session
from .factors import has_factors, passkey_view, passkeys_of
from .kernel import digest_of_secret, find, next_number, note, required
from .sessions import SignedIn, live_link, open_session
from .views.signin import PasskeyView

MOST: Final = 20
"""Passkeys of one person."""


@dataclass(frozen=True, kw_only=True)
class Register:
    """A new passkey of one's own."""

    label: str
    answer: Attestation


def sign_in_options(context: Context) -> RequestOptions | None:
    """What the sign-in page asks of any authenticator; None where this service's address allows no passkeys."""
    return ceremonies.request_options(context, "sign-in", "")


def sign_in(context: Context, answer: Assertion, label: str) -> SignedIn:
    """Open a session for the owner of a passkey.

    Raises:
        NotSignedIn: unknown, removed, or the answer does not hold.
        Conflict: this service's address allows no passkeys.
    """
    with context.writing() as session:
        row = _known(session, answer)
        counter = ceremonies.asserted(session, context, answer, row.credential, "sign-in", "")
        person = session.get_one(Person, row.person)
        if not person.enabled:
            raise NotSignedIn("passkey")
        alright = _counted(session, context, row, counter)
        signed_in = open_session(session, context, person, label, Way.PASSKEY) if alright else None
    if signed_in is None:
        raise NotSignedIn("passkey")
    return signed_in


def confirm_options(context: Context, actor: Actor) -> RequestOptions | None:
    """What to ask of one's own passkeys in a session under way; None where one has none."""
    with context.reading(actor) as session:
        mine = passkeys_of(session, actor.ref)
        if not mine or actor.session_id is None:
            return None
        return ceremonies.request_options(context, "confirm", actor.session_id, [_credential_id(row) for row in mine])


def confirm(context: Context, actor: Actor, answer: Assertion) -> None:
    """Show in one's session that one is there: as the second factor after the password, or again before a dangerous act.

    Raises:
        NotSignedIn: not a passkey of one's own, or the answer does not hold.
    """
    number = require_session(actor)
    if actor.standing is Standing.SETUP:
        raise NotSignedIn("session")
    with context.writing(actor) as session:
        row = _known(session, answer)
        if row.person != actor.ref:
            raise NotSignedIn("passkey")
        counter = ceremonies.asserted(session, context, answer, row.credential, "confirm", number)
        alright = _counted(session, context, row, counter)
        if alright:
            show_in_session(session, context, actor, Way.PASSKEY)
    if not alright:
        raise NotSignedIn("passkey")


def show_in_session(session: Session, context: Context, actor: Actor, way: Way) -> None:
    """The person behind a session has shown who they are; half a session becomes a whole one."""
    row = find(session, WebSession, actor.session_id, "session")
    if actor.standing is not Standing.FULL:
        row.way = str(way)
    row.confirmed = context.now()
    note(session, context, actor, Tag.PERSON_CONFIRMED, "person", actor.ref, details={"way": str(way)})


def create_options(context: Context, actor: Actor) -> CreateOptions | None:
    """What to ask of an authenticator that shall make a passkey; None where this service's address allows none."""
    require_person(actor, setup=True)
    number = require_session(actor)
    with context.reading(actor) as session:
        person = find(session, Person, actor.ref, "person")
        return _create_options(session, context, person, "register", number)


def register(context: Context, actor: Actor, command: Register) -> PasskeyView:
    """Register a passkey of one's own, in a session, after having lately shown who one is.

    Raises:
        NotSignedIn: the answer does not hold.
        ConfirmationNeeded, SecondFactorNeeded.
        Duplicate: it is registered already.
        Conflict: this service's address allows no passkeys, or one has too many.
    """
    require_person(actor, setup=True)
    require_recent(actor)
    number = require_session(actor)
    with context.writing(actor) as session:
        row = _take(session, context, actor, command, "register", number)
        if actor.standing is Standing.SETUP:
            show_in_session(session, context, actor, Way.PASSKEY)
        return passkey_view(row)


def remove(context: Context, actor: Actor, passkey: str) -> None:
    """Remove one of one's own passkeys.

    Raises:
        NotFound.
        Conflict: nothing would be left to sign in with.
    """
    require_person(actor)
    require_recent(actor)
    with context.writing(actor) as session:
        row = find(session, Passkey, passkey, "passkey")
        if row.person != actor.ref or row.removed is not None:
            raise NotFound("passkey", passkey)
        row.removed = context.now()
        session.flush()
        person = find(session, Person, actor.ref, "person")
        linked = sa.select(Identity.id).where(Identity.person == actor.ref, Identity.removed.is_(None))
        if person.password_hash is None and not passkeys_of(session, actor.ref) and session.scalar(linked) is None:
            raise Conflict("It is the only thing you sign in with. Register another passkey first.")
        note(session, context, actor, Tag.PASSKEY_REMOVED, "passkey", row.id)


def welcome_options(context: Context, secret: str) -> CreateOptions | None:
    """As `create_options`, for whoever holds a one-time link. Raises `NotSignedIn`."""
    with context.reading() as session:
        _, person = live_link(session, context, secret)
        if has_factors(session, person.ref):
            return None
        return _create_options(session, context, person, "welcome", digest_of_secret(secret))


def welcome(context: Context, secret: str, command: Register, label: str) -> SignedIn:
    """Spend a one-time link by registering a passkey instead of setting a password.

    Raises:
        NotSignedIn: the link is unknown, expired or used, or the answer does not hold.
        Conflict: the person has something to sign in with already, or this service's address allows no passkeys.
    """
    with context.writing() as session:
        link, person = live_link(session, context, secret)
        if has_factors(session, person.ref):
            raise Conflict("You have something to sign in with already; ask an administrator to reset it first.")
        actor = Actor(person.ref, "person")
        link.used = context.now()
        _take(session, context, actor, command, "welcome", digest_of_secret(secret))
        note(session, context, actor, Tag.LINK_USED, "person", person.ref)
        return open_session(session, context, person, label, Way.LINK_PASSKEY)


def _create_options(
    session: Session, context: Context, person: Person, purpose: ceremonies.Purpose, who: str
) -> CreateOptions | None:
    present = [_credential_id(row) for row in passkeys_of(session, person.ref)]
    return ceremonies.create_options(context, purpose, who, user=(person.ref, person.login), exclude=present)


def _take(
    session: Session, context: Context, actor: Actor, command: Register, purpose: ceremonies.Purpose, who: str
) -> Passkey:
    label = required("label", command.label, most=100)
    made = ceremonies.created(session, context, command.answer, purpose, who, SIGN_IN_ALGORITHMS)
    digest = _digest(made.credential_id)
    if session.scalar(sa.select(Passkey.id).where(Passkey.credential_sha256 == digest)) is not None:
        raise Duplicate("passkey", "credential")
    if len(passkeys_of(session, actor.ref)) >= MOST:
        raise Conflict(f"You have {MOST} passkeys; remove one first.")
    row = Passkey(
        id=next_number(session, "passkey"),
        person=actor.ref,
        credential_sha256=digest,
        credential=made.data,
        label=label,
        sign_count=made.sign_count,
        synced=made.synced,
        created=context.now(),
    )
    session.add(row)
    session.flush()
    note(session, context, actor, Tag.PASSKEY_REGISTERED, "passkey", row.id, details={"synced": row.synced})
    return row


def _known(session: Session, answer: Assertion) -> Passkey:
    wanted = sa.select(Passkey).where(
        Passkey.credential_sha256 == _digest(answer.credential_id), Passkey.removed.is_(None)
    )
    row = session.scalar(wanted.with_for_update())
    if row is None:
        raise NotSignedIn("passkey")
    return row


def _counted(session: Session, context: Context, row: Passkey, counter: int) -> bool:
    """Whether the authenticator's counter went on (WebAuthn, 6.1.1); one that keeps none always says 0."""
    if (counter or row.sign_count) and counter <= row.sign_count:
        details = {"known": row.sign_count, "said": counter}
        note(session, context, SYSTEM, Tag.PASSKEY_COUNTER_BACK, "passkey", row.id, details=details)
        return False
    row.sign_count, row.last_used = counter, context.now()
    return True


def _credential_id(row: Passkey) -> bytes:
    """The id within attested credential data: 16 bytes of model, 2 of length, then the id (WebAuthn, 6.5.2)."""
    length = int.from_bytes(row.credential[16:18], "big")
    return row.credential[18 : 18 + length]


def _digest(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()
