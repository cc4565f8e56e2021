"""Rows about anything but devices held against the database, and taken over: one entry of a table for each subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.import_fields import Field, Problem, Subject, problem
from inventory.domain.import_outcomes import Outcome, Verdict
from inventory.domain.import_subjects import KnownThing, Said, decide_belonging, decide_thing, roles_of
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, HoldingKind, Zone
from inventory.models import DataSet, Device, DirectoryRow, Holding, Host, Location, Party, Person, Site, Team
from inventory.services import data, organisation, people, places
from inventory.services._scope import only, require_unlimited
from inventory.services.context import Actor, Context, authorize

Found = tuple[Any, Problem | None]


PERMISSIONS: Final[Mapping[Subject, Permission]] = {
    Subject.DEVICES: Permission.DEVICE_DECLARE,
    Subject.PLACES: Permission.LOCATION_MANAGE,
    Subject.DATA_SETS: Permission.DATA_SET_MANAGE,
    Subject.HOLDINGS: Permission.DATA_SET_MANAGE,
    Subject.PEOPLE: Permission.PEOPLE_MANAGE,
    Subject.HOSTS: Permission.HOST_MANAGE,
}
"""Whoever may say such a thing one by one may say it by a table."""


def subjects_of(actor: Actor) -> tuple[Subject, ...]:
    """What this actor's tables may be about."""
    return tuple(one for one, permission in PERMISSIONS.items() if actor.may(permission))


def permit(actor: Actor, subject: Subject, *, reading: bool = False) -> None:
    """Whether the actor may say such things. Raises `Forbidden`, `ConfirmationNeeded`."""
    authorize(actor, PERMISSIONS[subject], reading=reading)
    if subject in {Subject.PEOPLE, Subject.HOSTS}:
        require_unlimited(actor, f"say anything about {subject}")


def decide(session: Session, context: Context, actor: Actor, said: Said) -> Verdict:
    """What becomes of a row, as the actor sees the inventory now."""
    return _DECIDE[said.subject](session, context, actor, said)


def take(session: Session, context: Context, actor: Actor, said: Said, line: str) -> str:
    """Take a row over that was decided to be good in this very transaction; the number of what it is about."""
    return _TAKE[said.subject](session, context, actor, said, line)


def _refused(*problems: Problem | None) -> Verdict:
    return Verdict(outcome=Outcome.REFUSED, problems=tuple(one for one in problems if one is not None))


def _named(session: Session, actor: Actor, model: type[Any], one: Field, text: str | None, word: str) -> Found:
    """The row with this number or name, where the actor sees it; or why there is none."""
    if text is None:
        return None, None
    wanted = sa.or_(model.id == text, model.name == text)
    found = session.scalars(sa.select(model).where(wanted, *only(actor, model)).order_by(model.id).limit(2)).all()
    if len(found) == 1:
        return found[0], None
    return None, problem(
        f"{word.replace(' ', '-')}-unknown",
        one,
        f"There is no {word} {text!r}; create it first, or translate it.",
    )


# -- places


def _place(session: Session, context: Context, actor: Actor, said: Said) -> Verdict:
    del context
    party, no_party = _named(session, actor, Party, Field.PARTY, said.facts.get(Field.PARTY), "party")
    site, no_site = _named(session, actor, Site, Field.SITE, said.facts.get(Field.SITE), "site")
    if no_party or no_site:
        return _refused(no_party, no_site)
    if site is None and actor.scope.sites is not None:
        return _refused(
            problem("site", Field.SITE, "Name one of your sites: you would not see a place that is at none of them.")
        )
    row = session.scalar(sa.select(Location).where(Location.name == said.facts[Field.NAME]))
    if row is None:
        return decide_thing(said, None)
    if session.scalar(sa.select(Location.id).where(Location.id == row.id, *only(actor, Location))) is None:
        return _refused(problem("taken", Field.NAME, "There is such a place, and you do not see it."))
    facts = {Field.NAME: row.name, Field.ZONE: str(row.zone), Field.ADDRESS: row.address}
    mine = Said(subject=said.subject, facts={one: text for one, text in said.facts.items() if one in facts})
    verdict = decide_thing(mine, KnownThing(number=row.id, facts=facts))
    others = [
        problem("differs", one, f"{row.id} has another {one} here.")
        for one, has, wanted in ((Field.PARTY, row.party_id, party), (Field.SITE, row.site_id, site))
        if wanted is not None and wanted.id != has
    ]
    return Verdict(outcome=Outcome.REFUSED, device=row.id, problems=(*verdict.problems, *others)) if others else verdict


