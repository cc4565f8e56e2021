"""Independent samples of closed lots: drawn from the log, assigned to somebody else, examined; one failure re-opens the lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lots import LotState
from inventory.domain.roles import Permission
from inventory.domain.samples import DUE_DAYS, Finding, SampleState, after
from inventory.errors import Conflict, Forbidden, Invalid, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Device, Lot, Order, Person, Reading, Record, Sample, SampleDevice
from reports import sampling
from reports.canonical import is_sha256, to_base64
from reports.custody import LotClosing
from reports.envelope import unverified_body
from reports.orders import LogPosition
from reports.sampling import SampleDrawn

from . import lot_register, readings
from ._revocation import contradict
from ._samples import barred, sample_detail
from ._scope import able_for
from .context import SYSTEM, Actor, Context, authorize
from .kernel import (
    find,
    load_envelope,
    next_number,
    note,
    optional,
    raise_exception,
    required,
    settle_exception,
    sign_and_log,
    stamp,
)
from .queries.devices import find_device
from .views.samples import SampleDetail


@dataclass(frozen=True, kw_only=True)
class DrawSample:
    """Draw from a closed lot."""

    lot: str
    percent: int | None = None
    """1 to 100, never less than the policy demanded; None: exactly that."""


@dataclass(frozen=True, kw_only=True)
class AssignExaminer:
    """Who examines a drawn device."""

    sample: str
    device: str
    person: str


@dataclass(frozen=True, kw_only=True)
class ExamineByReading:
    """Have one's drawn device read again by an agent."""

    sample: str
    device: str
    verification: str = "full"


@dataclass(frozen=True, kw_only=True)
class ReportFinding:
    """What one found with another tool, or on a host without an agent."""

    sample: str
    device: str
    finding: Finding
    tool: str
    note: str = ""
    evidence: tuple[str, ...] = ()
    """SHA-256 of what was kept of it; at least one."""


def draw_sample(context: Context, actor: Actor, command: DrawSample) -> SampleDetail:
    """Draw from the log at the lot's closing; signed and logged. Permission `sample.draw`.

    Raises:
        Conflict: the lot is not closed, this closing was drawn from, nothing can be drawn, or less than the policy demanded.
        Invalid, NotFound.
    """
    authorize(actor, Permission.SAMPLE_DRAW)
    if command.percent is not None and not 1 <= command.percent <= 100:
        raise Invalid("percent", "A share is 1 to 100 percent.")
    with context.writing(actor) as session:
        lot = find(session, Lot, command.lot, "lot")
        closing, index = _closing(session, lot)
        members = sampling.population_of(closing)
        if not members:
            raise Conflict(f"Nothing in lot {lot.id} rests on a record that could be examined again.")
        demanded = _demanded(session, [member.record for member in members])
        percent = command.percent or demanded
        if percent == 0:
            raise Invalid("percent", "The policy demanded no sample of these devices; say which share you want.")
        if percent < demanded:
            raise Conflict(f"The policy demanded {demanded} percent of these devices; {percent} is less.")
        row = _drawn(session, context, actor, lot, closing, index, percent)
        return sample_detail(session, row)


def _closing(session: Session, lot: Lot) -> tuple[LotClosing, int]:
    if lot.state is not LotState.CLOSED or lot.closed_sha256 is None or lot.closed_index is None:
        raise Conflict(f"Lot {lot.id} is {lot.state}; a sample is drawn once it is closed.")
    known = session.scalar(sa.select(Sample.id).where(Sample.closing_sha256 == lot.closed_sha256))
    if known is not None:
        raise Conflict(f"Sample {known} was drawn from this closing of {lot.id}; a closing is drawn from once.")
    body = unverified_body(load_envelope(session, lot.closed_sha256), "custody")
    return LotClosing.from_dict(body, "closing"), lot.closed_index


def _demanded(session: Session, records: Sequence[str]) -> int:
    """The highest share that a sealed decision of these records asks for."""
    decisions = session.scalars(
        sa.select(Order.decision).join(Record, Record.order_id == Order.id).where(Record.sha256.in_(records))
    )
    return max((int(decision.get("sampling_percent", 0)) for decision in decisions), default=0)


