"""Which databases run here: asked of the processes; a server that cannot be asked may lie anywhere."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import sanitizer
from agents.databases import DataFolder, Process, _apart, data_folders, is_sqlite_file, running
from agents.surveying import MOST_STEPS, survey
from sanitizer.resolving import MemoryArea


def process(name: str, folder: str | None = "/", files: tuple[str, ...] = (), **more: object) -> Process:
    return Process(pid=7, name=name, folder=folder, files=files, **more)  # type: ignore[arg-type]


def places(*processes: Process, sqlite: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(found.kind, found.path) for found in data_folders(processes, lambda _pid, path: path in sqlite)]


def test_postgresql_works_in_its_data_folder_and_links_to_its_tablespaces() -> None:
    server = process("postgres", "/var/lib/pg", links=("/fast/ts1", "/var/lib/pg/inside"))
    assert places(server, process("postgres", "/elsewhere", parent="postgres")) == [
        ("postgresql", "/var/lib/pg"),
        ("postgresql", "/fast/ts1"),
    ]


def test_mariadb_tells_by_its_open_files_what_lies_outside_its_folder() -> None:
    server = process("mariadbd", "/var/lib/mysql", files=("/var/lib/mysql/ibdata1", "/logs/bin.0001", "/logs/bin.0002"))
    assert places(server) == [("mariadb", "/var/lib/mysql"), ("mariadb", "/logs")]


def test_a_folder_of_a_server_does_not_stand_for_one_beneath_it_that_may_be_mounted_from_elsewhere() -> None:
    server = process("mariadbd", "/var/lib/mysql", files=("/var/log/error.log", "/var/log/changes/bin.0001"))
    assert places(server) == [("mariadb", "/var/lib/mysql"), ("mariadb", "/var/log"), ("mariadb", "/var/log/changes")]
    apart = process("postgres", "/var/lib/pg", files=("/var/lib/pg/pg_wal/1",), apart=("/var/lib/pg/pg_wal",))
    assert places(apart) == [("postgresql", "/var/lib/pg"), ("postgresql", "/var/lib/pg/pg_wal")]


def test_what_is_mounted_beneath_a_data_folder_is_found_by_its_file_system() -> None:
    assert "/proc" in _apart(Path("/proc"), os.getpid(), "/", ())
    assert _apart(Path("/proc"), os.getpid(), "/proc/self/fdinfo", ()) == ()


def test_a_server_whose_folder_cannot_be_read_may_lie_anywhere() -> None:
    assert places(process("postgres", None)) == [("postgresql", "/")]


def test_an_sqlite_database_is_known_by_its_bytes_in_whatever_program() -> None:
    program = process("crm", files=("/srv/a.db", "/srv/a.db-wal", "/srv/notes.txt"))
    assert places(program, sqlite=("/srv/a.db", "/srv/a.db-wal")) == [("sqlite", "/srv/a.db")]
    assert places(Process(pid=1, name="crm", folder=None, files=None)) == []


def test_a_file_is_a_database_by_its_first_bytes(tmp_path: Path) -> None:
    database, text = tmp_path / "a", tmp_path / "b"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE customer (name TEXT)")
    text.write_text("SQLite format 2")
    assert is_sqlite_file(os.getpid(), str(database))
    assert not is_sqlite_file(os.getpid(), str(text))
    assert not is_sqlite_file(os.getpid(), str(tmp_path / "none"))


def test_this_very_process_is_found_with_the_database_it_has_open(tmp_path: Path) -> None:
    database = tmp_path / "crm.db"
    connection = sqlite3.connect(database)
    try:
        connection.execute("CREATE TABLE customer (name TEXT)")
        connection.commit()
        found = data_folders(running(), is_sqlite_file)
        assert ("sqlite", str(database), os.getpid()) in {(one.kind, one.path, one.pid) for one in found}
    finally:
        connection.close()


class Engine:
    """Answers as told."""

    def memory_areas(self) -> tuple[MemoryArea, ...]:
        return (MemoryArea(kind="swap", found=self.resolve_path_of(1, "/dev/sda2")),)

    def resolve_path_of(self, pid: int, path: str) -> sanitizer.PathResolution:
        del pid
        steps = tuple(sanitizer.Step(path, f"sd{number}", "x" * 400) for number in range(MOST_STEPS + 5))
        return sanitizer.PathResolution(
            path=path, mount_point=None, devices=(), fingerprints=("a" * 64,), unresolved=("y" * 900,), steps=steps
        )


@pytest.mark.parametrize("number", [1, 600])
def test_what_is_told_keeps_to_the_contract_however_much_is_found(number: int) -> None:
    folders = [DataFolder(kind="sqlite", path=f"/{n}", pid=1, process="p" * 300) for n in range(number)]
    told = survey(Engine(), lambda: folders)  # type: ignore[arg-type]
    assert len(told) == min(number + 1, 512)
    assert (told[0].kind, told[0].process, len(told[0].steps), len(told[0].unresolved[0])) == (
        "swap",
        None,
        MOST_STEPS,
        500,
    )


def test_a_folder_that_cannot_be_looked_at_is_followed_and_one_that_is_gone_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed", "gone", "own"):
        (tmp_path / "7/root/data" / name).mkdir(parents=True)
    real = os.stat

    def stat(path: str, **options: Any) -> os.stat_result:  # noqa: ANN401 - as the real one
        if str(path).endswith("/closed"):
            raise PermissionError(path)
        if str(path).endswith("/gone"):
            raise FileNotFoundError(path)
        return real(path, **options)

    monkeypatch.setattr("agents.databases.os.stat", stat)
    assert _apart(tmp_path, 7, "/data", ()) == ("/data/closed",)
