"""Accounts: pseudonyms everywhere, names in a directory row that can be erased without breaking one proof."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission, Role, incompatible
from inventory.domain.scopes import Scope, scope_of
from inventory.errors import Conflict, Duplicate, Invalid, NotSignedIn
from inventory.events import Tag
from inventory.models import ApiToken, DirectoryRow, OneTimeLink, Person, Site, Team, WebSession
from reports.language import LANGUAGES

from . import passwords
from ._reach import REACH, Reach, reach_of
from ._scope import require_unlimited
from .context import Actor, Context, authorize, require_person
from .kernel import check_version, find, new_secret, note, optional, required
from .views import Known, OneTimeLinkView, PersonView

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_PSEUDONYM = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without letters and digits that people mix up."""
_NAMED: Final = (DirectoryRow.ref.label("named"), DirectoryRow.name, DirectoryRow.title, DirectoryRow.contact)
"""What the directory has of somebody; all nothing where it has no row."""


@dataclass(frozen=True, kw_only=True)
class CreatePerson:
    """A new person, without a password: the one-time link in the answer lets them set it."""

    login: str
    """3 to 64 of `a-z 0-9 . _ -`, unique."""
    name: str
    title: str
    contact: str
    roles: frozenset[Role]
    everywhere: bool = False
    """Sees everything, by name; otherwise what the role needs, or what sites and teams give."""
    sites: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SetRoles:
    """Replace a person's roles."""

    person: str
    roles: frozenset[Role]
    version: int | None = None
    """The version that was read (If-Match); None: whatever it is now."""


@dataclass(frozen=True, kw_only=True)
class UpdateDirectory:
    """Correct name, title or contact."""

    person: str
    name: str
    title: str
    contact: str


@dataclass(frozen=True, kw_only=True)
class ChangePassword:
    """One's own password."""

    current: str
    new: str


def create_person(context: Context, actor: Actor, command: CreatePerson) -> tuple[PersonView, OneTimeLinkView]:
    """Create a person and the link that lets them in. Permission `people.manage`.

    Raises:
        Invalid: login name malformed, or roles that exclude each other.
        Duplicate: the login name is taken.
    """
    _manage(actor)
    check_roles(command.roles)
    with context.writing(actor) as session:
        person = add_person(session, context, actor, command)
        link = make_link(session, context, actor, person)
        return person_view(session, person, directory=True), link


def add_person(session: Session, context: Context, actor: Actor, command: CreatePerson) -> Person:
    """Insert a person with their directory row."""
    login = command.login.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Invalid("login", "A login name has 3 to 64 of a-z, 0-9, dot, underscore and hyphen.")
    if session.scalar(sa.select(Person.ref).where(Person.login == login)) is not None:
        raise Duplicate("person", "login name")
    person = Person(
        ref=f"p-{''.join(secrets.choice(_PSEUDONYM) for _ in range(10))}",
        login=login,
        roles=sorted(command.roles),
        everywhere=command.everywhere,
        sites=known_ids(session, Site, "sites", command.sites),
        teams=known_ids(session, Team, "teams", command.teams),
        enabled=True,
        created=context.now(),
    )
    session.add(person)
    session.flush()
    session.add(
        DirectoryRow(
            ref=person.ref,
            name=required("name", command.name, most=200),
            title=optional("title", command.title, most=200),
            contact=optional("contact", command.contact, most=200),
        )
    )
    details = {"roles": person.roles, "everywhere": person.everywhere, "sites": person.sites, "teams": person.teams}
    note(session, context, actor, Tag.PERSON_CREATED, "person", person.ref, details=details)
    return person


def known_ids(session: Session, model: type[Site | Team], field: str, wanted: frozenset[str]) -> list[str]:
    """These numbers in order, where all of them exist. Raises `Invalid`."""
    found = set(session.scalars(sa.select(model.id).where(model.id.in_(sorted(wanted)))))
    for missing in sorted(wanted - found):
        raise Invalid(field, f"There is no {field.removesuffix('s')} {missing[:32]!r}.")
    return sorted(wanted)


def make_link(session: Session, context: Context, actor: Actor, person: Person) -> OneTimeLinkView:
    """A fresh link; earlier unused ones die."""
    now = context.now()
    session.execute(
        sa.update(OneTimeLink).where(OneTimeLink.person == person.ref, OneTimeLink.used.is_(None)).values(used=now)
    )
    secret, digest = new_secret()
    expires = now + timedelta(seconds=context.settings.link_seconds)
    session.add(OneTimeLink(secret_sha256=digest, person=person.ref, created=now, expires=expires))
    note(session, context, actor, Tag.LINK_CREATED, "person", person.ref)
    return OneTimeLinkView(person=person.ref, secret=secret, path=f"/welcome/{secret}", expires=expires)


