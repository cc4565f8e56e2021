"""Whether what the log says now fits what it said before. Pure: notes and proofs in, a checkpoint out, or a refusal.

Every host is a witness: it keeps the newest checkpoint it has verified, and believes no other that does not extend
it. Whoever rewrites the log would have to keep every host from ever comparing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inventory.contract.v1.common import LogPosition
from reports.canonical import from_base64, to_base64
from reports.errors import BrokenChain, ReportError
from reports.tlog import Checkpoint, VerifierKey, open_checkpoint, verify_consistency

from .errors import CheckpointRefused, LogForked, RequestRefused, SchemaRefused

Prove = Callable[[int, int], Sequence[bytes]]
"""Fetches the consistency proof between two sizes (old, new); may raise what the client raises."""


def read_checkpoint(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint, signed by every key of the pinned log. Raises `CheckpointRefused`."""
    try:
        return open_checkpoint(note, keys)
    except ReportError as error:
        raise CheckpointRefused(error.summarize()) from error


def newer(known: Checkpoint, offered: Checkpoint, prove: Prove) -> Checkpoint:
    """The larger of two checkpoints of one history.

    Args:
        known: Verified before.
        offered: Signed by the log just now; may be an older one that a replica still serves.
        prove: Asked only where the sizes differ and a proof is needed.

    Raises:
        LogForked: They cannot both be true (`proven`), or nothing shows that they are one history: a wrong proof, or none,
            as from a service whose log has become shorter.
    """
    if known.size == offered.size:
        if known.root != offered.root:
            raise LogForked(f"Two different logs of {known.size} entries are signed.", proven=True)
        return known
    old, new = sorted((known, offered), key=lambda checkpoint: checkpoint.size)
    _require_history(old.size, old.root, new, prove)
    return new


def require_contains(known: Checkpoint, position: LogPosition, prove: Prove) -> None:
    """That a position somebody names (an order's `after`) lies in the history this host knows.

    Raises:
        LogForked: It names another log, a place beyond what is known, or another history.
    """
    if position.origin != known.origin:
        raise LogForked(f"The order names the log {position.origin!r}.", proven=False)
    if position.size > known.size:
        raise LogForked(f"The order names entry {position.size} of a log of {known.size}.", proven=False)
    root = from_base64(position.root, "position")
    if position.size == known.size:
        if root != known.root:
            raise LogForked(f"The order names another log of {known.size} entries.", proven=False)
        return
    _require_history(position.size, root, known, prove)


def position_of(checkpoint: Checkpoint) -> LogPosition:
    """The checkpoint as messages name it."""
    return LogPosition(origin=checkpoint.origin, size=checkpoint.size, root=to_base64(checkpoint.root))


def decode_hashes(hashes: Sequence[str]) -> tuple[bytes, ...]:
    """A proof's hashes from base64. Raises `CheckpointRefused`."""
    try:
        return tuple(from_base64(item, "proof") for item in hashes)
    except ReportError as error:
        raise CheckpointRefused(error.summarize()) from error


def _require_history(size: int, root: bytes, new: Checkpoint, prove: Prove) -> None:
    try:
        proof = () if size == 0 else prove(size, new.size)
    except (RequestRefused, SchemaRefused) as error:  # whoever signed both states has the proof, or has two histories
        problem = f"The service gives no proof from {size} to {new.size} entries: {error.reason}"
        raise LogForked(problem, proven=False) from error
    try:
        verify_consistency(size, new.size, root, new.root, proof)
    except BrokenChain as error:
        raise LogForked(error.problem, proven=False) from error
