"""Records: checked, judged, accepted, logged. An authentic record is kept whatever else is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.agents import RecordAccepted, RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.lifecycle import next_state as next_device_state
from inventory.domain.orders import event_of, next_state
from inventory.domain.vocabulary import OrderState, RecordStanding
from inventory.errors import Conflict, EvidenceRefused
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import Device, Host, HostContact, Lease, Order, Record
from reports.envelope import Envelope as Signed
from reports.envelope import envelope_digest, open_envelope, unverified_body
from reports.errors import ReportError
from reports.keys import load_public_key
from reports.record import MalformedRecord, SanitizationRecord
from reports.statements import Acceptance, AcceptanceChecks, AcceptedDevice, AcceptedHost, Answer
from reports.verdict import Verdict, judge

from ._transitions import move_device, move_order
from .approvals import approvals_of
from .context import Actor, Context
from .hosts import trusted_host
from .kernel import load_envelope, note, raise_exception, settle_exception, sign_and_log, stamp, store_envelope


@dataclass(frozen=True)
class _Submitted:
    """A record as it came in, opened."""

    envelope: Signed
    sha256: str
    body: SanitizationRecord
    verdict: Verdict
    lease: str
    token: int


@dataclass(frozen=True)
class _Matched:
    """What of ours the record speaks about, and which checks hold."""

    order: Order | None
    device: Device | None
    checks: AcceptanceChecks
    approvals: tuple[str, ...]

    refused: bool
    """Whether the agent declined and nothing was touched: that ends an order also where the medium is not the ordered one."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks that keep it from becoming its order's record."""
        needed = self.checks.to_dict()
        if self.refused:
            del needed["identity_matches_inventory"], needed["approvals_sufficient"]  # often just why it was refused
        return tuple(name for name, answer in needed.items() if answer != "yes")

    @property
    def current(self) -> bool:
        """Whether it becomes its order's record."""
        return self.order is not None and not self.failed


def ingest(context: Context, actor: Actor, message: RecordSubmission) -> RecordAccepted:
    """Take in a signed record; the same envelope again gets the same acceptance with `new` false.

    Order, nonce, device, plan, policy, approvals, lease and token must all match for the record to become the order's record.
    A record that is authentic but fails one of these checks is stored, accepted with the failed check on it, logged, raises an
    exception, and changes nothing else.

    Raises:
        EvidenceRefused: not signed by this agent's key, or not a record.
        AgentNotTrusted: pending or revoked.
        Conflict: another envelope bears the same record id.
    """
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        submitted = _open(host, message)
        known = session.get(Record, submitted.sha256)
        if known is None:
            _unused_id(session, submitted)
            _take_in(session, context, actor, host, submitted)
    with context.reading(actor) as session:
        return _accepted(session, context, submitted.sha256, new=known is None)


def _open(host: Host, message: RecordSubmission) -> _Submitted:
    envelope = message.record.model_dump(mode="json")
    key = load_public_key(host.spki)
    try:
        body, _ = open_envelope(envelope, {key.key_id: key}, "sanitization-record", exact=True)
        record = SanitizationRecord.from_dict(body)
    except (ReportError, MalformedRecord) as error:
        raise EvidenceRefused("record", f"The record does not hold: {error}"[:500]) from error
    if record.host.agent_key != host.key_id:
        raise EvidenceRefused("record", "The record names another agent than the one that signed it.")
    return _Submitted(envelope, envelope_digest(envelope), record, judge(record), message.lease, message.token)


def _unused_id(session: Session, submitted: _Submitted) -> None:
    other = session.scalar(sa.select(Record.sha256).where(Record.record_id == submitted.body.record_id))
    if other is not None:
        raise Conflict(f"Record {submitted.body.record_id} exists with other content ({other[:16]}…).")


def _take_in(session: Session, context: Context, actor: Actor, host: Host, submitted: _Submitted) -> None:
    matched = _match(session, host, submitted)
    record, verdict = submitted.body, submitted.verdict
    store_envelope(session, context, "sanitization-record", submitted.envelope)
    body = _acceptance(context, host, submitted, matched)
    digest, index = sign_and_log(session, context, "acceptance", body.to_dict(), "acceptance", record.order.id)
    standing = RecordStanding.CURRENT if matched.current else RecordStanding.EVIDENCE_ONLY
    session.add(
        Record(
            sha256=submitted.sha256,
            record_id=record.record_id,
            order_id=matched.order.id if matched.order else None,
            device_id=matched.device.id if matched.device else None,
            host_id=host.id,
            lease_id=submitted.lease,
            token=submitted.token,
            sequence=record.host.sequence,
            standing=standing,
            outcome=verdict.outcome,
            method=verdict.method,
            coverage=verdict.coverage,
            reasons=[reason.text for reason in verdict.reasons],
            touched=record.run.touched,
            checks={name: answer == "yes" for name, answer in matched.checks.to_dict().items()},
            received=context.now(),
            acceptance_sha256=digest,
            log_index=index,
        )
    )
    session.flush()
    _sequence(session, context, host, record.host.sequence)
    _history(session, context, host, submitted, matched)
    if matched.current and matched.order is not None:
        _settle(session, context, actor, matched.order, session.get_one(Device, matched.order.device_id), submitted)
    else:
        _without_effect(session, context, actor, host, submitted, matched)


