"""Holdings begin, become residue, are covered; open erasure cases follow, within the same transaction.

The only module that changes holdings and obligations, so that the two can never tell different stories.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.holdings import covers
from inventory.domain.obligations import Evidence, case_state, derive
from inventory.domain.vocabulary import CaseState, HoldingKind, HoldingSource, ObligationKind
from inventory.events import Tag
from inventory.models import CaseDataSet, DataSet, Device, ErasureCase, Holding, Obligation

from ._mapping import held_of
from .context import SYSTEM, Actor, Context
from .kernel import next_number, note


def begin_holding(  # noqa: PLR0913 - a holding has this many facts, all named
    session: Session,
    context: Context,
    actor: Actor,
    *,
    device: Device,
    data_set: DataSet,
    kind: HoldingKind,
    source: HoldingSource,
    since: datetime,
    until: datetime | None = None,
    path_id: str | None = None,
    host_id: str | None = None,
    reason: str = "",
) -> Holding:
    """Write down that a data set lies (or lay) on a device; open cases it concerns gain obligations."""
    holding = Holding(
        id=next_number(session, "holding"),
        device_id=device.id,
        data_set_id=data_set.id,
        kind=kind,
        source=source,
        path_id=path_id,
        host_id=host_id,
        since=since,
        until=until,
        last_seen=until or context.now(),
    )
    session.add(holding)
    session.flush()
    details = {"data_set": data_set.name, "kind": str(kind), "source": str(source), "live": until is None}
    note(
        session, context, actor, Tag.HOLDING_BEGUN, "holding", holding.id,
        device=device.id, host=host_id, reason=reason, details=details,
    )  # fmt: skip
    for case in session.scalars(_cases_about(data_set.id)):
        sync_case(session, context, case)
    return holding


def end_holding(
    session: Session, context: Context, actor: Actor, holding: Holding, *, at: datetime, reason: str
) -> None:
    """The data set is no longer live there. What remains is residue: nothing is deleted, and no obligation closes by this."""
    if holding.until is not None:
        return
    holding.until = max(at, holding.since)
    note(
        session, context, actor, Tag.HOLDING_ENDED, "holding", holding.id,
        device=holding.device_id, host=holding.host_id, reason=reason,
    )  # fmt: skip


def cover_holdings(session: Session, context: Context, device: Device, *, evidence: str, leased: datetime) -> list[str]:
    """A validated record (or destruction) covers what it reached of a device's holdings; obligations about them close.

    `evidence` is the digest of the envelope that proves it; `leased` is when the run was leased, by the service's clock: what was
    seen live afterwards is not covered. Returns the numbers of the holdings covered.
    """
    rows = session.execute(
        sa.select(Holding, DataSet)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .where(Holding.device_id == device.id, Holding.covered_at.is_(None))
        .order_by(Holding.id)
    )
    covered: list[Holding] = []
    for holding, data_set in rows:
        if not covers(held_of(holding, data_set), leased):
            continue
        end_holding(session, context, SYSTEM, holding, at=leased, reason="Its medium was sanitized.")
        _cover(session, context, holding, data_set, evidence)
        covered.append(holding)
    session.flush()
    _close_covered(session, context, [holding.id for holding in covered], evidence)
    return [holding.id for holding in covered]


def cover_past(session: Session, context: Context, holding: Holding, data_set: DataSet, *, evidence: str) -> None:
    """Evidence that was there before anybody knew of an ended holding covers it; obligations about it close."""
    _cover(session, context, holding, data_set, evidence)
    session.flush()
    _close_covered(session, context, [holding.id], evidence)


def _cover(session: Session, context: Context, holding: Holding, data_set: DataSet, evidence: str) -> None:
    holding.covered_at = context.now()
    holding.covered_by = evidence
    note(
        session, context, SYSTEM, Tag.HOLDING_COVERED, "holding", holding.id,
        device=holding.device_id, details={"data_set": data_set.name}, evidence=[evidence],
    )  # fmt: skip


def _close_covered(session: Session, context: Context, holdings: Sequence[str], evidence: str) -> None:
    statement = sa.select(Obligation).where(Obligation.holding_id.in_(holdings), Obligation.closed.is_(None))
    cases: set[str] = set()
    for obligation in session.scalars(statement.order_by(Obligation.id)):
        close_obligation(session, context, SYSTEM, obligation, kind=Evidence.VALIDATED_RECORD, evidence=evidence)
        cases.add(obligation.case_id)
    session.flush()
    for case_id in sorted(cases):
        settle_case(session, context, session.get_one(ErasureCase, case_id))


def close_obligation(
    session: Session,
    context: Context,
    actor: Actor,
    obligation: Obligation,
    *,
    kind: Evidence,
    evidence: str,
    attested: str | None = None,
) -> None:
    """Close an obligation by evidence; what kind may close it has been asked before."""
    obligation.closed = context.now()
    obligation.closed_by = actor.ref
    obligation.evidence_kind = str(kind)
    obligation.evidence = evidence
    obligation.attested = attested
    note(
        session, context, actor, Tag.CASE_OBLIGATION_CLOSED, "case", obligation.case_id,
        reason=attested or "", details={"obligation": obligation.id, "kind": str(obligation.kind)}, evidence=[evidence],
    )  # fmt: skip


def sync_case(session: Session, context: Context, case: ErasureCase) -> None:
    """Bring a case's obligations up to date with the holdings of its data sets. Obligations are only ever added."""
    rows = session.execute(
        sa.select(Holding, DataSet)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(CaseDataSet, CaseDataSet.data_set_id == Holding.data_set_id)
        .where(CaseDataSet.case_id == case.id)
        .order_by(Holding.id)
    )
    holdings = [(held_of(holding, data_set), holding) for holding, data_set in rows]
    demanded = session.execute(sa.select(Obligation.holding_id, Obligation.kind).where(Obligation.case_id == case.id))
    known = {(holding, kind) for holding, kind in demanded}
    by_id = {holding.id: holding for _, holding in holdings}
    for draft in derive([(held, holding.kind) for held, holding in holdings], case.customer_since, case.deleted):
        if (draft.holding, draft.kind) in known:
            continue
        if draft.kind is not ObligationKind.MEDIUM_SANITIZED and _demanded_before(known, draft.holding):
            continue  # it was residue when the case first saw it, or its rows were attested: the medium is what counts
        obligation = Obligation(
            id=next_number(session, "obligation"),
            case_id=case.id,
            holding_id=draft.holding,
            kind=draft.kind,
            added=context.now(),
        )
        session.add(obligation)
        session.flush()
        note(
            session, context, SYSTEM, Tag.CASE_OBLIGATION_ADDED, "case", case.id,
            device=by_id[draft.holding].device_id, details={"obligation": obligation.id, "kind": str(draft.kind)},
        )  # fmt: skip
        covering = by_id[draft.holding].covered_by
        if not draft.open and covering is not None:
            close_obligation(session, context, SYSTEM, obligation, kind=Evidence.VALIDATED_RECORD, evidence=covering)
    session.flush()
    settle_case(session, context, case)