def _drawn(
    session: Session, context: Context, actor: Actor, lot: Lot, closing: LotClosing, index: int, percent: int
) -> Sample:
    members = sampling.population_of(closing)
    size = index + 1
    root = to_base64(context.ledger.root(session, size))
    seed = LogPosition(origin=context.ledger.origin, size=size, root=root)
    chosen = sampling.draw(members, percent, sampling.seed_of(seed))
    now = context.now()
    statement = SampleDrawn(
        id=next_number(session, "sample"),
        lot=lot.id,
        closing=closing.closing,
        closing_sha256=str(lot.closed_sha256),
        seed=seed,
        percent=percent,
        population=tuple(member.device for member in members),
        drawn=chosen,
        actor=actor.ref,
        time=stamp(now),
    )
    digest, log_index = sign_and_log(session, context, "custody", statement.to_dict(), "acceptance", statement.id)
    row = Sample(
        id=statement.id,
        lot_id=lot.id,
        closing=closing.closing,
        closing_sha256=statement.closing_sha256,
        closing_index=index,
        percent=percent,
        population=len(members),
        state=SampleState.OPEN,
        drawn=now,
        drawn_by=actor.ref,
        due=now + timedelta(days=DUE_DAYS),
        statement_sha256=digest,
        log_index=log_index,
    )
    session.add(row)
    session.flush()
    by_number = {member.device: member for member in members}
    for device in chosen:
        session.add(
            SampleDevice(sample_id=row.id, device_id=device, record_sha256=by_number[device].record, evidence=[])
        )
    session.flush()
    details = {"lot": lot.id, "closing": closing.closing, "percent": percent, "devices": list(chosen)}
    note(session, context, actor, Tag.SAMPLE_DRAWN, "sample", row.id, details=details, evidence=[digest])
    return row


def assign(context: Context, actor: Actor, command: AssignExaminer) -> SampleDetail:
    """Say who examines a drawn device. Permission `sample.draw`.

    Raises:
        SeparationOfDuty: the person had a part in its sanitization or in the draw.
        Conflict: the person may not examine, or it was examined already.
        NotFound.
    """
    authorize(actor, Permission.SAMPLE_DRAW)
    with context.writing(actor) as session:
        sample, row = _open_row(session, command.sample, command.device)
        person = find(session, Person, command.person, "person")
        earlier = barred(session, person.ref, sample, row)
        if earlier is not None:
            raise SeparationOfDuty("examine", earlier)
        if person.ref not in able_for(session, Permission.READING_REQUEST, [row.device_id])[row.device_id]:
            raise Conflict(f"{person.ref} may not examine this device; choose somebody whose role and sites allow it.")
        row.assigned_to, row.assigned_by, row.assigned = person.ref, actor.ref, context.now()
        session.flush()
        note(
            session, context, actor, Tag.SAMPLE_ASSIGNED, "sample", sample.id,
            device=row.device_id, details={"person": person.ref},
        )  # fmt: skip
        return sample_detail(session, sample)


def examine_by_reading(context: Context, actor: Actor, command: ExamineByReading) -> SampleDetail:
    """Order one's drawn device to be read again, on whichever host it is attached. Permission `reading.request`.

    Raises:
        Forbidden: it is assigned to somebody else.
        Conflict, OrderImpossible: as `readings.request_reading`; or the device stands on another record by now.
        NotFound.
    """
    authorize(actor, Permission.READING_REQUEST)
    with context.writing(actor) as session:
        sample, row = _mine(session, actor, command.sample, command.device)
        device = session.get_one(Device, row.device_id)
        if device.standing_record != row.record_sha256:
            raise Conflict(f"Device {device.id} does not rest on the record any more that it was drawn with.")
        asked = readings.RequestReading(
            device=device.id, verification=command.verification, reason=f"Sample {sample.id} of lot {sample.lot_id}."
        )
        row.reading_id = readings.order_reading(session, context, actor, device, asked).id
        session.flush()
        return sample_detail(session, sample)


