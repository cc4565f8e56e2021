"""Orders: one table, separation of duty, and what a valid approval is (governance, section 4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from inventory.errors import Reason

from .vocabulary import OrderState as S


class OrderEvent(StrEnum):
    """What can happen to an order."""

    APPROVE = "approve"
    """The last required approval has come."""
    LEASE = "lease"
    LEASE_AGAIN = "lease_again"
    """The same agent goes on after its lease ran out."""
    START = "start"
    """The agent asked right before its first write, and was told that nothing stands in the way."""
    PROGRESS_EXECUTING = "progress_executing"
    PROGRESS_SETTLING = "progress_settling"
    PROGRESS_VERIFYING = "progress_verifying"
    AGENT_REFUSED = "agent_refused"
    """The agent refused before there was anything to record."""
    RECORD_FINISHED = "record_finished"
    """A record whose verdict is sanitized or unknown: a person must decide."""
    RECORD_REFUSED = "record_refused"
    RECORD_FAILED = "record_failed"
    RECORD_INTERRUPTED = "record_interrupted"
    VALIDATE = "validate"
    REJECT = "reject"
    """Rejected, or escalated to a stronger method."""
    ABANDON = "abandon"
    """Its agent is lost or no longer trusted; no record will come, and the medium may have been written to."""
    CANCEL = "cancel"
    EXPIRE = "expire"


E = OrderEvent

_RUNNING: Final = (S.EXECUTING, S.SETTLING, S.VERIFYING)

TABLE: Final[Mapping[tuple[S, E], S]] = {
    (S.REQUESTED, E.APPROVE): S.APPROVED,
    (S.REQUESTED, E.CANCEL): S.CANCELLED,
    (S.REQUESTED, E.EXPIRE): S.EXPIRED,
    (S.APPROVED, E.LEASE): S.LEASED,
    (S.APPROVED, E.CANCEL): S.CANCELLED,
    (S.APPROVED, E.EXPIRE): S.EXPIRED,
    (S.LEASED, E.LEASE_AGAIN): S.LEASED,
    (S.LEASED, E.START): S.EXECUTING,
    (S.LEASED, E.AGENT_REFUSED): S.REFUSED,
    (S.EXECUTING, E.AGENT_REFUSED): S.REFUSED,  # of carried work alone, which counts as begun from its making on
    (S.LEASED, E.CANCEL): S.CANCELLED,
    (S.LEASED, E.EXPIRE): S.EXPIRED,
    **{(state, E.LEASE_AGAIN): state for state in _RUNNING},
    **{(state, E.START): state for state in _RUNNING},
    **{(state, E.PROGRESS_EXECUTING): S.EXECUTING for state in _RUNNING},
    **{(state, E.PROGRESS_SETTLING): S.SETTLING for state in _RUNNING},
    **{(state, E.PROGRESS_VERIFYING): S.VERIFYING for state in _RUNNING},
    **{(state, E.RECORD_FINISHED): S.RECORDED for state in (S.LEASED, *_RUNNING)},
    **{(state, E.RECORD_REFUSED): S.REFUSED for state in (S.LEASED, *_RUNNING)},
    **{(state, E.RECORD_FAILED): S.FAILED for state in (S.LEASED, *_RUNNING)},
    **{(state, E.RECORD_INTERRUPTED): S.INTERRUPTED for state in (S.LEASED, *_RUNNING)},
    **{(state, E.ABANDON): S.INTERRUPTED for state in _RUNNING},
    (S.REFUSED, E.RECORD_REFUSED): S.REFUSED,  # said by progress first, then recorded
    (S.RECORDED, E.VALIDATE): S.VALIDATED,
    (S.RECORDED, E.REJECT): S.REJECTED,
}
"""(state, event) -> state. What is not here cannot happen."""

FINAL: Final = frozenset({S.VALIDATED, S.REJECTED, S.REFUSED, S.FAILED, S.INTERRUPTED, S.CANCELLED, S.EXPIRED})
OPEN: Final = frozenset(S) - FINAL
UNDER_WAY: Final = frozenset(_RUNNING)
MAY_HAVE_WRITTEN: Final = frozenset({*_RUNNING, S.RECORDED})
LEASABLE: Final = frozenset({S.APPROVED, S.LEASED, *_RUNNING})

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far an approver's clock may be off."""

