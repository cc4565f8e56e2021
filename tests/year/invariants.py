"""What must hold after every step, whoever did what in whichever order. Each rule is one function that finds what breaks it.

The rules read the database, not the services: a service that is wrong must not be asked whether it is right. `Watch` remembers
what it saw, because some rules are about change: history grows, nothing is taken back.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import TABLE, DeviceEvent
from inventory.domain.vocabulary import (
    CaseState,
    DeviceState,
    ObligationKind,
    OrderState,
    PartyKind,
    ValidationDecision,
)
from inventory.events import Tag
from inventory.models import (
    Approval,
    CaseDataSet,
    Container,
    ContainerDevice,
    Destruction,
    Device,
    ErasureCase,
    Event,
    ExceptionItem,
    Hold,
    Holding,
    LogEntry,
    Lot,
    LotDevice,
    Obligation,
    Order,
    Party,
    PolicyVersion,
    Record,
    StoredEnvelope,
    Undertaking,
    Validation,
    Waiver,
)
from inventory.services.context import Context
from reports.canonical import canonical

Finding = Iterator[str]
RAN: Final = frozenset(
    {
        OrderState.EXECUTING,
        OrderState.SETTLING,
        OrderState.VERIFYING,
        OrderState.RECORDED,
        OrderState.VALIDATED,
        OrderState.REJECTED,
    }
)


@dataclass
class Watch:
    """Looks at the database after every step."""

    context: Context
    steps: int = 0
    _events: int = 0
    _history: str = ""
    _size: int = 0
    _root: bytes = b""
    _holdings: dict[str, tuple[str, str, bool, bool]] = field(default_factory=dict)
    _obligations: dict[str, bool] = field(default_factory=dict)
    _exceptions: set[str] = field(default_factory=set)
    _policies: dict[str, str] = field(default_factory=dict)

    def look(self, step: str = "") -> None:
        """Every rule. Fails with every finding, and the step after which it was found."""
        with self.context.reading() as session:
            found = [f"{rule.__doc__} {each}" for rule in RULES for each in rule(session)]
            found += [*self._grown(session), *self._kept(session)]
            found += self._log_continues(session)
        self.steps += 1
        assert not found, f"after step {self.steps} ({step}):\n" + "\n".join(found)

    # -- what only grows

    def _grown(self, session: Session) -> Finding:
        """History is appended, never rewritten (governance, section 2)."""
        digest, count = hashlib.sha256(), 0
        for event in session.scalars(sa.select(Event).order_by(Event.id)):
            row = [event.id, str(event.at), event.tag, event.actor, event.subject, event.reason, event.evidence]
            digest.update(canonical(row))
            count += 1
            if count == self._events and digest.hexdigest() != self._history:
                yield "the history was rewritten"
        if count < self._events:
            yield f"the history had {self._events} events and has {count}"
        self._events, self._history = count, digest.hexdigest()

    def _log_continues(self, session: Session) -> Finding:
        """The log extends what it was, and every envelope it names is kept (records are never deleted)."""
        ledger = self.context.ledger
        checkpoint, _, _ = ledger.checkpoint(session)
        if checkpoint.size < self._size or (self._size and ledger.root(session, self._size) != self._root):
            yield f"the log at {checkpoint.size} does not continue the one at {self._size}"
        self._size, self._root = checkpoint.size, checkpoint.root
        lost = sa.select(LogEntry.idx).outerjoin(StoredEnvelope, StoredEnvelope.sha256 == LogEntry.sha256)
        for index in session.scalars(lost.where(StoredEnvelope.sha256.is_(None))):
            yield f"what entry {index} of the log names is not kept"

    def _kept(self, session: Session) -> Finding:
        """Holdings, obligations, exceptions and policies stay; what is covered or closed is not reopened (sections 1 and 3)."""
        holdings = {
            each.id: (each.device_id, each.data_set_id, each.until is not None, each.covered_at is not None)
            for each in session.scalars(sa.select(Holding))
        }
        for number, (device, data_set, ended, covered) in self._holdings.items():
            now = holdings.get(number)
            if now is None or now[:2] != (device, data_set):
                yield f"holding {number} of {data_set} on {device} vanished or moved"
            elif (ended and not now[2]) or (covered and not now[3]):
                yield f"holding {number} was residue or covered, and is so no more"
        obligations = {each.id: each.closed is not None for each in session.scalars(sa.select(Obligation))}
        for number, closed in self._obligations.items():
            if number not in obligations or (closed and not obligations[number]):
                yield f"obligation {number} vanished or was opened again"
        exceptions = set(session.scalars(sa.select(ExceptionItem.id)))
        policies = {each.sha256: each.id for each in session.scalars(sa.select(PolicyVersion))}
        yield from (f"exception {each} vanished" for each in self._exceptions - exceptions)
        yield from (
            f"policy {self._policies[each]} vanished or was edited" for each in set(self._policies) - set(policies)
        )
        self._holdings, self._obligations = holdings, obligations
        self._exceptions, self._policies = exceptions, policies


# --- the life of a device


def states_follow_the_table(session: Session) -> Finding:
    """Each device's state is where its history led, and every step of it stands in the table."""
    at: dict[str, str] = {}
    for event in session.scalars(sa.select(Event).where(Event.subject_kind == "device").order_by(Event.id)):
        if "event" not in event.details or "from" not in event.details:
            continue
        before, after = DeviceState(event.details["from"]), DeviceState(event.details["to"])
        if TABLE.get((before, DeviceEvent(event.details["event"]))) is not after:
            yield f"{event.subject}: {before} --{event.details['event']}--> {after} is not in the table"
        if at.get(event.subject, str(before)) != before:
            yield f"{event.subject} was {at[event.subject]} and left {before}"
        at[event.subject] = str(after)
    for device in session.scalars(sa.select(Device).where(Device.bound_to.is_(None))):
        if at.get(device.id, str(device.state)) != device.state:
            yield f"{device.id} is {device.state}, its history led to {at[device.id]}"


