"""Signing in by password (argon2id) and code, server-side sessions, scoped API tokens, one-time links.

Secrets are 256 random bits shown once; only their SHA-256 is stored. Failures say nothing about which part was wrong, and cost
the same time whether or not the login name exists. Sign-in attempts are limited per login name and per address by rows in the
database, so that several processes share one count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission, Role
from inventory.domain.scopes import narrowed
from inventory.domain.signin import Standing, Way, is_recent, standing
from inventory.errors import Invalid, NotFound, NotSignedIn
from inventory.events import Tag
from inventory.models import ApiToken, DirectoryRow, OneTimeLink, Person, Site, Team, WebSession

from . import attempts, passwords
from .context import SYSTEM, Actor, Context, require_person, require_recent
from .factors import check_code, factors_count, has_factors
from .kernel import digest_of_secret, find, new_secret, next_number, note, required
from .people import end_sessions, known_ids, person_view, scope_of_person, view_of
from .views import ApiTokenView, PersonView, SessionView


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Login name and password, with where the attempt came from."""

    login: str
    password: str
    address: str
    """Client address, for the rate limit; not kept with the session."""
    label: str = ""
    """User agent, cut to 200 characters."""
    code: str = ""
    """Of the authenticator app, or a recovery code; may be shown afterwards instead."""


@dataclass(frozen=True)
class SignedIn:
    """A fresh session."""

    secret: str
    """Goes into the cookie; never shown again."""
    session: SessionView
    person: PersonView


@dataclass(frozen=True)
class Caller:
    """Who is behind a session or token, and under which session."""

    actor: Actor
    person: PersonView
    session: SessionView | None
    token: ApiTokenView | None


@dataclass(frozen=True, kw_only=True)
class UseLink:
    """Set the first (or a new) password through a one-time link."""

    secret: str
    password: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class CreateToken:
    """An API token for oneself."""

    name: str
    roles: frozenset[Role]
    """A subset of one's own."""
    lifetime: timedelta = timedelta(days=90)
    sites: frozenset[str] = frozenset()
    """Narrows it to these of one's own sites; none: no further than oneself."""
    teams: frozenset[str] = frozenset()


_BEHIND_SESSION: Final = (
    sa.select(WebSession, Person, DirectoryRow, factors_count(WebSession.person))
    .join(Person, Person.ref == WebSession.person)
    .outerjoin(DirectoryRow, DirectoryRow.ref == WebSession.person)
    .where(WebSession.secret_sha256 == sa.bindparam("secret"))
)
_BEHIND_TOKEN: Final = (
    sa.select(ApiToken, Person, DirectoryRow)
    .join(Person, Person.ref == ApiToken.person)
    .outerjoin(DirectoryRow, DirectoryRow.ref == ApiToken.person)
    .where(ApiToken.secret_sha256 == sa.bindparam("secret"))
)
"""Asked once for each request, by one statement: who it is, and what they have to show."""


def sign_in(context: Context, command: SignIn) -> SignedIn:
    """Check a password, and a code where one came along, and open a session; half a one where something is still to be shown.

    Raises:
        NotSignedIn: name or password wrong, or the account is disabled; or the code is wrong.
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    ref = prove_password(context, command.login, command.password, command.address)
    with context.writing() as session:
        person = None if ref is None else session.get(Person, ref)
        if person is None or not person.enabled:
            raise NotSignedIn("password")
        way = check_code(session, context, person, command.code) if command.code.strip() else Way.PASSWORD
        signed_in = None if way is None else open_session(session, context, person, command.label, way)
    if signed_in is None:
        raise NotSignedIn("code")
    return signed_in


def prove_password(context: Context, login: str, password: str, address: str) -> str | None:
    """Whose login name and password these are; None where they are nobody's.

    Raises:
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    login = login.strip().lower()[:64]
    keys = (attempts.key("login", login), attempts.key("address", address))
    with context.writing() as session:
        attempts.limit(session, context, keys, context.settings.sign_in_attempts)
        # Written before the password is looked at, so that parallel attempts are counted, too.
        made = attempts.count(session, context, keys)
        person = session.scalar(sa.select(Person).where(Person.login == login))
        stored = person.password_hash if person is not None and person.enabled else None
    good = passwords.matches(password, stored)
    with context.writing() as session:
        person = session.scalar(sa.select(Person).where(Person.login == login))
        if not good or person is None or not person.enabled or person.password_hash != stored:
            if person is not None:
                note(session, context, SYSTEM, Tag.PERSON_SIGN_IN_REFUSED, "person", person.ref)
            return None
        attempts.forgive(session, keys[0], made)
        return person.ref


def peek_link(context: Context, secret: str) -> PersonView:
    """Whose link this is, without using it (for the page that asks for the password). Raises `NotSignedIn`."""
    with context.reading() as session:
        _, person = live_link(session, context, secret)
        return person_view(session, person, directory=True)


