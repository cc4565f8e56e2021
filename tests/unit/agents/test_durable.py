"""Files that are whole or absent, and the order of system calls that makes them stay."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.durable import Disk, read_file


def kind(path: object) -> str:
    return "directory" if Path(str(path)).is_dir() else "file"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The effects in the order in which the kernel is asked for them."""
    seen: list[str] = []
    names: dict[int, str] = {}

    def record(module: object, name: str, describe: Callable[..., str]) -> None:
        real = getattr(module, name)

        def wrapper(*args: object, **kwargs: object) -> object:
            value = real(*args, **kwargs)
            if name == "open":
                names[value] = kind(args[0])
            seen.append(describe(*args))
            return value

        monkeypatch.setattr(module, name, wrapper)

    record(os, "open", lambda path, *_: f"open {kind(path)}")
    record(os, "write", lambda *_: "write")
    record(os, "fsync", lambda fd: f"fsync {names[fd]}")
    record(os, "close", lambda fd: f"close {names[fd]}")
    record(Path, "rename", lambda *_: "rename")
    return seen


def test_content_is_on_the_medium_before_the_name_and_the_name_before_we_return(
    tmp_path: Path, calls: list[str]
) -> None:
    Disk().write_file(tmp_path / "a", b"content")
    assert calls == [
        "open file",
        "write",
        "fsync file",
        "close file",
        "rename",
        "open directory",
        "fsync directory",
        "close directory",
    ]


def test_content_and_mode(tmp_path: Path) -> None:
    Disk().write_file(tmp_path / "a", b"one")
    Disk().write_file(tmp_path / "a", b"two", mode=0o600)
    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("broken", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    Disk().write_file(tmp_path / "a", b"old")

    def full(*_args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OSError, match="No space"):
        Disk().write_file(tmp_path / "a", b"new")
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    Disk().write_file(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_missing_directories_are_made_for_us_alone(tmp_path: Path) -> None:
    Disk().make_directory(tmp_path / "a/b/c")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    Disk().make_directory(tmp_path / "a/b/c")


def test_a_file_moves_with_its_name(tmp_path: Path) -> None:
    Disk().make_directory(tmp_path / "b")
    Disk().write_file(tmp_path / "a", b"x")
    Disk().move(tmp_path / "a", tmp_path / "b/a")
    assert (tmp_path / "b/a").read_bytes() == b"x"
    assert not (tmp_path / "a").exists()


def test_removing_what_is_gone_is_fine(tmp_path: Path) -> None:
    Disk().remove(tmp_path / "a")


def test_only_our_own_leavings_are_swept(tmp_path: Path) -> None:
    for name in (".a.1234.tmp", ".hidden", "a.tmp", "a"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in Disk().sweep(tmp_path)] == [".a.1234.tmp"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a", "a.tmp"]


def test_reading_is_bounded_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert read_file(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="larger"):
        read_file(tmp_path / "a", 4)
    with pytest.raises(OSError, match="symbolic"):
        read_file(tmp_path / "link", 5)
    with pytest.raises(ValueError, match="regular"):
        read_file(tmp_path, 5)


def test_a_pipe_is_no_file_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="regular"):
        read_file(tmp_path / "pipe", 5)
