"""Fills an empty inventory with an invented organisation: for a look around, for training, and for measuring.

Two kinds of things come out of it. What is few (people, places, data sets, cases, orders with their records) is done by the
services themselves, with a clock that runs through the past, so that its evidence is real and verifies. What is many (hosts,
devices, their history) is written into the tables in batches; of so many devices as are asked for, each custody event is signed
and logged as it would have been. The history begins with a sentence that says all of this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from inventory.domain.invented import Shape, shape
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.ledger import Ledger
from inventory.models import (
    Base,
    DataSet,
    Device,
    ErasureCase,
    Event,
    Host,
    Location,
    LogHead,
    Order,
    Party,
    Person,
    Site,
    Team,
)
from inventory.services.context import SYSTEM, Context
from inventory.services.kernel import note
from reports.keys import FileSigner

from ._devices import write_devices
from ._hosts import write_hosts
from ._people import Company, found
from ._stories import tell

_MOST = 5_000_000
_EMPTY = (Person, Site, Team, Party, Location, DataSet, Host, Device, Order, ErasureCase)


@dataclass(frozen=True, kw_only=True)
class Seed:
    """What to invent."""

    devices: int = 1000
    years: int = 4
    steps: int = 10
    """About so many entries of history a device."""
    stories: int = 20
    """Devices that went all the way: ordered, approved, wiped, validated."""
    signed: int | None = None
    """Devices whose custody is signed and logged event by event; None: all of them, at most 20,000."""
    seed: int = 1
    batch: int = 10_000
    """Devices a transaction."""


@dataclass(frozen=True)
class Seeded:
    """What there is now."""

    devices: int
    hosts: int
    people: int
    events: int
    log_size: int
    orders: int


class _MovingClock:
    """Runs through the past as the seeding goes on."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """As far as it has come."""
        return self.moment

    def forward(self, by: timedelta) -> None:
        """Let time pass."""
        self.moment += by


Told = Callable[[str], None]


def fill(context: Context, command: Seed, *, keys: Path | None = None, say: Told | None = None) -> Seeded:
    """Invent an organisation in an empty inventory. For the server's own terminal: nobody's permission allows it.

    Args:
        context: the open inventory, as `init` leaves it.
        command: how much.
        keys: a folder for the invented private keys of approvers and agents, made with mode 0700; None: they are forgotten, and
            nobody can approve in the name of these approvers or answer for these hosts.
        say: told how far it is.

    Raises:
        Conflict: the inventory is not empty.
        Invalid: numbers that cannot be.
    """
    _possible(command)
    _refuse_filled(context)
    tell_it = say or (lambda _: None)
    size = shape(command.devices)
    now = context.now().replace(microsecond=0)
    clock = _MovingClock(now - timedelta(days=365 * command.years))
    # The same inventory at another time: what it signs bears that time, as it would have then.
    ledger = Ledger(context.ledger.origin, context.ledger.keyring, context.ledger.guard, clock)
    past = replace(context, clock=clock, ledger=ledger)
    _announce(context, command)
    company = found(past, size, command.seed, clock)
    tell_it(f"{len(company.people)} people, {len(company.sites)} sites, {len(company.data_sets)} data sets")
    agents = write_hosts(past, company, size, clock.now(), now)
    tell_it(f"{size.hosts} hosts")
    begin, recent = clock.now() + timedelta(days=7), now - timedelta(days=40)
    signed = min(command.devices, 20_000) if command.signed is None else min(command.signed, command.devices)
    for first in range(1, command.devices + 1, command.batch):
        numbers = range(first, min(first + command.batch, command.devices + 1))
        write_devices(past, company, size, numbers, begin=begin, until=recent, command=(command.seed, command.steps),
                      signed=signed)  # fmt: skip
        tell_it(f"{numbers[-1]} devices")
    clock.moment = recent
    tell(past, company, clock, now, command.stories)
    tell_it(f"{command.stories} orders with their records")
    if keys is not None:
        _keep(keys, company, agents)
    return _counted(context, size)


def _possible(command: Seed) -> None:
    bounds = (("devices", 0, _MOST), ("years", 1, 30), ("steps", 3, 200), ("stories", 0, 2000), ("batch", 1, 100_000))
    for field, least, most in bounds:
        if not least <= getattr(command, field) <= most:
            raise Invalid(field, f"{field.capitalize()} is {least} to {most}.")


def _refuse_filled(context: Context) -> None:
    """An invention beside real evidence would spoil both. Raises `Conflict`."""
    with context.reading() as session:
        for model in _EMPTY:
            if session.scalar(sa.select(sa.literal(1)).select_from(model).limit(1)) is not None:
                name = model.__tablename__.replace("_", " ")
                raise Conflict(
                    f"The inventory is not empty: it has a {name}. An invented organisation goes into a new one only;"
                    " make a data directory of its own and run `sanitrail init` there."
                )


def _announce(context: Context, command: Seed) -> None:
    with context.writing() as session:
        words = (
            f"{command.devices} devices and their whole history are invented (seed {command.seed}). Nothing here proves "
            "anything about a real medium."
        )
        note(session, context, SYSTEM, Tag.SERVICE_SEEDED, "service", context.ledger.origin, reason=words)


def _keep(folder: Path, company: Company, agents: dict[str, FileSigner]) -> None:
    """The invented keys, where somebody asked for them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for login, signer in company.approvers.items():
        signer.save(folder / f"{login}.pem")
    for host, signer in agents.items():
        signer.save(folder / f"{host}.pem")


def _counted(context: Context, size: Shape) -> Seeded:
    with context.reading() as session:

        def rows(model: type[Base]) -> int:
            return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0

        return Seeded(
            devices=rows(Device),
            hosts=size.hosts,
            people=rows(Person),
            events=session.scalar(sa.select(sa.func.max(Event.id))) or 0,
            log_size=session.scalar(sa.select(LogHead.size)) or 0,
            orders=rows(Order),
        )
