"""Backup while people work, restore into either kind of database, and a log that never goes back behind what it signed."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.db import Database
from inventory.domain.vocabulary import Zone
from inventory.errors import LogRefused, SetupError
from inventory.models import Base, Location
from inventory.services import backups, log_export, places, setup, transparency
from inventory.services.context import Context
from inventory.settings import Settings
from tests.support.inventory_world import World, copied_world


@pytest.fixture
def company(tmp_path: Path) -> Iterator[World]:
    with copied_world(tmp_path / "data") as copy:
        yield copy


def grow(world: World) -> int:
    """One more entry of the log; its size."""
    world.enrol_agent(f"host-{size(world.context)}", [])
    return size(world.context)


def size(context: Context) -> int:
    return transparency.checkpoint(context).size


def saved(world: World, file: Path) -> Path:
    with backups.private_file(file) as target:
        backups.write(world.context, target)
    return file


def fresh(world: World, folder: Path, url: str = "") -> Settings:
    """Another machine."""
    return world.context.settings.model_copy(update={"data_dir": folder, "database_url": url})


def note(world: World, folder: Path) -> str:
    """What an agent, or whoever publishes it, keeps."""
    return transparency.checkpoint(world.context).note


def content(url: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    database = Database(url)
    try:
        with database.reading() as session:
            return {
                table.name: [
                    tuple(row) for row in session.execute(sa.select(table).order_by(*table.primary_key.columns))
                ]
                for table in Base.metadata.sorted_tables
            }
    finally:
        database.close()


@contextmanager
def going_on(world: World, settings: Settings) -> Iterator[None]:
    """The same people at work on what was restored."""
    before, world.context = world.context, setup.open_inventory(settings, world.clock)
    try:
        yield
    finally:
        world.context.database.close()
        world.context = before


def emptied(url: str) -> bool:
    return not any(rows for rows in content(url).values())


def restored(world: World, settings: Settings, file: Path, **more: Any) -> backups.RestoreReport:  # noqa: ANN401
    return backups.restore(settings, world.clock, file, **more)


def test_what_is_restored_is_what_was_there_and_the_log_goes_on(world: World, tmp_path: Path) -> None:
    world.hold_data()
    world.sanitized()
    file = saved(world, tmp_path / "b.zip")
    settings = fresh(world, tmp_path / "new")
    done = restored(world, settings, file, checkpoint=note(world, tmp_path))
    assert content(settings.url) == content(world.context.settings.url)
    assert (done.size, done.from_export) == (size(world.context), 0)
    with going_on(world, settings):
        assert grow(world) == done.size + 1
        command = places.CreateLocation(name="Another room", zone=Zone.SECURE)
        places.create_location(world.context, world.actor("custodian"), command)


@pytest.mark.postgres
@pytest.mark.xdist_group("postgres")
def test_an_inventory_moves_from_sqlite_to_postgresql(
    company: World, tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    settings = fresh(company, tmp_path / "new", new_postgres())
    file = saved(company, tmp_path / "b.zip")
    restored(company, settings, file, checkpoint=note(company, tmp_path))
    assert content(settings.url) == content(company.context.settings.url)
    with going_on(company, settings):
        grow(company)  # events are numbered on from where they were


def test_a_backup_is_one_state_however_much_is_written_meanwhile(
    company: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(company.context.settings.url)
    told, real = note(company, tmp_path), backups._rows

    def while_somebody_works(session: Any, table: sa.Table) -> Iterator[Sequence[Any]]:  # noqa: ANN401 - a session
        if table.name in {"event", "log_entry", "envelope"}:
            grow(company)
        return real(session, table)

    with monkeypatch.context() as patched:
        patched.setattr(backups, "_rows", while_somebody_works)
        file = saved(company, tmp_path / "b.zip")
    later = note(company, tmp_path)
    assert later != told
    with pytest.raises(LogRefused, match="second history"):
        restored(company, fresh(company, tmp_path / "late"), file, checkpoint=later)
    settings = fresh(company, tmp_path / "new")
    restored(company, settings, file, checkpoint=told)
    assert content(settings.url) == before


def test_where_nobody_says_what_was_signed_nothing_comes_back(company: World, tmp_path: Path) -> None:
    file, settings = saved(company, tmp_path / "b.zip"), fresh(company, tmp_path / "new")
    with pytest.raises(LogRefused, match="guard file of the machine is gone"):
        restored(company, settings, file)
    assert emptied(settings.url)
    assert not (settings.data_dir / "secrets" / "log-guard.json").exists()
    restored(company, settings, file, checkpoint=note(company, tmp_path))


def test_the_machines_own_note_forbids_an_old_backup_and_allows_the_newest(company: World, tmp_path: Path) -> None:
    old = saved(company, tmp_path / "old.zip")
    grow(company)
    new = saved(company, tmp_path / "new.zip")
    company.context.database.close()
    for leftover in company.folder.glob("inventory.db*"):
        leftover.unlink()
    settings = company.context.settings
    with pytest.raises(LogRefused, match="Use a newer backup"):
        restored(company, settings, old)
    assert emptied(settings.url)
    done = restored(company, settings, new)
    context = setup.open_inventory(settings, company.clock)
    assert size(context) == done.size
    context.database.close()


@pytest.mark.parametrize("guard", ["survived", "lost"])
def test_an_exported_log_brings_an_old_backup_up_to_date(company: World, tmp_path: Path, guard: str) -> None:
    old = saved(company, tmp_path / "old.zip")
    signed = grow(company)
    log_export.export(company.context, tmp_path / "log")
    settings = fresh(company, tmp_path / "new")
    if guard == "survived":
        company.context.database.close()
        for leftover in company.folder.glob("inventory.db*"):
            leftover.unlink()
        settings = company.context.settings
    done = restored(company, settings, old, log=tmp_path / "log")
    assert (done.size, done.from_export) == (signed, 1)


def test_an_export_that_is_not_the_newest_is_not_enough(company: World, tmp_path: Path) -> None:
    old = saved(company, tmp_path / "old.zip")
    grow(company)
    log_export.export(company.context, tmp_path / "log")
    grow(company)
    settings = fresh(company, tmp_path / "new")
    with pytest.raises(LogRefused, match="second history"):
        restored(company, settings, old, log=tmp_path / "log", checkpoint=note(company, tmp_path))
    assert emptied(settings.url)


def test_a_checkpoint_of_another_log_says_nothing(company: World, tmp_path: Path) -> None:
    other = setup.initialise(Settings(data_dir=tmp_path / "other"), company.clock)
    foreign = transparency.checkpoint(other).note
    other.database.close()
    file, settings = saved(company, tmp_path / "b.zip"), fresh(company, tmp_path / "new")
    with pytest.raises(LogRefused, match="not signed by this log's keys"):
        restored(company, settings, file, checkpoint=foreign)
    assert emptied(settings.url)


def test_a_filled_database_and_other_keys_are_refused(company: World, tmp_path: Path) -> None:
    file = saved(company, tmp_path / "b.zip")
    with pytest.raises(SetupError, match="not empty"):
        restored(company, company.context.settings, file)
    setup.initialise(Settings(data_dir=tmp_path / "other"), company.clock).database.close()
    (tmp_path / "other" / "inventory.db").unlink()
    with pytest.raises(SetupError, match="another key than the backup's"):
        restored(company, fresh(company, tmp_path / "other"), file, checkpoint=note(company, tmp_path))


def rewritten(file: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same archive with some members changed, by somebody who can write archives."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            changed = change(name, old.read(name))
            if changed is not None:
                new.writestr(name, changed)
    return target


CHANGES: dict[str, Callable[[str, bytes], bytes | None]] = {
    "a row altered": lambda name, data: (
        data.replace(b"crm-db-01", b"crm-db-02") if name.endswith("host.jsonl") else data
    ),
    "a table missing": lambda name, data: None if name.endswith("/event.jsonl") else data,
    "no manifest": lambda name, data: None if name == "backup.json" else data,
    "another schema": lambda name, data: (
        data.replace(b'"schema": "', b'"schema": "x') if name == "backup.json" else data
    ),
    "another format": lambda name, data: data.replace(b"backup/1", b"backup/2") if name == "backup.json" else data,
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_restored(
    company: World, tmp_path: Path, what: str
) -> None:
    file = rewritten(saved(company, tmp_path / "b.zip"), tmp_path / "c.zip", CHANGES[what])
    settings = fresh(company, tmp_path / "new")
    with pytest.raises(SetupError):
        restored(company, settings, file, checkpoint=note(company, tmp_path))
    assert not (settings.data_dir / "inventory.db").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_no_backup(company: World, tmp_path: Path, share: float) -> None:
    whole = saved(company, tmp_path / "b.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SetupError, match="no whole backup"):
        restored(company, fresh(company, tmp_path / "new"), tmp_path / "cut.zip", checkpoint=note(company, tmp_path))


def test_a_log_that_does_not_hash_to_its_checkpoint_does_not_come_back(company: World, tmp_path: Path) -> None:
    """Somebody who altered the rows of a backup altered its digests as well."""
    import hashlib  # noqa: PLC0415 - of this forger

    def forge(name: str, data: bytes) -> bytes:
        if name == "tables/log_tile.jsonl":
            rows = [json.loads(line) for line in data.splitlines()]
            rows[0][2] = "A" * 43 + "=" + rows[0][2][44:] if len(rows[0][2]) == 44 else "AAAA" + rows[0][2][4:]
            data = b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)
            digests[name] = hashlib.sha256(data).hexdigest()
        if name == "backup.json":
            facts = json.loads(data)
            for member, digest in digests.items():
                facts["members"][member]["sha256"] = digest
            data = json.dumps(facts).encode()
        return data

    digests: dict[str, str] = {}
    file = rewritten(saved(company, tmp_path / "b.zip"), tmp_path / "c.zip", forge)
    settings = fresh(company, tmp_path / "new")
    with pytest.raises(LogRefused):
        restored(company, settings, file, checkpoint=note(company, tmp_path))
    assert emptied(settings.url)


def test_the_file_is_private_holds_the_keys_and_never_the_guards_note(company: World, tmp_path: Path) -> None:
    file = saved(company, tmp_path / "b.zip")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(SetupError, match="exists"):
        saved(company, file)
    names = zipfile.ZipFile(file).namelist()
    assert "secrets/acceptance.pem" in names
    assert not [name for name in names if "guard" in name]
    bare = io.BytesIO()
    backups.write(company.context, bare, with_keys=False)
    assert not [name for name in zipfile.ZipFile(bare).namelist() if name.startswith("secrets/")]


def test_a_restore_that_breaks_off_can_simply_be_done_again(
    company: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, settings = saved(company, tmp_path / "b.zip"), fresh(company, tmp_path / "new")
    with monkeypatch.context() as patched:
        patched.setattr("inventory.db.Session.commit", _killed)
        with pytest.raises(KeyboardInterrupt):
            restored(company, settings, file, checkpoint=note(company, tmp_path))
    assert emptied(settings.url)
    restored(company, settings, file, checkpoint=note(company, tmp_path))
    database = Database(settings.url)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Location)) is not None
    database.close()


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
