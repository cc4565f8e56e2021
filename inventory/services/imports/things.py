"""Rows about anything but devices held against the database, and taken over: one entry of a table for each subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from inventory.domain.import_fields import Field, Problem, Subject, problem
from inventory.domain.import_outcomes import Outcome, Verdict
from inventory.domain.import_subjects import KnownThing, Said, decide_belonging, decide_thing, roles_of
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, HoldingKind, Zone
from inventory.models import DataSet, Device, Location, Party, Site, Team
from inventory.services import data, organisation, people, places
from inventory.services._scope import require_unlimited
from inventory.services.context import Actor, Context, authorize

from .known import Known

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


def decide(known: Known, context: Context, said: Said) -> Verdict:
    """What becomes of a row of the batch, as the actor sees the inventory now."""
    return _DECIDE[said.subject](known, context, said)


def take(known: Known, context: Context, said: Said, line: str) -> str:
    """Take a row over that was decided to be good by this very knowledge; the number of what it is about."""
    return _TAKE[said.subject](known, context, said, line)


def _refused(*problems: Problem | None) -> Verdict:
    return Verdict(outcome=Outcome.REFUSED, problems=tuple(one for one in problems if one is not None))


# -- places


def _place(known: Known, context: Context, said: Said) -> Verdict:
    del context
    party, no_party = known.named(Party, Field.PARTY, said.facts.get(Field.PARTY), "party")
    site, no_site = known.named(Site, Field.SITE, said.facts.get(Field.SITE), "site")
    if no_party or no_site:
        return _refused(no_party, no_site)
    if site is None and known.actor.scope.sites is not None:
        return _refused(
            problem("site", Field.SITE, "Name one of your sites: you would not see a place that is at none of them.")
        )
    row, seen = known.called(Location, said.facts[Field.NAME])
    if row is None:
        return decide_thing(said, None)
    if not seen:
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


def _add_place(known: Known, context: Context, said: Said, line: str) -> str:
    party, _ = known.named(Party, Field.PARTY, said.facts.get(Field.PARTY), "party")
    site, _ = known.named(Site, Field.SITE, said.facts.get(Field.SITE), "site")
    command = places.CreateLocation(
        name=said.facts[Field.NAME],
        zone=Zone(said.facts[Field.ZONE]),
        address=said.facts.get(Field.ADDRESS, ""),
        party=party.id if party else None,
        site=site.id if site else None,
    )
    return places.add_location(known.session, context, known.actor, command, {"source": line}).id


# -- data sets, and where they lie


def _data_set(known: Known, context: Context, said: Said) -> Verdict:
    del context
    row, seen = known.called(DataSet, said.facts[Field.NAME])
    if row is None:
        return decide_thing(said, None)
    if not seen:
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


def _add_data_set(known: Known, context: Context, said: Said, line: str) -> str:
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
    return data.add_data_set(known.session, context, known.actor, command, {"source": line}).id


def _device(known: Known, said: Said) -> tuple[Device | None, Problem | None]:
    text = said.facts[Field.DEVICE]
    found = known.device(text)
    if found is not None:
        return found, None
    return None, problem("device-unknown", Field.DEVICE, f"There is no device {text!r}, by number or asset tag.")


def _holding(known: Known, context: Context, said: Said) -> Verdict:
    device, no_device = _device(known, said)
    data_set, no_data = known.named(DataSet, Field.DATA_SET, said.facts[Field.DATA_SET], "data set")
    late = [
        problem("not-yet", one, "It lies in the future: a holding is what was seen, or is known.")
        for one in (Field.SINCE, Field.UNTIL)
        if (at := said.moment(one)) is not None and at > context.now()
    ]
    if device is None or data_set is None or late:
        return _refused(no_device, no_data, *late)
    since = said.moment(Field.SINCE)
    row = None if since is None else known.holding(device, data_set, HoldingKind(said.facts[Field.KIND]), since)
    if row is None:
        return decide_thing(said, None)
    if row.until != said.moment(Field.UNTIL):
        words = f"{row.id} is known since then with another end; a table ends no holding."
        return Verdict(outcome=Outcome.REFUSED, device=row.id, problems=(problem("differs", Field.UNTIL, words),))
    return Verdict(outcome=Outcome.SAME, device=row.id)


def _add_holding(known: Known, context: Context, said: Said, line: str) -> str:
    device, _ = _device(known, said)
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
    return data.add_holding(known.session, context, known.actor, command).id


# -- people, and where hosts belong


def _several(known: Known, model: type[Any], one: Field, said: Said) -> tuple[frozenset[str], list[Problem]]:
    word = one.removesuffix("s")
    numbers, complete = known.several(model, said.listed(one))
    missing = [] if complete else [problem(f"{word}-unknown", one, f"It names a {word} that there is not.")]
    return numbers, missing


def _person(known: Known, context: Context, said: Said) -> Verdict:
    del context
    sites, no_sites = _several(known, Site, Field.SITES, said)
    teams, no_teams = _several(known, Team, Field.TEAMS, said)
    if no_sites or no_teams:
        return _refused(*no_sites, *no_teams)
    found = known.person(said.facts[Field.LOGIN])
    if found is None:
        return decide_thing(said, None)
    row, entry = found
    facts = {} if entry is None else {Field.NAME: entry.name, Field.TITLE: entry.title, Field.CONTACT: entry.contact}
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


def _add_person(known: Known, context: Context, said: Said, line: str) -> str:
    del line  # the history names nobody
    sites, _ = _several(known, Site, Field.SITES, said)
    teams, _ = _several(known, Team, Field.TEAMS, said)
    command = people.CreatePerson(
        login=said.facts[Field.LOGIN],
        name=said.facts[Field.NAME],
        title=said.facts.get(Field.TITLE, ""),
        contact=said.facts.get(Field.CONTACT, ""),
        roles=roles_of(said),
        sites=sites,
        teams=teams,
    )
    return people.add_person(known.session, context, known.actor, command).ref


def _host(known: Known, context: Context, said: Said) -> Verdict:
    del context
    site, no_site = known.named(Site, Field.SITE, said.facts.get(Field.SITE), "site")
    team, no_team = known.named(Team, Field.TEAM, said.facts.get(Field.TEAM), "team")
    if no_site or no_team:
        return _refused(no_site, no_team)
    row = known.host(said.facts[Field.HOST])
    if row is None:
        return decide_belonging(said, None)
    meant = {Field.SITE: site.id if site else "", Field.TEAM: team.id if team else ""}
    wanted = Said(subject=said.subject, facts={one: text for one, text in meant.items() if text})
    return decide_belonging(
        wanted, KnownThing(number=row.id, facts={Field.SITE: row.site_id or "", Field.TEAM: row.team_id or ""})
    )


def _put_host(known: Known, context: Context, said: Said, line: str) -> str:
    row = known.host(said.facts[Field.HOST])
    if row is None:
        raise RuntimeError("a row about no host was refused before")
    site, _ = known.named(Site, Field.SITE, said.facts.get(Field.SITE), "site")
    team, _ = known.named(Team, Field.TEAM, said.facts.get(Field.TEAM), "team")
    command = organisation.Assign(
        subject=row.id,
        site=site.id if site else row.site_id,
        team=team.id if team else row.team_id,
        reason=line,
    )
    return organisation.put_host(known.session, context, known.actor, command).id


_Decide = Callable[[Known, Context, Said], Verdict]
_Take = Callable[[Known, Context, Said, str], str]
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
