"""Hears from the kernel that a named file of a folder came, changed or went (inotify(7)): nobody has to look every second for it.

A process that stays for years and looks at a file each second spends most of its time on just that. Where the kernel does
not tell, or does not tell any more, `hears` is False and whoever relies on it looks for itself again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

log = logging.getLogger("agents.folder_watch")

_CLOSE_WRITE: Final = 0x8
_MOVED: Final = 0x40 | 0x80
_DELETE: Final = 0x200
_UNMOUNTED: Final = 0x2000
_OVERFLOWED: Final = 0x4000
_IGNORED: Final = 0x8000
_ONLY_FOLDERS: Final = 0x01000000
_LOST: Final = _UNMOUNTED | _IGNORED
"""linux/inotify.h"""
_EVENT: Final = struct.Struct("iIII")
_BUFFER: Final = 16 << 10


class FolderWatch:
    """A thread that calls back at each change of these files; `start` and `stop`."""

    def __init__(self, changed: Callable[[], None], folder: Path, names: frozenset[str]) -> None:
        self._changed = changed
        self._folder = folder
        self._names = names
        self._wake: int | None = None
        self._thread: threading.Thread | None = None
        self.hears = False
        """Whether the kernel tells of every change from now on."""

    def start(self) -> None:
        """Begin to listen. What changed before is not told: look once, after this."""
        try:
            listening = _listen(self._folder)
        except OSError as error:
            log.info("%s is looked at every second: %s", self._folder, error)
            return
        ends, self._wake = os.pipe2(os.O_CLOEXEC)
        self.hears = True
        self._thread = threading.Thread(target=self._watch, args=(listening, ends), name="folder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and wait until the thread has closed what it had open."""
        if self._wake is not None and self._thread is not None:
            os.close(self._wake)
            self._thread.join()
            self._wake = self._thread = None

    def _watch(self, listening: int, ends: int) -> None:
        poll = select.poll()
        poll.register(listening, select.POLLIN)
        poll.register(ends, select.POLLIN)
        try:
            while ends not in [descriptor for descriptor, _ in poll.poll()]:
                if not self._heed(os.read(listening, _BUFFER)):
                    return
        except OSError as error:
            log.warning("%s is looked at every second from now on: %s", self._folder, error)
        finally:
            os.close(listening)
            os.close(ends)
            self.hears = False
            self._changed()

    def _heed(self, data: bytes) -> bool:
        """Whether there is more to hear: not after the folder itself went away."""
        told = list(events(data))
        if any(mask & _LOST for mask, _ in told):
            return False
        if any(mask & _OVERFLOWED or name in self._names for mask, name in told):
            self._changed()
        return True


def events(data: bytes) -> Iterator[tuple[int, str]]:
    """What the kernel tells in one go: what happened, and the file's name. Raises `OSError` for what is cut short."""
    at = 0
    while at < len(data):
        try:
            _, mask, _, length = _EVENT.unpack_from(data, at)
        except struct.error as error:
            raise OSError(f"an event is cut short: {error}") from error
        at += _EVENT.size
        yield mask, os.fsdecode(data[at : at + length].rstrip(b"\0"))
        at += length


def _listen(folder: Path) -> int:
    """A descriptor that tells of the folder's files. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    mask = _CLOSE_WRITE | _MOVED | _DELETE | _ONLY_FOLDERS
    if libc.inotify_add_watch(descriptor, os.fsencode(folder), mask) < 0:
        number = ctypes.get_errno()
        os.close(descriptor)
        raise OSError(number, os.strerror(number), str(folder))
    return descriptor
