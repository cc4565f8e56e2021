"""C2SP tlog-checkpoint: what a log was at one moment, signed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from reports.canonical import from_base64, to_base64
from reports.errors import MalformedDocument, UnknownKey

from .notes import NoteSigner, VerifierKey, open_note, sign_note
from .tree import HASH_BYTES

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True)
class Checkpoint:
    """Origin, number of entries and root hash of a log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text: three lines."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the signed text; extension lines are refused, since nothing here would check them."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise MalformedDocument("checkpoint", "not the three lines origin, size and root")
        root = from_base64(lines[2], "checkpoint root")
        if len(root) != HASH_BYTES:
            raise MalformedDocument("checkpoint", "the root is not 32 bytes")
        return cls(lines[0], int(lines[1]), root)


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner], time: int) -> str:
    """The checkpoint as a note signed by every signer; `time` in Unix seconds."""
    return sign_note(checkpoint.text, signers, time)


def open_checkpoint(note: str, log_keys: Sequence[VerifierKey], *, exact: bool = False) -> Checkpoint:
    """Check that *all* the log's keys signed and read the checkpoint.

    Args:
        note: the signed note.
        log_keys: the log's verifier keys; each must have signed. Their name must be the checkpoint's origin.
        exact: refuse lines of anyone else (witnesses), instead of leaving them out of account.

    Raises:
        MalformedDocument, BadSignature, UnknownKey: as `open_note`; also when one of the log's keys is missing.
    """
    if not log_keys:
        raise UnknownKey("", "No log key is known.")
    text, signatures = open_note(note, log_keys, exact=exact)
    signed = {signature.key for signature in signatures}
    absent = [key.label for key in log_keys if key not in signed]
    if absent:
        raise UnknownKey("", f"The checkpoint lacks the signature of {', '.join(absent)}.")
    checkpoint = Checkpoint.parse(text)
    if any(key.name != checkpoint.origin for key in log_keys):
        raise UnknownKey("", "The checkpoint is of another log.")
    return checkpoint
