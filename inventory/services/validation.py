"""Validation: a person decides whether the result suffices (SP 800-88 Rev. 2, 4.5.2). Only a validated record opens the gate."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.orders import OrderEvent, duty_objection, next_state
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import Conflict, IllegalTransition, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Approval, Device, Lease, Order, Record
from inventory.models import Validation as ValidationRow
from reports.statements import Validation, VerdictWords

from ._obligations import cover_holdings
from ._policy import record_objections
from ._revocation import refuse_disowned
from ._sealing import statement_person
from ._transitions import move_device, possible_for_device
from .context import Actor, Context, authorize
from .kernel import check_version, find, note, raise_exception, required, settle_exception, sign_and_log, stamp
from .queries.orders import order_detail
from .views import OrderDetail


@dataclass(frozen=True, kw_only=True)
class Validate:
    """The decision, with its reason."""

    order: str
    decision: ValidationDecision
    reason: str
    version: int | None = None


def validate(context: Context, actor: Actor, command: Validate) -> OrderDetail:
    """Decide about an order's record; signed and logged. Permission `record.validate`.

    Approve: device -> sanitized, its holdings covered, obligations closed. Reject or escalate: device -> failed.

    Raises:
        SeparationOfDuty: requester or approver of this order.
        Conflict: approve where the verdict does not satisfy the policy: reject or escalate it.
        IllegalTransition: no record waits for a decision.
        StaleVersion, NotFound, Invalid (reason missing).
    """
    authorize(actor, Permission.RECORD_VALIDATE)
    with context.writing(actor) as session:
        return order_detail(session, decide(session, context, actor, command), context.now())


def decide(session: Session, context: Context, actor: Actor, command: Validate) -> Order:
    """Decide within a transaction that is under way. Raises as `validate`."""
    reason = required("reason", command.reason, least=3)
    order = find(session, Order, command.order, "order")
    check_version(f"Order {order.id}", order.version, command.version)
    approve = ValidationDecision(command.decision) is ValidationDecision.APPROVE
    event = OrderEvent.VALIDATE if approve else OrderEvent.REJECT
    after = next_state(order.state, event)
    if after is None or order.record_sha256 is None:
        raise IllegalTransition(f"Order {order.id}", str(order.state), str(event))
    earlier = bar(session, actor.ref, order)
    if earlier is not None:
        raise SeparationOfDuty("validate", earlier)
    record = session.get_one(Record, order.record_sha256)
    if approve:
        refuse_disowned(session, record)
        _sufficient(session, order, record)
    digest = _sign(session, context, actor, order, record, command.decision, reason)
    order.state = after
    order.outcome_reason = None if approve else reason
    session.flush()
    if approve:
        _approved(session, context, actor, order, record, digest)
    else:
        _rejected(session, context, actor, order, command.decision, reason, digest)
    session.flush()
    return order


def bar(session: Session, person: str, order: Order) -> str | None:
    """What this person did about the order that forbids them to decide; None where nothing does."""
    approvers = set(session.scalars(sa.select(Approval.approver).where(Approval.order_id == order.id)))
    return duty_objection("validate", person, requester=order.requested_by, approvers=approvers)


def _sufficient(session: Session, order: Order, record: Record) -> None:
    """Nobody may approve what the policy, as the order sealed it, does not accept."""
    reasons = record_objections(session, order.decision, record)
    if reasons:
        raise Conflict(
            f"The record of order {order.id} does not satisfy the policy; reject or escalate it.", reasons=reasons
        )


def _sign(
    session: Session,
    context: Context,
    actor: Actor,
    order: Order,
    record: Record,
    decision: ValidationDecision,
    reason: str,
) -> str:
    body = Validation(
        decision=ValidationDecision(decision).value,
        record_sha256=record.sha256,
        acceptance_sha256=record.acceptance_sha256,
        verdict=VerdictWords(outcome=record.outcome, method=record.method, coverage=record.coverage),
        validator=statement_person(session, context, actor.ref),
        policy_id=order.decision["policy_id"],
        policy_sha256=order.decision["policy_sha256"],
        reason=reason,
        time=stamp(context.now()),
    )
    digest, index = sign_and_log(session, context, "validation", body.to_dict(), "acceptance", order.id)
    session.add(
        ValidationRow(
            sha256=digest,
            record_sha256=record.sha256,
            decision=ValidationDecision(decision),
            validator=actor.ref,
            reason=reason,
            at=context.now(),
            log_index=index,
        )
    )
    session.flush()
    return digest


def _approved(session: Session, context: Context, actor: Actor, order: Order, record: Record, validation: str) -> None:
    device = session.get_one(Device, order.device_id)
    possible_for_device(device, DeviceEvent.VALIDATION_APPROVED)
    device.standing_record = record.sha256
    # What was seen live after the first lease was written after it, or never reached: it stays uncovered.
    leased = session.scalar(sa.select(sa.func.min(Lease.acquired)).where(Lease.order_id == order.id))
    if leased is None:
        raise RuntimeError(f"order {order.id} has a record and no lease")  # ingest refuses such a record
    covered = cover_holdings(session, context, device, evidence=record.sha256, leased=leased)
    note(
        session, context, actor, Tag.RECORD_VALIDATED, "order", order.id,
        device=device.id, reason=order.reason, details={"decision": "approve"}, evidence=[record.sha256, validation],
    )  # fmt: skip
    move_device(
        session, context, actor, device, DeviceEvent.VALIDATION_APPROVED,
        order=order.id, details={"method": record.method, "covered": covered}, evidence=[record.sha256],
    )  # fmt: skip
    settle_exception(session, context, ExceptionCode.SANITIZATION_FAILED, device.id, f"Sanitized by order {order.id}.")
    settle_exception(session, context, ExceptionCode.ESCALATION, device.id, f"Sanitized by order {order.id}.")


def _rejected(
    session: Session,
    context: Context,
    actor: Actor,
    order: Order,
    decision: ValidationDecision,
    reason: str,
    validation: str,
) -> None:
    device = session.get_one(Device, order.device_id)
    possible_for_device(device, DeviceEvent.VALIDATION_REJECTED)
    note(
        session, context, actor, Tag.RECORD_REJECTED, "order", order.id,
        device=device.id, reason=reason, details={"decision": str(decision)}, evidence=[validation],
    )  # fmt: skip
    move_device(session, context, actor, device, DeviceEvent.VALIDATION_REJECTED, order=order.id, reason=reason)
    escalated = decision is ValidationDecision.ESCALATE
    raise_exception(
        session,
        context,
        ExceptionCode.ESCALATION if escalated else ExceptionCode.SANITIZATION_FAILED,
        device.id,
        f"The record of order {order.id} was {'escalated to a stronger method' if escalated else 'rejected'}: {reason}",
        device=device.id,
    )
