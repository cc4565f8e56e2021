"""Since when a data set has lain at a path: a person's word, which finds the media that had left before an agent looked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from inventory.domain.roles import Permission
from inventory.errors import Conflict
from inventory.events import Tag
from inventory.models import CaseDataSet, DataSet, DeclaredPath, ErasureCase, Host

from ._lineage import look_back
from ._obligations import sync_case
from .context import Actor, Context, authorize
from .data import past_moment, path_view
from .kernel import find, note, required, stamp
from .views import DeclaredPathView


@dataclass(frozen=True, kw_only=True)
class DatePath:
    """Since when the data has lain there."""

    path: str
    since: datetime
    reason: str
    """How that is known; at least ten characters."""


def date_path(context: Context, actor: Actor, command: DatePath) -> DeclaredPathView:
    """Say since when. Permission `data_set.manage`.

    Media that were in the host since then and left before an agent followed the path hold residue from now on, and open cases
    gain their obligations.

    Raises:
        Conflict: an earlier time is known: what was concluded from it is never taken back.
        Invalid, NotFound.
    """
    authorize(actor, Permission.DATA_SET_MANAGE)
    since = past_moment(context, "since", command.since)
    said = required("reason", command.reason, least=10)
    with context.writing(actor) as session:
        row = find(session, DeclaredPath, command.path, "declared path")
        if row.lived_since is not None and row.lived_since < since:
            raise Conflict(
                f"Path {row.id} is known to hold the data since {row.lived_since:%Y-%m-%d}; what followed from that stays."
            )
        before, row.lived_since = row.lived_since, since
        session.flush()
        note(
            session, context, actor, Tag.PATH_DATED, "path", row.id, host=row.host_id, reason=said,
            details={"since": stamp(since), "before": "" if before is None else stamp(before)},
        )  # fmt: skip
        if row.resolved is not None:
            host, data_set = session.get_one(Host, row.host_id), session.get_one(DataSet, row.data_set_id)
            look_back(session, context, actor, host, row, data_set, frozenset(row.devices))
            session.flush()
            concerned = sa.select(CaseDataSet.case_id).where(CaseDataSet.data_set_id == data_set.id)
            for case in session.scalars(sa.select(ErasureCase).where(ErasureCase.id.in_(concerned))).all():
                sync_case(session, context, case)
        session.flush()
        return path_view(session, row.id)
