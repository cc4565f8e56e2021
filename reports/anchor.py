"""What a file stands on: the trust root in all its versions, the log's signed state, its witnesses, and the time.

Everything in a file of evidence is proven against one checkpoint; the anchor says why that checkpoint is to be believed. From
`/2` on a file carries it as one field. Files of `/1` have one trust root and one checkpoint, and present them as an anchor too,
so that every check is written once.

Cosignatures and stamps are added to what the log signed; whoever hands a file on could leave them out again. A file says what
it has, and nothing follows from what it does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .canonical import from_base64, sha256_hex
from .errors import MalformedDocument, UnknownKey
from .parts import StrictPart
from .timestamps import StampTime, check_authentic, check_stamp
from .tlog import leaf_hash, log_entry, verify_inclusion
from .tlog.checkpoint import Checkpoint, open_checkpoint
from .tlog.notes import NoteSignature, open_note
from .trust import TrustRoot, open_chain
from .trust_body import TimeAuthority

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
class LoggedStamp(StrictPart):
    """A time-stamp that is itself an entry of the log: nothing that comes after it in the log existed before its time."""

    authority: str
    """Its name in the trust root."""
    token: str
    """Base64 of the DER TimeStampToken, over whatever it was made for."""
    index: int
    proof: tuple[str, ...]
    """Inclusion proof against the anchor's checkpoint: base64 hashes (RFC 6962, 2.1.1)."""


@dataclass(frozen=True, kw_only=True)
class Anchor(StrictPart):
    """The signed state of the log, and all that is needed to believe it."""

    trust_roots: tuple[dict[str, Any], ...]
    """Envelopes, from the first version to the one in force."""
    checkpoint: str
    """A note: exactly the lines of the log's keys, then lines of witnesses, in the trust root's order, each at most once."""
    stamps: tuple[Stamp, ...] = ()
    """Over `stamped(checkpoint)`."""
    since: tuple[LoggedStamp, ...] = ()
    """From before the order: they show that what the order led to is not older."""


@dataclass(frozen=True)
class OpenedAnchor:
    """An anchor that holds under the pin."""

    roots: tuple[TrustRoot, ...]
    """Every version, oldest first."""
    checkpoint: Checkpoint
    cosignatures: tuple[NoteSignature, ...]
    """Of witnesses of the trust root in force; each states a time in Unix seconds."""
    times: tuple[StampTime, ...]
    since: tuple[tuple[int, StampTime], ...] = ()
    """Log index and time of the stamps from before the order."""

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
    times, since = open_times(anchor, roots[-1]), open_since(anchor, roots[-1], checkpoint)
    return OpenedAnchor(roots, checkpoint, cosignatures, times, since)


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
        ReportError: a stamp does not hold.
    """
    if len(anchor.stamps) > MAX_STAMPS or len({stamp.token for stamp in anchor.stamps}) != len(anchor.stamps):
        raise MalformedDocument("stamps", f"more than {MAX_STAMPS}, or the same one twice")
    message = stamped(anchor.checkpoint, trust)
    return tuple(
        check_stamp(from_base64(stamp.token, "stamp.token"), message, _authority(trust, stamp.authority))
        for stamp in anchor.stamps
    )


def open_since(anchor: Anchor, trust: TrustRoot, checkpoint: Checkpoint) -> tuple[tuple[int, StampTime], ...]:
    """Check every stamp that is an entry of the log: what comes after its index is younger than its time.

    Returns:
        Index and time of each.

    Raises:
        UnknownKey: of an authority that the trust root does not name.
        ReportError: a stamp does not hold, or is not in the log.
    """
    if len({stamp.authority for stamp in anchor.since}) != len(anchor.since):
        raise MalformedDocument("since", "two stamps of one authority")
    return tuple((stamp.index, open_logged_stamp(stamp, (trust,), checkpoint)) for stamp in anchor.since)


def open_logged_stamp(stamp: LoggedStamp, roots: Sequence[TrustRoot], checkpoint: Checkpoint) -> StampTime:
    """Check one stamp that is an entry of the log, by the newest of these trust roots that names its authority.

    Raises:
        UnknownKey: none of them names it.
        ReportError: the stamp does not hold, or is not in the log.
    """
    naming = [root for root in roots if stamp.authority in {one.name for one in root.time_authorities}]
    trust = (naming or roots)[-1]
    token = from_base64(stamp.token, "stamp.token")
    said = check_authentic(token, _authority(trust, stamp.authority))
    leaf = leaf_hash(log_entry("time-stamp", sha256_hex(token)))
    proof = tuple(from_base64(one, "stamp.proof") for one in stamp.proof)
    verify_inclusion(leaf, stamp.index, checkpoint.size, proof, checkpoint.root)
    return said


def _authority(trust: TrustRoot, name: str) -> TimeAuthority:
    for authority in trust.time_authorities:
        if authority.name == name:
            return authority
    raise UnknownKey("", f"The trust root names no time-stamp authority {name[:80]!r}.")
