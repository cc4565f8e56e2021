"""Samples in lists, one of them, and the file from which anybody can repeat its draw."""

from __future__ import annotations

import sqlalchemy as sa

from inventory.domain.roles import Permission
from inventory.domain.samples import SampleState
from inventory.models.samples import Sample, SampleDevice
from inventory.services._anchor import anchor_at
from inventory.services._samples import sample_detail, sample_rows
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find, load_envelope
from inventory.services.views import Page
from inventory.services.views.samples import SampleDetail, SampleRow
from reports.bundle import encode_hashes, logged
from reports.files import SampleFile

from ._paging import bounded, cut


def list_samples(
    context: Context,
    actor: Actor,
    *,
    lot: str | None = None,
    state: SampleState | None = None,
    assigned_to: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[SampleRow]:
    """Samples, newest first. Permission `inventory.read`. Raises `Invalid` (limit)."""
    authorize(actor, Permission.READ)
    statement = sa.select(Sample).where(*only(actor, Sample)).order_by(Sample.id.desc()).limit(bounded(limit) + 1)
    if lot is not None:
        statement = statement.where(Sample.lot_id == lot)
    if state is not None:
        statement = statement.where(Sample.state == state)
    if assigned_to is not None:
        theirs = sa.select(SampleDevice.sample_id).where(SampleDevice.assigned_to == assigned_to)
        statement = statement.where(Sample.id.in_(theirs))
    if after is not None:
        statement = statement.where(Sample.id < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(sample_rows(session, rows), following)


def sample(context: Context, actor: Actor, number: str) -> SampleDetail:
    """One sample. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return sample_detail(session, find(session, Sample, number, "sample"))


def sample_file(context: Context, actor: Actor, number: str) -> bytes:
    """What `sanitrail-verify` repeats the draw from, in one canonical file. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        row = find(session, Sample, number, "sample")
        checkpoint, _, _ = context.ledger.checkpoint(session)
        size = checkpoint.size

        def inclusion(index: int) -> tuple[bytes, ...]:
            return context.ledger.inclusion(session, index, size)

        file = SampleFile(
            anchor=anchor_at(session, context, size),
            closing=logged(load_envelope(session, row.closing_sha256), row.closing_index, inclusion(row.closing_index)),
            statement=logged(load_envelope(session, row.statement_sha256), row.log_index, inclusion(row.log_index)),
            seed_proof=encode_hashes(context.ledger.consistency(session, row.closing_index + 1, size)),
        )
        return file.to_bytes()
