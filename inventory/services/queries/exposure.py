"""What is still exposed: media that hold data of customers who withdrew, and that no validated record covers yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exposure import GRAVITY, SENTENCES, WORDS, Why, why_exposed
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState, ObligationKind
from inventory.models import DataSet, Device, ErasureCase, Hold, Holding, Location, Obligation, Order
from inventory.models.orders import OPEN_STATES
from inventory.services._kept import kept
from inventory.services._mapping import device_label
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.views import Page
from inventory.services.views.exposure import ExposureBoard, ExposureRow, ExposureView, WhyCount

from ._paging import bounded, cut

Grouping = Literal["data_set", "case", "place"]
NOWHERE: Final = "No place is known"
_ROWS: Final = 200


@dataclass(frozen=True, kw_only=True)
class ExposureFilter:
    """Which exposures."""

    data_set: str | None = None
    case: str | None = None
    place: str | None = None
    """A location's number; `none` where no place is known."""
    why: Why | None = None


def _held() -> sa.ColumnElement[bool]:
    through = sa.select(Holding.data_set_id).where(Holding.device_id == Device.id, Holding.covered_at.is_(None))
    return (
        sa.exists()
        .where(
            Hold.lifted.is_(None), sa.or_(Hold.device_id == Device.id, Hold.data_set_id.in_(through.correlate(Device)))
        )
        .correlate(Device)
    )


def _ordered() -> sa.ColumnElement[bool]:
    return (
        sa.exists().where(Order.device_id == Device.id, sa.text(f"sanitization_order.{OPEN_STATES}")).correlate(Device)
    )


def _open(actor: Actor, *columns: Any, kind: ObligationKind = ObligationKind.MEDIUM_SANITIZED) -> sa.Select[Any]:  # noqa: ANN401 - columns of any type
    return (
        sa.select(*columns)
        .select_from(Obligation)
        .join(Holding, Holding.id == Obligation.holding_id)
        .join(Device, Device.id == Holding.device_id)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(ErasureCase, ErasureCase.id == Obligation.case_id)
        .where(Obligation.closed.is_(None), Obligation.kind == kind, *only(actor, Device), *only(actor, ErasureCase))
    )


