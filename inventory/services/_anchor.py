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
from inventory.models import LogCheckpoint, LogCosignature, LogEntry, TimeStamp
from reports.anchor import Anchor, LoggedStamp, Stamp, is_witnessed, open_state
from reports.canonical import to_base64
from reports.envelope import Envelope
from reports.errors import ReportError
from reports.timestamps import check_authentic
from reports.trust import TrustRoot, open_chain
from reports.trust_body import TimeAuthority

from .context import Context

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


def anchor_at(session: Session, context: Context, size: int, *, since: int = 0) -> Anchor:
    """The anchor for files whose proofs are against the checkpoint of `size` entries.

    Args:
        session: under way.
        context: of the service.
        size: of the checkpoint.
        since: how many entries the log had when the document's order was made: stamps among them bound it from below.

    Raises:
        SetupError: there is no such checkpoint.
    """
    row = session.get(LogCheckpoint, size)
    if row is None:
        raise SetupError(f"No checkpoint of {size} entries was ever signed.")
    trust = opened_roots(session, size)[-1]
    return Anchor(
        trust_roots=tuple(envelope for _, envelope in trust_roots(session, size)),
        checkpoint=row.note + _witness_lines(session, trust, size),
        stamps=_stamps(session, trust, size),
        since=stamps_before(session, context, trust, since, size),
    )


def newest_anchored(session: Session, context: Context, at_least: int) -> int:
    """Which checkpoint's size the files of a document should use.

    The newest that has all its witnesses and stamps. Where none has, the one that has most of them, once the first
    checkpoint that could be used is older than the setting `evidence_patience_seconds`.

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
    versions_here = _versions(session)
    for row in _looked_at(session, newest, at_least):
        if _is_complete(session, context, row, _in_force(versions_here, row.size)):
            return row.size
    first = session.scalars(statement.order_by(LogCheckpoint.size).limit(1)).one()
    until = first.at + timedelta(seconds=context.settings.evidence_patience_seconds)
    if context.now() < until:
        raise EvidencePending(until)
    return max(
        _looked_at(session, newest, at_least),
        key=lambda row: (*_what_it_has(session, row, _in_force(versions_here, row.size)), row.size),
    ).size


def _what_it_has(session: Session, row: LogCheckpoint, trust: TrustRoot) -> tuple[bool, int]:
    """Whether the witnesses have signed a checkpoint, and how many authorities have stamped it."""
    return trust.quorum > 0 and _is_witnessed(session, row, trust), len(_stamps(session, trust, row.size))


def witnessed_at(session: Session, context: Context, at_least: int) -> int | None:
    """Which checkpoint to have stamped: the newest that its witnesses have signed, so that both are on one checkpoint.

    The newest of all where there are no witnesses, or they have been waited for long enough; None while they are waited for.
    """
    statement = sa.select(LogCheckpoint).where(LogCheckpoint.size >= at_least)
    newest = list(session.scalars(statement.order_by(LogCheckpoint.size.desc()).limit(_LOOKED_AT)))
    if not newest:
        return None
    versions_here = _versions(session)
    for row in _looked_at(session, newest, at_least):
        if _is_witnessed(session, row, _in_force(versions_here, row.size)):
            return row.size
    first = session.scalars(statement.order_by(LogCheckpoint.size).limit(1)).one()
    half = timedelta(seconds=context.settings.evidence_patience_seconds) / 2
    return newest[0].size if context.now() >= first.at + half else None


def _looked_at(session: Session, newest: list[LogCheckpoint], at_least: int) -> list[LogCheckpoint]:
    """Checkpoints that may have all that is wanted, newest first: the newest ones, and those that somebody signed or stamped."""
    sizes: set[int] = set()
    for column in (LogCosignature.size, TimeStamp.size):
        marked = sa.select(column).where(column >= at_least).distinct().order_by(column.desc()).limit(_LOOKED_AT)
        sizes |= set(session.scalars(marked))
    known = {row.size: row for row in newest}
    known |= {size: session.get_one(LogCheckpoint, size) for size in sizes - known.keys()}
    return [known[size] for size in sorted(known, reverse=True)]


def _versions(session: Session) -> list[tuple[int, TrustRoot]]:
    """Every version of the trust root with its log index, opened once for many checkpoints."""
    indices = [index for index, _ in trust_roots(session)]
    return list(zip(indices, opened_roots(session), strict=True))


def _in_force(versions_here: list[tuple[int, TrustRoot]], size: int) -> TrustRoot:
    return [root for index, root in versions_here if index < size][-1]


def _is_complete(session: Session, context: Context, row: LogCheckpoint, trust: TrustRoot) -> bool:
    """Whether the quorum of witnesses has signed, and every authority that is asked by itself has stamped."""
    asked = {one.name for one in context.settings.time_authorities} & {one.name for one in trust.time_authorities}
    stamped_by = {stamp.authority for stamp in _stamps(session, trust, row.size)} if asked else set()
    return asked <= stamped_by and _is_witnessed(session, row, trust)


def _is_witnessed(session: Session, row: LogCheckpoint, trust: TrustRoot) -> bool:
    if not trust.quorum:
        return True
    _, cosignatures = open_state(row.note + _witness_lines(session, trust, row.size), trust)
    return is_witnessed(trust, cosignatures)


def _witness_lines(session: Session, trust: TrustRoot, size: int) -> str:
    """The lines of the trust root's witnesses under this checkpoint, in the trust root's order."""
    rows = session.scalars(sa.select(LogCosignature).where(LogCosignature.size == size))
    lines = {(row.witness, row.key_hash): row.line for row in rows}
    return "".join(lines.get((key.name, key.key_hash.hex()), "") for key in trust.witness_keys)


def _stamps(session: Session, trust: TrustRoot, size: int) -> tuple[Stamp, ...]:
    """The newest stamp of each authority on this checkpoint, in the trust root's order."""
    found = session.scalars(sa.select(TimeStamp).where(TimeStamp.size == size).order_by(TimeStamp.stamped))
    tokens = {row.authority: row.token for row in found}
    return tuple(
        Stamp(authority=one.name, token=to_base64(tokens[one.name]))
        for one in trust.time_authorities
        if one.name in tokens
    )


def stamps_before(
    session: Session, context: Context, trust: TrustRoot, before: int, size: int
) -> tuple[LoggedStamp, ...]:
    """The newest stamp of each authority that was an entry of the log before position `before`, proven in the tree of `size`."""
    found = []
    for authority in trust.time_authorities:
        row = session.scalar(
            sa.select(TimeStamp)
            .where(TimeStamp.authority == authority.name, TimeStamp.log_index < before)
            .order_by(TimeStamp.log_index.desc())
            .limit(1)
        )
        if row is not None and _still_counts(row.token, authority):
            proof = context.ledger.inclusion(session, row.log_index, size)
            found.append(
                LoggedStamp(
                    authority=authority.name,
                    token=to_base64(row.token),
                    index=row.log_index,
                    proof=tuple(to_base64(one) for one in proof),
                )
            )
    return tuple(found)


def _still_counts(token: bytes, authority: TimeAuthority) -> bool:
    """Whether the version of the trust root that a file carries still has the anchors under which a stamp was made."""
    try:
        check_authentic(token, authority)
    except ReportError:
        return False
    return True
