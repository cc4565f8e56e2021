"""What a witness must never forget: its keys, the logs it knows, and the last state of each that it cosigned.

    ed25519.pem, ml-dsa-44.pem   its private keys, 0600, made once
    witness.json                 its name and the logs it knows, with their keys
    seen/SHA256.json             one file a log: the last checkpoint it cosigned, by the hash of the log's origin
    lock                         held by the one process that cosigns

A cosignature leaves the process only after the state it is about is on the disk: written under another name, fsynced, renamed,
and the directory fsynced. A crash before the rename leaves the old state and no answer; a crash after it leaves the new state and
no answer, and the log asks again. What can never be is an answer without its state.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from reports.canonical import canonical, parse_strict
from reports.errors import MalformedDocument, UnknownKey
from reports.keys import load_note_signer, private_pem, write_private_file
from reports.tlog import ED25519_COSIGNATURE, ML_DSA_44, Checkpoint, NoteSigner, VerifierKey, open_note, parse_vkey
from reports.tlog.notes import fresh_key
from reports.tlog.witnessing import NOTHING, Seen, Submission, SubmissionRefused, judge

CONFIG: Final = "witness.json"
KEYS: Final = {"ed25519.pem": ED25519_COSIGNATURE, "ml-dsa-44.pem": ML_DSA_44}
_LIMIT: Final = 1 << 20


class WitnessError(Exception):
    """The witness cannot work like this; the message says why and what to do."""


@dataclass(frozen=True)
class Cosigned:
    """The last state of a log that was cosigned."""

    checkpoint: Checkpoint
    note: str
    """The log's signed checkpoint, with our lines below it."""
    time: int
    """Unix seconds, as our lines state them."""


