"""Orders: one device, one agent, sealed and signed with the policy decision they rest on."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, get_args

import sqlalchemy as sa
from sqlalchemy.orm import Session

import reports.orders
from inventory.contract.v1.orders import PlanRequest, SealedOrder
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.orders import OPEN, OrderEvent, next_state
from inventory.domain.policy import Decision
from inventory.domain.roles import Permission
from inventory.domain.techniques import plan_faults, settings_for
from inventory.domain.vocabulary import OrderState
from inventory.errors import Conflict, Duplicate, Invalid, OrderImpossible, Reason
from inventory.events import Tag
from inventory.models import Destruction, Device, Host, Lease, Order
from reports.approving import roles_shown
from reports.canonical import digest_of, to_base64
from reports.envelope import payload_digest, sign
from reports.orders import ApproverRole
from reports.tlog import Checkpoint

from ._attached import attached_host
from ._holds import refuse_held
from ._mapping import device_label
from ._policy import decision_for, fit_plan, objections_to, plain, roles_named, roles_of
from ._revocation import abandon
from ._transitions import move_order, possible_for_device
from .context import Actor, Context, authorize
from .kernel import find, next_number, note, optional, required, stamp, store_envelope
from .queries.devices import find_device
from .queries.orders import decision_view, order_detail
from .readings import open_reading
from .roster import approvers_in_force, published, read
from .views import OrderDetail, PolicyDecisionView

SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What shall become of the device afterwards: the policy's input."""

    reuse: bool = True
    leaves_control: bool = False
    damaged: bool = False
    description: str = ""
    """Where it goes, in words; the decision explains itself with them."""


@dataclass(frozen=True, kw_only=True)
class CreateOrder:
    """Sanitize one device on the host where it is attached."""

    device: str
    plan: PlanRequest
    purpose: Purpose
    reason: str
    lifetime: timedelta = timedelta(hours=24)
    """From now; between 5 minutes and 30 days."""


@dataclass(frozen=True)
class Examined:
    """What an order will rest on, once it is sealed."""

    device: Device
    host: Host
    decision: Decision
    plan: PlanRequest
    approvals: int
    """How many people must approve."""


