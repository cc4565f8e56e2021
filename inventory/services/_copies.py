"""Data sets made from other ones: a withdrawal from one is a withdrawal from every copy of it, and every copy of a copy."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import Invalid
from inventory.models import CaseDataSet, DataSet, DataSetCopy, ErasureCase

from ._obligations import sync_case
from .context import Context


def with_copies(session: Session, data_sets: Iterable[str]) -> tuple[str, ...]:
    """These data sets and everything made from them, however often it was copied."""
    found: set[str] = set()
    fresh = set(data_sets)
    while fresh:
        found |= fresh
        made = sa.select(DataSetCopy.data_set_id).where(DataSetCopy.source_id.in_(sorted(fresh)))
        fresh = set(session.scalars(made)) - found
    return tuple(sorted(found))


def sources_of(session: Session, data_sets: Collection[str]) -> dict[str, tuple[str, ...]]:
    """What each of these was made from, as the inventory was told."""
    rows = session.execute(
        sa.select(DataSetCopy.data_set_id, DataSetCopy.source_id)
        .where(DataSetCopy.data_set_id.in_(sorted(data_sets)))
        .order_by(DataSetCopy.source_id)
    )
    found: dict[str, list[str]] = {}
    for copy, source in rows:
        found.setdefault(copy, []).append(source)
    return {copy: tuple(sources) for copy, sources in found.items()}


def set_sources(session: Session, context: Context, data_set: DataSet, sources: Iterable[DataSet]) -> None:
    """Say what a data set is made from. Cases about a source gain the copy; none ever loses one."""
    wanted = {source.id for source in sources}
    if data_set.id in wanted:
        raise Invalid("copies_of", "A data set is no copy of itself.")
    known = set(sources_of(session, [data_set.id]).get(data_set.id, ()))
    for row in session.scalars(
        sa.select(DataSetCopy).where(
            DataSetCopy.data_set_id == data_set.id, DataSetCopy.source_id.in_(sorted(known - wanted))
        )
    ).all():
        session.delete(row)
    session.add_all(DataSetCopy(data_set_id=data_set.id, source_id=source) for source in sorted(wanted - known))
    session.flush()
    if wanted - known:
        _widen(session, context, wanted - known)


def _widen(session: Session, context: Context, sources: Collection[str]) -> None:
    concerned = sa.select(CaseDataSet.case_id).where(CaseDataSet.data_set_id.in_(sorted(sources)))
    for case in session.scalars(sa.select(ErasureCase).where(ErasureCase.id.in_(concerned)).order_by(ErasureCase.id)):
        named = set(session.scalars(sa.select(CaseDataSet.data_set_id).where(CaseDataSet.case_id == case.id)))
        missing = set(with_copies(session, named)) - named
        session.add_all(CaseDataSet(case_id=case.id, data_set_id=data_set) for data_set in sorted(missing))
        session.flush()
        if missing:
            sync_case(session, context, case)