def set_roles(context: Context, actor: Actor, command: SetRoles) -> PersonView:
    """Replace a person's roles. Permission `people.manage`. The last enabled administrator keeps the role.

    Raises:
        NotFound, StaleVersion.
        Invalid: roles that exclude each other (governance, section 5).
        Conflict: it would leave no administrator.
    """
    _manage(actor)
    check_roles(command.roles)
    with context.writing(actor) as session:
        person = find(session, Person, command.person, "person")
        check_version(f"Person {person.ref}", person.version, command.version)
        before = list(person.roles)
        person.roles = sorted(command.roles)
        session.flush()
        _keep_an_administrator(session)
        details = {"before": before, "after": person.roles}
        note(session, context, actor, Tag.PERSON_ROLES_SET, "person", person.ref, details=details)
        return person_view(session, person, directory=True)


def set_language(context: Context, actor: Actor, language: str | None) -> None:
    """Choose the language of one's own console; None leaves it to the browser. A taste, so no event tells of it.

    Raises:
        NotFound.
        Invalid: the console is not printed in that language.
    """
    if language is not None and language not in LANGUAGES:
        raise Invalid("language", "The console does not speak this language.")
    with context.writing(actor) as session:
        find(session, Person, actor.ref, "person").language = language


def set_enabled(context: Context, actor: Actor, person: str, *, enabled: bool) -> PersonView:
    """Disable (ending every session and token at once) or enable a person. Permission `people.manage`.

    Raises:
        NotFound.
        Conflict: it would leave no administrator.
    """
    _manage(actor)
    with context.writing(actor) as session:
        row = find(session, Person, person, "person")
        if row.enabled == enabled:
            return person_view(session, row, directory=True)
        row.enabled = enabled
        session.flush()
        if not enabled:
            _keep_an_administrator(session)
            _lock_out(session, context, row.ref)
        tag = Tag.PERSON_ENABLED if enabled else Tag.PERSON_DISABLED
        note(session, context, actor, tag, "person", row.ref)
        return person_view(session, row, directory=True)


def new_link(context: Context, actor: Actor, person: str) -> OneTimeLinkView:
    """A fresh one-time link for somebody who lost their password; earlier unused links die. Permission `people.manage`."""
    _manage(actor)
    with context.writing(actor) as session:
        row = find(session, Person, person, "person")
        if not row.enabled:
            raise Conflict("This person is disabled; enable the account first.")
        return make_link(session, context, actor, row)


def update_directory(context: Context, actor: Actor, command: UpdateDirectory) -> PersonView:
    """Correct a directory row. Permission `people.manage`."""
    _manage(actor)
    with context.writing(actor) as session:
        person = find(session, Person, command.person, "person")
        row = session.get(DirectoryRow, person.ref) or DirectoryRow(ref=person.ref, name="", title="", contact="")
        row.name = required("name", command.name, most=200)
        row.title = optional("title", command.title, most=200)
        row.contact = optional("contact", command.contact, most=200)
        session.add(row)
        session.flush()
        return person_view(session, person, directory=True)


def erase_directory(context: Context, actor: Actor, person: str, reason: str) -> PersonView:
    """Erase name, title and contact; the pseudonym and every proof stay. Permission `people.manage`.

    Raises:
        Conflict: the person is still enabled.
    """
    _manage(actor)
    with context.writing(actor) as session:
        row = find(session, Person, person, "person")
        if row.enabled:
            raise Conflict("Disable the person first: whoever works here must be named.")
        session.execute(sa.delete(DirectoryRow).where(DirectoryRow.ref == row.ref))
        row.login = f"erased-{row.ref}"
        note(session, context, actor, Tag.PERSON_DIRECTORY_ERASED, "person", row.ref, reason=required("reason", reason))
        session.flush()
        return person_view(session, row, directory=True)


def change_password(context: Context, actor: Actor, command: ChangePassword) -> None:
    """Change one's own password; every other session ends.

    Raises:
        NotSignedIn: the current password is wrong.
        Invalid: the new one is shorter than 12 characters, longer than 256, or contains the login name.
    """
    require_person(actor)
    with context.reading(actor) as session:
        person = find(session, Person, actor.ref, "person")
        login, stored = person.login, person.password_hash
    if not passwords.matches(command.current, stored):
        raise NotSignedIn("password")
    passwords.check_acceptable(command.new, login)
    fresh = passwords.hash_password(command.new)
    with context.writing(actor) as session:
        person = find(session, Person, actor.ref, "person")
        person.password_hash = fresh
        end_sessions(session, context, person.ref, but=actor.session_id)
        note(session, context, actor, Tag.PERSON_PASSWORD_SET, "person", person.ref)


