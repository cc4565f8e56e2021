"""Holdings and erasure cases."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.obligations import why_open
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, HoldingState
from inventory.models.data import CaseDataSet, DataSet, DeclaredPath, ErasureCase, Holding, Obligation, Statement
from inventory.models.devices import Device
from inventory.models.evidence import Certificate
from inventory.services._mapping import device_label, holding_views, holdings_select
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import CaseDetail, CaseRow, HoldingView, ObligationView, Page

from ._paging import bounded, cut


def list_holdings(
    context: Context,
    actor: Actor,
    *,
    device: str | None = None,
    data_set: str | None = None,
    state: HoldingState | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[HoldingView]:
    """Holdings by number. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = holdings_select().where(*only(actor, Holding)).order_by(Holding.id).limit(bounded(limit) + 1)
    if device is not None:
        statement = statement.where(Holding.device_id == device)
    if data_set is not None:
        statement = statement.where(Holding.data_set_id == data_set)
    if state is HoldingState.COVERED:
        statement = statement.where(Holding.covered_at.is_not(None))
    elif state is not None:
        live = state is HoldingState.LIVE
        statement = statement.where(
            Holding.covered_at.is_(None), Holding.until.is_(None) if live else Holding.until.is_not(None)
        )
    if after is not None:
        statement = statement.where(Holding.id > after)
    with context.reading(actor) as session:
        rows, following = cut(session.execute(statement).all(), limit, lambda row: row[0].id)
        return Page(holding_views(session, rows), following)


def list_cases(
    context: Context,
    actor: Actor,
    *,
    state: CaseState | None = None,
    overdue: bool | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[CaseRow]:
    """Erasure cases, newest first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    now = context.now()
    seen = only(actor, ErasureCase)
    statement = sa.select(ErasureCase).where(*seen).order_by(ErasureCase.id.desc()).limit(bounded(limit) + 1)
    if state is not None:
        statement = statement.where(ErasureCase.state == state)
    if overdue is not None:
        late = sa.and_(ErasureCase.due < now, ErasureCase.state != CaseState.CLOSED)
        statement = statement.where(late if overdue else ~late)
    if after is not None:
        statement = statement.where(ErasureCase.id < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(case_rows(session, rows, now), following)


def case(context: Context, actor: Actor, case_id: str) -> CaseDetail:
    """One case with its obligations. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return case_detail(session, find(session, ErasureCase, case_id, "erasure case"), context.now())


def case_rows(session: Session, cases: Sequence[ErasureCase], now: datetime) -> tuple[CaseRow, ...]:
    """Cases as a list shows them, in the order given."""
    counts = {
        case_id: (int(still_open), total)
        for case_id, still_open, total in session.execute(
            sa.select(
                Obligation.case_id,
                sa.func.sum(sa.case((Obligation.closed.is_(None), 1), else_=0)),
                sa.func.count(),
            )
            .where(Obligation.case_id.in_([row.id for row in cases]))
            .group_by(Obligation.case_id)
        )
    }
    return tuple(
        CaseRow(
            id=row.id,
            reference=row.reference,
            state=row.state,
            opened=row.opened,
            due=row.due,
            overdue=row.due < now and row.state is not CaseState.CLOSED,
            obligations_open=counts.get(row.id, (0, 0))[0],
            obligations_total=counts.get(row.id, (0, 0))[1],
            version=row.version,
        )
        for row in cases
    )


def case_detail(session: Session, case: ErasureCase, now: datetime) -> CaseDetail:
    """Everything about a case, within a transaction that is under way."""
    (row,) = case_rows(session, [case], now)
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(CaseRow)}
    return CaseDetail(
        **fields,
        customer_since=case.customer_since,
        withdrawn=case.withdrawn,
        data_sets=tuple(
            session.scalars(
                sa.select(CaseDataSet.data_set_id)
                .where(CaseDataSet.case_id == case.id)
                .order_by(CaseDataSet.data_set_id)
            )
        ),
        obligations=obligation_views(session, case.id),
        opened_by=case.opened_by,
        closed=case.closed,
        closed_by=case.closed_by,
        statements=tuple(
            session.scalars(
                sa.select(Statement.number).where(Statement.case_id == case.id).order_by(Statement.log_index)
            )
        ),
    )


def obligation_views(session: Session, case_id: str) -> tuple[ObligationView, ...]:
    """What a case demands, each with its evidence or with the reason why it is open."""
    statement = (
        sa.select(Obligation, Holding, DataSet, Device, DeclaredPath.path, Certificate.number)
        .join(Holding, Holding.id == Obligation.holding_id)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(Device, Device.id == Holding.device_id)
        .outerjoin(DeclaredPath, DeclaredPath.id == Holding.path_id)
        .outerjoin(
            Certificate,
            sa.and_(Certificate.record_sha256 == Obligation.evidence, Certificate.kind == "certificate"),
        )
        .where(Obligation.case_id == case_id)
        .order_by(Obligation.id)
    )
    return tuple(
        ObligationView(
            id=one.id,
            case=one.case_id,
            kind=one.kind,
            holding=holding.id,
            device=device.id,
            device_label=device_label(device),
            data_set=data_set.id,
            data_set_name=data_set.name,
            path=path,
            open=one.closed is None,
            closed=one.closed,
            closed_by=one.closed_by,
            evidence=one.evidence,
            certificate=certificate,
            why_open=why_open(one.kind, device.id, device_state=str(device.state)) if one.closed is None else None,
        )
        for one, holding, data_set, device, path, certificate in session.execute(statement)
    )