def use_link(context: Context, command: UseLink) -> SignedIn:
    """Spend a one-time link: set the password, end all other sessions, sign in.

    Raises:
        NotSignedIn: unknown, expired or used.
        Invalid: the password is not acceptable.
    """
    with context.reading() as session:
        _, person = live_link(session, context, command.secret)
        passwords.check_acceptable(command.password, person.login)
    fresh = passwords.hash_password(command.password)
    with context.writing() as session:
        link, person = live_link(session, context, command.secret)
        link.used = context.now()
        person.password_hash = fresh
        end_sessions(session, context, person.ref)
        who = Actor(person.ref, "person")
        note(session, context, who, Tag.LINK_USED, "person", person.ref)
        note(session, context, who, Tag.PERSON_PASSWORD_SET, "person", person.ref)
        return open_session(session, context, person, command.label, Way.LINK)


def caller_for_session(context: Context, secret: str) -> Caller:
    """Who is behind a session cookie; refreshes its idle time (at most one write a minute). Raises `NotSignedIn`."""
    now = context.now()
    with context.reading() as session:
        found = session.execute(_BEHIND_SESSION, {"secret": digest_of_secret(secret)}).one_or_none()
        if found is None:
            raise NotSignedIn("session")
        row, person, directory, factors = found
        if (
            row.ended is not None
            or row.expires <= now
            or row.last_seen + context.settings.session_idle <= now
            or not person.enabled
        ):
            raise NotSignedIn("session")
        roles = frozenset(Role(role) for role in person.roles)
        worth = _worth(context, row, factors=factors)
        actor = Actor(
            person.ref, "person", roles if worth is Standing.FULL else frozenset(), session_id=row.id, standing=worth,
            recent=is_recent(row.confirmed, now, context.settings.confirm_window), scope=scope_of_person(person),
        )  # fmt: skip
        caller = Caller(actor, view_of(person, directory), _session_view(row, worth), None)
    if now - row.last_seen > timedelta(minutes=1):
        _note(
            context,
            sa.update(WebSession).where(WebSession.id == row.id, WebSession.last_seen < now).values(last_seen=now),
        )
    return caller


def _note(context: Context, seen: sa.Update) -> None:
    """When somebody was last here: a reader never waits for the writer's turn because a minute is over (ADR 0044)."""
    with context.database.beside() as session:
        session.execute(seen)


def whose(context: Context, secret: str) -> str | None:
    """Whose session this is or was; None where nobody knows. It opens nothing."""
    with context.reading() as session:
        return session.scalar(sa.select(WebSession.person).where(WebSession.secret_sha256 == digest_of_secret(secret)))


def caller_for_token(context: Context, secret: str) -> Caller:
    """Who is behind a bearer token; roles are those of the token that the person still has. Raises `NotSignedIn`."""
    now = context.now()
    with context.reading() as session:
        found = session.execute(_BEHIND_TOKEN, {"secret": digest_of_secret(secret)}).one_or_none()
        if found is None:
            raise NotSignedIn("token")
        row, person, directory = found
        if row.revoked is not None or row.expires <= now or not person.enabled:
            raise NotSignedIn("token")
        roles = frozenset(Role(role) for role in row.roles if role in person.roles)
        view = view_of(person, directory)
        scope = scope_of_person(person).within(narrowed(row.sites, row.teams))
        caller = Caller(Actor(person.ref, "person", roles, scope=scope), view, None, token_view(row))
    if row.last_used is None or now - row.last_used > timedelta(minutes=1):
        later = sa.or_(ApiToken.last_used.is_(None), ApiToken.last_used < now)
        _note(context, sa.update(ApiToken).where(ApiToken.id == row.id, later).values(last_used=now))
    return caller


def sign_out(context: Context, secret: str) -> None:
    """End a session; unknown ones are ignored."""
    with context.writing() as session:
        row = session.scalar(sa.select(WebSession).where(WebSession.secret_sha256 == digest_of_secret(secret)))
        if row is not None and row.ended is None:
            row.ended = context.now()
            note(session, context, Actor(row.person, "person"), Tag.PERSON_SIGNED_OUT, "person", row.person)


def list_sessions(context: Context, actor: Actor) -> tuple[SessionView, ...]:
    """One's own live sessions, newest first."""
    require_person(actor)
    now = context.now()
    live = (
        WebSession.person == actor.ref,
        WebSession.ended.is_(None),
        WebSession.expires > now,
        WebSession.last_seen > now - context.settings.session_idle,
    )
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(WebSession).where(*live).order_by(WebSession.created.desc()))
        return tuple(_session_view(row, standing_of(session, context, row)) for row in rows)


def end_session(context: Context, actor: Actor, session_id: str) -> None:
    """End one of one's own sessions. Raises `NotFound`."""
    require_person(actor)
    with context.writing(actor) as session:
        row = find(session, WebSession, session_id, "session")
        if row.person != actor.ref:
            raise NotFound("session", session_id)
        if row.ended is None:
            row.ended = context.now()
            note(session, context, actor, Tag.PERSON_SIGNED_OUT, "person", actor.ref)


