"""What a file stands on: the trust root in all its versions, the log's signed state, its witnesses, and the time.

Everything in a file of evidence is proven against one checkpoint; the anchor says why that checkpoint is to be believed. From
`/2` on a file carries it as one field. Files of `/1` have one trust root and one checkpoint, and present them as an anchor too,
so that every check is written once.

Cosignatures and stamps are added to what the log signed; whoever hands a file on could leave them out again. A file says what
it has, and nothing follows from what it does not have.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .canonical import from_base64
from .errors import MalformedDocument, UnknownKey, UnsupportedSchema
from .parts import StrictPart
from .tlog.checkpoint import Checkpoint, open_checkpoint
from .tlog.notes import NoteSignature, open_note
from .trust import TrustRoot, open_chain
from .trust_body import TimeAuthority

if TYPE_CHECKING:
    from .timestamps import StampTime

MAX_STAMPS = 64
"""Stamps on one checkpoint: some authorities, and a new one each year."""


@dataclass(frozen=True, kw_only=True)
class Stamp(StrictPart):
    """A time-stamp over the checkpoint as the log signed it."""

    authority: str
    """Its name in the trust root."""
    token: str
    """Base64 of the DER TimeStampToken (RFC 3161, 2.4.2)."""


@dataclass(frozen=True, kw_only=True)
class Anchor(StrictPart):
    """The signed state of the log, and all that is needed to believe it."""

    trust_roots: tuple[dict[str, Any], ...]
    """Envelopes, from the first version to the one in force."""
    checkpoint: str
    """A note: exactly the lines of the log's keys, then lines of witnesses, in the trust root's order, each at most once."""
    stamps: tuple[Stamp, ...] = ()
    """Over `stamped(checkpoint)`."""


@dataclass(frozen=True)
class OpenedAnchor:
    """An anchor that holds under the pin."""

    roots: tuple[TrustRoot, ...]
    """Every version, oldest first."""
    checkpoint: Checkpoint
    cosignatures: tuple[NoteSignature, ...]
    """Of witnesses of the trust root in force; each states a time in Unix seconds."""
    times: tuple[StampTime, ...]

    @property
    def trust(self) -> TrustRoot:
        """The version in force."""
        return self.roots[-1]

    @property
    def witnessed(self) -> bool:
        """Whether as many different witnesses signed as the trust root asks for, and it asks for at least one."""
        return is_witnessed(self.trust, self.cosignatures)


def open_anchor(anchor: Anchor, pin: str) -> OpenedAnchor:
    """Check an anchor against the pin, which may be the digest of any version of the trust root.

    Raises:
        ReportError: as `open_chain`, `open_state` and `open_times`.
    """
    roots = open_chain(anchor.trust_roots, pin)
    checkpoint, cosignatures = open_state(anchor.checkpoint, roots[-1])
    return OpenedAnchor(roots, checkpoint, cosignatures, open_times(anchor, roots[-1]))


def open_state(note: str, trust: TrustRoot) -> tuple[Checkpoint, tuple[NoteSignature, ...]]:
    """Check a checkpoint's lines: all the log's, then those of witnesses that signed, and nothing else.

    Returns:
        The checkpoint, and the witnesses' good signatures.

    Raises:
        MalformedDocument, BadSignature: not a checkpoint, or a line does not fit it.
        UnknownKey: a log key is missing, or a line stands where it should not.
    """
    checkpoint = open_checkpoint(note, trust.log_keys)
    allowed = (*trust.log_keys, *trust.witness_keys)
    _, good = open_note(note, allowed)
    found = [signature.key for signature in good]
    lines = note.rpartition("\n\n")[2].count("\n")
    if lines != len(found) or found != [key for key in allowed if key in set(found)]:
        raise UnknownKey("", "The checkpoint is not signed by exactly the log's keys, then witnesses, in their order.")
    return checkpoint, good[len(trust.log_keys) :]


def is_witnessed(trust: TrustRoot, cosignatures: tuple[NoteSignature, ...]) -> bool:
    """Whether the quorum of the trust root is reached: different names, at least one."""
    return 1 <= trust.quorum <= len({signature.key.name for signature in cosignatures})


def stamped(note: str, trust: TrustRoot) -> bytes:
    """What time-stamps are over: the note as the log signed it, without the witnesses' lines."""
    text, separator, block = note.rpartition("\n\n")
    own = block.split("\n")[: len(trust.log_keys)]
    return (text + separator + "\n".join(own) + "\n").encode()


def open_times(anchor: Anchor, trust: TrustRoot) -> tuple[StampTime, ...]:
    """Check every stamp by the authority it names. The checkpoint must have been opened before.

    Raises:
        UnknownKey: of an authority that the trust root does not name.
        UnsupportedSchema: this version cannot check stamps.
        ReportError: a stamp does not hold.
    """
    if len(anchor.stamps) > MAX_STAMPS or len({stamp.token for stamp in anchor.stamps}) != len(anchor.stamps):
        raise MalformedDocument("stamps", f"more than {MAX_STAMPS}, or the same one twice")
    message = stamped(anchor.checkpoint, trust)
    authorities = {one.name: one for one in trust.time_authorities}
    return tuple(_open_stamp(stamp, message, authorities.get(stamp.authority)) for stamp in anchor.stamps)


def _open_stamp(stamp: Stamp, message: bytes, authority: TimeAuthority | None) -> StampTime:
    if authority is None:
        raise UnknownKey("", f"The trust root names no time-stamp authority {stamp.authority[:80]!r}.")
    token = from_base64(stamp.token, "stamp.token")
    try:
        timestamps = importlib.import_module("reports.timestamps")
    except ImportError as error:
        raise UnsupportedSchema("stamp", "RFC 3161, which this installation cannot check") from error
    found: StampTime = timestamps.check_stamp(token, message, authority)
    return found
