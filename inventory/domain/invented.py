"""An invented organisation: how large its parts are, and what happened to each of its devices. Pure, and the same for one seed.

What is invented keeps the table of lives (`lifecycle`): every step is one the service would have allowed, from the table alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from .lifecycle import TABLE, DeviceEvent
from .vocabulary import Category, DeviceState

MODELS: Final = (
    ("Seagate", "ST4000NM0035", 4_000_787_030_016, "magnetic", "ata"),
    ("Seagate", "ST8000NM000A", 8_001_563_222_016, "magnetic", "ata"),
    ("WDC", "WUH721816ALE6L4", 16_000_900_661_248, "magnetic", "ata"),
    ("HGST", "HUS726060AL5210", 6_001_175_126_016, "magnetic", "scsi"),
    ("Samsung", "MZ7LH960HAJR", 960_197_124_096, "flash", "ata"),
    ("Intel", "SSDPE2KX040T8", 4_000_787_030_016, "flash", "nvme"),
    ("Micron", "MTFDKCB3T8TFR", 3_840_755_982_336, "flash", "nvme"),
)
"""Vendor, model, bytes, media, kind."""

DATA: Final = (
    ("CRM production", Category.HIGH),
    ("CRM nightly backups", Category.HIGH),
    ("Billing", Category.HIGH),
    ("Support mail", Category.MODERATE),
    ("Analytics warehouse", Category.MODERATE),
    ("Build artefacts", Category.LOW),
    ("Web content", Category.LOW),
    ("Telephone logs", Category.MODERATE),
)

TOWNS: Final = (
    "Lisboa", "Porto", "Kuala Lumpur", "Penang", "Johor Bahru", "Braga", "Coimbra", "Ipoh", "Faro", "Kuching",
)  # fmt: skip
GIVEN: Final = (
    "Aisyah", "Ana", "Bruno", "Chong", "Daniel", "Farah", "Hafiz", "Inês", "João", "Kavitha",
    "Mei Ling", "Miguel", "Nurul", "Pedro", "Rita", "Siti", "Tiago", "Wei", "Xavier", "Zara",
)  # fmt: skip
FAMILY: Final = (
    "Abdullah", "Almeida", "Carvalho", "Chan", "Costa", "Fernandes", "Figueiredo", "Ibrahim", "Lim", "Lopes",
    "Nair", "Oliveira", "Pereira", "Rahman", "Santos", "Silva", "Sousa", "Tan", "Wong", "Yusof",
)  # fmt: skip

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How many of everything an organisation of so many devices has."""

    devices: int
    hosts: int
    sites: int
    teams: int
    vendors: int
    people: int
    data_sets: int


