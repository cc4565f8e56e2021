"""Samples in lists, one of them, and the file from which anybody can repeat its draw."""

from __future__ import annotations

import sqlalchemy as sa

from inventory.domain.roles import Permission
from inventory.domain.samples import SampleState
from inventory.models.samples import Sample, SampleDevice
from inventory.services._samples import sample_detail, sample_rows
from inventory.services._samples import sample_file as sample_file_at
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import Page
from inventory.services.views.samples import SampleDetail, SampleRow

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
        return sample_file_at(session, context, row, context.ledger.checkpoint(session)[0].size).to_bytes()