def _match(session: Session, host: Host, submitted: _Submitted) -> _Matched:
    """Every check by itself, so that the acceptance can say which one failed."""
    record = submitted.body
    order = session.get(Order, record.order.id)
    lease = session.get(Lease, submitted.lease)
    device = session.scalar(sa.select(Device).where(Device.fingerprint == record.device.fingerprint))
    given = () if order is None else tuple(one.sha256 for one in approvals_of(session, order))
    answered = None
    if order is not None:
        answered = session.scalar(
            sa.select(Record.sha256).where(Record.order_id == order.id, Record.standing == RecordStanding.CURRENT)
        )
    known = order is not None and _obeys(session, order, host, record)
    checks = AcceptanceChecks(
        identity_matches_inventory=_yes(
            order is not None
            and device is not None
            and device.id == order.device_id
            and record.device.fingerprint == order.fingerprint
        ),
        order_known=_yes(known),
        approvals_sufficient=_yes(
            order is not None
            and set(record.order.approvals) <= set(given)
            and len(set(record.order.approvals)) >= order.approvals_required
        ),
        nonce_unused=_yes(order is not None and answered is None),
        token_current=_yes(
            order is not None
            and lease is not None
            and lease.order_id == order.id
            and lease.host_id == host.id
            and submitted.token == lease.token == order.token
            # Whoever wrote without having been told that nothing stands in the way did not run under the order.
            and (order.started is not None or record.run.touched == "no")
        ),
    )
    named = tuple(digest for digest in given if digest in set(record.order.approvals))
    refused = submitted.verdict.outcome == "refused" and record.run.touched == "no"
    return _Matched(order, device, checks, named, refused)


def _yes(holds: bool) -> Answer:
    return "yes" if holds else "no"


def _obeys(session: Session, order: Order, host: Host, record: SanitizationRecord) -> bool:
    """Whether the record answers exactly this order, and the order still waits for it."""
    sealed = record.order
    decision: dict[str, Any] = order.decision
    waiting = next_state(order.state, event_of(judge(record).outcome)) is not None
    # An agent whose run was cut off for good (its order abandoned, cancelled) speaks as evidence only.
    return (
        waiting
        and order.host_id == host.id
        and order.agent_key == host.key_id
        and sealed.sha256 == order.payload_sha256
        and sealed.nonce == order.nonce
        and sealed.after_origin == _after(session, order)["origin"]
        and sealed.after_size == _after(session, order)["size"]
        and sealed.after_root == _after(session, order)["root"]
        and record.method.plan_sha256 == _payload(session, order)["plan_sha256"]
        and record.policy.sha256 == decision["policy_sha256"]
        and record.operator_ref == order.requested_by
    )


def _payload(session: Session, order: Order) -> dict[str, Any]:
    return dict(unverified_body(load_envelope(session, order.envelope_sha256), "order"))


def _after(session: Session, order: Order) -> dict[str, Any]:
    found: dict[str, Any] = _payload(session, order)["after"]
    return found


def _acceptance(context: Context, host: Host, submitted: _Submitted, matched: _Matched) -> Acceptance:
    device = matched.device
    return Acceptance(
        order_sha256=matched.order.envelope_sha256 if matched.order else "",
        record_sha256=submitted.sha256,
        approvals=matched.approvals,
        checks=matched.checks,
        device=AcceptedDevice(
            id=device.id if device else "",
            asset_tag=(device.asset_tag or "") if device else "",
            fingerprint=submitted.body.device.fingerprint,
        ),
        host=AcceptedHost(id=host.id, name=host.name, agent_key=host.key_id),
        received=stamp(context.now()),
    )