def nothing_leaves_with_data(session: Session) -> Finding:
    """No medium left with anything on it that no validated record covers, but by a waiver of two people."""
    left: dict[str, datetime] = {}
    for event in session.scalars(sa.select(Event).where(Event.tag.in_((Tag.DEVICE_RELEASED, Tag.DEVICE_DESTROYED)))):
        left[event.subject] = event.at
    seen_since = sa.select(ExceptionItem.device_id).where(ExceptionItem.code == ExceptionCode.DISPOSED_DEVICE_SEEN)
    told = set(session.scalars(seen_since))
    uncovered = {
        each.device_id
        for each in session.scalars(sa.select(Holding).where(Holding.covered_at.is_(None)))
        # Seen in a host after it was gone by the books: that is an exception of its own, and the holding is true.
        if not (each.device_id in told and each.device_id in left and each.since >= left[each.device_id])
    }
    waived = {
        each.device_id
        for each in session.scalars(sa.select(Waiver).where(Waiver.used.is_not(None)))
        if each.countersigned_by not in {None, each.opened_by} and each.countersigned_role != each.opened_role
    }
    for device in session.scalars(sa.select(Device).where(Device.bound_to.is_(None))):
        if device.state in {DeviceState.RELEASED, DeviceState.DESTROYED} and device.id in uncovered:
            yield f"{device.id} is {device.state}, and a holding on it is not covered"
        if device.state is DeviceState.RETURNED_UNSANITIZED_BY_WAIVER and device.id not in waived:
            yield f"{device.id} went back unsanitized without a countersigned waiver"
        if device.state is DeviceState.SANITIZED and device.standing_record is None:
            yield f"{device.id} is sanitized without a record"


def receivers_are_bound(session: Session) -> Finding:
    """Nothing that ever held anything passes to a vendor without an undertaking that was valid then."""
    held = set(session.scalars(sa.select(Holding.device_id)))
    released = sa.select(Event, Device, Party).join(Device, Device.id == Event.device_id)
    released = released.join(Party, Party.id == Device.party_id).where(
        Device.state == DeviceState.RELEASED, Party.kind == PartyKind.VENDOR
    )
    for event, device, party in session.execute(released):
        if event.details.get("event") != str(DeviceEvent.RELEASE):
            continue
        if not device.ever_attached and device.id not in held:
            continue  # new in its bag: it goes back to who sold it
        valid = session.scalar(
            sa.select(Undertaking.id).where(
                Undertaking.party_id == party.id,
                Undertaking.filed <= event.at,
                Undertaking.valid_from <= event.at,
                Undertaking.valid_until > event.at,
            )
        )
        if valid is None:
            yield f"{device.id} went to {party.name}, who had no valid undertaking"


