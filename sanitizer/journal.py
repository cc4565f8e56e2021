"""What a restart reads first: one append-only file a run, checksummed line by line, durable line by line.

    <journal folder>/<run id>/journal     one entry a line: `<check> <JSON>`
    <journal folder>/<run id>/master.key  32 random bytes, 0600: the key of this run's stream is derived from it

`check` is the start of SHA-256 over the check before it and the JSON, so that lines can be neither altered, dropped
nor moved. A torn last line (a crash while it was being written) is cut off; damage anywhere else is `JournalDamaged`,
because nobody can say then where the run stood. An entry counts only once it is on disk: `append` returns after fsync,
and after a failed fsync nothing more is written through this descriptor (the file's state is unknown from there). An
fsync that succeeds on a file system that is read-only by then has failed, too (`_make_durable`).

The file is locked while a process works on the run; the lock dies with the process.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any, Self

from .errors import JournalDamaged, JournalFailed, JournalUnusable, RunExists, RunLocked, RunUnknown
from .transport.block import is_locked, lock_file

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_CHECK = 32
_MASTER_BYTES = 32

Entry = dict[str, Any]


def checked_run_id(run_id: str) -> str:
    """The identifier itself. Raises ValueError when it could not be a folder's name."""
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"run identifier {run_id!r}: letters, digits and ._:@- only, at most 128")
    return run_id


def _make_durable(descriptor: int) -> None:
    """fsync, and a look whether it can have done anything.

    Where ext4 is turned read-only beneath a file that is open for writing (an emergency remount), the kernel goes on taking
    what is written into memory, answers fsync with success, and drops it. Seen with Linux 6.1.
    """
    os.fsync(descriptor)
    if os.fstatvfs(descriptor).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _make_durable(descriptor)
    finally:
        os.close(descriptor)


def _check(previous: str, body: bytes) -> str:
    return hashlib.sha256(previous.encode("ascii") + body).hexdigest()[:_CHECK]


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _write_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_all(descriptor, secrets.token_bytes(_MASTER_BYTES))
        _make_durable(descriptor)
    finally:
        os.close(descriptor)


def parse(raw: bytes, run_id: str) -> tuple[list[Entry], int, str]:
    """Entries, length of the sound part in bytes, and the last check.

    Raises:
        JournalDamaged: a line before the last one does not hold.
    """
    entries: list[Entry] = []
    check = hashlib.sha256(run_id.encode()).hexdigest()[:_CHECK]
    sound = 0
    lines = raw.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is torn or empty
        given, _, body = line.partition(b" ")
        expected = _check(check, body)
        if given != expected.encode("ascii"):
            if number == len(lines) - 1 and not lines[-1] and b"\0" in line:
                break  # the last line, torn: the file grew, but not all of its blocks were written
            raise JournalDamaged(run_id=run_id, line=number, reason="its checksum does not hold")
        try:
            entries.append(json.loads(body))
        except ValueError:
            raise JournalDamaged(run_id=run_id, line=number, reason="it is no JSON") from None
        check = expected
        sound += len(line) + 1
    return entries, sound, check


def _lock(descriptor: int, run_id: str) -> None:
    if not lock_file(descriptor):
        raise RunLocked(run_id=run_id)


def _lock_unused(descriptor: int, folder: Path, run_id: str) -> str:
    """Take the lock of a journal without entries; returns its first check."""
    _lock(descriptor, run_id)
    entries, _, check = parse((folder / "journal").read_bytes(), run_id)
    if entries:
        raise RunExists(run_id=run_id)
    return check


