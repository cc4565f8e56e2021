"""The log never forks itself: crashes recover, an old backup or a second copy signs nothing, a full disk loses nothing."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa

from inventory.db import Database
from inventory.domain.vocabulary import Zone
from inventory.errors import LogRefused, SetupError, StorageFailed
from inventory.log_guard import LogGuard
from inventory.models import Location, LogEntry
from inventory.services import places, queries, setup, transparency
from inventory.services.context import Context
from tests.support.inventory_world import World, copied_world


@pytest.fixture
def company(tmp_path: Path) -> Iterator[World]:
    with copied_world(tmp_path / "data") as copy:
        yield copy


def grow(world: World) -> int:
    """One more entry; the log's size afterwards."""
    world.enrol_agent(f"host-{transparency.checkpoint(world.context).size}", [])
    return transparency.checkpoint(world.context).size


def reopened(world: World) -> Context:
    world.context.database.close()
    return setup.open_inventory(world.context.settings, world.clock)


def crash(*_: object, **__: object) -> NoReturn:
    raise SystemExit("power cut")


def test_a_crash_after_the_commit_and_before_the_guard_file_recovers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(LogGuard, "confirm", crash)
        with pytest.raises(SystemExit):
            world.enrol_agent("host-x", [])
    committed = transparency.checkpoint(world.context).size
    again = reopened(world)
    try:
        assert transparency.checkpoint(again).size == committed
        object.__setattr__(world, "context", again)
        assert grow(world) == committed + 1
    finally:
        again.database.close()


def test_a_crash_before_the_commit_leaves_nothing_and_recovers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = transparency.checkpoint(world.context)
    with monkeypatch.context() as patched:
        patched.setattr("inventory.db.Session.commit", crash)
        with pytest.raises(SystemExit):
            world.enrol_agent("host-x", [])
    assert transparency.checkpoint(world.context) == before
    again = reopened(world)
    try:
        assert transparency.checkpoint(again) == before
        object.__setattr__(world, "context", again)
        assert grow(world) == before.size + 1
        with again.reading() as session:
            assert len(again.ledger.consistency(session, before.size, before.size + 1)) >= 0
    finally:
        again.database.close()


def test_a_guard_file_that_cannot_be_confirmed_does_not_undo_what_is_committed(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise StorageFailed("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(LogGuard, "confirm", full)
        size = grow(company)
    assert grow(company) == size + 1


def test_an_old_backup_signs_nothing(company: World, tmp_path: Path) -> None:
    file = company.folder / "inventory.db"
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    grow(company)
    grow(company)
    company.context.database.close()
    for leftover in company.folder.glob("inventory.db*"):
        leftover.unlink()
    shutil.copy(backup, file)
    with pytest.raises(LogRefused, match="old backup"):
        setup.open_inventory(company.context.settings, company.clock)
    database = Database(company.context.settings.url)
    with pytest.raises(LogRefused, match="old backup"), database.writing() as session:
        company.context.ledger.append(session, "statement", "0" * 64, "fork")
    database.close()


def test_a_second_copy_of_the_service_signs_nothing(company: World) -> None:
    file = company.context.secrets.guard_file
    kept = file.read_bytes()
    file.unlink()
    LogGuard(file, company.context.ledger.origin).create()
    with pytest.raises(LogRefused, match="another guard file"):
        company.enrol_agent("host-x", [])
    file.write_bytes(kept)
    grow(company)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"not json"])
def test_a_lost_or_damaged_guard_file_stops_the_signing(company: World, content: bytes | None) -> None:
    file = company.context.secrets.guard_file
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(LogRefused, match="guard file"):
        grow(company)
    with pytest.raises(LogRefused):
        reopened(company)


def test_after_a_loss_an_administrator_names_what_was_seen_and_nothing_else_is_adopted(company: World) -> None:
    company.context.secrets.guard_file.unlink()
    with company.context.reading() as session:
        checkpoint, _, _ = company.context.ledger.checkpoint(session)
        with pytest.raises(LogRefused):
            company.context.ledger.adopt_head(session, checkpoint.size, b"x" * 32)
        with pytest.raises(LogRefused):
            company.context.ledger.adopt_head(session, checkpoint.size + 1, checkpoint.root)
        company.context.ledger.adopt_head(session, checkpoint.size, checkpoint.root)
    grow(company)


def test_an_altered_tree_is_not_signed_over(company: World) -> None:
    with company.context.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER guard_log_tile_update")
        data = connection.exec_driver_sql("SELECT data FROM log_tile WHERE level = 0").scalar_one()
        altered = bytes([data[0] ^ 1]) + data[1:]
        connection.execute(sa.text("UPDATE log_tile SET data = :data WHERE level = 0"), {"data": altered})
    before = transparency.checkpoint(company.context).size
    with pytest.raises(LogRefused):
        company.enrol_agent("host-x", [])
    assert transparency.checkpoint(company.context).size == before


def test_keys_of_another_installation_do_not_open_this_one(company: World) -> None:
    company.context.database.close()
    (company.context.secrets.folder / "acceptance.pem").unlink()
    with pytest.raises(SetupError, match=r"The acceptance key .* is not in"):
        setup.open_inventory(company.context.settings, company.clock)


def test_readable_keys_are_refused(company: World) -> None:
    company.context.secrets.folder.chmod(0o755)
    with pytest.raises(SetupError, match="Others may enter"):
        reopened(company)


# -- a full disk -------------------------------------------------------------------------------------------------------------


def limited(database: Database) -> Any:  # noqa: ANN401 - the listener, to be removed
    """Let SQLite find its disk full as soon as the file must grow."""

    def no_more_pages(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        connection.execute("PRAGMA max_page_count=1")  # clamped to what the file has now

    sa.event.listen(database.engine, "connect", no_more_pages)
    database.engine.dispose()
    return no_more_pages


def test_a_full_disk_under_the_database_loses_nothing_and_changes_nothing(company: World) -> None:
    context = company.context
    before = transparency.checkpoint(context)
    locations = len(places.list_locations(context, company.actor("viewer")))
    listener = limited(context.database)

    def fill() -> NoReturn:
        nonlocal locations
        while True:
            command = places.CreateLocation(name=f"Room {locations}", zone=Zone.SECURE, address="x" * 400)
            places.create_location(context, company.actor("custodian"), command)
            locations += 1

    with pytest.raises(StorageFailed, match="nothing of it took effect"):
        fill()
    with context.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Location.id))) == locations
    sa.event.remove(context.database.engine, "connect", listener)
    context.database.engine.dispose()
    size = transparency.checkpoint(context).size
    assert grow(company) == size + 1
    with context.reading() as session:
        assert session.scalar(sa.select(sa.func.count(LogEntry.idx))) == size + 1
        context.ledger.consistency(session, before.size, size + 1)


def test_a_full_disk_under_the_guard_file_rolls_the_change_back(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = transparency.checkpoint(company.context)
    hosts = len(queries.list_hosts(company.context, company.actor("viewer")).items)

    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("inventory.log_guard.os.fdatasync", full)
        with pytest.raises(StorageFailed):
            company.enrol_agent("host-x", [])
    assert transparency.checkpoint(company.context) == before
    found = queries.list_hosts(company.context, company.actor("viewer")).items
    assert [row.state for row in found[hosts:]] == ["pending"], "enrolled, but its confirmation did not happen"
    assert grow(company) == before.size + 1