def destroyed_means_witnessed(session: Session) -> Finding:
    """A destroyed medium has a destruction that three different people stand for."""
    approved = {
        each.device_id: {each.operator, each.witness, each.validator}
        for each in session.scalars(sa.select(Destruction).where(Destruction.decision == "approve"))
    }
    for device in session.scalars(sa.select(Device).where(Device.state == DeviceState.DESTROYED)):
        people = approved.get(device.id, set())
        if len(people - {None}) != 3:
            yield f"{device.id} is destroyed, by the word of {sorted(map(str, people))}"


# --- holdings and cases


def coverage_is_proven(session: Session) -> Finding:
    """What covers a holding is a record of its own device that a validator approved, or a decided destruction."""
    rows = session.execute(
        sa.select(Holding, Record, Validation)
        .outerjoin(Record, Record.sha256 == Holding.covered_by)
        .outerjoin(Validation, Validation.record_sha256 == Record.sha256)
        .where(Holding.covered_at.is_not(None))
    )
    destroyed = {
        (each.statement_sha256, each.device_id)
        for each in session.scalars(sa.select(Destruction).where(Destruction.decision == "approve"))
    }
    for holding, record, validation in rows:
        by_record = (
            record is not None
            and record.device_id == holding.device_id
            and record.outcome == "sanitized"
            and validation is not None
            and validation.decision is ValidationDecision.APPROVE
        )
        if not by_record and (holding.covered_by, holding.device_id) not in destroyed:
            yield f"{holding.id} is covered by {str(holding.covered_by)[:12]}, which proves nothing of it"


def cases_end_on_evidence(session: Session) -> Finding:
    """A case is fulfilled or closed only when every obligation is closed by evidence; media by a validated record."""
    open_cases = set(session.scalars(sa.select(Obligation.case_id).where(Obligation.closed.is_(None))))
    for case in session.scalars(sa.select(ErasureCase).where(ErasureCase.state != CaseState.OPEN)):
        if case.id in open_cases:
            yield f"{case.id} is {case.state} with an open obligation"
    rows = session.execute(
        sa.select(Obligation, Holding)
        .join(Holding, Holding.id == Obligation.holding_id)
        .where(Obligation.closed.is_not(None))
    )
    for obligation, holding in rows:
        if obligation.evidence is None:
            yield f"{obligation.id} is closed by nothing"
        elif obligation.kind is ObligationKind.MEDIUM_SANITIZED and obligation.evidence != holding.covered_by:
            yield f"{obligation.id} is closed, and its holding is covered by something else"


def cases_follow_the_data(session: Session) -> Finding:
    """Every holding of a case's data sets in the customer's time has its obligation."""
    owed = {(case, holding) for case, holding in session.execute(sa.select(Obligation.case_id, Obligation.holding_id))}
    rows = session.execute(
        sa.select(ErasureCase, Holding)
        .join(CaseDataSet, CaseDataSet.case_id == ErasureCase.id)
        .join(Holding, Holding.data_set_id == CaseDataSet.data_set_id)
    )
    for case, holding in rows:
        began_before_the_end = case.deleted is None or holding.since <= case.deleted
        ended_after_the_start = (
            case.customer_since is None or holding.until is None or holding.until >= case.customer_since
        )
        clean_before = holding.covered_at is not None and holding.until is not None and holding.until < case.opened
        if began_before_the_end and ended_after_the_start and not clean_before and (case.id, holding.id) not in owed:
            yield f"{case.id} asks nothing about {holding.id} on {holding.device_id}"


# --- orders


