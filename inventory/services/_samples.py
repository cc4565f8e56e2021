"""Samples as other services need them: who may examine, how they look, and whether what a record's policy asked for was done."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.domain.samples import SampleState, examiner_objection
from inventory.models import Approval, Device, Lot, LotDevice, Order, Record, Sample, SampleDevice, Validation
from reports.bundle import encode_hashes, logged
from reports.envelope import unverified_body
from reports.files import SampleFile
from reports.sampling import SampleDrawn

from ._anchor import anchor_at
from ._mapping import device_label
from ._scope import able_for
from .context import Context
from .kernel import load_envelope
from .views.samples import SampleDetail, SampleDeviceView, SampleRow


def barred(session: Session, person: str, sample: Sample, row: SampleDevice) -> str | None:
    """What this person did about the device's sanitization, or the draw; None: nothing."""
    record = session.get_one(Record, row.record_sha256)
    order = session.get_one(Order, record.order_id)
    approvers = set(session.scalars(sa.select(Approval.approver).where(Approval.order_id == order.id)))
    validator = session.scalar(sa.select(Validation.validator).where(Validation.record_sha256 == record.sha256))
    return examiner_objection(
        person, requester=order.requested_by, approvers=approvers, validator=validator, drawer=sample.drawn_by
    )


def sample_passed(session: Session, record: Record) -> str:
    """Whether a sample that covers the record was passed, or its sealed decision asks for one: passed, missing, not-demanded."""
    device = record.device_id or ""
    lots = sa.select(LotDevice.lot_id).where(LotDevice.device_id == device)
    passed = sa.select(Sample).where(Sample.state == SampleState.PASSED, Sample.lot_id.in_(lots))
    for sample in session.scalars(passed.order_by(Sample.id.desc())):
        drawn = drawn_of(session, sample)
        if device in drawn.population and _rests_on(session, sample, device, record.sha256):
            return "passed"
    decision = session.scalar(sa.select(Order.decision).where(Order.id == record.order_id))
    return "missing" if decision is not None and decision.get("sampling_percent") else "not-demanded"


def _rests_on(session: Session, sample: Sample, device: str, record: str) -> bool:
    """Whether the closing that was drawn from lists the device with this very record."""
    closing = unverified_body(load_envelope(session, sample.closing_sha256), "custody")
    return any(one["device"] == device and one["record"] == record for one in closing["devices"])


def drawn_of(session: Session, sample: Sample) -> SampleDrawn:
    """The signed statement of a draw."""
    body = unverified_body(load_envelope(session, sample.statement_sha256), "custody")
    return SampleDrawn.from_dict(body, "sample")


def sample_rows(session: Session, rows: Sequence[Sample]) -> tuple[SampleRow, ...]:
    """Samples as a list shows them, in the order given."""
    ids = [row.id for row in rows]
    names = dict(session.execute(sa.select(Lot.id, Lot.name).where(Lot.id.in_({row.lot_id for row in rows}))).all())
    counts = {
        sample: (devices, examined)
        for sample, devices, examined in session.execute(
            sa.select(SampleDevice.sample_id, sa.func.count(), sa.func.count(SampleDevice.finding))
            .where(SampleDevice.sample_id.in_(ids))
            .group_by(SampleDevice.sample_id)
        )
    }
    return tuple(
        SampleRow(
            id=row.id,
            lot=row.lot_id,
            lot_name=names[row.lot_id],
            closing=row.closing,
            state=row.state,
            percent=row.percent,
            population=row.population,
            devices=counts[row.id][0],
            examined=counts[row.id][1],
            drawn=row.drawn,
            drawn_by=row.drawn_by,
            due=row.due,
            log_index=row.log_index,
            version=row.version,
        )
        for row in rows
    )


def sample_detail(session: Session, row: Sample) -> SampleDetail:
    """Everything about a sample, within a transaction that is under way."""
    (short,) = sample_rows(session, [row])
    fields = {field.name: getattr(short, field.name) for field in dataclasses.fields(SampleRow)}
    found = session.execute(
        sa.select(SampleDevice, Device)
        .join(Device, Device.id == SampleDevice.device_id)
        .where(SampleDevice.sample_id == row.id)
        .order_by(SampleDevice.device_id)
    ).all()
    able = able_for(session, Permission.READING_REQUEST, [device.id for _, device in found])
    return SampleDetail(
        **fields,
        closing_sha256=row.closing_sha256,
        closing_index=row.closing_index,
        seed=drawn_of(session, row).seed.root,
        sha256=row.statement_sha256,
        drawn_devices=tuple(
            SampleDeviceView(
                device=device.id,
                asset_tag=device.asset_tag,
                label=device_label(device),
                state=device.state,
                record=one.record_sha256,
                assigned_to=one.assigned_to,
                assigned=one.assigned,
                able=tuple(person for person in able[device.id] if barred(session, person, row, one) is None),
                reading=one.reading_id,
                finding=one.finding,
                tool=one.tool,
                note=one.note,
                evidence=tuple(one.evidence),
                found=one.found,
            )
            for one, device in found
        ),
    )


def sample_file(session: Session, context: Context, row: Sample, size: int) -> SampleFile:
    """What the draw is repeated from, against the state of the log of this size."""

    def inclusion(index: int) -> tuple[bytes, ...]:
        return context.ledger.inclusion(session, index, size)

    return SampleFile(
        anchor=anchor_at(session, context, size),
        closing=logged(load_envelope(session, row.closing_sha256), row.closing_index, inclusion(row.closing_index)),
        statement=logged(load_envelope(session, row.statement_sha256), row.log_index, inclusion(row.log_index)),
        seed_proof=encode_hashes(context.ledger.consistency(session, row.closing_index + 1, size)),
    )
