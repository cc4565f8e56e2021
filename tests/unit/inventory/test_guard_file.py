"""The guard file alone: what a power cut may do to it, and what only damage can."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from inventory.errors import LogRefused, StorageFailed
from inventory.log_guard import LogGuard, Position
from reports.canonical import canonical, to_base64
from reports.tlog import EMPTY_ROOT

BLOCK = 4096
EMPTY = Position(0, EMPTY_ROOT)


def position(size: int) -> Position:
    return Position(size, size.to_bytes(32, "big"))


def root_at(size: int) -> bytes:
    return position(size).root


@pytest.fixture
def guard(tmp_path: Path) -> LogGuard:
    return LogGuard(tmp_path / "guard", "log.example")


def sign(guard: LogGuard, guard_id: str, count: int, first: int = 1) -> None:
    for size in range(first, first + count):
        guard.prepare(guard_id, EMPTY if size == 1 else position(size - 1), position(size), root_at)
        guard.confirm(position(size))


def block(guard: LogGuard, place: int, content: bytes) -> None:
    """Overwrite one slot."""
    with guard.file.open("r+b") as file:
        file.seek(place * BLOCK)
        file.write(content.ljust(BLOCK))


@pytest.mark.parametrize("count", range(1, 8))
def test_what_was_signed_last_is_known_after_any_number_of_notes(guard: LogGuard, count: int) -> None:
    guard_id = guard.create()
    sign(guard, guard_id, count)
    guard.check(guard_id, position(count), root_at)
    with pytest.raises(LogRefused, match="old backup"):
        guard.check(guard_id, position(count - 1) if count > 1 else EMPTY, root_at)
    assert guard.file.stat().st_size == 4 * BLOCK


@pytest.mark.parametrize("count", range(1, 6))
def test_a_torn_note_leaves_the_one_before_in_force(guard: LogGuard, count: int) -> None:
    guard_id = guard.create()
    sign(guard, guard_id, count)
    guard.prepare(guard_id, position(count), position(count + 1), root_at)
    written = 2 * count + 1
    block(guard, written % 4, b'{"guard":"half')
    guard.check(guard_id, position(count), root_at)
    sign(guard, guard_id, 1, count + 1)
    guard.check(guard_id, position(count + 1), root_at)


@pytest.mark.parametrize("count", range(2, 6))
def test_a_torn_note_and_the_confirmation_before_it_that_nobody_waited_for(guard: LogGuard, count: int) -> None:
    guard_id = guard.create()
    sign(guard, guard_id, count)
    guard.prepare(guard_id, position(count), position(count + 1), root_at)
    for written in (2 * count, 2 * count + 1):
        block(guard, written % 4, b"")
    guard.check(guard_id, position(count), root_at)
    with pytest.raises(LogRefused, match="old backup"):
        guard.check(guard_id, position(count - 2) if count > 2 else EMPTY, root_at)


@pytest.mark.parametrize("content", [b"", b'{"half', b"\x00" * BLOCK])
@pytest.mark.parametrize("back", [0, 1])
def test_damage_no_power_cut_explains_stops_the_signing(guard: LogGuard, content: bytes, back: int) -> None:
    guard_id = guard.create()
    sign(guard, guard_id, 4)
    for number in (8 - back, 7 - back, 6 - back):
        block(guard, number % 4, content)
    with pytest.raises(LogRefused, match="damaged"):
        guard.check(guard_id, position(4), root_at)


def test_a_note_whose_sum_does_not_hold_counts_as_torn(guard: LogGuard) -> None:
    guard_id = guard.create()
    sign(guard, guard_id, 3)
    raw = bytearray(guard.file.read_bytes())
    place = 6 % 4 * BLOCK
    altered = raw[place : place + BLOCK].replace(b'"size":3', b'"size":1')
    assert altered != raw[place : place + BLOCK]
    block(guard, 6 % 4, bytes(altered))
    guard.check(guard_id, position(3), root_at)  # what was pending before it
    with pytest.raises(LogRefused):
        guard.check(guard_id, position(1), root_at)


def test_a_note_in_another_notes_place_is_damage(guard: LogGuard) -> None:
    guard_id = guard.create()
    sign(guard, guard_id, 3)
    newest = guard.file.read_bytes()[6 % 4 * BLOCK :][:BLOCK]
    block(guard, 7 % 4, newest)
    with pytest.raises(LogRefused, match="damaged"):
        guard.check(guard_id, position(3), root_at)


def test_blank_slots_are_only_those_never_written(guard: LogGuard) -> None:
    guard_id = guard.create()
    guard.check(guard_id, EMPTY, root_at)
    guard.file.write_bytes(b"\n".rjust(BLOCK) * 4)
    with pytest.raises(LogRefused, match="damaged"):
        guard.check(guard_id, EMPTY, root_at)


def test_a_file_of_the_first_format_is_believed_and_becomes_one_of_this(guard: LogGuard) -> None:
    pending = {"size": 2, "root": to_base64(root_at(2))}
    last = {"size": 1, "root": to_base64(root_at(1))}
    guard.file.write_bytes(canonical({"v": 1, "guard": "g", "origin": guard.origin, "last": last, "pending": pending}))
    with pytest.raises(LogRefused, match="old backup"):
        guard.check("g", EMPTY, root_at)
    guard.check("g", position(2), root_at)
    guard.prepare("g", position(2), position(3), root_at)
    assert guard.file.stat().st_size == 4 * BLOCK
    guard.check("g", position(2), root_at)
    guard.check("g", position(3), root_at)
    guard.confirm(position(3))
    with pytest.raises(LogRefused, match="old backup"):
        guard.check("g", position(2), root_at)


def test_the_note_is_waited_for_before_anything_is_signed(guard: LogGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_id = guard.create()
    waited: list[int] = []
    real: Callable[[int], None] = os.fdatasync

    def counted(descriptor: int) -> None:
        waited.append(descriptor)
        real(descriptor)

    monkeypatch.setattr("inventory.log_guard.os.fdatasync", counted)
    guard.prepare(guard_id, EMPTY, position(1), root_at)
    assert len(waited) == 1
    guard.confirm(position(1))
    assert len(waited) == 1, "a confirmation that is lost is made good by the database"


def test_a_disk_that_takes_half_a_note_is_told(guard: LogGuard, monkeypatch: pytest.MonkeyPatch) -> None:
    guard_id = guard.create()
    monkeypatch.setattr("inventory.log_guard.os.pwrite", lambda _fd, content, _at: len(content) - 1)
    with pytest.raises(StorageFailed, match="space"):
        guard.prepare(guard_id, EMPTY, position(1), root_at)


def test_a_disk_that_refuses_the_note_is_told_and_nothing_is_noted(
    guard: LogGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    guard_id = guard.create()
    with monkeypatch.context() as patched:
        patched.setattr("inventory.log_guard.os.pwrite", full)
        with pytest.raises(StorageFailed):
            guard.prepare(guard_id, EMPTY, position(1), root_at)
    guard.check(guard_id, EMPTY, root_at)
    with pytest.raises(LogRefused, match="does not continue"):
        guard.check(guard_id, position(1), lambda _: b"x" * 32)


def test_two_processes_note_one_after_the_other(guard: LogGuard) -> None:
    guard_id = guard.create()
    other = os.open(guard.file.parent, os.O_RDONLY | os.O_DIRECTORY)
    noted = threading.Thread(target=guard.prepare, args=(guard_id, EMPTY, position(1), root_at))
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        noted.start()
        noted.join(0.2)
        assert noted.is_alive(), "it waits for the one who notes now"
    finally:
        os.close(other)
    noted.join(30)
    guard.check(guard_id, position(1), root_at)