def shape(devices: int) -> Shape:
    """A plausible one: some twenty disks a host, a few thousand disks a site."""
    return Shape(
        devices=devices,
        hosts=min(max(2, devices // 24), 50_000),
        sites=min(max(2, devices // 4000), 60),
        teams=min(max(2, devices // 2500), 80),
        vendors=min(max(2, devices // 10_000), 20),
        people=min(max(0, devices // 200), 400),
        data_sets=min(max(len(DATA), devices // 500), 400),
    )


@dataclass(frozen=True)
class Stay:
    """A device in a host, by the host's place in the list."""

    host: int
    slot: int
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Step:
    """One thing that happened to a device: a move of the table, or only a sentence of its history."""

    at: datetime
    event: DeviceEvent | None
    """None: nothing of the table."""
    before: DeviceState
    after: DeviceState
    what: str
    """declared, observed, attached, detached, changed, or the event's word."""
    host: int | None = None
    zone: int | None = None
    """Which of its site's three places it came to: 0 secure, 1 controlled, 2 open."""


@dataclass
class Life:
    """One device from its first day to now."""

    number: int
    model: int
    site: int
    declared: bool
    state: DeviceState = DeviceState.DECLARED
    zone: int = 0
    steps: list[Step] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    held: list[tuple[int, datetime, datetime | None]] = field(default_factory=list)
    """Data set, since, until; None: it lies there now."""

    @property
    def observed(self) -> bool:
        """Whether an agent ever saw it."""
        return bool(self.stays)


def life(seed: int, number: int, size: Shape, begin: datetime, now: datetime, steps: int) -> Life:
    """What happened to one device.

    Args:
        seed: of the whole organisation.
        number: the device's, from 1.
        size: of the organisation.
        begin: nothing happened before.
        now: nothing happens after.
        steps: about so many entries its history has.
    """
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - an invention, not a secret
    site = rng.randrange(size.sites)
    one = Life(number, rng.randrange(len(MODELS)), site, declared=rng.random() < 0.7)
    moment = begin + (now - begin) * rng.random() * 0.9
    walk = _Walk(one, rng, moment, now)
    if rng.random() < 0.08:
        _spare(walk)
        return one
    _in_service(walk, size, max(1, steps - 4))
    _end(walk)
    return one


class _Walk:
    """Writes steps down as time passes; what would lie in the future does not happen."""

    def __init__(self, one: Life, rng: random.Random, moment: datetime, now: datetime) -> None:
        self.life = one
        self.rng = rng
        self.moment = moment
        self.now = now

    def wait(self, most: timedelta) -> None:
        """Up to so long; never beyond now."""
        self.moment = min(self.moment + most * self.rng.uniform(0.05, 1), self.now)

    def say(self, what: str, *, host: int | None = None) -> None:
        """Something that changes no state."""
        state = self.life.state
        self.life.steps.append(Step(self.moment, None, state, state, what, host))

    def move(self, event: DeviceEvent, *, zone: int | None = None, host: int | None = None) -> None:
        """A move of the table; one that the table does not have is a fault of this module."""
        before = self.life.state
        after = TABLE[before, event]
        self.life.state = after
        if zone is not None:
            self.life.zone = zone
        self.life.steps.append(Step(self.moment, event, before, after, str(event), host, zone))


def _spare(walk: _Walk) -> None:
    """Bought, put on a shelf, never attached; a few went back to who sold them."""
    walk.life.declared = True
    walk.say("declared")
    walk.wait(20 * _DAY)
    walk.move(DeviceEvent.RELOCATE, zone=0)
    if walk.rng.random() < 0.15:
        walk.wait(200 * _DAY)
        walk.move(DeviceEvent.RELEASE)


def _in_service(walk: _Walk, size: Shape, steps: int) -> None:
    """Attached, and then the small things of years: moved to another bay or host, put elsewhere, new firmware."""
    one, rng = walk.life, walk.rng
    if one.declared:
        walk.say("declared")
        walk.wait(30 * _DAY)
    host, slot = _host(rng, one.site, size), rng.randrange(24)
    if one.declared:
        walk.move(DeviceEvent.OBSERVE, host=host)
    else:
        one.state = DeviceState.IN_SERVICE
        walk.say("observed", host=host)
    walk.say("attached", host=host)
    one.stays.append(Stay(host, slot, walk.moment, None))
    one.zone = 1
    for data_set in rng.sample(range(size.data_sets), k=rng.choice((0, 1, 1, 1, 2))):
        one.held.append((data_set, walk.moment, None))
    left = steps
    while left > 0:
        walk.wait(400 * _DAY / max(steps, 4))
        if rng.random() < 0.25 and left > 1:
            _detach(walk)
            walk.wait(2 * _DAY)
            host = _host(rng, one.site, size)
            walk.say("attached", host=host)
            one.stays.append(Stay(host, rng.randrange(24), walk.moment, None))
            left -= 2
        elif rng.random() < 0.5:
            walk.say("changed", host=one.stays[-1].host)
            left -= 1
        else:
            walk.move(DeviceEvent.RELOCATE, zone=1)
            left -= 1


def _host(rng: random.Random, site: int, size: Shape) -> int:
    """One of the site's hosts: every so-manieth of the list."""
    here = range(site % size.hosts, size.hosts, size.sites)
    return here[rng.randrange(len(here))]


def _detach(walk: _Walk) -> None:
    stay = walk.life.stays[-1]
    walk.life.stays[-1] = Stay(stay.host, stay.slot, stay.since, walk.moment)
    walk.say("detached", host=stay.host)


def _end(walk: _Walk) -> None:
    """Four of five are in use; the others wait for what becomes of them. Those that were wiped have a story of their own."""
    draw = walk.rng.random()
    if draw < 0.80:
        return
    walk.wait(30 * _DAY)
    if draw < 0.88:
        walk.move(DeviceEvent.RETIRE)
        _residue(walk)
    elif draw < 0.99:
        _detach(walk)
        walk.move(DeviceEvent.QUARANTINE, zone=0)
        _residue(walk)
    else:
        _detach(walk)
        walk.move(DeviceEvent.REPORT_MISSING)
        _residue(walk)


def _residue(walk: _Walk) -> None:
    """Nobody uses the data on it any more; the bytes are there."""
    walk.life.held = [(data_set, since, walk.moment) for data_set, since, _ in walk.life.held]
