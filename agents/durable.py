"""Files that are whole or absent, and stay after a power cut.

The only place where the agent changes its state directory. `write_file` issues, in this order:

    openat(dir, ".NAME.XXXX.tmp", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, mode)
    write(fd, data) until all is written
    fsync(fd)                                   the bytes are on the medium under the temporary name
    close(fd)
    renameat(".NAME.XXXX.tmp" -> NAME)          atomic: a reader sees the old file or the new one
    fsync(dir fd)                               the name itself is on the medium

A crash before the rename leaves the old content (and perhaps a `.tmp` file, swept by `Disk.sweep` at the next start);
a crash after it leaves the new content; after the last fsync it survives a power cut. An error from any call is
raised as it came (OSError with its errno, ENOSPC included) and the temporary file is removed, so that a full disk is
not made fuller. An fsync that failed is not repeated: the kernel may have dropped the dirty pages, so the whole write
must be (it is, by whoever called).

All of it hangs on one object, `Disk`, which is handed to everything that stores: a test's subclass stops the process
before or after any single effect.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

_TEMPORARY = ".tmp"


class Disk:
    """Durable changes beneath one directory. Stateless; safe to use from several threads on different names."""

    def make_directory(self, path: Path) -> None:
        """Create `path` (0700) and everything above it that is missing; each new name is fsynced in its parent."""
        missing: list[Path] = []
        here = path
        while not here.exists():
            missing.append(here)
            here = here.parent
        for directory in reversed(missing):
            with contextlib.suppress(FileExistsError):  # somebody else made it meanwhile: equally good
                directory.mkdir(mode=0o700)
            _sync_directory(directory.parent)

    def write_file(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        """Replace or create `path` with `data`: afterwards the content is durable.

        Raises:
            OSError: Nothing changed under the name `path`, as far as the failing call tells.
        """
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                _write_all(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            temporary.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_directory(path.parent)

    def create_file(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        """As `write_file`, but `path` must not exist: link(2) instead of rename(2) lets only one of two claims win.

        Raises:
            FileExistsError: The name is taken; its content was left alone.
            OSError: As `write_file`.
        """
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                _write_all(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            path.hardlink_to(temporary)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        _sync_directory(path.parent)

    def write_volatile(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        """Replace `path` so that readers see the old or the new content; nothing is promised about a power cut."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_TEMPORARY}")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                _write_all(fd, data)
            finally:
                os.close(fd)
            temporary.rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise

    def move(self, source: Path, target: Path) -> None:
        """Rename within one file system and fsync both directories. The target, if any, is replaced."""
        source.rename(target)
        _sync_directory(target.parent)
        if source.parent != target.parent:
            _sync_directory(source.parent)

    def remove(self, path: Path) -> None:
        """Remove a file, durably; one that is already gone is fine (a removal that crashed before its fsync is repeated)."""
        path.unlink(missing_ok=True)
        _sync_directory(path.parent)

    def sweep(self, directory: Path) -> list[Path]:
        """Remove what crashed writes left behind in `directory`: our own temporary names only. Returns what was removed."""
        swept = [entry for entry in directory.iterdir() if _is_temporary(entry)]
        for entry in swept:
            entry.unlink(missing_ok=True)
        return swept


def read_file(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes; symbolic links are not followed.

    Raises:
        OSError: It cannot be read; ELOOP for a symbolic link.
        ValueError: It is no regular file, or larger than `limit`.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("not a regular file")
        if facts.st_size > limit:
            raise ValueError(f"larger than {limit} bytes")
        return b"".join(_chunks(fd, limit))
    finally:
        os.close(fd)


def _chunks(fd: int, limit: int) -> Iterator[bytes]:
    left = limit + 1  # one more than allowed, so that a file growing under us is seen
    while left > 0 and (chunk := os.read(fd, min(left, 1 << 16))):
        left -= len(chunk)
        if left <= 0:
            raise ValueError(f"larger than {limit} bytes")
        yield chunk


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(_TEMPORARY)