class Journal:
    """One run's journal, open and locked. Made by `create` or `reopen`."""

    def __init__(self, folder: Path, run_id: str, descriptor: int, entries: list[Entry], check: str) -> None:
        self.folder = folder
        self.run_id = run_id
        self.entries = entries
        self._descriptor = descriptor
        self._check = check
        self._failed: OSError | None = None

    @classmethod
    def create(cls, journal_dir: Path, run_id: str) -> Self:
        """A new journal with a fresh master key, durable with its folder before this returns.

        A folder left by a crash before the first entry holds nothing that happened; it is used again.

        Raises:
            RunExists: the identifier was used before.
            RunLocked: another process is beginning the same run.
            JournalUnusable: the storage does not take it.
        """
        folder = journal_dir / checked_run_id(run_id)
        try:
            if not journal_dir.is_dir():
                journal_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_folder(journal_dir.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(folder / "journal", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o600)
        except OSError as error:
            raise JournalUnusable(operation=f"make {folder}", reason=str(error)) from error
        try:
            check = _lock_unused(descriptor, folder, run_id)
            os.ftruncate(descriptor, 0)
            _write_key(folder / "master.key")
            _make_durable(descriptor)
            _sync_folder(folder)
            _sync_folder(journal_dir)
        except OSError as error:
            os.close(descriptor)
            raise JournalUnusable(operation=f"write {folder}", reason=str(error)) from error
        except BaseException:
            os.close(descriptor)
            raise
        return cls(folder, run_id, descriptor, [], check)

    @classmethod
    def reopen(cls, journal_dir: Path, run_id: str) -> Self:
        """An existing journal, locked, its torn tail cut off durably.

        Raises:
            RunUnknown: there is none.
            RunLocked: another process works on it.
            JournalDamaged: its checksums do not hold.
        """
        folder = journal_dir / checked_run_id(run_id)
        try:
            descriptor = os.open(folder / "journal", os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise RunUnknown(run_id=run_id) from None
            raise JournalUnusable(operation=f"open {folder}", reason=str(error)) from error
        try:
            _lock(descriptor, run_id)
            raw = (folder / "journal").read_bytes()
            entries, sound, check = parse(raw, run_id)
            if sound != len(raw):
                os.ftruncate(descriptor, sound)
                _make_durable(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(folder, run_id, descriptor, entries, check)

    def append(self, kind: str, fields: Entry) -> None:
        """Add one entry and make it durable.

        Raises:
            JournalFailed: it is not known to be on disk; nothing may be done that rests on it.
        """
        entry = {"kind": kind, **fields}
        body = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode("ascii")
        check = _check(self._check, body)
        if self._failed is not None or self._descriptor < 0:
            reason = f"an earlier entry was not made durable: {self._failed or 'closed'}"
            raise JournalFailed(operation=f"write {self.folder}", reason=reason)
        try:
            _write_all(self._descriptor, check.encode("ascii") + b" " + body + b"\n")
            _make_durable(self._descriptor)
        except OSError as error:
            self._failed = error
            raise JournalFailed(operation=f"write {self.folder}", reason=str(error)) from error
        self._check = check
        self.entries.append(entry)

    def master_key(self) -> bytes:
        """The run's master key. Raises `JournalDamaged`."""
        return master_key(self.folder, self.run_id)

    def close(self) -> None:
        """Let go of file and lock; calling it again does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def remove(self) -> None:
        """Delete the journal and its key for good, and close."""
        _remove(self.folder)
        self.close()


def master_key(folder: Path, run_id: str) -> bytes:
    """The master key in one run's folder.

    Raises:
        JournalDamaged: it is missing or torn, so a keyed stream cannot be made again.
    """
    try:
        key = (folder / "master.key").read_bytes()
    except OSError as error:
        raise JournalDamaged(run_id=run_id, line=0, reason=f"master.key: {error}") from error
    if len(key) != _MASTER_BYTES:
        raise JournalDamaged(run_id=run_id, line=0, reason="master.key is torn")
    return key


def remove_damaged(journal_dir: Path, run_id: str) -> None:
    """Delete a journal that cannot be read.

    Raises:
        RunLocked: a process is working on it.
    """
    folder = journal_dir / checked_run_id(run_id)
    descriptor = os.open(folder / "journal", os.O_RDWR | os.O_CLOEXEC)
    try:
        _lock(descriptor, run_id)
        _remove(folder)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """Key first: what is left after a crash in between cannot make the stream again."""
    for name in ("master.key", "journal"):
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()
    _sync_folder(folder.parent)


def peek(journal_dir: Path, run_id: str) -> tuple[list[Entry], bool]:
    """The sound entries of a journal without touching it, and whether a process holds it.

    Raises:
        JournalDamaged: its checksums do not hold.
    """
    path = journal_dir / run_id / "journal"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise JournalDamaged(run_id=run_id, line=0, reason=str(error)) from error
    try:
        held = is_locked(descriptor)
        entries, _, _ = parse(path.read_bytes(), run_id)
    finally:
        os.close(descriptor)
    return entries, held


def runs_in(journal_dir: Path) -> list[str]:
    """The identifiers of all runs in a journal folder, in order of their names; none when there is no such folder."""
    if not journal_dir.is_dir():
        return []
    return sorted(entry.name for entry in journal_dir.iterdir() if entry.is_dir() and _RUN_ID.fullmatch(entry.name))
