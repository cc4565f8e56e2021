"""The log as plain files: complete, incremental, whole after every cut, and enough to bring an old backup up to date."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from inventory.db import Database
from inventory.domain.vocabulary import HostState
from inventory.errors import LogRefused, StorageFailed
from inventory.models import Counter, Host, LogEntry, LogHead
from inventory.services import corrections, hosts, log_restore, setup, transparency, witnesses
from inventory.services.context import Context
from inventory.services.log_export import export
from inventory.settings import Witness
from reports.errors import ReportError
from reports.exported_log import ExportedLog, open_exported_log
from tests.support.inventory_world import World, copied_world, make_world
from tests.support.witnessed import name_witnesses
from tests.support.witnesses import prepare, serving


@pytest.fixture
def company(tmp_path: Path) -> Iterator[World]:
    with copied_world(tmp_path / "data") as copy:
        yield copy


def size(world: World) -> int:
    return transparency.checkpoint(world.context).size


def fill(world: World, entries: int) -> None:
    """Entries about nothing in particular."""
    with world.context.writing() as session:
        for number in range(entries):
            digest = hashlib.sha256(f"{size(world)} {number}".encode()).hexdigest()
            world.context.ledger.append(session, "acceptance", digest, "filling")


def opened(world: World, folder: Path) -> ExportedLog:
    return open_exported_log(folder, transparency.trust(world.context).pin)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("entries", [1, 255, 256, 257, 700])
def test_what_is_exported_is_the_log(company: World, tmp_path: Path, entries: int) -> None:
    fill(company, max(1, entries - size(company)))
    done = export(company.context, tmp_path / "x")
    found = opened(company, tmp_path / "x")
    assert found.checkpoint.size == done.size == size(company)
    with company.context.reading() as session:
        stored = list(session.scalars(sa.select(LogEntry.entry).order_by(LogEntry.idx)))
    assert [entry.raw for entry in found.folder.entries()] == stored


def test_both_databases_export_the_same_kind_of_files(world: World, tmp_path: Path) -> None:
    export(world.context, tmp_path / "x")
    assert opened(world, tmp_path / "x").checkpoint.size == size(world)


def test_each_round_writes_what_is_new_and_the_end_is_the_same_as_at_once(company: World, tmp_path: Path) -> None:
    for entries in (1, 240, 30, 256, 3):
        fill(company, entries)
        export(company.context, tmp_path / "x")
        assert opened(company, tmp_path / "x").checkpoint.size == size(company)
    assert export(company.context, tmp_path / "x").files == 1, "the checkpoint alone"
    export(company.context, tmp_path / "y")
    once, rounds = everything(tmp_path / "y"), everything(tmp_path / "x")
    assert once.items() <= rounds.items()
    assert not [name for name in rounds if "/000.p/" in name and "tile/0/" in name], (
        "full tiles have no partial ones beside"
    )


def test_a_round_that_is_cut_off_anywhere_leaves_the_folder_whole_and_is_simply_done_again(
    company: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(company, 250)
    folder = tmp_path / "x"
    export(company.context, folder)
    before = opened(company, folder).checkpoint.size
    fill(company, 300)
    cuts = 0
    for effect in range(1, 60):
        left = [effect]

        def full(_: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("inventory.services.log_export.os.fsync", full)
            again = tmp_path / f"x{effect}"
            shutil.copytree(folder, again)
            try:
                export(company.context, again)
            except StorageFailed:
                cuts += 1
                assert opened(company, again).checkpoint.size in {before, size(company)}
            else:
                break
        export(company.context, again)
        assert opened(company, again).checkpoint.size == size(company)
    assert cuts > 10


@pytest.mark.parametrize(
    "part",
    ["checkpoint", "tile/0/000", "tile/1/000.p", "tile/entries/000", "tile/entries/001.p", "trust-root", "key-event"],
)
def test_one_altered_byte_anywhere_is_found(company: World, tmp_path: Path, part: str) -> None:
    fill(company, 270)
    export(company.context, tmp_path / "x")
    files = [tmp_path / "x" / name for name in everything(tmp_path / "x") if name.startswith(part)]
    assert files
    for file in files:
        kept = file.read_bytes()
        for at in {0, len(kept) // 2, len(kept) - 1}:
            file.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
            with pytest.raises(ReportError):
                opened(company, tmp_path / "x")
        for other in (kept[:-1], b""):
            file.write_bytes(other)
            with pytest.raises(ReportError):
                opened(company, tmp_path / "x")
        file.unlink()
        with pytest.raises(ReportError):
            opened(company, tmp_path / "x")
        file.write_bytes(kept)
    opened(company, tmp_path / "x")


def test_another_pin_opens_nothing(company: World, tmp_path: Path) -> None:
    export(company.context, tmp_path / "x")
    for pin in ("0" * 64, "nonsense", ""):
        with pytest.raises(ReportError):
            open_exported_log(tmp_path / "x", pin)


def test_a_folder_of_another_log_or_another_history_is_left_alone(company: World, tmp_path: Path) -> None:
    export(company.context, tmp_path / "x")
    with copied_world(tmp_path / "other") as other:
        other.enrol_agent("host-other", [])
        export(other.context, tmp_path / "y")
    fill(company, 5)
    kept = everything(tmp_path / "y")
    with pytest.raises(LogRefused, match="another history"):
        export(company.context, tmp_path / "y")
    assert everything(tmp_path / "y") == kept
    (tmp_path / "x" / "checkpoint").write_bytes(b"nonsense")
    with pytest.raises(LogRefused, match="cannot be read"):
        export(company.context, tmp_path / "x")


HOLDER = """
import os, sys
os.lockf(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), os.F_LOCK, 0)
print("held", flush=True)
sys.stdin.read()
"""


def test_two_exports_at_once_do_not_mix(company: World, tmp_path: Path) -> None:
    """Record locks do not keep a process from itself: another process holds it here."""
    (tmp_path / "x").mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "x" / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LogRefused, match="under way"):
            export(company.context, tmp_path / "x")
    finally:
        holder.communicate("")


# -- the day after a disaster ----------------------------------------------------------------------------------------------


def backup(world: World, to: Path) -> None:
    """The database alone, as a nightly backup has it."""
    with closing(sqlite3.connect(world.folder / "inventory.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(to),))


def put_back(world: World, backed_up: Path) -> None:
    world.context.database.close()
    for leftover in world.folder.glob("inventory.db*"):
        leftover.unlink()
    shutil.copy(backed_up, world.folder / "inventory.db")


def reopen(world: World) -> Context:
    context = setup.open_inventory(world.context.settings, world.clock)
    object.__setattr__(world, "context", context)
    return context


def restore(world: World, folder: Path) -> log_restore.RestoreReport:
    return log_restore.bring_up_to_date(world.context.settings, world.clock, folder)


def test_an_old_backup_is_refused_and_brought_up_to_date_from_the_export(company: World, tmp_path: Path) -> None:
    backup(company, tmp_path / "old.db")
    before = size(company)
    fill(company, 300)
    company.enrol_agent("host-y", [])
    export(company.context, tmp_path / "x")
    last = transparency.checkpoint(company.context)
    put_back(company, tmp_path / "old.db")
    with pytest.raises(LogRefused, match="old backup"):
        reopen(company)
    report = restore(company, tmp_path / "x")
    assert (report.before, report.size) == (before, last.size)
    assert report.kinds == {"acceptance": 300, "key-event": 1}
    assert report.lost == 300
    reopen(company)
    assert transparency.checkpoint(company.context).root == last.root
    assert "log-restored" in company.codes()
    company.enrol_agent("host-z", [])
    with company.context.reading() as session:
        context = company.context
        proof = context.ledger.consistency(session, last.size, size(company))
        assert proof
    export(company.context, tmp_path / "x")
    assert opened(company, tmp_path / "x").checkpoint.size == size(company)


def test_on_postgresql_too(new_postgres: Callable[[], str], tmp_path: Path) -> None:
    world = make_world(tmp_path / "data", new_postgres())
    world.close()
    url = new_postgres()
    old, copy = sa.make_url(world.context.settings.url), sa.make_url(url).database
    server = sa.create_engine(
        old.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {copy}"))
        connection.execute(sa.text(f"CREATE DATABASE {copy} TEMPLATE {old.database}"))
    server.dispose()
    reopen(world)
    world.enrol_agent("host-y", [])
    fill(world, 300)
    export(world.context, tmp_path / "x")
    last = transparency.checkpoint(world.context)
    world.close()
    settings = world.context.settings.model_copy(update={"database_url": url})
    with pytest.raises(LogRefused, match="old backup"):
        setup.open_inventory(settings, world.clock)
    assert log_restore.bring_up_to_date(settings, world.clock, tmp_path / "x").size == last.size
    context = setup.open_inventory(settings, world.clock)
    object.__setattr__(world, "context", context)
    assert transparency.checkpoint(context).root == last.root
    world.enrol_agent("host-z", [])
    world.close()


def test_a_second_restore_changes_nothing(company: World, tmp_path: Path) -> None:
    backup(company, tmp_path / "old.db")
    fill(company, 3)
    export(company.context, tmp_path / "x")
    put_back(company, tmp_path / "old.db")
    restore(company, tmp_path / "x")
    report = restore(company, tmp_path / "x")
    assert report.before == report.size
    reopen(company)


def test_an_export_older_than_what_was_signed_is_not_enough(company: World, tmp_path: Path) -> None:
    backup(company, tmp_path / "old.db")
    fill(company, 3)
    export(company.context, tmp_path / "x")
    fill(company, 2)
    put_back(company, tmp_path / "old.db")
    with pytest.raises(LogRefused, match="were signed"):
        restore(company, tmp_path / "x")
    with pytest.raises(LogRefused, match="old backup"):
        reopen(company)


def test_a_backup_that_went_on_signing_is_a_fork_and_is_not_joined(company: World, tmp_path: Path) -> None:
    """Database and guard came from the same old backup, and somebody worked with it before anyone noticed."""
    old = tmp_path / "old"
    shutil.copytree(company.folder, old)
    fill(company, 3)
    export(company.context, tmp_path / "x")
    context = setup.open_inventory(company.context.settings.model_copy(update={"data_dir": old}), company.clock)
    object.__setattr__(company, "context", context)
    company.clock.forward(minutes=5)
    company.enrol_agent("host-fork", [])
    context.database.close()
    with pytest.raises(LogRefused, match="another history"):
        restore(company, tmp_path / "x")


def test_whole_backup_with_its_guard_is_stopped_by_the_witness_and_mended_by_the_export(
    company: World, tmp_path: Path
) -> None:
    name_witnesses(company.context, prepare(tmp_path / "w", *company.context.ledger.vkeys))
    with serving(tmp_path / "w") as running:
        named = (Witness(name="witness.example.net", url=running.url),)
        said = company.context.settings.model_copy(update={"witnesses": named})
        company.context.database.close()
        object.__setattr__(company, "context", setup.open_inventory(said, company.clock))
        old = tmp_path / "old"
        shutil.copytree(company.folder, old)
        fill(company, 3)
        assert witnesses.ask_all(company.context) == 1
        export(company.context, tmp_path / "x")
        settings = said.model_copy(update={"data_dir": old})
        context = setup.open_inventory(settings, company.clock)
        with pytest.raises(LogRefused, match=r"witness witness\.example\.net has cosigned"):
            witnesses.refuse_if_behind(context)
        context.database.close()
        log_restore.bring_up_to_date(settings, company.clock, tmp_path / "x")
        context = setup.open_inventory(settings, company.clock)
        witnesses.refuse_if_behind(context)
        object.__setattr__(company, "context", context)
        company.enrol_agent("host-z", [])
        assert witnesses.ask_all(company.context) == 1
        context.database.close()


def test_an_altered_export_restores_nothing(company: World, tmp_path: Path) -> None:
    backup(company, tmp_path / "old.db")
    before = size(company)
    fill(company, 3)
    export(company.context, tmp_path / "x")
    put_back(company, tmp_path / "old.db")
    (bundle,) = [file for file in (tmp_path / "x" / "tile" / "entries").rglob("*") if file.is_file()]
    bundle.write_bytes(bundle.read_bytes().replace(b"acceptance", b"validation", 1))
    with pytest.raises(LogRefused, match="cannot be used"):
        restore(company, tmp_path / "x")
    database = Database(company.context.settings.url)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(LogEntry.idx))) == session.get_one(LogHead, 1).size == before
    database.close()


def test_a_key_the_log_had_revoked_counts_no_more(company: World, tmp_path: Path) -> None:
    backup(company, tmp_path / "old.db")
    host = company.agent.host
    command = hosts.RevokeHost(host=host, reason="stolen", valid_below=1)
    hosts.revoke(company.context, company.actor("admin"), command)
    export(company.context, tmp_path / "x")
    put_back(company, tmp_path / "old.db")
    report = restore(company, tmp_path / "x")
    assert report.revoked == (host,)
    reopen(company)
    with company.context.reading() as session:
        row = session.get_one(Host, host)
        assert (row.state, row.revoked_below) == (HostState.REVOKED, 1)


def test_numbers_that_lost_documents_may_bear_are_not_given_again(company: World, tmp_path: Path) -> None:
    backup(company, tmp_path / "old.db")
    with company.context.reading() as session:
        before = {row.series: row.last for row in session.scalars(sa.select(Counter))}
    fill(company, 7)
    export(company.context, tmp_path / "x")
    put_back(company, tmp_path / "old.db")
    restore(company, tmp_path / "x")
    reopen(company)
    with company.context.reading() as session:
        after = {row.series: row.last for row in session.scalars(sa.select(Counter))}
    assert all(after[series] >= last + 7 for series, last in before.items())


def test_corrections_come_back_and_are_told_to_whoever_asks(company: World, tmp_path: Path) -> None:
    with company.context.writing() as session:
        company.context.ledger.append(session, "certificate", "ab" * 32, "SC-2026-000077")
    backup(company, tmp_path / "old.db")
    command = corrections.Correct(document="SC-2026-000077", action="void", reason="It is about another device.")
    corrections.correct(company.context, company.actor("validator"), command)
    export(company.context, tmp_path / "x")
    assert [one.body.document for one in opened(company, tmp_path / "x").of_document("ab" * 32)] == ["SC-2026-000077"]
    put_back(company, tmp_path / "old.db")
    restore(company, tmp_path / "x")
    reopen(company)
    assert corrections.standing(company.context, "ab" * 32).standing == "void"
