"""The invented organisation itself: sites, teams, people, places, vendors, data sets, the roster. By the services."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from inventory.domain.invented import DATA, FAMILY, GIVEN, TOWNS, Shape
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.vocabulary import Category, PartyKind, Zone
from inventory.models import Person
from inventory.services import approvers, data, organisation, people, places, roster, setup
from inventory.services.context import Actor, Context
from reports.canonical import from_base64, to_base64
from reports.envelope import sign_payload
from reports.keys import FileSigner


class Clock(Protocol):
    """A clock that is moved."""

    moment: datetime

    def now(self) -> datetime:
        """As far as it has come."""

    def forward(self, by: timedelta) -> None:
        """Let time pass."""


CAST: tuple[tuple[str, Role, str], ...] = (
    ("custodian", Role.CUSTODIAN, "Storeroom"),
    ("operator", Role.OPERATOR, "Storage administrator"),
    ("approver1", Role.APPROVER, "Head of infrastructure"),
    ("approver2", Role.APPROVER, "Information security officer"),
    ("approver3", Role.APPROVER, "Head of operations"),
    ("validator", Role.VALIDATOR, "Quality"),
    ("privacy", Role.PRIVACY_OFFICER, "Data protection officer"),
    ("auditor", Role.AUDITOR, "Internal audit"),
    ("viewer", Role.VIEWER, "Service desk"),
)
"""Everybody a procedure needs; they see everything. The others are limited to a site or a team."""

_FURTHER = (Role.CUSTODIAN, Role.OPERATOR, Role.VIEWER, Role.VALIDATOR)


@dataclass
class Company:
    """What was founded, by number, so that the rest can refer to it."""

    administrator: Actor
    people: dict[str, Actor] = field(default_factory=dict)
    sites: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    places: list[tuple[str, str, str]] = field(default_factory=list)
    """Of each site: a secure, a controlled and an open place."""
    vendors: list[str] = field(default_factory=list)
    data_sets: list[tuple[str, Category]] = field(default_factory=list)
    host_ids: list[str] = field(default_factory=list)
    host_names: list[str] = field(default_factory=list)
    approvers: dict[str, FileSigner] = field(default_factory=dict)


def found(context: Context, size: Shape, seed: int, clock: Clock) -> Company:
    """Everything that is few."""
    rng = random.Random(seed)  # noqa: S311 - an invention, not a secret
    setup.first_administrator_link(context)
    with context.reading() as session:
        ref = session.scalars(sa.select(Person.ref)).one()
    company = Company(Actor(ref, "person", frozenset({Role.ADMINISTRATOR}), scope=EVERYTHING))
    _sites(context, company, size)
    _hire(context, company, size, rng)
    clock.forward(timedelta(days=1))
    _places(context, company, size)
    _data(context, company, size, rng)
    _roster(context, company)
    clock.forward(timedelta(days=1))
    return company


def _sites(context: Context, company: Company, size: Shape) -> None:
    admin = company.administrator
    for number in range(size.sites):
        town = TOWNS[number % len(TOWNS)]
        name = town if number < len(TOWNS) else f"{town} {number // len(TOWNS) + 1}"
        command = organisation.CreateSite(name=name, address=f"{number + 1} Example Road, {town}")
        company.sites.append(organisation.create_site(context, admin, command).id)
    for number in range(size.teams):
        command_ = organisation.CreateTeam(name=f"Team {number + 1:02d}", purpose="Runs services and their data")
        company.teams.append(organisation.create_team(context, admin, command_).id)


def _hire(context: Context, company: Company, size: Shape, rng: random.Random) -> None:
    for login, role, title in CAST:
        company.people[login] = _one(context, company, rng, login, title, frozenset({role}), everywhere=True)
    for number in range(size.people):
        sites = frozenset({company.sites[number % len(company.sites)]})
        teams = frozenset({company.teams[number % len(company.teams)]})
        by_team = number % 3 == 2
        login = f"staff{number + 1:04d}"
        company.people[login] = _one(
            context, company, rng, login, "Staff", frozenset({_FURTHER[number % len(_FURTHER)]}),
            sites=frozenset() if by_team else sites, teams=teams if by_team else frozenset(),
        )  # fmt: skip


def _one(  # noqa: PLR0913 - a person has these sides, three of them named
    context: Context,
    company: Company,
    rng: random.Random,
    login: str,
    title: str,
    roles: frozenset[Role],
    *,
    everywhere: bool = False,
    sites: frozenset[str] = frozenset(),
    teams: frozenset[str] = frozenset(),
) -> Actor:
    command = people.CreatePerson(
        login=login,
        name=f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}",
        title=title,
        contact=f"{login}@example.org",
        roles=roles,
        everywhere=everywhere,
        sites=sites,
        teams=teams,
    )
    view, _ = people.create_person(context, company.administrator, command)
    return Actor(view.ref, "person", roles, scope=EVERYTHING)


def _places(context: Context, company: Company, size: Shape) -> None:
    admin, custodian = company.administrator, company.people["custodian"]
    kinds = (("cage", Zone.SECURE), ("data hall", Zone.CONTROLLED), ("loading dock", Zone.OPEN))
    for number, site in enumerate(company.sites):
        made = [
            places.create_location(
                context, custodian, places.CreateLocation(name=f"Site {number + 1}, {word}", zone=zone, site=site)
            ).id
            for word, zone in kinds
        ]
        company.places.append((made[0], made[1], made[2]))
    now = context.now()
    for number in range(size.vendors):
        party = places.create_party(
            context, admin, places.CreateParty(name=f"Recycler {number + 1}", kind=PartyKind.VENDOR)
        )
        company.vendors.append(party.id)
        signed = hashlib.sha256(f"undertaking {number}".encode()).hexdigest()
        paper = places.FileUndertaking(
            party=party.id, scope="Takes, keeps and destroys media under the same restrictions", document_sha256=signed,
            valid_from=now, valid_until=now + timedelta(days=365 * 12),
        )  # fmt: skip
        places.file_undertaking(context, admin, paper)


def _data(context: Context, company: Company, size: Shape, rng: random.Random) -> None:
    privacy = company.people["privacy"]
    for number in range(size.data_sets):
        name, category = DATA[number % len(DATA)]
        called = name if number < len(DATA) else f"{name} {number // len(DATA) + 1}"
        command = data.CreateDataSet(
            name=called, category=category, owner=f"Team {rng.randrange(size.teams) + 1:02d}", retention_days=365 * 7
        )
        one = data.create_data_set(context, privacy, command)
        company.data_sets.append((one.id, category))
        if company.teams:
            assign = organisation.Assign(
                subject=one.id, reason="Theirs from the beginning", team=company.teams[number % len(company.teams)]
            )
            organisation.assign_data_set(context, privacy, assign)


def _roster(context: Context, company: Company) -> None:
    """Three approvers, each with a key; two must approve."""
    admin, ids = company.administrator, []
    for login in ("approver1", "approver2", "approver3"):
        signer = FileSigner.generate("p256")
        company.approvers[login] = signer
        key = approvers.RegisterKey(public_key=to_base64(signer.public_key_der))
        view = approvers.register_key(context, company.people[login], key)
        approvers.confirm_key(context, admin, view.key_id)
        ids.append(view.key_id)
    proposal = roster.propose(context, admin, roster.ProposeRoster(key_ids=tuple(ids), quorum=2, minimum_approvals=2))
    for login in ("approver1", "approver2"):
        envelope = sign_payload("roster", from_base64(proposal.payload), company.approvers[login])
        command = roster.SignRoster(version=proposal.version, envelope=envelope)
        roster.sign(context, company.people[login], command)
