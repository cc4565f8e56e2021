"""Approvals: an approver's own signature over a sealed order's digest. The agent checks every one of them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import reports.orders
from inventory.domain.orders import (
    ApprovalFacts,
    OrderEvent,
    OrderFacts,
    approval_objections,
    duty_objection,
    quorum_reached,
    valid_approvers,
)
from inventory.domain.roles import Permission
from inventory.domain.techniques import plan_line
from inventory.domain.vocabulary import OrderState
from inventory.errors import Conflict, Duplicate, EvidenceRefused, Forbidden, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Approval, ApproverKey, Device, Host, Order
from reports.canonical import from_base64
from reports.envelope import open_envelope, payload_bytes, payload_type, pre_authentication_encoding
from reports.errors import ReportError
from reports.passkeys import ApproverKey as PersonKey
from reports.passkeys import PasskeyKey, approver_keys, counter_of, load_approver_key
from reports.times import parse_instant

from ._holds import refuse_held
from ._mapping import device_label
from ._policy import roles_missing
from ._transitions import move_order
from .context import Actor, Context, authorize
from .kernel import find, load_envelope, note, store_envelope
from .queries.orders import order_detail
from .roster import approvers_in_force, published, read
from .views import OrderDetail, ReadyOrder


@dataclass(frozen=True, kw_only=True)
class Approve:
    """One approver's DSSE envelope, kind approval."""

    order: str
    envelope: dict[str, Any]


def ready_to_sign(context: Context, actor: Actor, order: str) -> ReadyOrder:
    """What this approver must see and sign. Permission `order.approve`.

    Raises:
        SeparationOfDuty: the actor requested the order.
        Forbidden: no key of the actor's stands in the published roster.
        Conflict: not waiting for approvals, or the actor has approved already.
        Held, NotFound.
    """
    authorize(actor, Permission.ORDER_APPROVE)
    with context.reading(actor) as session:
        row = find(session, Order, order, "order")
        keys = _may_approve(session, context, actor, row)
        envelope = load_envelope(session, row.envelope_sha256)
        shown = line_to_show(session, row)
        return ReadyOrder(
            order=row.id,
            order_sha256=row.payload_sha256,
            payload=envelope["payload"],
            shown=shown,
            approver=actor.ref,
            key_ids=tuple(sorted(keys)),
            body={
                "schema": "sanitrail/approval/1",
                "decision": "approve",
                "order_id": row.id,
                "order_sha256": row.payload_sha256,
                "approver": actor.ref,
                "shown": shown,
            },
        )


def approve(context: Context, actor: Actor, command: Approve) -> OrderDetail:
    """Accept an approval; with the last one the order is approved. Permission `order.approve`.

    Raises:
        EvidenceRefused: another order's digest, another person's name or key, an altered or unsigned envelope, a time outside the
            order's life.
        SeparationOfDuty: the requester approves.
        Duplicate: this person has approved already.
        Conflict: cancelled, expired, or approved already.
        Held, Forbidden, NotFound.
    """
    authorize(actor, Permission.ORDER_APPROVE)
    with context.writing(actor) as session:
        row = find(session, Order, command.order, "order")
        keys = _may_approve(session, context, actor, row)
        body, key_id = _opened(session, command.envelope, keys)
        if body.shown != line_to_show(session, row):
            raise EvidenceRefused("shown", "It names another line than the one an approver of this order is shown.")
        facts = _facts(body, key_id)
        roster = approvers_in_force(session)
        if body.approver != actor.ref:
            raise EvidenceRefused("approver", "It names another person than the one who sends it.")
        objections = approval_objections(order_facts(row), facts, roster, context.now())
        if objections:
            raise EvidenceRefused("envelope", "This approval does not count.", reasons=objections)
        digest = store_envelope(session, context, "approval", command.envelope)
        session.add(
            Approval(
                sha256=digest,
                order_id=row.id,
                approver=actor.ref,
                key_id=key_id,
                shown=body.shown,
                time=facts.time,
                received=context.now(),
            )
        )
        session.flush()
        note(
            session, context, actor, Tag.ORDER_APPROVAL_GIVEN, "order", row.id,
            device=row.device_id, host=row.host_id, reason=body.shown, evidence=[digest],
            details=_counted(command.envelope, load_approver_key(find(session, ApproverKey, key_id, "key").spki)),
        )  # fmt: skip
        if enough_approvals(session, context, row):
            people = sorted(one.approver for one in approvals_of(session, row))
            move_order(session, context, actor, row, OrderEvent.APPROVE, details={"approvers": people})
        session.flush()
        return order_detail(session, row, context.now())


def line_to_show(session: Session, order: Order) -> str:
    """The one line an approver must see: what, to which medium, where, until when."""
    device = session.get_one(Device, order.device_id)
    host = session.get_one(Host, order.host_id)
    plan = order.plan
    tag = f", asset tag {device.asset_tag}" if device.asset_tag else ""
    how = plan_line(plan)
    line = (
        f"{order.id}: {str(plan['method']).upper()} by {how} of {device_label(device)}{tag}, on {host.name},"
        f" until {order.expires:%Y-%m-%d %H:%M} UTC. Everything on this medium will be destroyed."
    )
    return " ".join(line.split())[:500]


