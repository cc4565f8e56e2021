"""Verify-only orders: a medium is read again and held against what its standing record claims. Nothing is written to it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.orders import OPEN as OPEN_ORDERS
from inventory.domain.readings import OPEN, ReadingEvent, ReadingState, next_state
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Conflict, Duplicate, IllegalTransition, Invalid, OrderImpossible, Reason
from inventory.events import Tag
from inventory.models import Device, Order, Reading, Record
from reports.canonical import to_base64
from reports.envelope import payload_digest, sign, unverified_body
from reports.orders import LogPosition
from reports.reading import ReadingOrder, claimed_content
from reports.record import SanitizationRecord

from ._attached import attached_host
from ._mapping import device_label
from ._revocation import refuse_disowned
from .context import SYSTEM, Actor, Context, authorize
from .kernel import find, load_envelope, next_number, note, required, stamp, store_envelope
from .queries.devices import find_device
from .queries.readings import reading_detail
from .views.readings import ReadingDetail

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class RequestReading:
    """Read one sanitized device again, where it is attached."""

    device: str
    verification: str
    """full, representative."""
    reason: str
    lifetime: timedelta = timedelta(hours=72)


def request_reading(context: Context, actor: Actor, command: RequestReading) -> ReadingDetail:
    """Order a medium to be read again. Permission `reading.request`. A hold does not forbid it: nothing is destroyed.

    Raises:
        OrderImpossible: what the record claims cannot be read again (its content came from a key that is gone).
        Conflict: not sanitized, not attached to a confirmed host, another order or reading is open, or its record counts no more.
        NotFound, Invalid.
    """
    authorize(actor, Permission.READING_REQUEST)
    if not SHORTEST <= command.lifetime <= LONGEST:
        raise Invalid("lifetime", "An order lives between five minutes and 30 days.")
    if command.verification not in {"full", "representative"}:
        raise Invalid("verification", "A reading is full or representative.")
    with context.writing(actor) as session:
        device = find_device(session, command.device)
        row = order_reading(session, context, actor, device, command)
        return reading_detail(session, row)


def order_reading(session: Session, context: Context, actor: Actor, device: Device, command: RequestReading) -> Reading:
    """Seal a verify-only order within a transaction that is under way. Raises as `request_reading`."""
    reason = required("reason", command.reason, least=3)
    record = _standing(session, device)
    host = attached_host(session, device)
    _refuse_second(session, device)
    body = SanitizationRecord.from_dict(unverified_body(load_envelope(session, record.sha256), "sanitization-record"))
    expected = claimed_content(body)
    if expected is None:
        words = (
            f"What the record of {record.order_id} claims cannot be read again: its content came from a key that was"
            " destroyed with the run. Sanitize it again to a constant, or have it examined with another tool."
        )
        raise OrderImpossible([Reason("claim-not-readable", words)])
    now = context.now().replace(microsecond=0)
    checkpoint, _, _ = context.ledger.checkpoint(session)
    sealed = ReadingOrder(
        id=next_number(session, "reading", now),
        agent_key=host.key_id,
        device=str(device.fingerprint),
        device_label=device_label(device)[:500],
        record_sha256=record.sha256,
        expected=expected,
        verification="full" if command.verification == "full" else "representative",
        requested_by=actor.ref,
        reason=reason,
        created=stamp(now),
        expires=stamp(now + command.lifetime),
        nonce=secrets.token_hex(16),
        after=LogPosition(origin=checkpoint.origin, size=checkpoint.size, root=to_base64(checkpoint.root)),
    )
    envelope = sign("reading-order", sealed.to_dict(), context.secrets.signer("acceptance"))
    digest = store_envelope(session, context, "reading-order", envelope)
    row = Reading(
        id=sealed.id,
        state=ReadingState.WAITING,
        device_id=device.id,
        host_id=host.id,
        agent_key=host.key_id,
        record_sha256=record.sha256,
        expected=expected,
        verification=sealed.verification,
        envelope_sha256=digest,
        payload_sha256=payload_digest(envelope),
        requested_by=actor.ref,
        reason=reason,
        created=now,
        expires=now + command.lifetime,
        reasons=[],
    )
    session.add(row)
    session.flush()
    note(
        session, context, actor, Tag.READING_REQUESTED, "reading", row.id,
        device=device.id, host=host.id, reason=reason, evidence=[digest],
    )  # fmt: skip
    return row


def cancel_reading(context: Context, actor: Actor, number: str, reason: str) -> ReadingDetail:
    """Nobody waits for it any more; an agent at work stops. Permission `order.cancel`. Raises `IllegalTransition`, `NotFound`."""
    authorize(actor, Permission.ORDER_CANCEL)
    said = required("reason", reason, least=3)
    with context.writing(actor) as session:
        row = find(session, Reading, number, "reading")
        end_reading(session, context, actor, row, ReadingEvent.CANCEL, said)
        return reading_detail(session, row)


def end_reading(
    session: Session, context: Context, actor: Actor, row: Reading, event: ReadingEvent, reason: str
) -> None:
    """End a verify-only order without a reading. Raises `IllegalTransition`."""
    after = next_state(row.state, event)
    if after is None:
        raise IllegalTransition(f"Reading {row.id}", str(row.state), str(event))
    row.state = after
    row.ended = context.now()
    row.reasons = [reason]
    session.flush()
    tag = Tag.READING_CANCELLED if event is ReadingEvent.CANCEL else Tag.READING_EXPIRED
    note(session, context, actor, tag, "reading", row.id, device=row.device_id, host=row.host_id, reason=reason)


def expire_readings(session: Session, context: Context, now: datetime) -> int:
    """Verify-only orders nobody carried out in time. Returns how many."""
    late = sa.select(Reading).where(Reading.state.in_(OPEN), Reading.expires <= now).order_by(Reading.id)
    found = session.scalars(late).all()
    for row in found:
        begun = "It was begun and not finished" if row.token else "It was not begun"
        end_reading(session, context, SYSTEM, row, ReadingEvent.EXPIRE, f"{begun} before it expired.")
    return len(found)


def open_reading(session: Session, device_id: str) -> str | None:
    """The number of the open verify-only order of a device."""
    return session.scalar(sa.select(Reading.id).where(Reading.device_id == device_id, Reading.state.in_(OPEN)))


def _standing(session: Session, device: Device) -> Record:
    if device.state is not DeviceState.SANITIZED or device.standing_record is None:
        raise Conflict(f"Device {device.id} is {device.state}; only a sanitized device has a claim to read it against.")
    record = session.get_one(Record, device.standing_record)
    refuse_disowned(session, record)
    return record


def _refuse_second(session: Session, device: Device) -> None:
    other = open_reading(session, device.id)
    if other is not None:
        raise Duplicate("open reading", "device", other)
    order = session.scalar(sa.select(Order.id).where(Order.device_id == device.id, Order.state.in_(OPEN_ORDERS)))
    if order is not None:
        raise Conflict(f"Order {order} is open for device {device.id}; finish or cancel it first.")