def list_people(context: Context, actor: Actor) -> tuple[PersonView, ...]:
    """Everybody, by login name, as this reader may know them (`for_reader`); permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        own = [column for column in Person.__table__.c if column.name not in {"roles", "everywhere", "sites", "teams"}]
        columns = sa.select(*own, *REACH, *_NAMED).outerjoin(DirectoryRow, DirectoryRow.ref == Person.ref)
        rows: Sequence[Any] = session.execute(columns.order_by(Person.login)).all()
    views = tuple(
        view_of(row, row if row.named else None, reach_of(row.roles, row.everywhere, row.sites, row.teams))
        for row in rows
    )
    return views if actor.may(Permission.READ_DIRECTORY) else tuple(for_reader(actor, view) for view in views)


def enabled(context: Context, actor: Actor) -> tuple[str, ...]:
    """The pseudonyms of everybody who may sign in, by login name. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return tuple(session.scalars(sa.select(Person.ref).where(Person.enabled).order_by(Person.login)))


def names_by_ref(context: Context, actor: Actor) -> dict[str, Known]:
    """Pseudonym -> how this reader may know the person; permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        named = DirectoryRow.name if _may_name(actor) else sa.null()
        both = sa.select(Person.ref, sa.func.coalesce(named, Person.login), Person.login)
        rows = session.execute(both.outerjoin(DirectoryRow, DirectoryRow.ref == Person.ref)).all()
    borne = Counter(name for _, name, _ in rows)
    return {ref: Known(name if borne[name] == 1 else f"{name} ({login})", login) for ref, name, login in rows}


def person(context: Context, actor: Actor, ref: str) -> PersonView:
    """One person as this reader may know them; oneself always whole. Raises `NotFound`."""
    if ref != actor.ref:
        authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return for_reader(actor, person_view(session, find(session, Person, ref, "person"), directory=True))


def for_reader(actor: Actor, view: PersonView) -> PersonView:
    """Without what is not theirs to see.

    Names are for whoever may read evidence: they decide together, and must know who has signed. Titles and contacts are for
    `directory.read` and for oneself; a reader who decides nothing knows people by their login names.
    """
    if view.ref == actor.ref or actor.may(Permission.READ_DIRECTORY):
        return view
    return replace(view, name=view.name if _may_name(actor) else None, title=None, contact=None)


def _may_name(actor: Actor) -> bool:
    return actor.may(Permission.READ_EVIDENCE) or actor.may(Permission.READ_DIRECTORY)


def person_view(session: Session, person: Person, *, directory: bool) -> PersonView:
    """A person, with the directory row where the reader may see it."""
    return view_of(person, session.get(DirectoryRow, person.ref) if directory else None)


def view_of(
    person: Person | sa.Row[Any], row: DirectoryRow | sa.Row[Any] | None, reach: Reach | None = None
) -> PersonView:
    """The same, of rows that were read already: their classes, or their columns alone; and of a reach that is known."""
    if reach is None:
        roles, sites, teams = map(json.dumps, (person.roles, person.sites, person.teams))
        reach = reach_of(roles, person.everywhere, sites, teams)
    return PersonView(
        ref=person.ref,
        login=person.login,
        name=row.name if row else None,
        title=row.title if row else None,
        contact=row.contact if row else None,
        roles=reach.roles,
        enabled=person.enabled,
        has_password=person.password_hash is not None,
        created=person.created,
        version=person.version,
        everywhere=person.everywhere,
        sites=reach.sites,
        teams=reach.teams,
        sees=reach.sees,
        language=person.language,
    )


def scope_of_person(person: Person) -> Scope:
    """How far somebody sees now."""
    roles = frozenset(Role(role) for role in person.roles)
    return scope_of(roles, everywhere=person.everywhere, sites=person.sites, teams=person.teams)


def check_roles(roles: frozenset[Role]) -> None:
    """Whether one person may hold these. Raises `Invalid`."""
    for one, other in incompatible(roles):
        raise Invalid("roles", f"Nobody may be both {one.replace('_', ' ')} and {other.replace('_', ' ')}.")


def _manage(actor: Actor) -> None:
    authorize(actor, Permission.PEOPLE_MANAGE)
    require_unlimited(actor, "manage people")


def end_sessions(session: Session, context: Context, person: str, *, but: str | None = None) -> None:
    """End every session of a person, except perhaps one."""
    statement = sa.update(WebSession).where(WebSession.person == person, WebSession.ended.is_(None))
    if but is not None:
        statement = statement.where(WebSession.id != but)
    session.execute(statement.values(ended=context.now()))


def _lock_out(session: Session, context: Context, person: str) -> None:
    now = context.now()
    end_sessions(session, context, person)
    session.execute(
        sa.update(ApiToken).where(ApiToken.person == person, ApiToken.revoked.is_(None)).values(revoked=now)
    )
    session.execute(
        sa.update(OneTimeLink).where(OneTimeLink.person == person, OneTimeLink.used.is_(None)).values(used=now)
    )


def _keep_an_administrator(session: Session) -> None:
    people = session.scalars(sa.select(Person).where(Person.enabled))
    if not any(Role.ADMINISTRATOR in person.roles for person in people):
        raise Conflict("Somebody must remain administrator; make another one first.")