_BY_OUTCOME: Final[Mapping[str, E]] = {
    "sanitized": E.RECORD_FINISHED,
    "unknown": E.RECORD_FINISHED,
    "partial": E.RECORD_FAILED,
    "failed": E.RECORD_FAILED,
    "refused": E.RECORD_REFUSED,
    "interrupted": E.RECORD_INTERRUPTED,
}


def next_state(state: S, event: OrderEvent) -> S | None:
    """Where the event leads from this state; None: it is impossible there."""
    return TABLE.get((state, event))


def possible(state: S) -> tuple[OrderEvent, ...]:
    """Events the table allows from a state, in the order of their definition."""
    return tuple(event for event in OrderEvent if (state, event) in TABLE)


def event_of(outcome: str) -> OrderEvent:
    """What a record's verdict does to its order. An outcome nobody knows is for a person to look at."""
    return _BY_OUTCOME.get(outcome, E.RECORD_FINISHED)


@dataclass(frozen=True, kw_only=True)
class ApprovalFacts:
    """An approval whose signature has been verified."""

    approver: str
    """As the payload names them."""
    key_id: str
    """The key whose signature holds."""
    order_id: str
    order_sha256: str
    decision: str
    time: datetime


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """What approvals must fit."""

    id: str
    sha256: str
    requested_by: str
    created: datetime
    expires: datetime
    approvals_required: int


def approval_objections(
    order: OrderFacts, approval: ApprovalFacts, roster: Mapping[str, str], now: datetime
) -> tuple[Reason, ...]:
    """Why one approval does not count; empty where it does.

    Args:
        order: the sealed order.
        approval: the approval, its signature verified by `approval.key_id`.
        roster: key id -> person of the published roster.
        now: the service's time.
    """
    reasons: list[Reason] = []
    if approval.decision != "approve":
        reasons.append(Reason("not-an-approval", "It does not approve."))
    if (approval.order_id, approval.order_sha256) != (order.id, order.sha256):
        reasons.append(Reason("other-order", "It names another order, or the order was altered after it was signed."))
    owner = roster.get(approval.key_id)
    if owner is None:
        reasons.append(Reason("key-not-in-roster", "The key that signed it does not stand in the published roster."))
    elif owner != approval.approver:
        reasons.append(Reason("other-person", "It names another person than the owner of the key that signed it."))
    if order.requested_by in {approval.approver, owner}:
        reasons.append(Reason("requester-approves", "Whoever requested the order cannot approve it."))
    if not order.created - CLOCK_TOLERANCE <= approval.time <= order.expires:
        reasons.append(
            Reason("outside-the-orders-life", "It was not made between the order's creation and its expiry.")
        )
    if approval.time > now + CLOCK_TOLERANCE:
        reasons.append(Reason("in-the-future", "It bears a time in the future."))
    return tuple(reasons)


def valid_approvers(
    order: OrderFacts, approvals: Sequence[ApprovalFacts], roster: Mapping[str, str], now: datetime
) -> frozenset[str]:
    """The people whose approvals count: each person and each key once."""
    people: dict[str, str] = {}
    for approval in approvals:
        if not approval_objections(order, approval, roster, now) and approval.key_id not in people.values():
            people.setdefault(approval.approver, approval.key_id)
    return frozenset(people)


def quorum_reached(
    order: OrderFacts, approvals: Sequence[ApprovalFacts], roster: Mapping[str, str], minimum: int, now: datetime
) -> bool:
    """Whether enough people approve: by the order, and by the roster's own minimum, whichever is more."""
    return len(valid_approvers(order, approvals, roster, now)) >= max(order.approvals_required, minimum)


def duty_objection(act: str, person: str, *, requester: str, approvers: Collection[str]) -> str | None:
    """What the person did about this order that forbids `act` (approve, validate); None where nothing does."""
    if person == requester:
        return "requested the order"
    if act == "validate" and person in approvers:
        return "approved the order"
    return None


def sealed_facts(payload: Mapping[str, Any], sha256: str, created: datetime, expires: datetime) -> OrderFacts:
    """The facts of a sealed order's payload."""
    return OrderFacts(
        id=payload["id"],
        sha256=sha256,
        requested_by=payload["requested_by"],
        created=created,
        expires=expires,
        approvals_required=payload["approvals_required"],
    )