def nobody_decides_about_their_own(session: Session) -> Finding:
    """Nobody approves what they requested, nobody validates what they requested or approved."""
    approvers: dict[str, set[str]] = defaultdict(set)
    for approval in session.scalars(sa.select(Approval)):
        approvers[approval.order_id].add(approval.approver)
    orders = {each.id: each for each in session.scalars(sa.select(Order))}
    for number, people in approvers.items():
        if orders[number].requested_by in people:
            yield f"{number} was approved by its requester"
    rows = session.execute(sa.select(Validation, Record).join(Record, Record.sha256 == Validation.record_sha256))
    for validation, record in rows:
        order = orders.get(record.order_id or "")
        if order is not None and validation.validator in {order.requested_by, *approvers[order.id]}:
            yield f"the record of {order.id} was validated by one of its own"


def nothing_runs_unapproved(session: Session) -> Finding:
    """No order was started without the approvals it demands."""
    counted = sa.select(Approval.order_id, sa.func.count()).group_by(Approval.order_id)
    given = dict(session.execute(counted).all())
    for order in session.scalars(sa.select(Order).where(Order.started.is_not(None))):
        if given.get(order.id, 0) < order.approvals_required:
            yield f"{order.id} was started with {given.get(order.id, 0)} of {order.approvals_required} approvals"


def holds_hold(session: Session) -> Finding:
    """No run was allowed to write, and nothing left, while a hold stood on the device or on what it holds."""
    covered_by: dict[str, list[Hold]] = defaultdict(list)
    holdings = session.scalars(sa.select(Holding)).all()
    for hold in session.scalars(sa.select(Hold)):
        if hold.device_id is not None:
            covered_by[hold.device_id].append(hold)
        for holding in holdings:
            still = holding.covered_at is None or holding.covered_at > hold.placed
            if holding.data_set_id == hold.data_set_id and still and holding.since <= hold.placed:
                covered_by[holding.device_id].append(hold)
    moments = [(each.device_id, each.started, each.id) for each in session.scalars(sa.select(Order)) if each.started]
    left = {str(DeviceEvent.RELEASE), str(DeviceEvent.DESTROY), str(DeviceEvent.RETURN_BY_WAIVER)}
    moments += [
        (event.device_id, event.at, event.tag)
        for event in session.scalars(sa.select(Event).where(Event.subject_kind == "device"))
        if event.details.get("event") in left and event.device_id is not None
    ]
    for device, moment, what in moments:
        for hold in covered_by[device]:
            if hold.placed < moment and (hold.lifted is None or moment < hold.lifted):
                yield f"{what} of {device} happened under hold {hold.id}"


# --- custody and exceptions


def in_one_place(session: Session) -> Finding:
    """A device is in one lot's and one container's hands at a time, and a closed lot keeps what it had."""
    inside: dict[str, str] = {}
    for row in session.scalars(sa.select(ContainerDevice).where(ContainerDevice.removed.is_(None))):
        if inside.setdefault(row.device_id, row.container_id) != row.container_id:
            yield f"{row.device_id} is in {row.container_id} and {inside[row.device_id]}"
    ended = set(session.scalars(sa.select(Container.id).where(Container.ended.is_not(None))))
    yield from (f"{device} is in {box}, which is no more" for device, box in inside.items() if box in ended)
    rows = session.execute(
        sa.select(Lot, LotDevice).join(LotDevice, LotDevice.lot_id == Lot.id).where(Lot.state == "closed")
    )
    for lot, member in rows:
        if lot.closed is not None and (
            member.added > lot.closed or (member.removed is not None and member.removed > lot.closed)
        ):
            yield f"{lot.id} was changed after it was closed"


def exceptions_end_in_words(session: Session) -> Finding:
    """Whatever is unaccounted ends with somebody's name and reason."""
    for each in session.scalars(sa.select(ExceptionItem).where(ExceptionItem.resolved.is_not(None))):
        if not each.resolved_by or not (each.resolution or "").strip():
            yield f"{each.id} ({each.code}) ended without a word"


RULES: Final[tuple[Callable[[Session], Finding], ...]] = (
    states_follow_the_table,
    nothing_leaves_with_data,
    receivers_are_bound,
    destroyed_means_witnessed,
    coverage_is_proven,
    cases_end_on_evidence,
    cases_follow_the_data,
    nobody_decides_about_their_own,
    nothing_runs_unapproved,
    holds_hold,
    in_one_place,
    exceptions_end_in_words,
)
