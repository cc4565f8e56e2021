"""How a large inventory fares: `python -m benchmarks.scale`, and the last part of `make bench`.

An invented organisation on a PostgreSQL of our own, or one that was kept (`--database`, `--data`); over it the service as it is
run, in several processes started by its own command. Then: every list page and every list of the interface with many readers at
once; agents' heartbeats and progress by the clock; changes of state; and what counts much at once: a policy's preview, a
balance, an import. Readers, agents, service and database share the machine; what they took of it is said.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.clock import SystemClock
from inventory.domain.vocabulary import DeviceState
from inventory.models import Device, Event, Host
from inventory.services import devices, seeding, setup
from inventory.services.context import Context
from inventory.settings import Settings

from .errors import CannotMeasure
from .evidence import postgres
from .scale_http import Heard, Page, Times, Where, read_by_many, speak
from .scale_service import (
    allow_many_connections,
    bearers,
    cookies,
    dismiss,
    enlist,
    hear_all,
    pages,
    running,
    somebody,
    spent,
)
from .scale_work import measure_work

API = (
    "devices", "devices?state=quarantined", "devices?held=true", "devices?text=D-0500", "devices?text=zzzzzz", "hosts",
    "orders", "events", "events?tag=device.retired", "exceptions", "locations", "parties", "data-sets", "paths", "holdings",
    "holds", "cases", "exposures", "exposure", "lots", "containers", "handovers", "balances", "samples", "readings",
    "questions", "imports", "sites", "teams", "people", "approver-keys", "certificates", "documents", "statements",
    "audit-packs", "log/entries", "validations/waiting", "queues/approve", "queues/custody", "queues/privacy", "views",
    "bays", "dashboard", "search?text=A0500000",
)  # fmt: skip
"""Lists of the interface."""

CONSOLE = (
    "", "devices", "devices?state=quarantined", "devices?q=A0500000", "devices?q=zzzzzz",
    "devices?held=yes&state=in_service", "hosts", "orders", "cases", "exceptions", "lots", "certificates", "events", "data",
    "places", "sites", "people", "duties", "holds", "privacy", "privacy/media", "balances", "samples", "readings",
    "questions", "imports", "exports", "containers", "handovers", "documents", "audit-packs", "log", "keys", "roster",
    "policy", "queues/approve", "queues/custody", "queues/privacy", "queues/validate", "running", "wall", "views",
    "search?q=A0500000", "devices/D-500000", "hosts/H-20000",
)  # fmt: skip
"""Pages of the console: every list, and a story."""

LIST_MS, LATE_MS, PAGE_MS, COMMIT_MS = 100.0, 300.0, 200.0, 20.0
"""Bars: a list at the median and at p99, a page, a change of state."""


@contextmanager
def inventory(count: int, url: str | None, data: Path | None) -> Iterator[Context]:
    """A kept inventory, or an invented one on a server of our own."""
    if url is not None and data is not None:
        context = setup.open_inventory(Settings(data_dir=data, database_url=url), SystemClock())
        try:
            yield context
        finally:
            context.database.close()
        return
    with postgres() as made, tempfile.TemporaryDirectory(prefix="sanitrail-bench-scale-") as folder:
        context = setup.initialise(Settings(data_dir=Path(folder) / "data", database_url=made), SystemClock())
        try:
            began = time.perf_counter()
            seeding.fill(context, seeding.Seed(devices=count, signed=min(count, 2000), stories=10))
            click.echo(f"Invented in {time.perf_counter() - began:,.0f} s.")
            yield context
        finally:
            context.database.close()


def describe(context: Context) -> str:
    """How large it is."""
    with context.reading() as session:
        found = [session.scalar(sa.select(sa.func.count()).select_from(one)) or 0 for one in (Device, Host)]
        events = session.scalar(sa.select(sa.func.max(Event.id))) or 0
    return f"{found[0]:,} devices, {found[1]:,} hosts, {events:,} events"


@contextmanager
def state_of_the_machine(what: str) -> Iterator[None]:
    """Says what the machine did meanwhile: processor time by everybody, and the load when it began."""
    before, load, began = _jiffies(), os.getloadavg()[0], time.monotonic()
    yield
    busy, whole = (after - then for after, then in zip(_jiffies(), before, strict=True))
    click.echo(
        f"[{what}: {time.monotonic() - began:,.0f} s, load {load:.1f} when it began, processors {busy / max(1, whole):.0%} busy, "
        f"{datetime.now(UTC):%H:%M} UTC]"
    )


def _jiffies() -> tuple[int, int]:
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(numbers) - numbers[3] - numbers[4], sum(numbers)


# -- lists -------------------------------------------------------------------------------------------------------------


def measure_lists(where: Where, wanted: Sequence[Page], readers: int, seconds: float, pause: float) -> dict[str, Times]:
    """Each list by so many readers at once; slow ones are said as they come."""
    found = {}
    for page in wanted:
        times = found[page.path] = asyncio.run(read_by_many(where, page, readers, seconds, pause))
        click.echo(_line(page.path, times))
    return found


def _line(path: str, times: Times) -> str:
    bar = PAGE_MS if path.startswith("/console") else LIST_MS
    met = times.median <= bar and times.share(0.99) <= LATE_MS and not times.wrong
    wrong = " ".join(f"{word} x{count}" for word, count in times.wrong.items())
    return (
        f"  {path:<48} {times.median:8.0f} ms {times.share(0.99):8.0f} ms p99 {len(times.took):6d} answers "
        f"{times.size / 1000:7.1f} kB  {'' if met else 'NOT MET'} {wrong}"
    )


def summary(found: dict[str, Times]) -> str:
    """All answers of all lists together."""
    every = Times(took=[each for times in found.values() for each in times.took])
    wrong = sum(sum(times.wrong.values()) for times in found.values())
    return (
        f"  all {len(found)}: median {every.median:.0f} ms, p99 {every.share(0.99):.0f} ms, {len(every.took):,} answers, "
        f"{wrong} errors; worst median {max(times.median for times in found.values()):.0f} ms, "
        f"worst p99 {max(times.share(0.99) for times in found.values()):.0f} ms"
    )


# -- agents ------------------------------------------------------------------------------------------------------------


def heard_words(heard: Heard) -> str:
    """How the agents fared, in lines."""
    lines = []
    for name, times in (("heartbeats", heard.beats), ("progress reports", heard.reports)):
        lines.append(
            f"  {name:<18} {len(times.took):8,} answers, median {times.median:.0f} ms, p99 {times.share(0.99):.0f} ms, "
            f"slowest {times.share(1.0):.0f} ms, {sum(times.wrong.values())} errors"
        )
        lines += [f"    {count} x {word}" for word, count in times.wrong.most_common(5)]
    lines.append(
        f"  the load itself was late by {heard.late:.1f} s at worst; {heard.reconnected} connections opened again"
    )
    return "\n".join(lines)


# -- changes -----------------------------------------------------------------------------------------------------------


def measure_commits(context: Context, times: int) -> tuple[Times, Times]:
    """Devices retired one by one, an event each, signed into the log: until it is committed, and until it is answered."""
    custodian = somebody(context, "custodian")
    with context.reading() as session:
        wanted = sa.select(Device.id).where(Device.state == DeviceState.IN_SERVICE).order_by(Device.id.desc())
        numbers = session.scalars(wanted.limit(times + 3)).all()
    committed, answered, at = [], [], [0.0]
    clock = partial(_note_time, at)
    sa.event.listen(Session, "after_commit", clock)
    try:
        for number in numbers:
            began = time.perf_counter()
            devices.retire(context, custodian, devices.ChangeState(device=number, reason="measured"))
            answered.append((time.perf_counter() - began) * 1000)
            committed.append((at[0] - began) * 1000)
    finally:
        sa.event.remove(Session, "after_commit", clock)
    return Times(took=committed[3:]), Times(took=answered[3:])


def _note_time(at: list[float], _session: Session) -> None:
    at[0] = time.perf_counter()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--devices", "count", type=click.IntRange(1000, 5_000_000), default=20_000, show_default=True)
@click.option("--database", help="URL of a kept inventory's PostgreSQL; with --data. It is changed.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Its data directory.")
@click.option("--processes", type=click.IntRange(1, 16), default=2, show_default=True, help="Of the service.")
@click.option("--readers", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option(
    "--pause", type=click.FloatRange(0, 60), default=3.0, show_default=True, help="A reader's, in seconds; 1: a burst."
)
@click.option("--each", type=click.FloatRange(1, 600), default=6.0, show_default=True, help="Seconds a list.")
@click.option("--agents", type=click.IntRange(0, 50_000), default=None, help="Default: every host, at most 10,000.")
@click.option("--runs", type=click.IntRange(0, 5000), default=None, help="Default: one for each 33 agents.")
@click.option("--minutes", type=click.FloatRange(0.1, 120), default=1.0, show_default=True, help="Of agents.")
@click.option("--only", type=click.Choice(["lists", "agents", "commits", "work"]), multiple=True)
@click.option("--list", "lists", multiple=True, help="Only lists whose address holds this; may be repeated.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all medians there.")
def main(  # noqa: PLR0913 - a command has this many options
    *, count: int, database: str | None, data: Path | None, processes: int, readers: int, pause: float, each: float,
    agents: int | None, runs: int | None, minutes: float, only: tuple[str, ...], lists: tuple[str, ...],
    json_file: Path | None,
) -> None:  # fmt: skip
    """Measure a large inventory under load. Exit code 0 when all was measured, whether bars are met or not."""
    if (database is None) != (data is None):
        raise click.UsageError("--database goes with --data.")
    allow_many_connections()
    parts = only or ("lists", "agents", "commits", "work")
    try:
        with inventory(count, database, data) as context:
            click.echo(f"A large inventory: {describe(context)}; {len(os.sched_getaffinity(0))} processors.")
            if "commits" in parts:
                with state_of_the_machine("changes"):
                    for what, times in zip(("committed", "answered"), measure_commits(context, 100), strict=True):
                        click.echo(
                            f"  change of state, {what}: median {times.median:.1f} ms, p99 {times.share(0.99):.1f} ms"
                            + (f" (bar {COMMIT_MS:.0f})" if what == "committed" else "")
                        )
            if {"lists", "agents"} & set(parts):
                with tempfile.TemporaryDirectory(prefix="sanitrail-bench-log-") as folder:
                    _under_load(
                        context, Path(folder), parts, lists, json_file, processes=processes, readers=readers, pause=pause,
                        each=each, agents=agents, runs=runs, seconds=minutes * 60,
                    )  # fmt: skip
            if "work" in parts:
                with state_of_the_machine("work"):
                    measure_work(context)
    except CannotMeasure as error:
        click.echo(f"not measured: {error}")


def _under_load(  # noqa: PLR0913 - as the command's options
    context: Context, folder: Path, parts: Sequence[str], lists: Sequence[str], json_file: Path | None, *, processes: int,
    readers: int, pause: float, each: float, agents: int | None, runs: int | None, seconds: float,
) -> None:  # fmt: skip
    hear_all(context)
    with running(context, processes, folder / "service.log") as where:
        if "lists" in parts:
            wanted = [one for one in (f"/api/v1/{path}" for path in API) if _named(one, lists)]
            shown = [one for one in (f"/console/{path}" for path in CONSOLE) if _named(one, lists)]
            asked = [*pages(where, wanted, bearers(context)), *pages(where, shown, cookies(context))]
            with state_of_the_machine(f"{readers} readers, {pause:g} s between two pages, {processes} processes"):
                found = measure_lists(where, asked, readers, each, pause)
            if found:
                click.echo(summary(found))
            if json_file is not None:
                json_file.write_text(
                    json.dumps({path: [times.median, times.share(0.99), times.size] for path, times in found.items()})
                )
        if "agents" in parts:
            with context.reading() as session:
                hosts = session.scalar(sa.select(sa.func.count()).select_from(Host)) or 0
            many = min(hosts - 1, 10_000) if agents is None else agents
            under_way = many * 3 // 100 if runs is None else runs
            dismiss(context)
            spoken = enlist(context, many, under_way)
            click.echo(f"{many:,} agents, a heartbeat each 30 s; {under_way} runs, a report each 5 s")
            with state_of_the_machine("agents"):
                name = context.database.engine.url.database or ""
                before, own = spent(where, name), time.process_time()
                heard = asyncio.run(speak(where, spoken, 30.0, 5.0, seconds))
                service, base = (after - then for after, then in zip(spent(where, name), before, strict=True))
                load = time.process_time() - own
                click.echo(heard_words(heard))
                answers = max(1, len(heard.beats.took) + len(heard.reports.took))
                click.echo(
                    f"  {answers / seconds:.0f} words a second answered, {many / 30 + under_way / 5:.0f} asked for\n"
                    f"  processor time: service {service / seconds:.2f} of a processor, database {base / seconds:.2f}, "
                    f"the load itself {load / seconds:.2f}; {service / answers * 1000:.2f} + {base / answers * 1000:.2f} + "
                    f"{load / answers * 1000:.2f} ms an answer"
                )
            dismiss(context)


def _named(path: str, parts: Sequence[str]) -> bool:
    return not parts or any(part in path for part in parts)


if __name__ == "__main__":
    sys.exit(main())