class Memory:
    """A witness's directory. Thread-safe; `owned` keeps other processes away."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._deciding = threading.Lock()

    @classmethod
    def create(cls, root: Path, name: str) -> Memory:
        """A new witness: directory (0700), keys (0600), no logs yet. Continues where an earlier attempt was cut off.

        Raises:
            WitnessError: there is a witness here already, or the name cannot be one.
            ReportError: a key file is unsafe.
        """
        memory = cls(root)
        if memory.path(CONFIG).exists():
            raise WitnessError(f"There is a witness in {root} already; its name and keys never change.")
        for algorithm in KEYS.values():
            try:
                NoteSigner.generate(name, algorithm)
            except ValueError as error:
                raise WitnessError(
                    "A witness's name has no spaces and no plus sign; take witness.example.org."
                ) from error
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        memory.check()
        for file, algorithm in KEYS.items():
            if not memory.path(file).exists():
                write_private_file(memory.path(file), private_pem(fresh_key(algorithm)))
        _make_folder(memory.path("seen"))
        memory._write(CONFIG, {"v": 1, "name": name, "logs": {}})  # last: only now it is a witness
        return memory

    def path(self, name: str) -> Path:
        """A file of the directory."""
        return self.root / name

    def check(self) -> None:
        """Whether the directory is ours alone. Raises `WitnessError`."""
        if not self.root.is_dir():
            raise WitnessError(f"There is no witness in {self.root}; run `sanitrail-witness init` first.")
        facts = self.root.stat()
        if stat.S_IMODE(facts.st_mode) & 0o077 or facts.st_uid != os.geteuid():
            raise WitnessError(f"{self.root} must belong to user {os.geteuid()} alone (chmod 0700): keys lie there.")

    @property
    def name(self) -> str:
        """The witness's name."""
        return str(self._config()["name"])

    def logs(self) -> dict[str, tuple[VerifierKey, ...]]:
        """The keys of every log it knows, by origin."""
        return {origin: tuple(parse_vkey(vkey) for vkey in vkeys) for origin, vkeys in self._config()["logs"].items()}

    def signers(self) -> tuple[NoteSigner, ...]:
        """Its keys, Ed25519 first. Raises `WitnessError`, `ReportError`."""
        name, signers = self.name, []
        for file, algorithm in KEYS.items():
            if not self.path(file).exists():
                raise WitnessError(f"The key {self.path(file)} is missing. Restore it from the backup.")
            private = load_note_signer(self.path(file), name).private_key
            signers.append(NoteSigner(name, algorithm, private))
        return tuple(signers)

    def add_log(self, vkeys: tuple[str, ...]) -> str:
        """Know a log from now on, or more keys of one that is known; none is ever taken away. Returns its origin.

        Raises:
            WitnessError: keys of different logs, or of this witness itself.
            MalformedDocument: not a verifier key.
        """
        keys = [parse_vkey(vkey) for vkey in vkeys]
        origins = {key.name for key in keys}
        if len(origins) != 1 or self.name in origins:
            raise WitnessError("Give the keys of one log, as its operator prints them (`sanitrail log vkeys`).")
        if any(key.algorithm == ED25519_COSIGNATURE for key in keys):
            raise WitnessError("This is a witness's key, not a log's.")
        (origin,) = origins
        config = self._config()
        known = config["logs"].setdefault(origin, [])
        known += [key.vkey for key in keys if key.vkey not in known]
        self._write(CONFIG, config)
        return origin

    def last(self, origin: str) -> Cosigned | None:
        """The last state cosigned of a log, None where there is none. Raises `WitnessError` where it cannot be read back."""
        file = self._seen_file(origin)
        try:
            found = parse_strict(_read(file), file.name)
            note, time = found["note"], found["time"]
            checkpoint = Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
            if checkpoint.origin != origin or found["origin"] != origin or not isinstance(time, int):
                raise WitnessError(f"{file} is about another log; the witness signs nothing until it is restored.")
        except FileNotFoundError:
            return None
        except (OSError, MalformedDocument, KeyError, TypeError, AttributeError) as error:
            raise WitnessError(
                f"{file} cannot be read back; the witness signs nothing until it is restored."
            ) from error
        return Cosigned(checkpoint, note, time)

    def cosign(self, submission: Submission, signers: tuple[NoteSigner, ...], now: int) -> str:
        """Decide, remember, and only then give the lines. One at a time.

        Raises:
            SubmissionRefused: it may not be cosigned; nothing was remembered.
            WitnessError: the memory cannot be read, or the clock runs behind it.
            OSError: it cannot be written; nothing was signed away.
        """
        with self._deciding:
            keys = self.logs().get(submission.origin, ())
            last = self.last(submission.origin) if keys else None
            seen = NOTHING if last is None else Seen(last.checkpoint.size, last.checkpoint.root)
            checkpoint = judge(submission, keys, seen)
            if last is not None and now < last.time:
                raise WitnessError("The clock is behind the last cosignature; correct it.")
            lines = "".join(signer.line(checkpoint.text, now) for signer in signers)
            note = _log_lines(submission.note, keys) + lines
            content = {"v": 1, "origin": submission.origin, "note": note, "time": now}
            self._write(f"seen/{self._seen_file(submission.origin).name}", content)
            return lines

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Be the only process that cosigns from this directory; the lock dies with the process. Raises `WitnessError`."""
        descriptor = os.open(self.path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                os.lockf(descriptor, os.F_TLOCK, 0)
            except OSError as error:
                raise WitnessError(
                    f"Another process works as the witness in {self.root}: two would contradict each other."
                ) from error
            yield
        finally:
            os.close(descriptor)

    def _seen_file(self, origin: str) -> Path:
        return self.path("seen") / f"{origin_hash(origin)}.json"

    def _config(self) -> dict[str, Any]:
        self.check()
        try:
            found = parse_strict(_read(self.path(CONFIG)), CONFIG)
            if not isinstance(found["name"], str) or not isinstance(found["logs"], dict):
                raise WitnessError(f"{self.path(CONFIG)} is not a witness's configuration.")
        except FileNotFoundError as error:
            raise WitnessError(f"There is no witness in {self.root}; run `sanitrail-witness init` first.") from error
        except (OSError, MalformedDocument, KeyError, TypeError) as error:
            raise WitnessError(f"{self.path(CONFIG)} cannot be read back.") from error
        return dict(found)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a file durably: whole or not at all."""
        target = self.path(name)
        draft = target.with_name(f".{target.name}.draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(canonical(dict(content)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _sync(target.parent)


def origin_hash(origin: str) -> str:
    """SHA-256 of a log's origin, as the monitoring address names it."""
    return sha256(origin.encode()).hexdigest()


def _log_lines(note: str, keys: tuple[VerifierKey, ...]) -> str:
    """The note with the lines of the log's known keys alone: whoever asks later gets what was verified here."""
    text, _, block = note.rpartition("\n\n")
    kept = []
    for line in block.splitlines(keepends=True):
        try:
            open_note(f"{text}\n\n{line}", keys)
        except UnknownKey:
            continue
        kept.append(line)
    return f"{text}\n\n{''.join(kept)}"


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_LIMIT)


def _make_folder(path: Path) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = ["Cosigned", "Memory", "SubmissionRefused", "WitnessError", "origin_hash"]
