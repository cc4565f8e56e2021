"""A file that comes or goes is heard of, others wake nobody, and where the kernel does not tell that is known."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.folder_watch import FolderWatch, events

HALT = "halt-local.json"
PATIENCE = 30
_CREATED, _MOVED_TO, _OVERFLOWED, _IGNORED = 0x100, 0x80, 0x4000, 0x8000


class Heard:
    """Counts the calls, and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.calls = 0
        self._told = threading.Semaphore(0)

    def __call__(self) -> None:
        self.calls += 1
        self._told.release()

    def wait(self) -> bool:
        return self._told.acquire(timeout=PATIENCE)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(tmp_path: Path, heard: Heard) -> Iterator[FolderWatch]:
    made = FolderWatch(heard, tmp_path, frozenset({HALT}))
    made.start()
    yield made
    made.stop()


def told(mask: int, name: str) -> bytes:
    text = os.fsencode(name).ljust(32, b"\0") if name else b""
    return struct.pack("iIII", 1, mask, 0, len(text)) + text


def test_a_file_that_is_moved_into_place_and_removed_again_is_heard_of_each_time(
    watch: FolderWatch, heard: Heard, tmp_path: Path
) -> None:
    assert watch.hears
    (tmp_path / "new").write_text("{}")
    (tmp_path / "new").rename(tmp_path / HALT)
    assert heard.wait()
    (tmp_path / HALT).unlink()
    assert heard.wait()


def test_a_file_written_where_it_stands_is_heard_of(watch: FolderWatch, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / HALT).write_text("{}")
    assert heard.wait()


def test_other_files_wake_nobody(tmp_path: Path, heard: Heard) -> None:
    watch = FolderWatch(heard, tmp_path, frozenset({HALT}))
    assert watch._heed(told(_MOVED_TO, "status.json") + told(_CREATED, f".{HALT}.1234.tmp"))
    assert heard.calls == 0
    assert watch._heed(told(_MOVED_TO, "status.json") + told(_MOVED_TO, HALT))
    assert heard.calls == 1


def test_events_that_were_lost_count_as_a_change(tmp_path: Path, heard: Heard) -> None:
    assert FolderWatch(heard, tmp_path, frozenset({HALT}))._heed(told(_OVERFLOWED, ""))
    assert heard.calls == 1


def test_a_folder_that_goes_away_is_not_relied_on_any_more(heard: Heard, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    watch = FolderWatch(heard, folder, frozenset({HALT}))
    watch.start()
    folder.rmdir()
    assert heard.wait()
    assert not watch.hears
    watch.stop()


def test_where_the_kernel_does_not_tell_that_is_known(heard: Heard, tmp_path: Path) -> None:
    watch = FolderWatch(heard, tmp_path / "none", frozenset({HALT}))
    watch.start()
    assert not watch.hears
    watch.stop()


def test_after_a_stop_nobody_relies_on_it(watch: FolderWatch) -> None:
    watch.stop()
    assert not watch.hears
    assert not [thread for thread in threading.enumerate() if thread.name == "folder"]


def test_events_carry_their_names() -> None:
    assert list(events(told(_MOVED_TO, HALT) + told(_IGNORED, ""))) == [(_MOVED_TO, HALT), (_IGNORED, "")]
    with pytest.raises(OSError, match="cut short"):
        list(events(told(_MOVED_TO, HALT)[:10]))
