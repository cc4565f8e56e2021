"""The log, as anybody may ask it. Digests only: nothing here tells a serial number."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from inventory.contract.v1.log import ConsistencyProof
from inventory.domain.roles import Permission
from inventory.errors import Invalid, NotFound
from inventory.ledger import encode
from inventory.models import LogEntry
from reports.canonical import canonical, to_base64
from reports.tlog import HASH_BYTES
from reports.tlog.folder import PLAIN_KINDS

from . import setup
from ._anchor import anchor_at
from .context import Actor, Context, authorize
from .kernel import load_envelope
from .named import entry_seen, envelope_seen
from .queries._paging import bounded, cut, number
from .views import CheckpointView, LogEntryView, Page, TrustView


def checkpoint(context: Context) -> CheckpointView:
    """The newest signed checkpoint, with the lines of witnesses as far as they have signed it. Public."""
    with context.reading() as session:
        newest, _, at = context.ledger.checkpoint(session)
        note = anchor_at(session, context, newest.size).checkpoint
        return CheckpointView(origin=newest.origin, size=newest.size, root=to_base64(newest.root), note=note, at=at)


def statement(context: Context, kind: str, index: int) -> bytes:
    """A trust root, key event or correction as it was logged at an index, in canonical form. Public. Raises `NotFound`."""
    with context.reading() as session:
        entry = session.get(LogEntry, index)
        if entry is None or entry.kind != kind or kind not in PLAIN_KINDS:
            raise NotFound("statement", f"{kind}/{index}")
        return canonical(load_envelope(session, entry.sha256))


def consistency(context: Context, old: int, new: int) -> ConsistencyProof:
    """Proof that the tree of `new` entries extends that of `old`. Public. Raises `Invalid` outside 0 <= old <= new <= size."""
    with context.reading() as session:
        size = context.ledger.checkpoint(session)[0].size
        if not 0 <= old <= new <= size:
            raise Invalid("new", f"Both sizes lie between 0 and {size}, the older one first.")
        hashes = () if old in {0, new} else encode(context.ledger.consistency(session, old, new))
        return ConsistencyProof(old=old, new=new, hashes=hashes)


def inclusion(context: Context, index: int, size: int) -> tuple[str, ...]:
    """Base64 hashes that prove entry `index` in the tree of `size`. Public. Raises `Invalid`."""
    with context.reading() as session:
        most = context.ledger.checkpoint(session)[0].size
        if not 0 <= index < size <= most:
            raise Invalid("index", f"The index lies below the size, and the size is at most {most}.")
        return encode(context.ledger.inclusion(session, index, size))


def tile(context: Context, level: int, number: int, width: int) -> bytes:
    """A C2SP hash tile of `width` hashes (1 to 256). Public. Raises `NotFound` where it is not complete to that width."""
    with context.reading() as session:
        try:
            stored = context.ledger.tile(session, level, number)
        except LookupError as error:
            raise NotFound("tile", f"{level}/{number}") from error
        if not 1 <= width <= 256 or len(stored) < width * HASH_BYTES:
            raise NotFound("tile", f"{level}/{number}.p/{width}")
        return stored[: width * HASH_BYTES]


def entries(context: Context, start: int, limit: int) -> tuple[bytes, ...]:
    """The leaves themselves (canonical JSON of kind and digest). Public; at most 256 at once."""
    if start < 0 or not 1 <= limit <= 256:
        raise Invalid("limit", "Ask for 1 to 256 entries from 0 on.")
    with context.reading() as session:
        statement = sa.select(LogEntry.entry).where(LogEntry.idx >= start).order_by(LogEntry.idx).limit(limit)
        return tuple(session.scalars(statement))


def trust(context: Context) -> TrustView:
    """Trust root, pin and verifier keys. Public."""
    return setup.trust(context)


def list_entries(context: Context, actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[LogEntryView]:
    """The log, newest first; with the subjects of what the reader sees. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    statement = sa.select(LogEntry).order_by(LogEntry.idx.desc()).limit(bounded(limit) + 1)
    before = number(after)
    if before is not None:
        statement = statement.where(LogEntry.idx < before)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: str(row.idx))
        return Page(
            tuple(
                LogEntryView(
                    index=row.idx,
                    kind=row.kind,
                    sha256=row.sha256,
                    at=row.at,
                    subject=row.subject if entry_seen(session, actor, row) else "",
                )
                for row in rows
            ),
            following,
        )


def envelope(context: Context, actor: Actor, sha256: str) -> dict[str, Any]:
    """A logged or stored envelope by its digest. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        if not envelope_seen(session, actor, sha256):
            raise NotFound("envelope", sha256)
        return load_envelope(session, sha256)
