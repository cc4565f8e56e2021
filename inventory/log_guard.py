"""What the log signed last, kept outside the database, so that a restored backup cannot fork the log silently.

Written ahead: before a transaction commits, the state it is about to sign is noted as *pending*; once it is durable, pending
becomes *last*. After a crash the database tells which of the two happened. The one case that cannot be told apart, a backup
exactly one entry old restored right after a crash in between, is covered by whoever holds a newer checkpoint (every agent does).
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.errors import LogRefused, StorageFailed
from reports.canonical import canonical, from_base64, parse_strict, to_base64
from reports.errors import MalformedDocument
from reports.tlog import EMPTY_ROOT


@dataclass(frozen=True)
class Position:
    """A size and the root hash at that size."""

    size: int
    root: bytes


@dataclass(frozen=True)
class _State:
    guard_id: str
    origin: str
    last: Position
    pending: Position | None

    def to_bytes(self) -> bytes:
        return canonical(
            {
                "v": 1,
                "guard": self.guard_id,
                "origin": self.origin,
                "last": _position_out(self.last),
                "pending": None if self.pending is None else _position_out(self.pending),
            }
        )


def _position_out(position: Position) -> dict[str, Any]:
    return {"size": position.size, "root": to_base64(position.root)}


def _position_in(value: dict[str, Any]) -> Position:
    return Position(int(value["size"]), from_base64(value["root"]))


class LogGuard:
    """The guard file. One for each log; the database names it, so that no second copy of the service signs beside the first."""

    def __init__(self, file: Path, origin: str) -> None:
        self.file = file
        self.origin = origin
        self._lock = threading.Lock()

    def create(self) -> str:
        """Make the file for an empty log. Returns its id.

        A file of a log that never signed anything (an initialisation was cut off) is made anew.

        Raises:
            LogRefused: this guard's log has signed entries; they must be in some other database.
        """
        if self.file.exists() and self._read().last.size:
            raise LogRefused(f"the guard file {self.file} knows of signed entries, but the database's log is empty")
        state = _State(secrets.token_hex(16), self.origin, Position(0, EMPTY_ROOT), None)
        self._write(state)
        return state.guard_id

    def check(self, guard_id: str, base: Position, root_at: Callable[[int], bytes]) -> None:
        """Whether the database's log is the one that was signed last.

        Args:
            guard_id: as the database names it.
            base: size and root of the log in the database.
            root_at: gives the root the database's tree had at an earlier size.

        Raises:
            LogRefused: it is not; nothing may be signed.
        """
        with self._lock:
            self._checked(guard_id, base, root_at)

    def prepare(self, guard_id: str, base: Position, to_sign: Position, root_at: Callable[[int], bytes]) -> None:
        """Note what is about to be signed. Raises `LogRefused`; `StorageFailed` where the note cannot be written."""
        with self._lock:
            state = self._checked(guard_id, base, root_at)
            self._write(_State(state.guard_id, state.origin, base, to_sign))

    def confirm(self, signed: Position) -> None:
        """What was about to be signed is durable now."""
        with self._lock:
            state = self._read()
            if state.pending == signed:
                self._write(_State(state.guard_id, state.origin, signed, None))

    def adopt(self, guard_id: str, base: Position) -> None:
        """Write a new file for the log as it stands: an administrator's decision after a loss, never an automatism."""
        with self._lock:
            self._write(_State(guard_id, self.origin, base, None))

    def _checked(self, guard_id: str, base: Position, root_at: Callable[[int], bytes]) -> _State:
        state = self._read()
        if state.origin != self.origin:
            raise LogRefused(f"the guard file is of the log {state.origin!r}, this one is {self.origin!r}")
        if state.guard_id != guard_id:
            raise LogRefused(
                "the database belongs to another guard file: a second copy of this service would fork the log"
            )
        if base in {state.last, state.pending}:
            return state
        if base.size <= state.last.size:
            raise LogRefused(
                f"the database's log holds {base.size} entries, but {state.last.size} were signed: an old backup was restored,"
                " or its rows were altered"
            )
        for signed in (state.last, state.pending):
            if signed is not None and (signed.size > base.size or root_at(signed.size) != signed.root):
                raise LogRefused(f"the database's log does not continue the {signed.size} entries that were signed")
        return state

    def _read(self) -> _State:
        try:
            raw = parse_strict(self.file.read_bytes(), "log guard")
            pending = raw["pending"]
            last = _position_in(raw["last"])
            return _State(raw["guard"], raw["origin"], last, None if pending is None else _position_in(pending))
        except FileNotFoundError as error:
            raise LogRefused(f"the guard file {self.file} is missing") from error
        except (MalformedDocument, KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
            raise LogRefused(f"the guard file {self.file} cannot be read") from error

    def _write(self, state: _State) -> None:
        draft = self.file.with_name(f".{self.file.name}.draft")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(state.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.file)
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageFailed(f"{self.file}: {error.strerror}") from error
