"""An import that is killed again and again, between two batches and within one, ends with each sound line once."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import pytest
import sqlalchemy as sa

from inventory.events import Tag
from inventory.models import Device, Event, ImportLine, LogEntry, LogHead, StoredEnvelope
from inventory.services import setup
from inventory.services.context import Actor
from inventory.services.imports import register, steps
from inventory.settings import Settings
from tests.support.inventory_world import FixedClock, World
from tests.support.killing import killed_at

LINES = 43
FILES = (
    "imports/steps.py",
    "imports/register.py",
    "services/kernel.py",
    "_in_number.py",
    "ledger.py",
    "log_guard.py",
    "db.py",
)


def table() -> bytes:
    """Every fifth line is bad, each in another way."""
    bad = itertools.cycle((",,Acme,,,", "T{},,,,1,", "T{},,,,,Atlantis", "T1,S{},,,,", '"un"closed,,,,,'))
    good = "T{0},S{0},Acme,EX-1,4 TB,"
    lines = ((next(bad) if number % 5 == 3 else good).format(number) for number in range(1, LINES + 1))
    return ("Asset tag,Serial number,Manufacturer,Model,Capacity,Location\n" + "\n".join(lines) + "\n").encode()


def work(folder: Path, url: str, clock: FixedClock, actor: Actor, number: str) -> None:
    """What a service that was started again does."""
    context = setup.open_inventory(Settings(data_dir=folder, database_url=url, second_factor="offered"), clock)
    while register.one_import(context, actor, number).state in {"checking", "running"}:
        register.advance(context, actor, number, 0)
    context.database.close()


def test_killed_at_any_line_it_ends_with_each_sound_line_once(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_TAKEN_AT_ONCE", 8)
    context, actor, clock = world.context, world.actor("custodian"), world.clock
    view = register.receive(context, actor, "list.csv", io.BytesIO(table()))
    view = register.check(context, actor, view.id)
    assert view.counts == {"new": 34, "refused": 9}
    with context.writing() as session:  # as `run` leaves it, had the process ended right there
        session.execute(
            sa.text("UPDATE import SET state = 'running', position = 0, begun_by = :who"), {"who": actor.ref}
        )
    with context.reading() as session:
        before = set(session.scalars(sa.select(Device.id)))
    context.database.close()

    died = 0
    for step in itertools.count(20, 97):
        if not killed_at(lambda: work(world.folder, database_url, clock, actor, view.id), FILES, step):
            break
        died += 1
    assert died > 5

    with context.reading() as session:
        context.ledger.check(session)
        devices = {row.id: row for row in session.scalars(sa.select(Device)) if row.id not in before}
        assert sorted(str(row.asset_tag) for row in devices.values()) == sorted(
            f"T{number}" for number in range(1, LINES + 1) if number % 5 != 3
        )
        numbers = sorted(int(number.removeprefix("D-")) for number in before | set(devices))
        assert numbers == list(range(1, len(numbers) + 1)), "a number was skipped"
        declared = sa.select(Event).where(Event.tag == Tag.DEVICE_DECLARED, Event.device_id.in_(devices))
        events = session.scalars(declared).all()
        told = {str(event.device_id): event.details["custody"] for event in events}
        assert len(events) == len(devices) == len(told) == len(set(told.values()))
        for digest in told.values():
            assert session.get(StoredEnvelope, digest) is not None
            assert session.scalar(sa.select(sa.func.count()).where(LogEntry.sha256 == digest)) == 1
        assert session.scalar(sa.select(sa.func.count(LogEntry.idx))) == session.get_one(LogHead, 1).size
        lines = session.scalars(sa.select(ImportLine).where(ImportLine.import_id == view.id)).all()
    assert {line.device for line in lines if line.done} == set(devices)
    ended = register.one_import(context, actor, view.id)
    assert (ended.state, ended.counts) == ("finished", {"new": 34, "refused": 9})
