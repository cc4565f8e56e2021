"""C2SP tlog-witness: what a log sends a witness, what the witness decides, and what its answer must be.

A witness sees every state of a log in turn and signs each only if it extends the one before. A log that shows different people
different histories would need every one of its witnesses to help. Pure: who keeps the witness's memory is the caller.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.canonical import from_base64, to_base64
from reports.errors import BadSignature, BrokenChain, MalformedDocument, UnknownKey

from .checkpoint import Checkpoint
from .notes import ED25519, MAX_NOTE, NoteSignature, VerifierKey, open_note
from .proofs import verify_consistency
from .tree import EMPTY_ROOT

ADD_CHECKPOINT: Final = "add-checkpoint"
"""Path below the witness's submission prefix."""
SIZE_TYPE: Final = "text/x.tlog.size"
"""Media type of the answer 409: the size the witness cosigned last."""
MAX_PROOF: Final = 63
"""Lines of proof a client may send."""
MAX_SUBMISSION: Final = MAX_NOTE * 2
"""Bytes of a request."""
_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")


@dataclass(frozen=True)
class Submission:
    """The body of `add-checkpoint`."""

    old: int
    """Size at which the log believes the witness to be."""
    proof: tuple[bytes, ...]
    """Consistency proof from `old` to the checkpoint."""
    note: str
    """The checkpoint as signed."""

    def to_bytes(self) -> bytes:
        """As it is sent."""
        lines = [f"old {self.old}", *(to_base64(one) for one in self.proof), "", self.note]
        return "\n".join(lines).encode()

    @classmethod
    def parse(cls, body: bytes) -> Submission:
        """Read a request's body. Raises `MalformedDocument`."""
        if len(body) > MAX_SUBMISSION:
            raise MalformedDocument("add-checkpoint", f"larger than {MAX_SUBMISSION} bytes")
        try:
            head, separator, note = body.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError as error:
            raise MalformedDocument("add-checkpoint", "not UTF-8") from error
        first, *proof = head.split("\n")
        old = _OLD.fullmatch(first)
        if not separator or old is None or len(proof) > MAX_PROOF:
            problem = f"not an old size, at most {MAX_PROOF} lines of proof, an empty line and a checkpoint"
            raise MalformedDocument("add-checkpoint", problem)
        return cls(int(old[1]), tuple(from_base64(line, "add-checkpoint.proof") for line in proof), note)

    @property
    def origin(self) -> str:
        """The name of the log, which nobody has vouched for yet."""
        return self.note.partition("\n")[0]


@dataclass(frozen=True)
class Seen:
    """The state of a log that a witness cosigned last."""

    size: int
    root: bytes


NOTHING: Final = Seen(0, EMPTY_ROOT)
"""What a witness has seen of a log that it never cosigned."""


class SubmissionRefused(Exception):
    """A witness does not cosign; `status` is the HTTP status of the specification."""

    def __init__(self, status: int, problem: str, *, size: int | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.size = size
        """Of the answer 409: what the witness cosigned last."""


def judge(submission: Submission, keys: Sequence[VerifierKey], seen: Seen) -> Checkpoint:
    """Whether a witness may cosign (c2sp.org/tlog-witness, add-checkpoint), in the order of the specification.

    Args:
        submission: what was sent.
        keys: the keys it trusts for the submission's origin; none means that the log is not known.
        seen: what it cosigned last of this log.

    Returns:
        The checkpoint to be cosigned: it is signed by a trusted key and extends what was seen.

    Raises:
        SubmissionRefused: it may not.
    """
    if not keys:
        raise SubmissionRefused(404, "This witness does not know a log of that name.")
    try:
        text, _ = open_note(submission.note, keys)
        checkpoint = Checkpoint.parse(text)
    except (BadSignature, UnknownKey) as error:
        raise SubmissionRefused(403, error.summarize()) from error
    except MalformedDocument as error:
        raise SubmissionRefused(400, error.summarize()) from error
    if checkpoint.origin != submission.origin or any(key.name != checkpoint.origin for key in keys):
        raise SubmissionRefused(403, "The keys known here are of another log.")
    if submission.old > checkpoint.size:
        raise SubmissionRefused(400, "The old size is larger than the checkpoint's.")
    if submission.old != seen.size:
        problem = f"The last checkpoint cosigned here has {seen.size} entries."
        raise SubmissionRefused(409, problem, size=seen.size)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise SubmissionRefused(422, "An empty log has the root hash of the empty tree.")
    try:
        verify_consistency(seen.size, checkpoint.size, seen.root, checkpoint.root, submission.proof)
    except BrokenChain as error:
        raise SubmissionRefused(422, error.summarize()) from error
    return checkpoint


def read_size(body: bytes) -> int | None:
    """The size in an answer 409; None where it is none."""
    found = _SIZE.fullmatch(body)
    return None if found is None else int(found[1])


def read_cosignatures(body: bytes, note: str, keys: Sequence[VerifierKey]) -> tuple[tuple[str, NoteSignature], ...]:
    """A witness's answer 200: its lines with the signatures found good, in the order of `keys`.

    Args:
        body: the answer; lines of unknown keys are left out of account.
        note: the checkpoint that was sent.
        keys: the witness's keys. Each gives at most one line.

    Raises:
        MalformedDocument: not signature lines, or one states no time.
        BadSignature: a line names one of the keys and does not fit.
        UnknownKey: none of the keys signed.
    """
    if any(key.algorithm == ED25519 for key in keys):
        raise ValueError("a witness's key makes cosignatures")
    try:
        answer = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedDocument("cosignatures", "not UTF-8") from error
    text = note.rpartition("\n\n")[0] + "\n"
    lines = answer.splitlines(keepends=True)
    found: list[tuple[str, NoteSignature]] = []
    for key in keys:
        own = [line for line in lines if _is_by(line, key)]
        if len(own) > 1:
            raise MalformedDocument("cosignatures", "the same key signed twice")
        for line in own:
            (signature,) = open_note(text + "\n" + line, [key])[1]
            if not signature.time:
                raise MalformedDocument("cosignatures", "one states no time")
            found.append((line, signature))
    if not found:
        raise UnknownKey("", "None of the witness's keys signed.")
    return tuple(found)


def _is_by(line: str, key: VerifierKey) -> bool:
    """Whether a line names the key: its name and its hash."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[1] != key.name or not line.endswith("\n"):
        return False
    try:
        return from_base64(parts[2][:-1])[:4] == key.key_hash
    except MalformedDocument:
        return False
