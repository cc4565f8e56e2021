"""How long a list takes in a large inventory: `python -m benchmarks.scale`, and the last part of `make bench`.

An invented organisation on a PostgreSQL of our own; then each list of the interface, asked through the whole application by one
reader after another, and changes of state committed by the services. Concurrent readers and thousands of agents are not measured
here: they need a machine for themselves. Writes only below a temporary folder.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import sqlalchemy as sa

from inventory.app import create_app
from inventory.clock import SystemClock
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.vocabulary import DeviceState
from inventory.models import Device, Person
from inventory.services import devices, seeding, sessions, setup
from inventory.services.context import Actor, Context
from inventory.settings import Settings

from .errors import CannotMeasure
from .evidence import Figure, postgres, table

LISTS = (
    "devices", "devices?state=quarantined", "devices?held=true", "hosts", "orders", "events", "events?tag=device.retired",
    "exceptions", "locations", "data-sets", "cases", "lots", "sites", "certificates", "dashboard",
)  # fmt: skip
BAR_MS = 100
COMMIT_MS = 20


def somebody(context: Context, login: str) -> Actor:
    """One of the invented people."""
    with context.reading() as session:
        person = session.scalars(sa.select(Person).where(Person.login == login)).one()
        return Actor(person.ref, "person", frozenset(Role(role) for role in person.roles), scope=EVERYTHING)


def milliseconds(act: Callable[[], object], times: int) -> list[float]:
    """How long it takes, each time; the first time is left out."""
    found = []
    for _ in range(times + 1):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    return found[1:]


def measure_lists(context: Context, times: int) -> list[Figure]:
    """The median of each list, through the whole application."""
    auditor = somebody(context, "auditor")
    command = sessions.CreateToken(name="measured", roles=auditor.roles)
    _, token = sessions.create_token(context, auditor, command)
    client = create_app(context.settings, clock=SystemClock(), context=context).test_client()

    def ask(path: str) -> None:
        answer = client.get(
            f"/api/v1/{path}",
            headers={"Authorization": f"Bearer {token}"},
            base_url=context.settings.external_url,
        )
        if answer.status_code != 200:
            raise CannotMeasure(f"{path} answers {answer.status_code}")

    found = []
    for path in LISTS:
        median = statistics.median(milliseconds(lambda one=path: ask(one), times))  # type: ignore[misc]  # bound now
        found.append(
            Figure(f"list {path}, median", median, "ms", BAR_MS, more_is_better=False, peer="", peer_value=0.0)
        )
    return found


def measure_commits(context: Context, times: int) -> Figure:
    """Devices retired one by one: an event each, signed into the log."""
    custodian = somebody(context, "custodian")
    with context.reading() as session:
        wanted = sa.select(Device.id).where(Device.state == DeviceState.IN_SERVICE).limit(times + 1)
        numbers = iter(session.scalars(wanted).all())

    def retire() -> None:
        devices.retire(context, custodian, devices.ChangeState(device=next(numbers), reason="measured"))

    median = statistics.median(milliseconds(retire, times))
    return Figure(
        "change of state, committed, median", median, "ms", COMMIT_MS, more_is_better=False, peer="", peer_value=0.0
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--devices", "count", type=click.IntRange(100, 5_000_000), default=20_000, show_default=True)
@click.option(
    "--times", type=click.IntRange(3, 1000), default=15, show_default=True, help="Each list is asked so often."
)
def main(*, count: int, times: int) -> None:
    """Measure lists and commits in an invented inventory. Exit code 0 when the table is printed, whether bars are met or not."""
    try:
        with postgres() as url, tempfile.TemporaryDirectory(prefix="sanitrail-bench-scale-") as folder:
            settings = Settings(data_dir=Path(folder) / "data", database_url=url)
            context = setup.initialise(settings, SystemClock())
            try:
                began = time.perf_counter()
                done = seeding.fill(context, seeding.Seed(devices=count, signed=min(count, 2000), stories=10))
                took = time.perf_counter() - began
                click.echo(
                    f"A large inventory: {done.devices:,} devices, {done.events:,} events, made in {took:,.0f} s"
                )
                figures = [*measure_lists(context, times), measure_commits(context, times)]
            finally:
                context.database.close()
    except CannotMeasure as error:
        click.echo(f"not measured: {error}")
        return
    click.echo(table(figures, []).replace("Evidence", "Lists and commits", 1))


if __name__ == "__main__":
    sys.exit(main())
