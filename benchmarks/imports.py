"""A table of a million lines read in, with every kind of bad line among them: `python -m benchmarks.imports`.

The table is made line by line while it is sent, tried to its end, and taken over for as long as one wants to wait. Printed are
lines a second, the most memory the process ever had, and how many lines were refused for which reason: all of them or the run
fails. Writes only below a temporary folder, or into the database it is given, which must be empty.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import click
import sqlalchemy as sa

from inventory.clock import SystemClock
from inventory.domain.import_fields import Subject
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.vocabulary import Category, Zone
from inventory.models import ImportLine, Person
from inventory.services import data, devices, people, places, setup
from inventory.services.context import Actor, Context
from inventory.services.imports import register
from inventory.services.imports.register import ImportView
from inventory.settings import Settings

from .errors import CannotMeasure

EVERY: Final = 20
"""One line of so many is bad, each time in the next way."""
HELD: Final = 200
"""Devices on which data lay, again and again."""
_SILLY: Final = "9" * 300
_UNREADABLE: Final = 400
"""Lines that are no CSV: more than a thousand of them, and the file is no table at all."""

DEVICES_HEAD: Final = "Asset tag,Serial number,Manufacturer,Model,Capacity,Media,Location,Source\n"
DEVICES_BAD: Final[tuple[tuple[str, Callable[[int], str]], ...]] = (
    ("no-identity", lambda _: ",,Acme,,,,,"),
    ("no-identity", lambda line: f",S{line},Acme,,,,,"),
    ("too-long", lambda line: f"{_SILLY},S{line},,EX-1,,,,"),
    ("too-long", lambda line: f"B{line},S{line},,EX-1,,,,{_SILLY}"),
    ("unprintable", lambda line: f"B\x07{line},,,,,,,"),
    ("unprintable", lambda line: f"B{line},S\u202e1,,,,,,"),
    ("capacity-unreadable", lambda line: f"B{line},,,,1.500,,,"),
    ("capacity-unreadable", lambda line: f"B{line},,,,-4 TB,,,"),
    ("capacity-unreadable", lambda line: f"B{line},,,,1e400 GB,,,"),
    ("media-unknown", lambda line: f"B{line},,,,,paper,,"),
    ("location-unknown", lambda line: f"B{line},,,,,,Atlantis,"),
    ("location-unknown", lambda line: f"B{line},,,,,,' OR 1=1 --,"),
    ("twice", lambda _: "A0000002,,,,,,,"),
    ("twice", lambda _: ",S0000002,,EX-1,,,,"),
    ("differs", lambda _: "OLD-1,OTHER,,,,,,"),
    ("other-asset-tag", lambda line: f"B{line},OLDSERIAL,,,,,,"),
)
HOLDINGS_HEAD: Final = "Device,Data set,Kind,Since,Until,Reason\n"
HOLDINGS_BAD: Final[tuple[tuple[str, Callable[[int], str]], ...]] = (
    ("device-unknown", lambda line: f"NOBODY-{line},CRM,primary,2024-01-01,,"),
    ("data-set-unknown", lambda line: f"H{line % HELD},Gossip {line},primary,2024-01-01,,"),
    ("word-unknown", lambda line: f"H{line % HELD},CRM,carved in stone,2024-01-01,,"),
    ("moment-unreadable", lambda line: f"H{line % HELD},CRM,primary,yesterday,,"),
    ("moment-unreadable", lambda line: f"H{line % HELD},CRM,primary,2024-01-01T10:00,,"),
    ("backwards", lambda line: f"H{line % HELD},CRM,primary,2024-01-01,2023-01-01,"),
    ("not-yet", lambda line: f"H{line % HELD},CRM,primary,2999-01-01,,"),
    ("missing", lambda _: ",CRM,primary,2024-01-01,,"),
    ("too-long", lambda line: f"H{line % HELD},CRM,primary,2024-01-01,,{_SILLY * 2}"),
    ("twice", lambda _: "H1,CRM,primary,2001-01-02,,"),
)


def good_device(line: int) -> str:
    """A device nobody knows yet."""
    return f"A{line:07d},S{line:07d},Acme,EX-1,4 TB,magnetic,Store,"


def good_holding(line: int) -> str:
    """A data set that lay on one of some devices since a day of its own."""
    day = (line // HELD) % 8000
    since = f"{2001 + day // 336}-{1 + day % 336 // 28:02d}-{1 + day % 28:02d}"
    return f"H{line % HELD},CRM,primary,{since},," if line != 1 else "H1,CRM,primary,2001-01-02,,"


def write(file: IO[bytes], subject: Subject, rows: int) -> Counter[str]:
    """The table, line by line; what must become of its lines, by the reason of the refused ones."""
    head, bad, good = (
        (DEVICES_HEAD, DEVICES_BAD, good_device)
        if subject is Subject.DEVICES
        else (HOLDINGS_HEAD, HOLDINGS_BAD, good_holding)
    )
    expected: Counter[str] = Counter()
    file.write(head.encode())
    unreadable = max(1, rows // _UNREADABLE)
    for line in range(2, rows + 2):
        if line % unreadable == 3:
            code, text = "unreadable", '"un"closed,,,,,,,'
        elif line % EVERY == 7:
            code, make = bad[line // EVERY % len(bad)]
            text = make(line)
        else:
            code, text = "new", good(line)
        expected[code] += 1
        file.write(f"{text}\n".encode())
    file.seek(0)
    return expected


def prepare(context: Context, subject: Subject) -> Actor:
    """Somebody who may, a place, and what the bad lines collide with."""
    setup.first_administrator_link(context)
    with context.reading() as session:
        ref = session.scalars(sa.select(Person.ref)).one()
    admin = Actor(ref, "person", frozenset({Role.ADMINISTRATOR}), scope=EVERYTHING)
    roles = frozenset({Role.CUSTODIAN, Role.PRIVACY_OFFICER})
    command = people.CreatePerson(
        login="importer", name="I. M. Porter", title="", contact="", roles=roles, everywhere=True
    )
    view, _ = people.create_person(context, admin, command)
    actor = Actor(view.ref, "person", roles, scope=EVERYTHING)
    places.create_location(context, actor, places.CreateLocation(name="Store", zone=Zone.SECURE))
    devices.declare(context, actor, devices.DeclareDevice(asset_tag="OLD-1", serial="OLDSERIAL"))
    if subject is Subject.HOLDINGS:
        data.create_data_set(context, actor, data.CreateDataSet(name="CRM", category=Category.HIGH, owner="CRM team"))
        for number in range(HELD):
            devices.declare(context, actor, devices.DeclareDevice(asset_tag=f"H{number}"))
    return actor


def refused(context: Context, reference: str) -> Counter[str]:
    """How many lines were refused for which first reason, counted without holding them."""
    found: Counter[str] = Counter()
    with context.reading() as session:
        rows = sa.select(ImportLine.outcome, ImportLine.problems).where(ImportLine.import_id == reference)
        for outcome, problems in session.execute(rows.execution_options(yield_per=2000)):
            found[problems[0]["code"] if problems else str(outcome)] += 1
    return found


def measure(context: Context, subject: Subject, rows: int, patience: float) -> dict[str, Any]:
    """Send, try and take over one table. Raises `CannotMeasure` where a line had another end than it must."""
    actor = prepare(context, subject)
    with tempfile.TemporaryFile() as file:
        expected = write(file, subject, rows)
        began = time.perf_counter()
        view = register.receive(context, actor, "list.csv", file, subject=subject)
    received = time.perf_counter()
    view = _worked(context, actor, register.check(context, actor, view.id, view.version), None)
    tried = time.perf_counter()
    found = refused(context, view.id)
    if found != expected:
        raise CannotMeasure(f"lines ended otherwise than they must: {found - expected} instead of {expected - found}")
    begun = time.perf_counter()
    view = _worked(context, actor, register.run(context, actor, view.id, view.version), begun + patience)
    ended = time.perf_counter()
    with context.reading() as session:
        done = sa.select(sa.func.count()).where(ImportLine.import_id == view.id, ImportLine.done)
        taken = session.scalar(done) or 0
    return {
        "subject": str(subject), "rows": rows, "refused": rows - expected["new"], "reasons": len(expected) - 1,
        "receive_seconds": round(received - began, 1), "tried_per_second": round(rows / (tried - received)),
        "taken": taken, "taken_per_second": round(taken / (ended - begun)), "state": str(view.state),
        "most_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def _worked(context: Context, actor: Actor, view: ImportView, until: float | None) -> ImportView:
    while view.state in {"checking", "running"} and (until is None or time.perf_counter() < until):
        view = register.advance(context, actor, view.id)
        print(f"{view.id} {view.state} {view.worked} of {view.rows}", file=sys.stderr)
    return view


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
@click.option("--subject", type=click.Choice(["devices", "holdings"]), default="devices", show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="How long lines are taken over.")
@click.option("--database", help="URL of an empty database; SQLite in a temporary folder otherwise.")
def main(rows: int, subject: str, seconds: float, database: str | None) -> None:
    """Print the figures as one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="sanitrail-imports-") as folder:
        settings = Settings(data_dir=Path(folder), database_url=database or "")
        context = setup.initialise(settings, SystemClock())
        try:
            print(json.dumps(measure(context, Subject(subject), rows, seconds)))
        finally:
            context.database.close()


if __name__ == "__main__":
    main()
