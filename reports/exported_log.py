"""An exported log, checked from one pin: every entry, every tile, the signatures, the trust root's versions, what was corrected.

With it a file can be asked what it cannot know itself: whether it was voided, or a key it rests on revoked, after it was made.
Pure but for reading the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .anchor import open_state
from .canonical import to_base64
from .enrolled import KeyDirectory
from .envelope import open_envelope
from .errors import BrokenChain, MalformedDocument
from .statements import Correction
from .times import for_people
from .tlog.checkpoint import Checkpoint
from .tlog.folder import PLAIN_KINDS, Entry, LogFolder
from .tlog.notes import NoteSignature
from .tlog.proofs import tree_root
from .trust import TrustRoot, open_chain


@dataclass(frozen=True)
class LoggedCorrection:
    """A correction with its place in the log; its signature was checked."""

    index: int
    body: Correction

    @property
    def words(self) -> str:
        """For people."""
        instead = f" {self.body.replacement} takes its place." if self.body.replacement else ""
        verb = "voided" if self.body.action == "void" else "superseded"
        return (
            f"{self.body.document} was {verb} on {for_people(self.body.time)} (log entry {self.index})."
            f"{instead} Reason: {self.body.reason}"
        )


@dataclass(frozen=True)
class ExportedLog:
    """A folder that holds together under the pin."""

    folder: LogFolder
    roots: tuple[TrustRoot, ...]
    checkpoint: Checkpoint
    cosignatures: tuple[NoteSignature, ...]
    corrections: tuple[LoggedCorrection, ...]
    keys: KeyDirectory

    def require_contains(self, checkpoint: Checkpoint) -> None:
        """Raise `BrokenChain` unless a checkpoint is an earlier state of this log, or its present one."""
        if checkpoint.origin != self.checkpoint.origin:
            raise BrokenChain("exported log", f"it is of the log {self.checkpoint.origin}, not of {checkpoint.origin}")
        if checkpoint.size > self.checkpoint.size:
            problem = (
                f"it ends at {self.checkpoint.size} entries, the document stands on {checkpoint.size}: export it anew"
            )
            raise BrokenChain("exported log", problem)
        if tree_root(self.folder.hashes(), checkpoint.size) != checkpoint.root:
            raise BrokenChain(
                "exported log", f"it tells another history of the first {checkpoint.size} entries: THE LOG WAS FORKED"
            )

    def of_document(self, sha256: str) -> tuple[LoggedCorrection, ...]:
        """What became of a document, by the digest of its signed statement."""
        return tuple(one for one in self.corrections if one.body.document_sha256 == sha256)


def open_exported_log(root: Path, pin: str) -> ExportedLog:
    """Read and check a whole folder; work grows with its size, memory with its statements.

    Args:
        root: the folder.
        pin: digest of any version of the trust root.

    Raises:
        ReportError: something is missing, altered or not signed as it must be.
    """
    note = LogFolder.note(root)
    folder = LogFolder(root, _size(note))
    statements = [(entry, folder.statement(entry)) for entry in folder.entries() if entry.kind in PLAIN_KINDS]
    roots = open_chain([envelope for entry, envelope in statements if entry.kind == "trust-root"], pin)
    checkpoint, cosignatures = open_state(_canonical_lines(note, roots[-1]), roots[-1])
    folder.check_tree(checkpoint.root)
    keys = KeyDirectory(roots[-1], whole_log=True)
    for entry, envelope in statements:
        if entry.kind == "key-event":
            keys.add(envelope, entry.index)
    corrections = tuple(
        _correction(entry, envelope, roots[-1]) for entry, envelope in statements if entry.kind == "correction"
    )
    return ExportedLog(folder, roots, checkpoint, cosignatures, corrections, keys)


def summary(log: ExportedLog) -> dict[str, Any]:
    """What a whole check found, as plain values."""
    return {
        "origin": log.checkpoint.origin,
        "size": log.checkpoint.size,
        "root": to_base64(log.checkpoint.root),
        "pin": log.roots[0].pin,
        "witnesses": _names(log.cosignatures),
        "corrections": len(log.corrections),
        "ok": True,
    }


def _names(cosignatures: Sequence[NoteSignature]) -> list[str]:
    return list(dict.fromkeys(signature.key.name for signature in cosignatures))


def _size(note: str) -> int:
    """The size a note names; nobody has vouched for it yet."""
    return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n").size


def _canonical_lines(note: str, trust: TrustRoot) -> str:
    """A published note may carry lines of witnesses that this trust root does not name; they are left out of account."""
    text, separator, block = note.rpartition("\n\n")
    known = {f"{key.name} " for key in (*trust.log_keys, *trust.witness_keys)}
    every = block.splitlines(keepends=True)
    if any(not line.startswith("\u2014 ") or not line.endswith("\n") for line in every):
        raise MalformedDocument("log folder", "the checkpoint has lines that are no signatures")
    lines = [line for line in every if any(line[2:].startswith(name) for name in known)]
    if not lines:
        raise MalformedDocument("log folder", "the checkpoint is signed by nobody known here")
    return f"{text}{separator}{''.join(lines)}"


def _correction(entry: Entry, envelope: dict[str, Any], trust: TrustRoot) -> LoggedCorrection:
    body, _ = open_envelope(envelope, trust.keys("acceptance", entry.index), "correction", exact=True)
    found = Correction.from_dict(body, "correction")
    if not 0 <= found.document_index < entry.index:
        raise BrokenChain("correction", f"entry {entry.index} corrects a document that was not issued before it")
    return LoggedCorrection(entry.index, found)
