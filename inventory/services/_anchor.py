"""What the files of a document stand on: the trust root's versions, a checkpoint with its witnesses, its time-stamps.

A document's files are made against one checkpoint. Witnesses and time-stamp authorities need a while to see it; so the files of a
new document wait for them, but not for ever: after `evidence_patience_seconds` they are made with what there is, and say so.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import EvidencePending, SetupError
from inventory.keyring import versions
from inventory.models import LogCheckpoint, LogCosignature, LogEntry
from reports.anchor import Anchor, Stamp, is_witnessed, open_state
from reports.envelope import Envelope
from reports.trust import TrustRoot, open_chain

from .context import Context
from .kernel import load_envelope

_LOOKED_AT = 64
"""Newest checkpoints looked at when one with all its witnesses is wanted; there is one for each commit."""


def trust_roots(session: Session, size: int | None = None) -> list[tuple[int, Envelope]]:
    """The versions of the trust root that are in the log (of `size` entries), oldest first, with their log index."""
    return versions(session, size)


def first_pin(session: Session) -> str:
    """Digest of the first version of the trust root: the pin that never changes. Raises `SetupError`."""
    pin = session.scalar(sa.select(LogEntry.sha256).where(LogEntry.idx == 0))
    if pin is None:
        raise SetupError("The log has no trust root: initialise the inventory first.")
    return pin


def opened_roots(session: Session, size: int | None = None) -> tuple[TrustRoot, ...]:
    """The versions, checked as any verifier would. Raises `ReportError` where the database was altered."""
    return open_chain([envelope for _, envelope in trust_roots(session, size)], first_pin(session))


def anchor_at(session: Session, context: Context, size: int) -> Anchor:  # noqa: ARG001 - every service function is given it
    """The anchor for files whose proofs are against the checkpoint of `size` entries. Raises `SetupError`."""
    row = session.get(LogCheckpoint, size)
    if row is None:
        raise SetupError(f"No checkpoint of {size} entries was ever signed.")
    trust = opened_roots(session, size)[-1]
    return Anchor(
        trust_roots=tuple(envelope for _, envelope in trust_roots(session, size)),
        checkpoint=row.note + _witness_lines(session, trust, size),
        stamps=_stamps(session, trust, size),
    )


def newest_anchored(session: Session, context: Context, at_least: int) -> int:
    """Which checkpoint's size the files of a document should use.

    The newest that has all its witnesses and stamps. Where none has, the newest one of all, once the first checkpoint
    that could be used is older than the setting `evidence_patience_seconds`.

    Args:
        session: under way.
        context: of the service.
        at_least: the smallest size that contains everything the document names.

    Raises:
        EvidencePending: witnesses or time-stamp authorities are still waited for.
    """
    statement = sa.select(LogCheckpoint).where(LogCheckpoint.size >= at_least)
    newest = list(session.scalars(statement.order_by(LogCheckpoint.size.desc()).limit(_LOOKED_AT)))
    if not newest:
        raise SetupError(f"No checkpoint of {at_least} entries was ever signed.")
    complete = next((row.size for row in newest if _is_complete(session, row)), None)
    if complete is not None:
        return complete
    first = session.scalars(statement.order_by(LogCheckpoint.size).limit(1)).one()
    until = first.at + timedelta(seconds=context.settings.evidence_patience_seconds)
    if context.now() < until:
        raise EvidencePending(until)
    return newest[0].size


def _is_complete(session: Session, row: LogCheckpoint) -> bool:
    trust = opened_roots(session, row.size)[-1]
    if trust.quorum:
        _, cosignatures = open_state(row.note + _witness_lines(session, trust, row.size), trust)
        if not is_witnessed(trust, cosignatures):
            return False
    stamped_by = {stamp.authority for stamp in _stamps(session, trust, row.size)}
    return {authority.name for authority in trust.time_authorities} <= stamped_by


def _witness_lines(session: Session, trust: TrustRoot, size: int) -> str:
    """The lines of the trust root's witnesses under this checkpoint, in the trust root's order."""
    rows = session.scalars(sa.select(LogCosignature).where(LogCosignature.size == size))
    lines = {(row.witness, row.key_hash): row.line for row in rows}
    return "".join(lines.get((key.name, key.key_hash.hex()), "") for key in trust.witness_keys)


def _stamps(session: Session, trust: TrustRoot, size: int) -> tuple[Stamp, ...]:  # noqa: ARG001 - none are kept yet
    """The stamps on this checkpoint, in the trust root's order."""
    return ()
