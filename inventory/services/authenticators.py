"""Authenticator apps (RFC 6238) and recovery codes: set up, shown after the password, removed."""

from __future__ import annotations

import base64
import secrets

import sqlalchemy as sa

from inventory.domain.signin import SECRET_BYTES, Standing, Way, enrolment_address, matching_step
from inventory.errors import Conflict, NotSignedIn
from inventory.events import Tag
from inventory.models import Authenticator, Person

from . import attempts, passwords
from .context import Actor, Context, require_person, require_recent, require_session
from .factors import authenticator_of, check_code, has_factors, make_recovery_codes, open_secret, passkeys_of
from .kernel import find, note
from .passkeys import show_in_session
from .sessions import prove_password
from .views.signin import AuthenticatorSecret


def begin(context: Context, actor: Actor) -> AuthenticatorSecret:
    """A fresh secret for an app; it counts once its first code was shown. An earlier unconfirmed one is thrown away.

    Raises:
        Conflict: an app counts already; remove it first.
        ConfirmationNeeded, SecondFactorNeeded.
    """
    require_person(actor, setup=True)
    require_recent(actor)
    secret = secrets.token_bytes(SECRET_BYTES)
    with context.writing(actor) as session:
        person = find(session, Person, actor.ref, "person")
        row = session.get(Authenticator, actor.ref)
        if row is not None and row.confirmed is not None:
            raise Conflict("An authenticator app counts already; remove it first.")
        if row is None:
            row = Authenticator(person=actor.ref, secret=b"", created=context.now())
            session.add(row)
        row.secret = context.secrets.authenticators.seal(secret, f"authenticator {actor.ref}")
        row.created, row.last_step = context.now(), None
        return _shown(context, person, secret)


def pending(context: Context, actor: Actor) -> AuthenticatorSecret | None:
    """The secret that waits for its first code, for the page that shows it once more; None where none waits."""
    require_person(actor, setup=True)
    with context.reading(actor) as session:
        row = session.get(Authenticator, actor.ref)
        if row is None or row.confirmed is not None:
            return None
        return _shown(context, find(session, Person, actor.ref, "person"), open_secret(context, row))


def confirm(context: Context, actor: Actor, code: str) -> tuple[str, ...]:
    """Show the first code of a new app; from then on it counts. Returns fresh recovery codes, shown once.

    Raises:
        NotSignedIn: the code does not fit.
        Conflict: no app waits for its first code.
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    require_person(actor, setup=True)
    require_recent(actor)
    codes: tuple[str, ...] = ()
    with context.writing(actor) as session:
        counted = attempts.key("code", actor.ref)
        attempts.limit(session, context, [counted], attempts.CODES_IN_WINDOW, attempts.CODE_WINDOW)
        row = session.scalar(sa.select(Authenticator).where(Authenticator.person == actor.ref).with_for_update())
        if row is None or row.confirmed is not None:
            raise Conflict("No authenticator app waits for its first code; begin again.")
        step = matching_step(open_secret(context, row), "".join(code.split()), context.now(), None)
        if step is None:
            attempts.count(session, context, [counted])
        else:
            row.confirmed, row.last_step = context.now(), step
            note(session, context, actor, Tag.AUTHENTICATOR_CONFIRMED, "person", actor.ref)
            codes = make_recovery_codes(session, context, actor)
            if actor.standing is Standing.SETUP:
                show_in_session(session, context, actor, Way.PASSWORD_CODE)
    if not codes:
        raise NotSignedIn("code")
    return codes


def remove(context: Context, actor: Actor) -> None:
    """Remove the app and its recovery codes.

    Raises:
        Conflict: there is none, or a second factor is demanded here and no passkey would be left.
    """
    require_person(actor)
    require_recent(actor)
    with context.writing(actor) as session:
        row = authenticator_of(session, actor.ref, lock=True)
        if row is None:
            raise Conflict("There is no authenticator app to remove.")
        if context.settings.second_factor == "required" and not passkeys_of(session, actor.ref):
            raise Conflict("A second factor is demanded here: register a passkey before you remove the app.")
        session.delete(row)
        note(session, context, actor, Tag.AUTHENTICATOR_REMOVED, "person", actor.ref)


def new_recovery_codes(context: Context, actor: Actor) -> tuple[str, ...]:
    """Fresh recovery codes; earlier ones are good no more.

    Raises:
        Conflict: there is no second factor to recover.
    """
    require_person(actor)
    require_recent(actor)
    with context.writing(actor) as session:
        if not has_factors(session, actor.ref):
            raise Conflict("There is no second factor to recover: set up a passkey or an authenticator app first.")
        return make_recovery_codes(session, context, actor)


def show_code(context: Context, actor: Actor, code: str) -> None:
    """Show the second factor in a session that a password has opened.

    Raises:
        NotSignedIn: the code is wrong.
        Conflict: the session waits for none.
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    require_session(actor)
    if actor.standing is not Standing.CODE:
        raise Conflict("This session waits for no second factor.")
    with context.writing(actor) as session:
        way = check_code(session, context, find(session, Person, actor.ref, "person"), code)
        if way is not None:
            show_in_session(session, context, actor, way)
    if way is None:
        raise NotSignedIn("code")


def confirm_password(context: Context, actor: Actor, password: str, code: str, address: str) -> None:
    """Show again who one is, in a session under way: the password, and a code where an app counts.

    Raises:
        NotSignedIn: the password or the code is wrong.
        Conflict: one has a passkey and no app: the passkey must be shown.
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    require_person(actor, setup=True)
    require_session(actor)
    with context.reading(actor) as session:
        login = find(session, Person, actor.ref, "person").login
        app = authenticator_of(session, actor.ref) is not None
        if not app and passkeys_of(session, actor.ref):
            raise Conflict("You sign in with a passkey; show that.")
    if len(password) > passwords.MOST or prove_password(context, login, password, address) != actor.ref:
        raise NotSignedIn("password")
    with context.writing(actor) as session:
        way = check_code(session, context, find(session, Person, actor.ref, "person"), code) if app else Way.PASSWORD
        if way is not None:
            show_in_session(session, context, actor, way)
    if way is None:
        raise NotSignedIn("code")


def _shown(context: Context, person: Person, secret: bytes) -> AuthenticatorSecret:
    text = base64.b32encode(secret).decode("ascii")
    return AuthenticatorSecret(
        secret=text, address=enrolment_address(text, person.login, context.settings.organisation.name)
    )
