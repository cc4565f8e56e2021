"""Holdings nobody has seen but the history of attachments tells of. Called where paths are followed and media attached."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lineage import Presence, Span, began, left_before, moved_along
from inventory.domain.vocabulary import DeviceState, HoldingSource
from inventory.models import Attachment, DataSet, DeclaredPath, Device, Holding, Host

from ._obligations import begin_holding, end_holding
from ._proofs import cover_if_proven
from .context import Actor, Context
from .kernel import raise_exception, settle_exception


def presences(session: Session, host: str) -> tuple[Presence, ...]:
    """Every medium that is or was in a host."""
    rows = session.execute(
        sa.select(Attachment.device_id, Attachment.since, Attachment.until)
        .where(Attachment.host_id == host)
        .order_by(Attachment.id)
    )
    return tuple(Presence(device=device, since=since, until=until) for device, since, until in rows)


def look_back(
    session: Session,
    context: Context,
    actor: Actor,
    host: Host,
    path: DeclaredPath,
    data_set: DataSet,
    beneath: Collection[str],
) -> None:
    """A path was followed for the first time, or dated: which media held the data and had left by then?

    With a date they hold residue from now on. Without one it is a question for a person: since when has the data lain there?
    """
    seen = presences(session, host.id)
    gone = left_before(seen, path.lived_since, beneath)
    if path.lived_since is None:
        _ask(session, context, host, path, data_set, gone)
        return
    for holding in session.scalars(
        sa.select(Holding).where(Holding.path_id == path.id, Holding.source == HoldingSource.RESOLVED)
    ):
        holding.since = began(seen, holding.device_id, path.lived_since, holding.since)
    there = set(
        session.scalars(
            sa.select(Holding.device_id).where(
                Holding.path_id == path.id, Holding.source == HoldingSource.INHERITED, Holding.until.is_not(None)
            )
        )
    )
    for span in gone:
        if span.device not in there:
            _inherit(session, context, actor, host, path, data_set, span)
    settle_exception(
        session, context, ExceptionCode.MEDIA_UNTRACED, path.id, "It is known since when the data lay there."
    )


def _ask(
    session: Session, context: Context, host: Host, path: DeclaredPath, data_set: DataSet, gone: tuple[Span, ...]
) -> None:
    if not gone:
        return
    shown = ", ".join(span.device for span in gone[:10]) + (f" and {len(gone) - 10} more" if len(gone) > 10 else "")
    words = (
        f"Before an agent followed {path.path} of {host.name}, media had left that host: {shown}. Say since when"
        f" {data_set.name} has lain there, so that it is known which of them held it."
    )
    raise_exception(session, context, ExceptionCode.MEDIA_UNTRACED, path.id, words, host=host.id)


def _inherit(
    session: Session,
    context: Context,
    actor: Actor,
    host: Host,
    path: DeclaredPath,
    data_set: DataSet,
    span: Span,
) -> None:
    device = session.get_one(Device, span.device)
    holding = begin_holding(
        session,
        context,
        actor,
        device=device,
        data_set=data_set,
        kind=path.kind,
        source=HoldingSource.INHERITED,
        since=span.since,
        until=span.until,
        path_id=path.id,
        host_id=host.id,
        reason=f"It was in {host.name} while {data_set.name} lay at {path.path}, and left before an agent looked.",
    )
    cover_if_proven(session, context, device, data_set, holding)


def carry_along(session: Session, context: Context, actor: Actor, device: Device, host: Host) -> None:
    """A medium in use shows up in another host: what was live on it came along. Call before it is attached there."""
    if device.state is not DeviceState.IN_SERVICE:
        return
    last = session.scalar(
        sa.select(Attachment).where(Attachment.device_id == device.id).order_by(Attachment.id.desc()).limit(1)
    )
    if last is None or last.host_id == host.id:
        return
    rows = session.execute(
        sa.select(Holding, DataSet)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .where(Holding.device_id == device.id, Holding.covered_at.is_(None))
        .order_by(Holding.id)
    ).all()
    moved = {
        data_set.id: (holding, data_set)
        for holding, data_set in rows
        if moved_along(until=holding.until, holding_host=holding.host_id, left_host=last.host_id, left=last.until)
    }
    for holding, data_set in moved.values():
        begin_holding(
            session,
            context,
            actor,
            device=device,
            data_set=data_set,
            kind=holding.kind,
            source=HoldingSource.INHERITED,
            since=context.now(),
            host_id=host.id,
            reason=f"It came from {last.host_id}, where {data_set.name} was live on it, to {host.name}.",
        )


def taken_over(session: Session, context: Context, actor: Actor, device: Device, data_set: DataSet) -> None:
    """An agent follows a path down to the medium now: what had only been concluded ends."""
    live = sa.select(Holding).where(
        Holding.device_id == device.id,
        Holding.data_set_id == data_set.id,
        Holding.source == HoldingSource.INHERITED,
        Holding.until.is_(None),
    )
    for holding in session.scalars(live.order_by(Holding.id)).all():
        end_holding(
            session, context, actor, holding, at=context.now(), reason="An agent follows a path down to it now."
        )