def _demanded_before(known: set[tuple[str, ObligationKind]], holding: str) -> bool:
    return (holding, ObligationKind.MEDIUM_SANITIZED) in known


def settle_case(session: Session, context: Context, case: ErasureCase) -> None:
    """Fulfilled when nothing is open; open again when something is found afterwards."""
    if case.deleted is None and _rows_deleted(session, case.id):
        case.deleted = context.now()
    state = case_state(case.state, _open(session, case.id))
    if state is case.state:
        return
    if state is CaseState.FULFILLED:
        note(session, context, SYSTEM, Tag.CASE_FULFILLED, "case", case.id)
    if case.state is CaseState.CLOSED:
        case.closed = None
        case.closed_by = None
        note(
            session, context, SYSTEM, Tag.CASE_OPENED, "case", case.id,
            reason="Another medium was found that held the customer's data.",
        )  # fmt: skip
    case.state = state


def _rows_deleted(session: Session, case_id: str) -> bool:
    """Whether somebody attested of every data set that was live that the customer's rows are gone from it.

    A medium that was sanitized says nothing of where else the rows are: who deletes none, and finds the data set on another disk
    afterwards, finds the customer's rows with it.
    """
    attested = sa.func.count(Obligation.attested)
    unsaid = sa.func.count(Obligation.id) - sa.func.count(Obligation.closed)
    live = session.execute(
        sa.select(Holding.data_set_id, attested, unsaid)
        .join(Holding, Holding.id == Obligation.holding_id)
        .where(Obligation.case_id == case_id, Obligation.kind == ObligationKind.LOGICAL_DELETION)
        .group_by(Holding.data_set_id)
    ).all()
    return bool(live) and all(said and not still for _, said, still in live)


def _open(session: Session, case_id: str) -> int:
    still = sa.select(sa.func.count(Obligation.id)).where(Obligation.case_id == case_id, Obligation.closed.is_(None))
    return session.scalar(still) or 0


def _cases_about(data_set: str) -> sa.Select[ErasureCase]:
    return (
        sa.select(ErasureCase)
        .join(CaseDataSet, CaseDataSet.case_id == ErasureCase.id)
        .where(CaseDataSet.data_set_id == data_set)
        .order_by(ErasureCase.id)
    )