def report_finding(context: Context, actor: Actor, command: ReportFinding) -> SampleDetail:
    """State what one found with another tool. A failure takes the record's standing away. Permission `reading.request`.

    Raises:
        Forbidden: it is assigned to somebody else.
        Conflict: it was examined already, or is being read.
        Invalid, NotFound.
    """
    authorize(actor, Permission.READING_REQUEST)
    if not command.evidence or len(command.evidence) > 50 or not all(is_sha256(one) for one in command.evidence):
        raise Invalid("evidence", "At least one SHA-256 (64 lower-case hexadecimal digits) of what you kept of it.")
    with context.writing(actor) as session:
        sample, row = _mine(session, actor, command.sample, command.device)
        reading = readings.open_reading(session, row.device_id)
        if reading is not None:
            raise Conflict(f"Device {row.device_id} is being read again ({reading}); wait for it, or cancel it.")
        row.tool = required("tool", command.tool, least=3)
        row.note = optional("note", command.note)
        row.evidence = list(command.evidence)
        _found(session, context, actor, sample, row, Finding(command.finding))
        return sample_detail(session, sample)


def reading_ended(session: Session, context: Context, reading: Reading, finding: Finding) -> None:
    """A verify-only order came to an end: where it was a drawn device's, that is its finding."""
    row = session.scalar(
        sa.select(SampleDevice).where(SampleDevice.reading_id == reading.id, SampleDevice.finding.is_(None))
    )
    if row is not None:
        _found(session, context, SYSTEM, session.get_one(Sample, row.sample_id), row, finding)


def remind(session: Session, context: Context, now: datetime) -> None:
    """Samples nobody examined in time."""
    late = sa.select(Sample).where(Sample.state == SampleState.OPEN, Sample.due <= now).order_by(Sample.id)
    for row in session.scalars(late):
        sentence = (
            f"Sample {row.id} of lot {row.lot_id} was due {row.due:%Y-%m-%d}; not every drawn device was examined."
        )
        raise_exception(session, context, ExceptionCode.SAMPLE_OVERDUE, row.id, sentence)


def _open_row(session: Session, sample: str, device: str) -> tuple[Sample, SampleDevice]:
    row = find(session, Sample, sample, "sample")
    if row.state is not SampleState.OPEN:
        raise Conflict(f"Sample {row.id} has {row.state}; nothing is examined for it any more.")
    found = session.get(SampleDevice, (row.id, find_device(session, device).id))
    if found is None:
        raise Conflict(f"Device {device} is not among those drawn for {row.id}.")
    if found.finding is not None:
        raise Conflict(f"Device {found.device_id} was examined already.")
    return row, found


def _mine(session: Session, actor: Actor, sample: str, device: str) -> tuple[Sample, SampleDevice]:
    row, found = _open_row(session, sample, device)
    if found.assigned_to != actor.ref:
        raise Forbidden("sample", f"Device {found.device_id} of {row.id} is not assigned to you.")
    if (earlier := barred(session, actor.ref, row, found)) is not None:  # the assignment was made before that
        raise SeparationOfDuty("examine", earlier)
    return row, found


def _found(
    session: Session, context: Context, actor: Actor, sample: Sample, row: SampleDevice, finding: Finding
) -> None:
    row.finding, row.found = finding, context.now()
    session.flush()
    note(
        session, context, actor, Tag.SAMPLE_EXAMINED, "sample", sample.id,
        device=row.device_id, reason=row.tool or f"Reading {row.reading_id}",
        details={"finding": str(finding)}, evidence=row.evidence,
    )  # fmt: skip
    if finding is Finding.FAILED:
        record = session.get_one(Record, row.record_sha256)
        words = f"sample {sample.id} found other content on the medium."
        contradict(session, context, record, words, evidence=[sample.statement_sha256, *row.evidence])
    if sample.state is SampleState.OPEN:
        _conclude(session, context, actor, sample)


def _conclude(session: Session, context: Context, actor: Actor, sample: Sample) -> None:
    findings = session.scalars(sa.select(SampleDevice.finding).where(SampleDevice.sample_id == sample.id)).all()
    state = after(findings)
    if state is SampleState.OPEN:
        return
    sample.state, sample.ended = state, context.now()
    session.flush()
    settle_exception(session, context, ExceptionCode.SAMPLE_OVERDUE, sample.id, f"It has {state}.")
    tag = Tag.SAMPLE_PASSED if state is SampleState.PASSED else Tag.SAMPLE_FAILED
    note(session, context, actor, tag, "sample", sample.id, details={"lot": sample.lot_id})
    lot = session.get_one(Lot, sample.lot_id)
    if state is SampleState.FAILED and lot.state is LotState.CLOSED and lot.closed_sha256 == sample.closing_sha256:
        lot_register.reopen_within(session, context, actor, lot, f"Sample {sample.id} failed.")
