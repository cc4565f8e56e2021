"""What the revocation of an agent's key takes with it: its leases and orders, and the records that no longer count."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import DeviceEvent, next_state
from inventory.domain.orders import OPEN, OrderEvent
from inventory.domain.orders import next_state as next_order_state
from inventory.domain.readings import ReadingState
from inventory.domain.samples import Finding
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Conflict
from inventory.events import Tag
from inventory.models import (
    Approval,
    ApproverKey,
    Device,
    ErasureCase,
    Holding,
    Host,
    Lease,
    Obligation,
    Order,
    Reading,
    Record,
    SampleDevice,
)

from ._obligations import settle_case
from ._transitions import move_device, move_order
from .context import SYSTEM, Actor, Context
from .kernel import note, raise_exception


def end_orders(session: Session, context: Context, actor: Actor, host: Host, reason: str) -> None:
    """Cancel what has not begun, interrupt what has; an order whose record is in waits for its validator as before."""
    open_orders = sa.select(Order).where(Order.host_id == host.id, Order.state.in_(OPEN)).order_by(Order.id)
    for order in session.scalars(open_orders).all():
        for lease in session.scalars(sa.select(Lease).where(Lease.order_id == order.id, Lease.expires > context.now())):
            lease.expires = context.now()
        why = f"The key of its agent was revoked: {reason}"
        for event in (OrderEvent.CANCEL, OrderEvent.ABANDON):
            if next_order_state(order.state, event) is not None:
                abandon(session, context, actor, order, event, why)
                break


def abandon(session: Session, context: Context, actor: Actor, order: Order, event: OrderEvent, why: str) -> None:
    """End an order without a record; a device that may have been written to counts as failed."""
    order.outcome_reason = why[:1000]
    move_order(session, context, actor, order, event, reason=why)
    device = session.get_one(Device, order.device_id)
    if event is OrderEvent.ABANDON and next_state(device.state, DeviceEvent.RUN_FAILED) is not None:
        move_device(session, context, actor, device, DeviceEvent.RUN_FAILED, reason=why, order=order.id)


def refuse_disowned(session: Session, record: Record) -> None:
    """Let a record pass whose signer still counts at the record's place in the log. Raises `Conflict`."""
    host = session.get_one(Host, record.host_id)
    if host.revoked_below is not None and record.log_index >= host.revoked_below:
        raise Conflict(
            f"Record {record.sha256[:16]}… does not count: the key of {host.id} is revoked from log index"
            f" {host.revoked_below} on."
        )
    against = sa.select(Reading.id).where(
        Reading.record_sha256 == record.sha256, Reading.state == ReadingState.CONTRADICTED
    )
    reading = session.scalar(against.limit(1))
    if reading is not None:
        raise Conflict(f"Record {record.sha256[:16]}… does not count: reading {reading} found other content.")
    failed = sa.select(SampleDevice.sample_id).where(
        SampleDevice.record_sha256 == record.sha256, SampleDevice.finding == Finding.FAILED
    )
    sample = session.scalar(failed.limit(1))
    if sample is not None:
        raise Conflict(f"Record {record.sha256[:16]}… does not count: sample {sample} found other content.")
    approved = sa.select(ApproverKey).join(Approval, Approval.key_id == ApproverKey.key_id)
    for key in session.scalars(approved.where(Approval.order_id == record.order_id)):
        if key.revoked_below is not None and record.log_index >= key.revoked_below:
            raise Conflict(
                f"Record {record.sha256[:16]}… does not count: the key of its approver {key.person} is revoked from log index"
                f" {key.revoked_below} on."
            )


def contradict(session: Session, context: Context, record: Record, why: str, *, evidence: Sequence[str]) -> None:
    """Somebody found other content on the medium than a record claims: it stops counting, and its device has failed.

    A device that was sanitized again since rests on the newer record, and stays as it is.
    """
    device = session.get(Device, record.device_id) if record.device_id else None
    if device is None or device.standing_record not in {None, record.sha256}:
        return
    standing = device.standing_record == record.sha256
    if standing and next_state(device.state, DeviceEvent.READING_CONTRADICTED) is not None:
        words = f"The record of order {record.order_id} does not hold: {why}"
        move_device(session, context, SYSTEM, device, DeviceEvent.READING_CONTRADICTED, reason=words, evidence=evidence)
    _disown(session, context, [record], why)


def disown_records(session: Session, context: Context, host: Host, below: int) -> None:
    """Records logged at or above an index stop counting: what they covered is residue again, their devices are locked up."""
    disowned = sa.select(Record).where(Record.host_id == host.id, Record.log_index >= below).order_by(Record.log_index)
    _disown(
        session, context, session.scalars(disowned).all(), f"the key of {host.id} is revoked from log index {below} on."
    )


def disown_approved(session: Session, context: Context, key: ApproverKey, below: int) -> None:
    """As `disown_records`, for the records of orders that a key approved."""
    _disown(
        session,
        context,
        approved_records(session, key, below),
        f"the key of its approver {key.person} is revoked from log index {below} on.",
    )


def approved_records(session: Session, key: ApproverKey, below: int) -> Sequence[Record]:
    """Records accepted at or above a log index, of orders that a key approved, in log order."""
    statement = sa.select(Record).join(Approval, Approval.order_id == Record.order_id)
    found = statement.where(Approval.key_id == key.key_id, Record.log_index >= below).order_by(Record.log_index)
    return session.scalars(found).all()


def _disown(session: Session, context: Context, records: Sequence[Record], why: str) -> None:
    for record in records:
        device = session.get(Device, record.device_id) if record.device_id else None
        if device is None:
            continue
        words = f"Record {record.sha256[:16]}… stopped counting: {why}"
        if device.standing_record == record.sha256:
            device.standing_record = None
        _uncover(session, context, record.sha256)
        if device.state is DeviceState.SANITIZED:
            move_device(
                session, context, SYSTEM, device, DeviceEvent.QUARANTINE, reason=words, evidence=[record.sha256]
            )
        note(
            session, context, SYSTEM, Tag.RECORD_DISOWNED, "record", record.sha256,
            device=device.id, host=record.host_id, order=record.order_id, reason=words, evidence=[record.sha256],
        )  # fmt: skip
        code, subject = ExceptionCode.RECORD_DISOWNED, f"{device.id} {record.sha256[:16]}"
        raise_exception(session, context, code, subject, words, device=device.id, host=record.host_id)


def _uncover(session: Session, context: Context, evidence: str) -> None:
    holdings = session.scalars(sa.select(Holding).where(Holding.covered_by == evidence)).all()
    for holding in holdings:
        holding.covered_at = None
        holding.covered_by = None
    session.flush()
    cases: set[str] = set()
    statement = sa.select(Obligation).where(
        Obligation.holding_id.in_([holding.id for holding in holdings]), Obligation.evidence == evidence
    )
    for obligation in session.scalars(statement).all():
        obligation.closed = obligation.closed_by = obligation.evidence_kind = None
        obligation.evidence = obligation.attested = None
        cases.add(obligation.case_id)
    session.flush()
    for case_id in sorted(cases):
        settle_case(session, context, session.get_one(ErasureCase, case_id))