def advise(context: Context, actor: Actor, device: str, purpose: Purpose) -> PolicyDecisionView:
    """What the policy would demand for this device and purpose, and why. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return decision_view(plain(_decide(session, find_device(session, device), purpose)))


def create_order(context: Context, actor: Actor, command: CreateOrder) -> OrderDetail:
    """Request an order. Permission `order.request`.

    Raises:
        OrderImpossible: the policy demands more than overwriting can reach, or less verification was asked for than it demands
            (never downgraded silently), or the roster has too few people who could approve it.
        Held: a hold covers the device or a data set on it.
        IllegalTransition: the device's state does not allow a run (retire or quarantine it first).
        Conflict: not attached to a confirmed host, identity unknown or ambiguous, another open order, or no published roster.
        NotFound, Invalid.
    """
    authorize(actor, Permission.ORDER_REQUEST)
    worded(command)
    with context.writing(actor) as session:
        order = place(session, context, actor, command, examine(session, actor, command))
        return order_detail(session, order, context.now())


def worded(command: CreateOrder) -> None:
    """What can be said about a command without looking at anything. Raises `Invalid`."""
    required("reason", command.reason, least=3)
    if not SHORTEST <= command.lifetime <= LONGEST:
        raise Invalid("lifetime", "An order lives between five minutes and 30 days.")


def examine(session: Session, actor: Actor, command: CreateOrder) -> Examined:
    """Everything that says no to an order before it is sealed. Raises as `create_order`."""
    device = find_device(session, command.device)
    possible_for_device(device, DeviceEvent.START_RUN)
    host = attached_host(session, device)
    refuse_held(session, device)
    _refuse_second(session, device)
    decision = _decide(session, device, command.purpose)
    plan = fit_plan(session, device, decision, command.plan)
    faults = plan_faults({name: getattr(plan, name) for name in type(plan).model_fields})
    if faults:
        raise Invalid("plan", " ".join(faults))
    undecided = [word for word in plan.settings if word not in decision.settings]
    if undecided:
        words = f"The policy in force has not decided {', '.join(undecided)}; an order cannot do so by itself."
        raise OrderImpossible([Reason("setting-not-of-policy", words)])
    objections = objections_to(session, device, decision, plan)
    if objections:
        raise OrderImpossible(objections)
    return Examined(device, host, decision, plan, _approvals_required(session, decision, actor))


def place(session: Session, context: Context, actor: Actor, command: CreateOrder, examined: Examined) -> Order:
    """Seal, keep and write down an order that was examined in this very transaction."""
    device, host, decision = examined.device, examined.host, examined.decision
    now = context.now().replace(microsecond=0)
    number = next_number(session, "order", now)
    checkpoint, _, _ = context.ledger.checkpoint(session)
    sealed = _seal(
        dataclasses.replace(command, plan=examined.plan),
        decision,
        device,
        host,
        number=number,
        by=actor.ref,
        approvals=examined.approvals,
        now=now,
        after=checkpoint,
    )
    envelope = sign("order", sealed.to_dict(), context.secrets.signer("acceptance"))
    digest = store_envelope(session, context, "order", envelope)
    order = Order(
        id=number,
        state=OrderState.REQUESTED,
        device_id=device.id,
        host_id=host.id,
        agent_key=host.key_id,
        fingerprint=sealed.device,
        envelope_sha256=digest,
        payload_sha256=payload_digest(envelope),
        nonce=sealed.nonce,
        plan=sealed.plan.to_dict(),
        purpose=dataclasses.asdict(command.purpose),
        decision=plain(decision),
        requested_by=actor.ref,
        reason=sealed.reason,
        created=now,
        expires=now + command.lifetime,
        approvals_required=examined.approvals,
    )
    session.add(order)
    session.flush()
    note(
        session, context, actor, Tag.ORDER_REQUESTED, "order", order.id,
        device=device.id, host=host.id, reason=order.reason,
        details={"explanation": decision.explanation}, evidence=[digest],
    )  # fmt: skip
    return order


def cancel_order(context: Context, actor: Actor, order: str, reason: str) -> OrderDetail:
    """Cancel before the first write. Permission `order.cancel`.

    Raises:
        IllegalTransition: the run may have written; stop it instead.
        NotFound, Invalid.
    """
    authorize(actor, Permission.ORDER_CANCEL)
    said = required("reason", reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Order, order, "order")
        move_order(session, context, actor, row, OrderEvent.CANCEL, reason=said)
        row.outcome_reason = said
        session.flush()
        return order_detail(session, row, context.now())


def request_stop(context: Context, actor: Actor, order: str, reason: str) -> OrderDetail:
    """Ask the agent to stop a run under way; its record will say interrupted. Permission `order.stop`. Raises `Conflict`."""
    authorize(actor, Permission.ORDER_STOP)
    said = required("reason", reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Order, order, "order")
        if next_state(row.state, OrderEvent.ABANDON) is None:
            raise Conflict(f"Order {row.id} is {row.state}; only a run under way can be stopped.")
        if not row.stop_requested:
            row.stop_requested = True
            note(
                session, context, actor, Tag.ORDER_STOP_REQUESTED, "order", row.id,
                device=row.device_id, host=row.host_id, reason=said,
            )  # fmt: skip
            session.flush()
        return order_detail(session, row, context.now())


def abandon_order(context: Context, actor: Actor, order: str, reason: str) -> OrderDetail:
    """Give up a run whose agent is lost: the order is interrupted, its device has failed. Permission `order.stop`.

    Should its record come after all, it is kept as evidence and changes nothing.

    Raises:
        Conflict: its lease has not run out; the agent is at work.
        IllegalTransition: no run is under way.
        NotFound, Invalid.
    """
    authorize(actor, Permission.ORDER_STOP)
    said = required("reason", reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Order, order, "order")
        until = session.scalar(sa.select(sa.func.max(Lease.expires)).where(Lease.order_id == row.id))
        if until is not None and until > context.now():
            raise Conflict(f"The agent of {row.id} reported a moment ago; ask it to stop instead.")
        abandon(session, context, actor, row, OrderEvent.ABANDON, said)
        session.flush()
        return order_detail(session, row, context.now())


def _decide(session: Session, device: Device, purpose: Purpose) -> Decision:
    return decision_for(
        session,
        device,
        reuse=purpose.reuse,
        leaves_control=purpose.leaves_control,
        damaged=purpose.damaged,
        destination=optional("description", purpose.description, most=200),
    )


def _refuse_second(session: Session, device: Device) -> None:
    other = session.scalar(sa.select(Order.id).where(Order.device_id == device.id, Order.state.in_(OPEN)))
    if other is not None:
        raise Duplicate("open order", "device", other)
    reading = open_reading(session, device.id)
    if reading is not None:
        raise Conflict(f"Device {device.id} is being read again ({reading}); cancel that first.")
    destruction = session.scalar(
        sa.select(Destruction.id).where(Destruction.device_id == device.id, Destruction.decision.is_(None))
    )
    if destruction is not None:
        raise Conflict(f"Device {device.id} is said to be destroyed ({destruction}); that must be decided first.")


def _approvals_required(session: Session, decision: Decision, actor: Actor) -> int:
    """How many people must approve; there must be so many besides the requester. Raises `Conflict`, `OrderImpossible`."""
    roster = published(session)
    if roster is None:
        raise Conflict("There is no published roster of approvers; without one no agent obeys any order.")
    needed = max(decision.approvals, read(roster).minimum_approvals)
    able = set(approvers_in_force(session).values()) - {actor.ref}
    if len(able) < needed:
        words = (
            f"{needed} people must approve and the roster names {len(able)} besides you; have more approvers enrolled."
        )
        raise OrderImpossible([Reason("too-few-approvers", words)])
    if not roles_shown(decision.approval_roles, roles_of(session, able)):
        roles = ", ".join(role.replace("_", " ") for role in decision.approval_roles)
        words = (
            f"The policy demands these roles among the approvers: {roles}; the roster has no such people besides you."
        )
        raise OrderImpossible([Reason("approver-role-missing", words)])
    if not roles_shown(decision.approval_roles, roles_named(session, able, read(roster))):
        words = (
            "The policy demands roles among the approvers, and the roster in force does not say that these people have them;"
            " agents believe nobody else. Propose a new roster: it names them."
        )
        raise OrderImpossible([Reason("roster-names-no-roles", words)])
    return needed


def _seal(  # noqa: PLR0913 - an order seals this much, most of it named
    command: CreateOrder,
    decision: Decision,
    device: Device,
    host: Host,
    *,
    number: str,
    by: str,
    approvals: int,
    now: datetime,
    after: Checkpoint,
) -> reports.orders.Order:
    asked = command.plan.model_copy(update={"settings": settings_for(command.plan.technique, decision.settings)})
    plan = reports.orders.Plan.from_dict(asked.model_dump(mode="json"), "plan")
    roles = decision.approval_roles
    sealed = reports.orders.Order(
        schema="sanitrail/order/2" if roles else "sanitrail/order/1",
        id=number,
        kind="sanitize",
        agent_key=host.key_id,
        device=str(device.fingerprint),
        device_label=device_label(device)[:500],
        plan=plan,
        plan_sha256=digest_of(plan.to_dict()),
        policy_id=decision.policy_id,
        policy_sha256=decision.policy_sha256,
        required_method=decision.method.value,
        required_verification=decision.verification.value,
        approvals_required=approvals,
        approval_roles=tuple(one for one in get_args(ApproverRole) if one in roles),
        requested_by=by,
        reason=required("reason", command.reason, least=3),
        created=stamp(now),
        expires=stamp(now + command.lifetime),
        nonce=secrets.token_hex(16),
        after=reports.orders.LogPosition(origin=after.origin, size=after.size, root=to_base64(after.root)),
    )
    SealedOrder.model_validate(sealed.to_dict())  # an order the agent could not read must never be approved
    return sealed
