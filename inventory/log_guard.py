"""What the log signed last, kept outside the database, so that a restored backup cannot fork the log silently.

Written ahead: before a transaction commits, the state it is about to sign is noted as *pending* and waited for; once it is
durable, pending becomes *last*, which nobody waits for: where a power cut takes that away, the database tells which of the two
happened. The one case that cannot be told apart, a backup exactly one entry old restored right after a power cut in between, is
covered by whoever holds a newer checkpoint (every agent does).

The file has four slots of one disk block each, written in turn and in place, so that a note costs one wait for the disk and a
torn write takes none of the notes before it. A slot is one line of JSON, filled up with spaces.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from inventory.errors import LogRefused, StorageFailed
from reports.canonical import canonical, from_base64, parse_strict, to_base64
from reports.errors import MalformedDocument
from reports.tlog import EMPTY_ROOT

_SLOT: Final = 4096
"""Bytes; no disk writes less than one of these at a time and another slot with it."""
_SLOTS: Final = 4
_MAY_BE_TORN: Final = 2
"""A note that was waited for, and the confirmation before it that was not."""


@dataclass(frozen=True)
class Position:
    """A size and the root hash at that size."""

    size: int
    root: bytes


@dataclass(frozen=True, kw_only=True)
class _State:
    guard_id: str
    origin: str
    last: Position
    pending: Position | None
    number: int
    """How many notes there were before this one: the highest is in force."""

    def to_slot(self) -> bytes:
        body: dict[str, Any] = {
            "v": 2,
            "number": self.number,
            "guard": self.guard_id,
            "origin": self.origin,
            "last": _position_out(self.last),
            "pending": None if self.pending is None else _position_out(self.pending),
        }
        line = canonical({**body, "sum": hashlib.sha256(canonical(body)).hexdigest()})
        if len(line) >= _SLOT:
            raise LogRefused("the log's name is too long for its guard file")
        return line.ljust(_SLOT - 1) + b"\n"

    @staticmethod
    @lru_cache(maxsize=2 * _SLOTS)
    def from_slot(slot: bytes) -> _State | None:
        """What a slot says; None where it was torn, or never written. Three of four say what they said a moment ago."""
        try:
            raw = parse_strict(slot, "log guard")
            total = raw.pop("sum")
            if raw["v"] != 2 or total != hashlib.sha256(canonical(raw)).hexdigest():
                return None
            return _State.from_body(raw, raw["number"])
        except (MalformedDocument, KeyError, TypeError, ValueError, AttributeError, json.JSONDecodeError):
            return None

    @staticmethod
    def from_body(raw: dict[str, Any], number: int) -> _State:
        """Raises KeyError, TypeError, ValueError, MalformedDocument."""
        pending = raw["pending"]
        return _State(
            guard_id=raw["guard"],
            origin=raw["origin"],
            last=_position_in(raw["last"]),
            pending=None if pending is None else _position_in(pending),
            number=number,
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
        guard_id = secrets.token_hex(16)
        self._begin(guard_id, Position(0, EMPTY_ROOT))
        return guard_id

    def check(self, guard_id: str, base: Position, root_at: Callable[[int], bytes]) -> None:
        """Whether the database's log is the one that was signed last.

        Args:
            guard_id: as the database names it.
            base: size and root of the log in the database.
            root_at: gives the root the database's tree had at an earlier size.

        Raises:
            LogRefused: it is not; nothing may be signed.
        """
        with self._alone():
            self._checked(guard_id, base, root_at)

    def prepare(self, guard_id: str, base: Position, to_sign: Position, root_at: Callable[[int], bytes]) -> None:
        """Note what is about to be signed. Raises `LogRefused`; `StorageFailed` where the note cannot be written."""
        with self._alone():
            state = self._checked(guard_id, base, root_at)
            self._write(replace(state, last=base, pending=to_sign, number=state.number + 1), wait=True)

    def confirm(self, signed: Position) -> None:
        """What was about to be signed is durable now."""
        with self._alone():
            state = self._read()
            if state.pending == signed:
                self._write(replace(state, last=signed, pending=None, number=state.number + 1), wait=False)

    def adopt(self, guard_id: str, base: Position) -> None:
        """Write a new file for the log as it stands: an administrator's decision after a loss, never an automatism."""
        with self._alone():
            self._begin(guard_id, base)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread, and no other process of this service, notes anything meanwhile."""
        with self._lock:
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)

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
            content = self.file.read_bytes()
        except FileNotFoundError as error:
            raise LogRefused(f"the guard file {self.file} is missing") from error
        except OSError as error:
            raise LogRefused(f"the guard file {self.file} cannot be read: {error.strerror}") from error
        state = _newest(content) if len(content) == _SLOT * _SLOTS else _first_format(content)
        if state is None:
            raise LogRefused(f"the guard file {self.file} is damaged")
        return state

    def _write(self, state: _State, *, wait: bool) -> None:
        """Into the next slot, in place; a file of the first format becomes one of this."""
        try:
            descriptor = os.open(self.file, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_size == _SLOT * _SLOTS:
                    _put(descriptor, state)
                    if wait:
                        os.fdatasync(descriptor)
                    return
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageFailed(f"{self.file}: {error.strerror}") from error
        self._begin(state.guard_id, state.last, state.pending)

    def _begin(self, guard_id: str, last: Position, pending: Position | None = None) -> None:
        """A new file, whole or not at all."""
        state = _State(guard_id=guard_id, origin=self.origin, last=last, pending=pending, number=0)
        draft = self.file.with_name(f".{self.file.name}.draft")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                _all_of(descriptor, b"\n".rjust(_SLOT) * _SLOTS, 0)
                _put(descriptor, state)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            draft.replace(self.file)
            folder = os.open(self.file.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StorageFailed(f"{self.file}: {error.strerror}") from error


def _put(descriptor: int, state: _State) -> None:
    _all_of(descriptor, state.to_slot(), state.number % _SLOTS * _SLOT)


def _all_of(descriptor: int, content: bytes, offset: int) -> None:
    if os.pwrite(descriptor, content, offset) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _newest(content: bytes) -> _State | None:
    """The note in force; None where something is damaged that no power cut explains."""
    slots = [content[begin : begin + _SLOT] for begin in range(0, len(content), _SLOT)]
    states = [_State.from_slot(slot) for slot in slots]
    newest = max((state for state in states if state is not None), key=lambda state: state.number, default=None)
    if newest is None:
        return None
    for place, state in enumerate(states):
        after = (place - newest.number) % _SLOTS
        untouched = state is None and newest.number < _SLOTS and not slots[place].strip()
        if state is None and not untouched and not 1 <= after <= _MAY_BE_TORN:
            return None
        if state is not None and (state.number % _SLOTS != place or newest.number - state.number >= 2 * _SLOTS):
            return None
    return newest


def _first_format(content: bytes) -> _State | None:
    """One object in a file of its own length: what earlier versions of this program wrote."""
    try:
        raw = parse_strict(content, "log guard")
        return _State.from_body(raw, 0) if raw["v"] == 1 else None
    except (MalformedDocument, KeyError, TypeError, ValueError, json.JSONDecodeError):
        return None