def order_facts(order: Order) -> OrderFacts:
    """What approvals must fit."""
    return OrderFacts(
        id=order.id,
        sha256=order.payload_sha256,
        requested_by=order.requested_by,
        created=order.created,
        expires=order.expires,
        approvals_required=order.approvals_required,
    )


def approvals_of(session: Session, order: Order) -> tuple[Approval, ...]:
    """An order's approvals in the order in which they came: every list of them, also in evidence, keeps this order."""
    return tuple(
        session.scalars(
            sa.select(Approval).where(Approval.order_id == order.id).order_by(Approval.received, Approval.sha256)
        )
    )


def enough_approvals(session: Session, context: Context, order: Order) -> bool:
    """Whether enough people approve, by the roster as it is now: a key revoked or a person disabled since does not count.

    The signatures are checked again from the stored envelopes, so that an altered row approves nothing.
    """
    current = published(session)
    if current is None:
        return False
    roster = approvers_in_force(session)
    people = {person.key_id: person.public_key for person in read(current).people if person.key_id in roster}
    facts: list[ApprovalFacts] = []
    for row in approvals_of(session, order):
        try:
            keys = approver_keys(*(from_base64(spki) for spki in people.values()))
            body, (key_id,) = open_envelope(load_envelope(session, row.sha256), keys, "approval", exact=True)
            facts.append(_facts(reports.orders.Approval.from_dict(body, "approval"), key_id))
        except (ReportError, ValueError):
            continue
    facing = order_facts(order)
    if not quorum_reached(facing, facts, roster, read(current).minimum_approvals, context.now()):
        return False
    return not roles_missing(session, order, valid_approvers(facing, facts, roster, context.now()), read(current))


def _may_approve(session: Session, context: Context, actor: Actor, order: Order) -> frozenset[str]:
    """The actor's own keys in the roster, where nothing stands in the way."""
    if duty_objection("approve", actor.ref, requester=order.requested_by, approvers=()) is not None:
        raise SeparationOfDuty("approve", "requested the order")
    if order.state is not OrderState.REQUESTED:
        raise Conflict(f"Order {order.id} is {order.state}; it does not wait for approvals.")
    if order.expires <= context.now():
        raise Conflict(f"Order {order.id} expired at {order.expires:%Y-%m-%d %H:%M} UTC.")
    refuse_held(session, session.get_one(Device, order.device_id))
    keys = frozenset(key for key, person in approvers_in_force(session).items() if person == actor.ref)
    if not keys:
        raise Forbidden(
            "order.approve", "None of your keys stands in the published roster; agents would not believe you."
        )
    mine = sa.select(Approval.sha256).where(Approval.order_id == order.id, Approval.approver == actor.ref)
    if session.scalar(mine) is not None:
        raise Duplicate("approval", "person")
    return keys


def _opened(session: Session, envelope: dict[str, Any], keys: frozenset[str]) -> tuple[reports.orders.Approval, str]:
    """The approval's payload, and the one key that signed it."""
    current = published(session)
    people = () if current is None else read(current).people
    known = approver_keys(*(from_base64(one.public_key) for one in people if one.key_id in keys))
    try:
        body, signed = open_envelope(envelope, known, "approval", exact=True)
        approval = reports.orders.Approval.from_dict(body, "approval")
        parse_instant(approval.time, "approval.time")
    except ReportError as error:
        raise EvidenceRefused("envelope", _why_no_passkey(envelope, known) or error.summarize()) from error
    if len(signed) != 1:
        raise EvidenceRefused("envelope", "An approval bears exactly one signature.")
    return approval, signed[0]


def _why_no_passkey(envelope: dict[str, Any], known: Mapping[str, PersonKey]) -> str:
    """What is wrong with an assertion of a passkey, in words; empty where none is."""
    try:
        message = pre_authentication_encoding(payload_type("approval"), payload_bytes(envelope, "approval"))
        (one,) = envelope["signatures"]
        key = known.get(one["keyid"])
        why = key.objection(from_base64(one["sig"]), message) if isinstance(key, PasskeyKey) else None
    except (ReportError, ValueError, TypeError, KeyError):
        return ""
    return f"The passkey's signature does not count: {why}." if why else ""


def _counted(envelope: dict[str, Any], key: PersonKey) -> dict[str, int]:
    """What a passkey's counter said, for the history; nothing is made of it."""
    if not isinstance(key, PasskeyKey):
        return {}
    return {"passkey_counter": counter_of(from_base64(envelope["signatures"][0]["sig"]))}


def _facts(body: reports.orders.Approval, key_id: str) -> ApprovalFacts:
    return ApprovalFacts(
        approver=body.approver,
        key_id=key_id,
        order_id=body.order_id,
        order_sha256=body.order_sha256,
        decision=body.decision,
        time=parse_instant(body.time, "approval.time"),
    )
