"""Orders in lists, and one order."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.orders import OPEN, possible
from inventory.domain.roles import Permission, Role
from inventory.domain.vocabulary import Category, Method, OrderState, RecordStanding, Verification
from inventory.models.devices import Device
from inventory.models.evidence import Certificate, Record, StoredEnvelope
from inventory.models.hosts import Host
from inventory.models.orders import Approval, Lease, Order, RunProgress
from inventory.services._among import among
from inventory.services._holds import holds_on
from inventory.services._mapping import LABELLED, device_label, progress_view
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import (
    ApprovalView,
    LeaseView,
    OrderDetail,
    OrderRow,
    Page,
    PolicyDecisionView,
    ReasonView,
)

from ._paging import bounded, cut


@dataclass(frozen=True, kw_only=True)
class OrderFilter:
    """Which orders; every field that is given must match."""

    states: frozenset[OrderState] = frozenset()
    device: str | None = None
    host: str | None = None
    requested_by: str | None = None
    open: bool | None = None
    """Not in an end state."""


def list_orders(
    context: Context, actor: Actor, where: OrderFilter, *, after: str | None = None, limit: int = 50
) -> Page[OrderRow]:
    """Orders, newest first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    conditions = [*only(actor, Order)]
    if where.states:
        conditions.append(Order.state.in_(where.states))
    if where.device is not None:
        conditions.append(Order.device_id == where.device)
    if where.host is not None:
        conditions.append(Order.host_id == where.host)
    if where.requested_by is not None:
        conditions.append(Order.requested_by == where.requested_by)
    if where.open is not None:
        conditions.append(Order.state.in_(OPEN) if where.open else Order.state.not_in(OPEN))
    if after is not None:
        conditions.append(Order.id < after)
    statement = sa.select(Order).where(*conditions).order_by(Order.id.desc()).limit(bounded(limit) + 1)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(order_rows(session, rows), following)


def order(context: Context, actor: Actor, order_id: str) -> OrderDetail:
    """One order. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return order_detail(session, find(session, Order, order_id, "order"), context.now())


def order_pulse(context: Context, actor: Actor, order_id: str) -> str:
    """A word that changes whenever the order does; cheap enough to ask every second. Permission `inventory.read`.

    Raises:
        NotFound.
    """
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        found = find(session, Order, order_id, "order")
        reported = session.scalar(sa.select(RunProgress.reported).where(RunProgress.order_id == found.id))
        given = session.scalar(sa.select(sa.func.count()).where(Approval.order_id == found.id))
        return f"{found.version} {found.state} {found.stop_requested} {given} {reported}"


def order_rows(session: Session, orders: Sequence[Order]) -> tuple[OrderRow, ...]:
    """Orders as a list shows them, in the order given."""
    if not orders:
        return ()
    ids = [row.id for row in orders]
    labelled = sa.select(*LABELLED).where(among(session, Device.id, {row.device_id for row in orders}))
    devices = {row.id: row for row in session.execute(labelled)}
    named = sa.select(Host.id, Host.name).where(among(session, Host.id, {row.host_id for row in orders}))
    hosts = dict(session.execute(named).all())
    approved = sa.select(Approval.order_id, sa.func.count()).where(among(session, Approval.order_id, ids))
    given = dict(session.execute(approved.group_by(Approval.order_id)).all())
    reported = sa.select(RunProgress).where(among(session, RunProgress.order_id, ids))
    reports = {row.order_id: row for row in session.scalars(reported)}
    issued = sa.select(Certificate.order_id, Certificate.number).where(
        among(session, Certificate.order_id, ids), Certificate.kind == "certificate"
    )
    certificates = dict(session.execute(issued).all())
    return tuple(
        OrderRow(
            id=row.id,
            state=row.state,
            device=row.device_id,
            device_label=device_label(devices[row.device_id]),
            asset_tag=devices[row.device_id].asset_tag,
            host=row.host_id,
            host_name=hosts[row.host_id],
            method=Method(row.plan["method"]),
            technique=row.plan["technique"],
            pattern_set=row.plan["pattern_set"],
            verification=Verification(row.plan["verification"]),
            requested_by=row.requested_by,
            created=row.created,
            expires=row.expires,
            approvals_given=given.get(row.id, 0),
            approvals_required=row.approvals_required,
            progress=progress_view(reports[row.id]) if row.id in reports else None,
            record=row.record_sha256,
            certificate=certificates.get(row.id),
            version=row.version,
        )
        for row in orders
    )


def order_detail(session: Session, order: Order, now: datetime) -> OrderDetail:
    """Everything about an order, within a transaction that is under way."""
    (row,) = order_rows(session, [order])
    stored = session.get(StoredEnvelope, order.envelope_sha256)
    if stored is None:
        raise RuntimeError(f"the envelope of order {order.id} is not stored")  # a foreign key forbids it
    envelope: dict[str, Any] = json.loads(stored.content)
    approvals = session.scalars(sa.select(Approval).where(Approval.order_id == order.id).order_by(Approval.received))
    lease = session.scalar(sa.select(Lease).where(Lease.order_id == order.id).order_by(Lease.token.desc()).limit(1))
    holds = holds_on(session, [order.device_id]).get(order.device_id, [])
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(OrderRow)}
    return OrderDetail(
        **fields,
        reason=order.reason,
        fingerprint=order.fingerprint,
        agent_key=order.agent_key,
        purpose=purpose_words(order.purpose),
        decision=decision_view(order.decision),
        sealed=json.loads(base64.b64decode(envelope["payload"])),
        envelope=envelope,
        sha256=order.payload_sha256,
        approvals=tuple(
            ApprovalView(
                approver=one.approver,
                key_id=one.key_id,
                time=one.time,
                received=one.received,
                sha256=one.sha256,
                shown=one.shown,
            )
            for one in approvals
        ),
        lease=None
        if lease is None
        else LeaseView(
            id=lease.id,
            host=lease.host_id,
            token=lease.token,
            acquired=lease.acquired,
            expires=lease.expires,
            current=lease.expires > now and order.state in OPEN,
        ),
        stop_requested=order.stop_requested,
        holds=tuple(ReasonView(code="held", sentence=f"{hold.reference}: {hold.reason}") for hold in holds),
        events_possible=tuple(str(event) for event in possible(order.state)),
        evidence_records=tuple(
            session.scalars(
                sa.select(Record.sha256)
                .where(Record.order_id == order.id, Record.standing == RecordStanding.EVIDENCE_ONLY)
                .order_by(Record.log_index)
            )
        ),
        outcome_reason=order.outcome_reason,
    )


def purpose_words(purpose: dict[str, Any]) -> str:
    """What shall become of the device, in words."""
    said = str(purpose.get("description") or "").strip()
    words = "reuse" if purpose.get("reuse") else "no further use"
    words += ", leaving our control" if purpose.get("leaves_control") else ", under our own control"
    return f"{said} ({words})" if said else words


def decision_view(decision: dict[str, Any]) -> PolicyDecisionView:
    """The policy's decision as it was when the order was made."""
    category = decision.get("category")
    return PolicyDecisionView(
        policy_id=decision["policy_id"],
        policy_sha256=decision["policy_sha256"],
        category=Category(category) if category else None,
        required_method=Method(decision["method"]),
        required_verification=Verification(decision["verification"]),
        approvals=decision["approvals"],
        explanation=decision["explanation"],
        sentence=decision.get("sentence", ""),
        techniques=tuple(decision.get("techniques", ())),
        approval_roles=tuple(Role(role) for role in decision.get("approval_roles", ())),
        sampling_percent=decision.get("sampling_percent", 0),
    )
