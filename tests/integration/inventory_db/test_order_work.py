"""Readings, samples, holds on lots and files of evidence on both databases: one story; the rules are tested elsewhere."""

from __future__ import annotations

import pytest

from inventory.domain.lots import LotPurpose, LotState
from inventory.domain.readings import ReadingState
from inventory.domain.samples import Finding, SampleState
from inventory.errors import ConstraintRefused, Held
from inventory.models import Hold
from inventory.services import devices, evidence_files, holds, lot_register, readings, samples, waiting
from inventory.services.holds import PlaceHold
from inventory.services.lot_register import MoveLot
from inventory.services.queries import readings as reading_queries
from tests.support.inventory_world import DISK, World
from tests.unit.inventory.services.test_readings import answer, lease, send


def test_from_a_sanitized_disk_to_a_failed_sample_and_a_hold_about_nothing(world: World) -> None:
    number = world.device(DISK).id
    custodian, validator = world.actor("custodian"), world.actor("all-hands")
    devices.adopt(world.context, custodian, devices.AdoptDevice(device=number, asset_tag="AT-0"))
    world.hold_data()
    world.unmount()
    order = world.recorded()
    assert [one.subject for one in waiting.list_waiting(world.context, validator)] == [order.id]
    world.validate(order.id)

    asked = readings.RequestReading(device=number, verification="full", reason="a second look")
    reading = readings.request_reading(world.context, custodian, asked)
    given = lease(world)
    send(world, given, answer(world, given))
    state = reading_queries.reading(world.context, world.actor("auditor"), reading.id).state
    assert state is ReadingState.CONFIRMED

    opened = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.RESALE, devices=(number,))
    lot = lot_register.open_lot(world.context, custodian, opened).id
    place = PlaceHold(kind="legal", reference="LIT-7", reason="Litigation", lot=lot)
    hold = holds.place_hold(world.context, world.actor("privacy"), place)
    with pytest.raises(Held):
        world.order()
    holds.lift_hold(world.context, world.actor("privacy"), hold.id, "settled out of court")
    lot_register.begin_closing(world.context, custodian, MoveLot(lot=lot, reason="counted"))
    lot_register.close(world.context, custodian, MoveLot(lot=lot, reason="counted"))

    drawn = samples.draw_sample(world.context, validator, samples.DrawSample(lot=lot, percent=100))
    given_to = samples.AssignExaminer(sample=drawn.id, device=number, person=custodian.ref)
    samples.assign(world.context, validator, given_to)
    kept = evidence_files.keep(
        world.context, custodian, evidence_files.KeepFile(device=number, content=b"%PDF-1.7 a protocol")
    )
    report = samples.ReportFinding(
        sample=drawn.id, device=number, finding=Finding.FAILED, tool="cmp", evidence=(kept.sha256,)
    )
    assert samples.report_finding(world.context, custodian, report).state is SampleState.FAILED
    assert lot_register.lot(world.context, custodian, lot).state is LotState.REOPENED

    nothing = Hold(
        id="HD-9",
        kind="legal",
        reference="x",
        reason="x",
        placed=world.clock.now(),
        placed_by=world.actor("privacy").ref,
    )
    with pytest.raises(ConstraintRefused), world.context.writing() as session:
        session.add(nothing)