def _add_place(session: Session, context: Context, actor: Actor, said: Said, line: str) -> str:
    party, _ = _named(session, actor, Party, Field.PARTY, said.facts.get(Field.PARTY), "party")
    site, _ = _named(session, actor, Site, Field.SITE, said.facts.get(Field.SITE), "site")
    command = places.CreateLocation(
        name=said.facts[Field.NAME],
        zone=Zone(said.facts[Field.ZONE]),
        address=said.facts.get(Field.ADDRESS, ""),
        party=party.id if party else None,
        site=site.id if site else None,
    )
    return places.add_location(session, context, actor, command, {"source": line}).id


# -- data sets, and where they lie


def _data_set(session: Session, context: Context, actor: Actor, said: Said) -> Verdict:
    del context
    row = session.scalar(sa.select(DataSet).where(DataSet.name == said.facts[Field.NAME]))
    if row is None:
        return decide_thing(said, None)
    if session.scalar(sa.select(DataSet.id).where(DataSet.id == row.id, *only(actor, DataSet))) is None:
        return _refused(problem("taken", Field.NAME, "There is such a data set, and you do not see it."))
    facts = {
        Field.NAME: row.name,
        Field.CATEGORY: str(row.category),
        Field.OWNER: row.owner,
        Field.DESCRIPTION: row.description,
        Field.RETENTION: "" if row.retention_days is None else str(row.retention_days),
        Field.KEY_HOLDER: row.key_holder or "",
    }
    if said.facts.get(Field.ENCRYPTION) != "unknown":
        facts[Field.ENCRYPTION] = row.encryption
    return decide_thing(said, KnownThing(number=row.id, facts=facts))


def _add_data_set(session: Session, context: Context, actor: Actor, said: Said, line: str) -> str:
    days = said.facts.get(Field.RETENTION)
    command = data.CreateDataSet(
        name=said.facts[Field.NAME],
        category=Category(said.facts[Field.CATEGORY]),
        owner=said.facts[Field.OWNER],
        description=said.facts.get(Field.DESCRIPTION, ""),
        retention_days=None if days is None else int(days),
        encryption=said.facts.get(Field.ENCRYPTION, "unknown"),
        key_holder=said.facts.get(Field.KEY_HOLDER, ""),
    )
    return data.add_data_set(session, context, actor, command, {"source": line}).id


def _device(session: Session, actor: Actor, said: Said) -> tuple[Device | None, Problem | None]:
    text = said.facts[Field.DEVICE]
    wanted = sa.or_(Device.id == text, Device.asset_tag == text)
    rows = session.scalars(
        sa.select(Device).where(wanted, Device.bound_to.is_(None), *only(actor, Device)).limit(2)
    ).all()
    if len(rows) == 1:
        return rows[0], None
    return None, problem("device-unknown", Field.DEVICE, f"There is no device {text!r}, by number or asset tag.")


def _holding(session: Session, context: Context, actor: Actor, said: Said) -> Verdict:
    device, no_device = _device(session, actor, said)
    data_set, no_data = _named(session, actor, DataSet, Field.DATA_SET, said.facts[Field.DATA_SET], "data set")
    late = [
        problem("not-yet", one, "It lies in the future: a holding is what was seen, or is known.")
        for one in (Field.SINCE, Field.UNTIL)
        if (at := said.moment(one)) is not None and at > context.now()
    ]
    if device is None or data_set is None or late:
        return _refused(no_device, no_data, *late)
    row = session.scalar(
        sa.select(Holding)
        .where(
            Holding.device_id == device.id,
            Holding.data_set_id == data_set.id,
            Holding.kind == HoldingKind(said.facts[Field.KIND]),
            Holding.since == said.moment(Field.SINCE),
        )
        .order_by(Holding.id)
        .limit(1)
    )
    if row is None:
        return decide_thing(said, None)
    if row.until != said.moment(Field.UNTIL):
        words = f"{row.id} is known since then with another end; a table ends no holding."
        return Verdict(outcome=Outcome.REFUSED, device=row.id, problems=(problem("differs", Field.UNTIL, words),))
    return Verdict(outcome=Outcome.SAME, device=row.id)


def _add_holding(session: Session, context: Context, actor: Actor, said: Said, line: str) -> str:
    device, _ = _device(session, actor, said)
    since = said.moment(Field.SINCE)
    if device is None or since is None:
        raise RuntimeError("a row about no device, or since no moment, was refused before")
    command = data.DeclareHolding(
        device=device.id,
        data_set=said.facts[Field.DATA_SET],
        kind=HoldingKind(said.facts[Field.KIND]),
        since=since,
        until=said.moment(Field.UNTIL),
        reason=said.facts.get(Field.REASON) or line,
    )
    return data.add_holding(session, context, actor, command).id


# -- people, and where hosts belong


def _several(
    session: Session, model: type[Any], one: Field, names: Sequence[str]
) -> tuple[frozenset[str], list[Problem]]:
    word = one.removesuffix("s")
    rows = session.execute(
        sa.select(model.id, model.name).where(sa.or_(model.id.in_(names), model.name.in_(names)))
    ).all()
    known = {number for number, _ in rows} | {name for _, name in rows}
    missing = [problem(f"{word}-unknown", one, f"It names a {word} that there is not.")] if set(names) - known else []
    return frozenset(number for number, _ in rows), missing


