"""Which databases run on this host, and where they keep their data: asked of the running processes, not of their settings.

PostgreSQL and MariaDB work in their data folder; what they keep elsewhere (tablespaces, logs) they have linked there or hold
open. An SQLite database is a file any process may hold open; it is known by its first bytes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil

log = logging.getLogger("agents.databases")

_POSTGRESQL = frozenset({"postgres", "postmaster"})
_MARIADB = frozenset({"mariadbd", "mysqld"})
_SQLITE_MAGIC = b"SQLite format 3\0"
_SQLITE_SIDE_FILES = ("-wal", "-shm", "-journal")
_MOST_FILES = 20_000
_MOST_LINKS = 512


@dataclass(frozen=True, kw_only=True)
class Process:
    """One running process as far as it matters here. Paths are as the process itself sees them."""

    pid: int
    name: str
    folder: str | None
    """Its working folder; None where it could not be read."""
    files: tuple[str, ...] | None
    """Regular files it holds open; None where they could not be read."""
    links: tuple[str, ...] = ()
    """Where links in its data folder lead."""
    apart: tuple[str, ...] = ()
    """Folders beneath its data folder that lie on another file system."""
    parent: str = ""
    """Name of the process that started it."""


@dataclass(frozen=True, kw_only=True)
class DataFolder:
    """A place where a running database keeps data."""

    kind: str
    """postgresql, mariadb, sqlite."""
    path: str
    pid: int
    process: str


def data_folders(processes: Iterable[Process], is_sqlite: Callable[[int, str], bool]) -> tuple[DataFolder, ...]:
    """Where the databases among these processes keep their data. Pure but for what `is_sqlite` reads.

    A server whose folder could not be read is told all the same, with the folder `/`: it may lie anywhere.
    """
    found: dict[tuple[str, str], DataFolder] = {}
    for process in processes:
        if process.name in _POSTGRESQL and process.parent not in _POSTGRESQL:
            places = [("postgresql", place) for place in _server(process)]
        elif process.name in _MARIADB:
            places = [("mariadb", place) for place in _server(process)]
        elif process.name in _POSTGRESQL:
            continue  # a child of the one that was asked
        else:
            places = [("sqlite", place) for place in _sqlite(process, is_sqlite)]
        for kind, place in places:
            told = DataFolder(kind=kind, path=place, pid=process.pid, process=f"{process.name} ({process.pid})")
            found.setdefault((kind, place), told)
    return tuple(found.values())


def _server(process: Process) -> Sequence[str]:
    """The data folder, and every other folder that it links to or holds files open in.

    A folder does not stand for one beneath it, which may be mounted from elsewhere.
    """
    if process.folder is None:
        return ["/"]
    outside = (str(PurePosixPath(file).parent) for file in process.files or () if not file.startswith("/dev/"))
    places = [process.folder]
    for place in (*process.links, *outside):
        if place not in places and not within(place, process.folder):
            places.append(place)
    return [*places, *process.apart]


def _sqlite(process: Process, is_sqlite: Callable[[int, str], bool]) -> Sequence[str]:
    files = [file for file in process.files or () if not file.endswith(_SQLITE_SIDE_FILES)]
    return [file for file in files if is_sqlite(process.pid, file)]


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return folder in {"/", path} or path.startswith(folder.rstrip("/") + "/")


def running(proc: Path = Path("/proc")) -> tuple[Process, ...]:
    """The processes of this host. One that ends while it is looked at is left out; what it may not show is unknown."""
    found: list[Process] = []
    names: dict[int, str] = {}
    left = _MOST_FILES
    processes = list(psutil.process_iter())
    for process in processes:
        try:
            names[process.pid] = process.name()
        except psutil.Error:
            continue
    for process in processes:
        name = names.get(process.pid)
        if name is None:
            continue
        try:
            with process.oneshot():
                parent = names.get(process.ppid(), "")
                folder = _folder(process)
                files = _files(process) if left > 0 else None
        except psutil.NoSuchProcess:
            continue
        left -= len(files or ())
        server = name in _POSTGRESQL | _MARIADB
        links = _links(proc, process.pid, folder) if server and folder is not None else ()
        apart = _apart(proc, process.pid, folder, files or ()) if server and folder is not None else ()
        found.append(
            Process(pid=process.pid, name=name, folder=folder, files=files, links=links, apart=apart, parent=parent)
        )
    if left <= 0:
        log.warning("more than %d files are open here: not every one was asked whether it is a database", _MOST_FILES)
    return tuple(found)


def _folder(process: psutil.Process) -> str | None:
    try:
        return process.cwd() or None
    except psutil.AccessDenied:
        return None


def _files(process: psutil.Process) -> tuple[str, ...] | None:
    try:
        return tuple(dict.fromkeys(each.path for each in process.open_files()))
    except psutil.AccessDenied:
        return None


def _links(proc: Path, pid: int, folder: str) -> tuple[str, ...]:
    """Where the links in a data folder lead: tablespaces, and the log of writes on a disk of its own."""
    inside = proc / str(pid) / f"root{folder}"
    found: list[str] = []
    for place in (inside, inside / "pg_tblspc"):
        try:
            with os.scandir(place) as entries:
                links = [entry.path for entry in entries if entry.is_symlink()][:_MOST_LINKS]
        except OSError:
            continue
        for link in links:
            try:
                target = str(Path(link).readlink())
                found.append(os.path.normpath(target if target.startswith("/") else f"{folder}/{target}"))
            except OSError:
                continue
    return tuple(found)


def _apart(proc: Path, pid: int, folder: str, files: Sequence[str]) -> tuple[str, ...]:
    """Folders of open files beneath the data folder that another file system is mounted on, and folders of the data folder."""
    inside = f"{proc}/{pid}/root{folder}"
    try:
        own = os.stat(inside).st_dev  # noqa: PTH116 - many, by text
        with os.scandir(inside) as entries:
            beneath = [f"{folder.rstrip('/')}/{each.name}" for each in entries if each.is_dir(follow_symlinks=False)]
    except OSError:
        return ()
    beneath += [str(PurePosixPath(file).parent) for file in files if within(file, folder)]
    found: list[str] = []
    for place in dict.fromkeys(beneath):
        try:
            other = os.stat(f"{proc}/{pid}/root{place}").st_dev != own  # noqa: PTH116 - as above
        except FileNotFoundError:
            continue
        except OSError:
            other = True  # not even looked at: whoever follows it finds out, or says that it is unknown
        if other and place != folder:
            found.append(place)
    return tuple(found)


def is_sqlite_file(pid: int, path: str, proc: Path = Path("/proc")) -> bool:
    """Whether a file a process holds open begins as SQLite's do."""
    try:
        descriptor = os.open(f"{proc}/{pid}/root{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOATIME)
    except OSError:
        return False
    try:
        return os.pread(descriptor, len(_SQLITE_MAGIC), 0) == _SQLITE_MAGIC
    except OSError:
        return False
    finally:
        os.close(descriptor)