def exposure(context: Context, actor: Actor, by: Grouping = "data_set") -> ExposureBoard:
    """What is still exposed, since when and why, by data set, case or place. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    found = kept(
        context, actor, f"exposure by {by}", lambda: _exposure(context, actor, by), lambda board: board.obligations * 20
    )
    return replace(found.value, counted=found.at)


def _exposure(context: Context, actor: Actor, by: Grouping) -> ExposureBoard:
    key = {"data_set": DataSet.id, "case": ErasureCase.id, "place": Device.location_id}[by]
    with context.reading(actor) as session:
        numbers = (
            sa.func.count(sa.distinct(Device.id)),
            sa.func.count(sa.distinct(ErasureCase.id)),
            sa.func.count(),
            sa.func.min(ErasureCase.withdrawn),
            sa.func.min(ErasureCase.due),
        )
        media, cases, obligations, since, _ = session.execute(_open(actor, *numbers)).one()
        groups = session.execute(
            _open(actor, key, *numbers).group_by(key).order_by(sa.func.min(ErasureCase.withdrawn), key).limit(_ROWS + 1)
        ).all()
        shown = groups[:_ROWS]
        keys = [row[0] for row in shown]
        why = _reasons(session, actor, key, [value for value in keys if value is not None])
        if None in keys:
            why |= _reasons(session, actor, key, None)
        labels = _labels(session, by, keys)
        now = context.now()
        return ExposureBoard(
            media=media,
            cases=cases,
            obligations=obligations,
            since=since,
            rows_open=_count(session, actor, ObligationKind.LOGICAL_DELETION),
            backups_open=_count(session, actor, ObligationKind.BACKUP_GONE),
            why=_counts(_whole(session, actor)),
            rows=tuple(_row(row, labels, why, now) for row in shown),
            more=len(groups) > _ROWS,
        )


def _row(row: Any, labels: dict[Any, str], why: dict[Any, dict[Why, int]], now: datetime) -> ExposureRow:  # noqa: ANN401 - a row of the database
    key, media, cases, obligations, since, due = row
    return ExposureRow(
        key=key,
        label=labels.get(key, NOWHERE),
        media=media,
        cases=cases,
        obligations=obligations,
        since=since,
        due=due,
        overdue=due < now,
        why=_counts(why.get(key, {})),
    )


def _count(session: Session, actor: Actor, kind: ObligationKind) -> int:
    return session.scalar(_open(actor, sa.func.count(), kind=kind)) or 0


def _reasons(session: Session, actor: Actor, key: Any, keys: list[str] | None) -> dict[Any, dict[Why, int]]:  # noqa: ANN401 - a column
    """Media of each group by reason. A medium counts once in its group, whatever number of cases is about it."""
    held, ordered = _held(), _ordered()
    some = key.is_(None) if keys is None else key.in_(keys)
    media = (
        _open(
            actor,
            key.label("key"),
            Device.id.label("device"),
            Device.state.label("state"),
            held.label("held"),
            ordered.label("ordered"),
        )
        .where(some)
        .distinct()
        .subquery()
    )
    found: dict[Any, dict[Why, int]] = defaultdict(lambda: defaultdict(int))
    columns = (media.c.key, media.c.state, media.c.held, media.c.ordered)
    for group, state, is_held, is_ordered, count in session.execute(
        sa.select(*columns, sa.func.count()).group_by(*columns)
    ):
        found[group][why_exposed(DeviceState(state), held=bool(is_held), ordered=bool(is_ordered))] += count
    return {group: dict(counts) for group, counts in found.items()}


def _whole(session: Session, actor: Actor) -> dict[Why, int]:
    everything = sa.literal("all")
    return _reasons(session, actor, everything, ["all"]).get("all", {})


def _counts(found: dict[Why, int]) -> tuple[WhyCount, ...]:
    return tuple(WhyCount(why=why, words=WORDS[why], media=found[why]) for why in GRAVITY if found.get(why))


def _labels(session: Session, by: Grouping, keys: Iterable[Any]) -> dict[Any, str]:
    wanted = [key for key in keys if key is not None]
    if by == "data_set":
        return dict(session.execute(sa.select(DataSet.id, DataSet.name).where(DataSet.id.in_(wanted))).all())
    if by == "case":
        return dict(
            session.execute(sa.select(ErasureCase.id, ErasureCase.reference).where(ErasureCase.id.in_(wanted))).all()
        )
    return dict(session.execute(sa.select(Location.id, Location.name).where(Location.id.in_(wanted))).all())


def list_exposures(
    context: Context, actor: Actor, where: ExposureFilter, *, after: str | None = None, limit: int = 50
) -> Page[ExposureView]:
    """One line for each medium a case still demands to be sanitized, by obligation. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    held, ordered = _held(), _ordered()
    statement = (
        _open(actor, Obligation.id, ErasureCase, Device, DataSet, Location.name, held, ordered)
        .outerjoin(Location, Location.id == Device.location_id)
        .order_by(Obligation.id)
        .limit(bounded(limit) + 1)
    )
    if where.data_set is not None:
        statement = statement.where(DataSet.id == where.data_set)
    if where.case is not None:
        statement = statement.where(ErasureCase.id == where.case)
    if where.place is not None:
        none = Device.location_id.is_(None)
        statement = statement.where(none if where.place == "none" else Device.location_id == where.place)
    if where.why is not None:
        statement = statement.where(_condition(where.why, held, ordered))
    if after is not None:
        statement = statement.where(Obligation.id > after)
    now = context.now()
    with context.reading(actor) as session:
        rows, following = cut(session.execute(statement).all(), limit, lambda row: row[0])
        return Page(tuple(_view(*row, now=now) for row in rows), following)


def _condition(why: Why, held: sa.ColumnElement[bool], ordered: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The rule of the domain, turned round: which of the states with which of the facts give this reason."""
    parts = []
    for is_held in (False, True):
        for is_ordered in (False, True):
            states = [state for state in DeviceState if why_exposed(state, held=is_held, ordered=is_ordered) is why]
            if states:
                parts.append(
                    sa.and_(
                        Device.state.in_(states),
                        held if is_held else ~held,
                        ordered if is_ordered else ~ordered,
                    )
                )
    return sa.or_(*parts)


def _view(
    obligation: str,
    case: ErasureCase,
    device: Device,
    data_set: DataSet,
    place: str | None,
    held: object,
    ordered: object,
    *,
    now: datetime,
) -> ExposureView:
    why = why_exposed(device.state, held=bool(held), ordered=bool(ordered))
    return ExposureView(
        obligation=obligation,
        case=case.id,
        reference=case.reference,
        device=device.id,
        device_label=device_label(device),
        device_state=device.state,
        data_set=data_set.id,
        data_set_name=data_set.name,
        place=device.location_id,
        place_name=place or NOWHERE,
        since=case.withdrawn,
        due=case.due,
        overdue=case.due < now,
        why=why,
        sentence=SENTENCES[why],
    )
