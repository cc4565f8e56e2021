"""Where the agent keeps what must survive it: one directory, 0700, root's.

    key.pem               this agent's private key, 0600 (reports.keys.FileSigner)
    key.uri               or where it is, if it lives in a token (reports.token.TokenSigner)
    former-*              keys that were replaced: what they signed can still be read
    format.json           in which form all of this is written; an older agent leaves a newer form alone
    enrolment.json        with which service, under which name, confirmed or not
    pins.json             what is relied on: log keys, trust root, roster, newest checkpoint
    paths.json            declared CRM paths, as last heard
    sequence.json         record counter, and the numbers given to records that are not safe yet
    heads.json            digest of the newest record of each medium
    runs/ORDER.json       one file a leased order, until its record is safe (runs.py)
    journals/             the sanitizer's own journals
    spent/ORDER.json      orders that were begun: an approval counts once
    outbox/RECORD.json    signed records that are not accepted yet; outbox/damaged/ what could not be read back
    readings/ORDER.json   signed readings of verify-only orders that are not accepted yet
    accepted/RECORD.json  records with the service's acceptance, proof and checkpoint
    alarms/               checkpoints that contradict each other
    status.json           what `sanitrail-agent status` shows; not durable, rewritten by the daemon

Every file is one JSON object with its schema's name, read strictly: what cannot be read back is an error, never a default.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from reports.canonical import canonical, parse_strict
from reports.errors import MalformedDocument

from .durable import Disk, read_file
from .errors import StateBusy, StateDamaged, StateNewer

FORMAT: Final = 1
"""Grows when an older agent could misread, or miss, what a newer one writes here."""
FORMAT_FILE: Final = "format.json"
FORMAT_SCHEMA: Final = "sanitrail-agent/format/1"
_LIMIT = 8 << 20
_DIRECTORIES = ("runs", "journals", "spent", "outbox", "outbox/damaged", "readings", "accepted", "alarms")


class StateDirectory:
    """Paths and documents beneath one directory. Thread-safe as far as callers write different names."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self.root = root
        self.disk = disk or Disk()

    @property
    def key_file(self) -> Path:
        """This agent's private key."""
        return self.root / "key.pem"

    @property
    def journals(self) -> Path:
        """Where the sanitizer keeps its journals."""
        return self.root / "journals"

    def path(self, name: str) -> Path:
        """The file or directory called `name`."""
        return self.root / name

    def prepare(self) -> None:
        """Create what is missing, and refuse a directory that others can enter.

        Raises:
            StateDamaged: The directory belongs to somebody else or is open to others.
            StateNewer: A newer agent wrote it.
            OSError: It cannot be made.
        """
        self.disk.make_directory(self.root)
        facts = self.root.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077:
            problem = f"must be a directory of user {os.geteuid()} with mode 0700"
            raise StateDamaged(str(self.root), problem)
        self.require_known_format()
        for name in _DIRECTORIES:
            self.disk.make_directory(self.root / name)

    def require_known_format(self) -> int:
        """The form all of this is written in; a state of before forms were noted is of the first.

        Raises:
            StateNewer: This agent does not know it.
            StateDamaged: It cannot be read.
        """
        document = self.read(FORMAT_FILE, FORMAT_SCHEMA) or {"format": 1}
        found = document.get("format")
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise StateDamaged(str(self.path(FORMAT_FILE)), "no form is named")
        if found > FORMAT:
            raise StateNewer(f"It has form {found}; this version reads up to {FORMAT}.")
        return found

    def sweep(self) -> None:
        """Remove temporary files that crashed writes left. Only while this process owns the directory."""
        for directory in (self.root, *(self.root / name for name in _DIRECTORIES if name != "journals")):
            self.disk.sweep(directory)

    def read(self, name: str, *schemas: str) -> dict[str, Any] | None:
        """The document, of one of these schemas, or None where there is no file.

        Raises:
            StateDamaged: There is a file, and it is not the document.
        """
        path = self.root / name
        try:
            document = parse_strict(read_file(path, _LIMIT), name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, MalformedDocument) as error:
            raise StateDamaged(str(path), str(error)) from error
        if not isinstance(document, dict) or document.get("schema") not in schemas:
            raise StateDamaged(str(path), f"not a document of schema {' or '.join(schemas)}")
        return document

    def write(self, name: str, schema: str, document: Mapping[str, Any]) -> None:
        """Replace the document, durably. Raises `OSError` when the disk does not take it; the old one then stays."""
        self.disk.write_file(self.root / name, canonical({**document, "schema": schema}))

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Be the only agent process on this directory; the lock dies with the process.

        Raises:
            StateBusy: Another process is.
            StateNewer: A newer agent wrote it.
            OSError: It cannot be noted in which form it is from now on.
        """
        with locked(self.root / "lock", wait=False):
            if self.require_known_format() < FORMAT or not self.path(FORMAT_FILE).exists():
                self.write(FORMAT_FILE, FORMAT_SCHEMA, {"format": FORMAT})
            yield


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold the POSIX record lock of a file, against other processes. Threads of one process are not kept apart.

    Raises:
        StateBusy: Another process holds it and `wait` is False.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            os.lockf(fd, os.F_LOCK if wait else os.F_TLOCK, 0)
        except (BlockingIOError, PermissionError) as error:
            raise StateBusy(str(path.parent)) from error
        yield
    finally:
        os.close(fd)