def _settle(
    session: Session, context: Context, actor: Actor, order: Order, device: Device, submitted: _Submitted
) -> None:
    """The record becomes its order's; the device follows what the verdict says about it."""
    verdict, touched = submitted.verdict, submitted.body.run.touched
    _ask_about_health(session, context, order, device, verdict)
    order.record_sha256 = submitted.sha256
    why = " ".join(reason.text for reason in verdict.blocking)[:1000]
    order.outcome_reason = why or None
    details = {"outcome": verdict.outcome, "method": verdict.method, "coverage": verdict.coverage}
    move_order(
        session,
        context,
        actor,
        order,
        event_of(verdict.outcome),
        reason=why,
        details=details,
        evidence=[submitted.sha256],
    )
    if order.state is OrderState.RECORDED:
        return
    # Untouched goes back under lock; anything else may have been written to and counts as failed, whatever the reason.
    event = DeviceEvent.RUN_UNTOUCHED if touched == "no" else DeviceEvent.RUN_FAILED
    if next_device_state(device.state, event) is not None:
        move_device(session, context, actor, device, event, reason=why, order=order.id, evidence=[submitted.sha256])
    if event is DeviceEvent.RUN_FAILED:
        sentence = f"Order {order.id} ended {order.state} on device {device.id}: {why}"
        raise_exception(
            session,
            context,
            ExceptionCode.SANITIZATION_FAILED,
            device.id,
            sentence,
            device=device.id,
            host=order.host_id,
        )


def _ask_about_health(session: Session, context: Context, order: Order, device: Device, verdict: Verdict) -> None:
    """A drive that got worse may be as clean as it likes: whether it is used again is for a person to say."""
    told = [reason.text for reason in verdict.cautions if reason.code in {"health-failing", "health-worsened"}]
    if told:
        sentence = f"Device {device.id} after order {order.id}: {' '.join(told)}"
        raise_exception(
            session, context, ExceptionCode.DRIVE_WORSE, device.id, sentence, device=device.id, host=order.host_id
        )


def _without_effect(
    session: Session, context: Context, actor: Actor, host: Host, submitted: _Submitted, matched: _Matched
) -> None:
    failed = ", ".join(name.replace("_", " ") for name in matched.failed)
    sentence = f"A record of order {submitted.body.order.id} from {host.name} has no effect; failed: {failed}."
    device = matched.device.id if matched.device else None
    note(
        session, context, actor, Tag.RECORD_KEPT_AS_EVIDENCE, "record", submitted.sha256,
        device=device, host=host.id, order=matched.order.id if matched.order else None,
        reason=sentence, evidence=[submitted.sha256],
    )  # fmt: skip
    code = ExceptionCode.RECORD_WITHOUT_EFFECT
    raise_exception(session, context, code, submitted.sha256, sentence, device=device, host=host.id)


def _sequence(session: Session, context: Context, host: Host, sequence: int) -> None:
    """Every record of an agent bears the next number; a gap means that one was withheld (it closes when it arrives)."""
    contact = session.get(HostContact, host.id)
    if contact is not None:
        contact.last_sequence = max(sequence, contact.last_sequence or 0)
    numbers = session.scalars(sa.select(Record.sequence).where(Record.host_id == host.id).distinct()).all()
    first, last = min(numbers), max(numbers)
    missing = [] if len(numbers) == last - first + 1 else sorted(set(range(first, last + 1)) - set(numbers))
    if not missing:
        settle_exception(session, context, ExceptionCode.RECORD_SEQUENCE_GAP, host.id, "The missing records arrived.")
        return
    sentence = f"{host.name} has handed over records up to number {last}; missing: {missing[:10]}."
    raise_exception(session, context, ExceptionCode.RECORD_SEQUENCE_GAP, host.id, sentence, host=host.id)


def _history(session: Session, context: Context, host: Host, submitted: _Submitted, matched: _Matched) -> None:
    """A record names this agent's record before it about the same medium; another answer breaks the device's history."""
    before = session.scalar(
        sa.select(Record.sha256)
        .where(
            Record.host_id == host.id,
            Record.device_id == (matched.device.id if matched.device else None),
            Record.sha256 != submitted.sha256,
            Record.sequence < submitted.body.host.sequence,
        )
        .order_by(Record.sequence.desc())
        .limit(1)
    )
    if matched.device is not None and submitted.body.previous != before:
        sentence = f"A record of {host.name} about device {matched.device.id} does not continue the record before it."
        raise_exception(
            session, context, ExceptionCode.RECORD_HISTORY_BROKEN, submitted.sha256, sentence,
            device=matched.device.id, host=host.id,
        )  # fmt: skip


def accepted_again(session: Session, context: Context, sha256: str) -> RecordAccepted:
    """The acceptance of a record that came before."""
    return _accepted(session, context, sha256, new=False)


def _accepted(session: Session, context: Context, sha256: str, *, new: bool) -> RecordAccepted:
    row = session.get_one(Record, sha256)
    checkpoint, signed, _ = context.ledger.checkpoint(session)
    return RecordAccepted(
        record_sha256=sha256,
        acceptance=Envelope.model_validate(load_envelope(session, row.acceptance_sha256)),
        index=row.log_index,
        proof=encode(context.ledger.inclusion(session, row.log_index, checkpoint.size)),
        checkpoint=signed,
        new=new,
    )