def _person(session: Session, context: Context, actor: Actor, said: Said) -> Verdict:
    del context, actor
    sites, no_sites = _several(session, Site, Field.SITES, said.listed(Field.SITES))
    teams, no_teams = _several(session, Team, Field.TEAMS, said.listed(Field.TEAMS))
    if no_sites or no_teams:
        return _refused(*no_sites, *no_teams)
    row = session.scalar(sa.select(Person).where(Person.login == said.facts[Field.LOGIN]))
    if row is None:
        return decide_thing(said, None)
    known = session.get(DirectoryRow, row.ref)
    facts = {} if known is None else {Field.NAME: known.name, Field.TITLE: known.title, Field.CONTACT: known.contact}
    rest = {one: text for one, text in said.facts.items() if one in facts}
    verdict = decide_thing(
        Said(subject=said.subject, facts=rest), KnownThing(number=row.ref, facts=facts, private=True)
    )
    pairs: tuple[tuple[Field, frozenset[str], list[str]], ...] = (
        (Field.ROLES, frozenset(map(str, roles_of(said))), row.roles),
        (Field.SITES, sites, row.sites),
        (Field.TEAMS, teams, row.teams),
    )
    others = [
        problem("differs", one, f"{row.ref} is known with other {one}; nothing is overwritten.")
        for one, wanted, has in pairs
        if one in said.facts and wanted != frozenset(has)
    ]
    return (
        Verdict(outcome=Outcome.REFUSED, device=row.ref, problems=(*verdict.problems, *others)) if others else verdict
    )


def _add_person(session: Session, context: Context, actor: Actor, said: Said, line: str) -> str:
    del line  # the history names nobody
    sites, _ = _several(session, Site, Field.SITES, said.listed(Field.SITES))
    teams, _ = _several(session, Team, Field.TEAMS, said.listed(Field.TEAMS))
    command = people.CreatePerson(
        login=said.facts[Field.LOGIN],
        name=said.facts[Field.NAME],
        title=said.facts.get(Field.TITLE, ""),
        contact=said.facts.get(Field.CONTACT, ""),
        roles=roles_of(said),
        sites=sites,
        teams=teams,
    )
    return people.add_person(session, context, actor, command).ref


def _host(session: Session, context: Context, actor: Actor, said: Said) -> Verdict:
    del context
    site, no_site = _named(session, actor, Site, Field.SITE, said.facts.get(Field.SITE), "site")
    team, no_team = _named(session, actor, Team, Field.TEAM, said.facts.get(Field.TEAM), "team")
    if no_site or no_team:
        return _refused(no_site, no_team)
    row = _known_host(session, said)
    if row is None:
        return decide_belonging(said, None)
    meant = {Field.SITE: site.id if site else "", Field.TEAM: team.id if team else ""}
    wanted = Said(subject=said.subject, facts={one: text for one, text in meant.items() if text})
    return decide_belonging(
        wanted, KnownThing(number=row.id, facts={Field.SITE: row.site_id or "", Field.TEAM: row.team_id or ""})
    )


def _known_host(session: Session, said: Said) -> Host | None:
    text = said.facts[Field.HOST]
    rows = session.scalars(sa.select(Host).where(sa.or_(Host.id == text, Host.name == text)).limit(2)).all()
    return rows[0] if len(rows) == 1 else None


def _put_host(session: Session, context: Context, actor: Actor, said: Said, line: str) -> str:
    row = _known_host(session, said)
    if row is None:
        raise RuntimeError("a row about no host was refused before")
    site, _ = _named(session, actor, Site, Field.SITE, said.facts.get(Field.SITE), "site")
    team, _ = _named(session, actor, Team, Field.TEAM, said.facts.get(Field.TEAM), "team")
    command = organisation.Assign(
        subject=row.id,
        site=site.id if site else row.site_id,
        team=team.id if team else row.team_id,
        reason=line,
    )
    return organisation.put_host(session, context, actor, command).id


_Decide = Callable[[Session, Context, Actor, Said], Verdict]
_Take = Callable[[Session, Context, Actor, Said, str], str]
_DECIDE: Final[Mapping[Subject, _Decide]] = {
    Subject.PLACES: _place,
    Subject.DATA_SETS: _data_set,
    Subject.HOLDINGS: _holding,
    Subject.PEOPLE: _person,
    Subject.HOSTS: _host,
}
_TAKE: Final[Mapping[Subject, _Take]] = {
    Subject.PLACES: _add_place,
    Subject.DATA_SETS: _add_data_set,
    Subject.HOLDINGS: _add_holding,
    Subject.PEOPLE: _add_person,
    Subject.HOSTS: _put_host,
}