def create_token(context: Context, actor: Actor, command: CreateToken) -> tuple[ApiTokenView, str]:
    """Create an API token; the second value is its secret (`strl_…`), shown once.

    Raises:
        Invalid: roles one does not have, or a lifetime outside 1 minute to 366 days.
    """
    require_person(actor)
    require_recent(actor)
    name = required("name", command.name, most=100)
    if not command.roles or not command.roles <= actor.roles:
        raise Invalid("roles", "A token has at least one role, and only roles you hold yourself.")
    if not timedelta(minutes=1) <= command.lifetime <= timedelta(days=366):
        raise Invalid("lifetime", "A token lives between one minute and 366 days.")
    secret = f"strl_{new_secret()[0]}"
    now = context.now()
    with context.writing(actor) as session:
        whole = scope_of_person(session.get_one(Person, actor.ref))
        row = ApiToken(
            id=next_number(session, "token"),
            secret_sha256=digest_of_secret(secret),
            person=actor.ref,
            name=name,
            roles=sorted(command.roles),
            created=now,
            expires=now + command.lifetime,
            sites=_own(session, Site, "sites", command.sites, actor.scope.sites, whole.sites),
            teams=_own(session, Team, "teams", command.teams, actor.scope.teams, whole.teams),
        )
        session.add(row)
        session.flush()
        details = {"roles": row.roles, "sites": row.sites, "teams": row.teams}
        note(session, context, actor, Tag.TOKEN_CREATED, "token", row.id, details=details)
        return token_view(row), secret


def _own(
    session: Session,
    model: type[Site | Team],
    field: str,
    wanted: frozenset[str],
    mine: frozenset[str] | None,
    whole: frozenset[str] | None,
) -> list[str]:
    """These numbers, where one sees them oneself; a token made with a narrowed one is as narrow. Raises `Invalid`."""
    if mine is not None and mine != whole:
        wanted = wanted or mine
        if not wanted:
            raise Invalid(field, "The token you act with sees nothing here, so neither would the new one.")
    if mine is not None and not wanted <= mine:
        raise Invalid(field, f"A token sees only {field} you see yourself.")
    return known_ids(session, model, field, wanted)


def list_tokens(context: Context, actor: Actor) -> tuple[ApiTokenView, ...]:
    """One's own tokens, newest first."""
    require_person(actor)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(ApiToken).where(ApiToken.person == actor.ref).order_by(ApiToken.id.desc()))
        return tuple(token_view(row) for row in rows)


def revoke_token(context: Context, actor: Actor, token_id: str) -> None:
    """Revoke one's own token, or anybody's with `people.manage`. Raises `NotFound`."""
    require_person(actor)
    with context.writing(actor) as session:
        row = find(session, ApiToken, token_id, "token")
        if row.person != actor.ref and not actor.may(Permission.PEOPLE_MANAGE):
            raise NotFound("token", token_id)
        if row.revoked is None:
            row.revoked = context.now()
            note(session, context, actor, Tag.TOKEN_REVOKED, "token", row.id)


def live_link(session: Session, context: Context, secret: str) -> tuple[OneTimeLink, Person]:
    """The link and whose it is. Raises `NotSignedIn` where it is unknown, expired or used."""
    link = session.get(OneTimeLink, digest_of_secret(secret))
    if link is None or link.used is not None or link.expires <= context.now():
        raise NotSignedIn("link")
    person = session.get_one(Person, link.person)
    if not person.enabled:
        raise NotSignedIn("link")
    return link, person


def open_session(session: Session, context: Context, person: Person, label: str, way: Way) -> SignedIn:
    """A fresh session; how the person came in decides what it is worth."""
    secret, digest = new_secret()
    now = context.now()
    row = WebSession(
        id=next_number(session, "session"),
        secret_sha256=digest,
        person=person.ref,
        label="".join(char for char in label if char.isprintable())[:200],
        created=now,
        last_seen=now,
        expires=now + context.settings.session_absolute,
        way=str(way),
        confirmed=now,
    )
    session.add(row)
    actor = Actor(person.ref, "person")
    note(session, context, actor, Tag.PERSON_SIGNED_IN, "person", person.ref, details={"way": str(way)})
    session.flush()
    view = _session_view(row, standing_of(session, context, row))
    return SignedIn(secret, view, person_view(session, person, directory=True))


def standing_of(session: Session, context: Context, row: WebSession) -> Standing:
    """What a session is worth at present."""
    return _worth(context, row, factors=has_factors(session, row.person))


def _worth(context: Context, row: WebSession, *, factors: bool) -> Standing:
    demanded = context.settings.second_factor == "required"
    return standing(Way(row.way), factors=factors, demanded=demanded)


def _session_view(row: WebSession, worth: Standing) -> SessionView:
    return SessionView(
        id=row.id, person=row.person, created=row.created, last_seen=row.last_seen, expires=row.expires,
        label=row.label, way=Way(row.way), standing=worth, confirmed=row.confirmed,
    )  # fmt: skip


def token_view(row: ApiToken) -> ApiTokenView:
    """A token as its owner sees it, without its secret."""
    return ApiTokenView(
        id=row.id,
        person=row.person,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles),
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
        revoked=row.revoked,
        sites=tuple(row.sites),
        teams=tuple(row.teams),
    )
