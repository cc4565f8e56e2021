from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import JournalDamaged, JournalFailed, JournalUnusable, RunExists, RunLocked, RunUnknown
from sanitizer.journal import Journal, parse, peek, runs_in

ENTRIES = [{"kind": "begun", "n": 1}, {"kind": "checkpoint", "n": 2}, {"kind": "ended", "n": 3}]


def written(folder: Path, count: int = 3) -> Path:
    journal = Journal.create(folder, "r")
    for entry in ENTRIES[:count]:
        journal.append(str(entry["kind"]), {"n": entry["n"]})
    journal.close()
    return folder / "r" / "journal"


@pytest.fixture(scope="module")
def whole_journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("whole")).read_bytes()


def test_what_was_appended_is_read_again(tmp_path: Path) -> None:
    written(tmp_path)
    journal = Journal.reopen(tmp_path, "r")
    assert journal.entries == ENTRIES
    journal.append("more", {})
    journal.close()
    assert [e["kind"] for e in peek(tmp_path, "r")[0]] == ["begun", "checkpoint", "ended", "more"]


def test_an_entry_is_on_disk_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path, "r")
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((tmp_path / "r/journal").stat().st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    journal.append("begun", {})
    assert synced == [(tmp_path / "r/journal").stat().st_size]
    journal.close()


def test_the_key_is_random_private_and_older_than_the_first_entry(tmp_path: Path) -> None:
    one, two = Journal.create(tmp_path, "a"), Journal.create(tmp_path, "b")
    assert one.master_key() != two.master_key()
    assert len(one.master_key()) == 32
    assert stat.S_IMODE((tmp_path / "a/master.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a/journal").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    one.close()
    two.close()


@settings(deadline=None, max_examples=30)
@given(cut=st.integers(min_value=0))
def test_a_torn_tail_is_cut_off_and_everything_before_it_stands(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = written(tmp_path_factory.mktemp("j"))
    raw = file.read_bytes()
    kept = raw[: cut % (len(raw) + 1)]
    whole = kept.count(b"\n")
    file.write_bytes(kept)
    journal = Journal.reopen(file.parent.parent, "r")
    assert journal.entries == ENTRIES[:whole]
    journal.append("more", {})
    journal.close()
    assert [e["kind"] for e in peek(file.parent.parent, "r")[0]] == [str(e["kind"]) for e in ENTRIES[:whole]] + ["more"]


def test_a_last_line_of_garbage_with_its_newline_is_torn_too(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_bytes(file.read_bytes() + b"\0\0\0\0\n")
    journal = Journal.reopen(tmp_path, "r")
    assert journal.entries == ENTRIES
    journal.close()


@settings(deadline=None)
@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_flipped_bit_before_the_last_line_goes_unseen(place: int, bit: int, whole_journal: bytes) -> None:
    raw = bytearray(whole_journal)
    first_two = raw.rindex(b"\n", 0, len(raw) - 1) + 1
    at = place % first_two
    raw[at] ^= 1 << bit
    with pytest.raises(JournalDamaged):
        parse(bytes(raw), "r")


def test_a_line_cannot_be_dropped_moved_or_taken_from_another_run(tmp_path: Path) -> None:
    lines = written(tmp_path).read_bytes().splitlines(keepends=True)
    for forged in (lines[1:], [lines[0], lines[2], lines[1]], [lines[0], lines[2], lines[2]]):
        with pytest.raises(JournalDamaged):
            parse(b"".join(forged), "r")
    with pytest.raises(JournalDamaged):
        parse(b"".join(lines), "another-run")


def test_a_second_process_finds_the_run_locked(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "r")
    journal.append("begun", {})
    with pytest.raises(RunLocked):
        Journal.reopen(tmp_path, "r")
    with pytest.raises(RunLocked):
        Journal.create(tmp_path, "r")
    assert peek(tmp_path, "r")[1] is True
    journal.close()
    assert peek(tmp_path, "r")[1] is False
    Journal.reopen(tmp_path, "r").close()


def test_looking_at_a_journal_takes_no_lock(tmp_path: Path) -> None:
    written(tmp_path)
    peek(tmp_path, "r")
    Journal.reopen(tmp_path, "r").close()


def test_an_identifier_with_entries_is_used_up_and_one_without_is_not(tmp_path: Path) -> None:
    Journal.create(tmp_path, "r").close()
    again = Journal.create(tmp_path, "r")  # a crash before the first entry left nothing that happened
    again.append("begun", {})
    again.close()
    with pytest.raises(RunExists):
        Journal.create(tmp_path, "r")


def test_after_a_failed_fsync_nothing_more_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path, "r")

    def fails(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(JournalFailed):
            journal.append("begun", {})
    size = (tmp_path / "r/journal").stat().st_size
    with pytest.raises(JournalFailed):
        journal.append("checkpoint", {})
    assert (tmp_path / "r/journal").stat().st_size == size
    journal.close()


def test_what_is_synced_on_a_file_system_that_is_read_only_by_then_is_not_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ext4 under an emergency remount takes the write, calls it synced, and drops it; the lab shows it on a real one."""
    journal = Journal.create(tmp_path, "r")
    real = os.fstatvfs

    def read_only(descriptor: int) -> os.statvfs_result:
        told = list(real(descriptor))
        told[8] |= os.ST_RDONLY  # f_flag
        return os.statvfs_result(told)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstatvfs", read_only)
        with pytest.raises(JournalFailed, match="Read-only file system"):
            journal.append("begun", {})
        with pytest.raises(JournalUnusable, match="Read-only file system"):
            Journal.create(tmp_path, "another")
    with pytest.raises(JournalFailed, match=r"an earlier entry.*Read-only file system"):
        journal.append("checkpoint", {})
    assert journal.entries == []
    journal.close()


def test_removing_takes_key_and_journal(tmp_path: Path) -> None:
    written(tmp_path)
    Journal.reopen(tmp_path, "r").remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", [None, b"", b"short"])
def test_a_missing_or_torn_key_is_named(tmp_path: Path, key: bytes | None) -> None:
    written(tmp_path)
    path = tmp_path / "r/master.key"
    path.unlink()
    if key is not None:
        path.write_bytes(key)
    journal = Journal.reopen(tmp_path, "r")
    with pytest.raises(JournalDamaged, match=r"master\.key"):
        journal.master_key()
    journal.close()


def test_a_run_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunUnknown):
        Journal.reopen(tmp_path, "nobody")


def test_a_folder_that_is_not_there_holds_no_runs(tmp_path: Path) -> None:
    assert runs_in(tmp_path / "none") == []
    written(tmp_path)
    (tmp_path / ".hidden").mkdir()
    assert runs_in(tmp_path) == ["r"]
