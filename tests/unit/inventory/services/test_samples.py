"""Independent samples: drawn from the log, examined by somebody else, and one failure opens the lot again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.domain.lots import LotPurpose, LotState
from inventory.domain.samples import Finding, SampleState
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Conflict, Forbidden, Invalid, NotFound, SeparationOfDuty
from inventory.models import Order, Sample
from inventory.services import _gate, devices, lot_register, samples
from inventory.services.lot_register import MoveLot
from inventory.services.queries import samples as queries
from inventory.services.views.samples import SampleDetail
from reports.canonical import canonical, parse_canonical
from reports.verify import verify
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world, copy_of
from tests.unit.inventory.services.test_readings import RESIDUE, answer, send
from tests.unit.inventory.services.test_readings import lease as reading_lease


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A company with a closed lot of two sanitized disks."""
    with copied_world(tmp_path_factory.mktemp("samples") / "data") as made:
        for number, disk in enumerate((DISK, OTHER_DISK)):
            adopt = devices.AdoptDevice(device=made.device(disk).id, asset_tag=f"AT-{number}")
            devices.adopt(made.context, made.actor("custodian"), adopt)
        made.hold_data()
        made.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
        made.unmount()
        made.sanitized(DISK)
        made.sanitized(OTHER_DISK)
        command = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.RESALE, devices=("AT-0", "AT-1"))
        lot = lot_register.open_lot(made.context, made.actor("custodian"), command).id
        assert lot == LOT
        close(made)
    return made


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """The same for each test."""
    with copy_of(template, tmp_path / "data") as made:
        yield made


LOT = "LT-00001"


def close(world: World) -> None:
    """As the custodian does."""
    who = world.actor("custodian")
    lot_register.begin_closing(world.context, who, MoveLot(lot=LOT, reason="all there"))
    lot_register.close(world.context, who, MoveLot(lot=LOT, reason="all there"))


def drawn(world: World, percent: int | None = 50) -> SampleDetail:
    """By the validator `all-hands`, who then examines nothing."""
    command = samples.DrawSample(lot=LOT, percent=percent)
    return samples.draw_sample(world.context, world.actor("all-hands"), command)


def assigned(world: World, to: str = "custodian") -> SampleDetail:
    """A draw of one device, given to somebody."""
    found = drawn(world)
    command = samples.AssignExaminer(sample=found.id, device=found.drawn_devices[0].device, person=world.actor(to).ref)
    return samples.assign(world.context, world.actor("all-hands"), command)


def report(world: World, sample: SampleDetail, finding: Finding, by: str = "custodian") -> SampleDetail:
    """What somebody found with another tool."""
    command = samples.ReportFinding(
        sample=sample.id, device=sample.drawn_devices[0].device, finding=finding, tool="dd and cmp on a spare host",
        evidence=("ab" * 32,),
    )  # fmt: skip
    return samples.report_finding(world.context, world.actor(by), command)


def lot_state(world: World) -> LotState:
    """Of the one lot."""
    return lot_register.lot(world.context, world.actor("auditor"), LOT).state


def disk_of(world: World, sample: SampleDetail) -> DeviceState:
    """The state of the drawn device."""
    chosen = sample.drawn_devices[0].device
    return next(world.device(disk).state for disk in (DISK, OTHER_DISK) if world.device(disk).id == chosen)


def test_the_draw_is_signed_logged_and_repeated_by_the_verifier(world: World) -> None:
    found = drawn(world)
    assert (found.population, found.devices, found.state) == (2, 1, SampleState.OPEN)
    data = queries.sample_file(world.context, world.actor("auditor"), found.id)
    pin = _pin(world)
    result = verify(data, pin)
    assert (result.kind, result.yes) == ("sample", True), result.conclusion
    assert found.drawn_devices[0].device in " ".join(fact.value for fact in result.facts)


def test_a_draw_that_was_altered_is_found_out(world: World) -> None:
    found = drawn(world)
    document = parse_canonical(queries.sample_file(world.context, world.actor("auditor"), found.id), "file")
    swapped = {**document, "closing": document["statement"], "statement": document["closing"]}
    assert not verify(canonical(swapped), _pin(world)).genuine
    without = {**document, "seed_proof": document["seed_proof"][:-1]}
    assert not verify(canonical(without), _pin(world)).genuine


def _pin(world: World) -> str:
    with world.context.reading() as session:
        pin: str = world.context.ledger.keyring.require(session).trust.pin
        return pin


def test_a_closing_is_drawn_from_once(world: World) -> None:
    found = drawn(world)
    with pytest.raises(Conflict, match=found.id):
        drawn(world, 100)


def test_only_a_closed_lot_is_drawn_from(world: World) -> None:
    lot_register.reopen(world.context, world.actor("custodian"), MoveLot(lot=LOT, reason="one more disk"))
    with pytest.raises(Conflict, match="reopened"):
        drawn(world)


def test_less_than_the_policy_demanded_is_not_drawn(world: World) -> None:
    demand(world, 60)
    with pytest.raises(Conflict, match="60 percent"):
        drawn(world, 50)
    assert drawn(world, None).percent == 60


def test_where_the_policy_demanded_nothing_somebody_says_how_much(world: World) -> None:
    with pytest.raises(Invalid):
        drawn(world, None)


@pytest.mark.parametrize("by", ["operator", "custodian", "auditor", "admin"])
def test_who_may_not_draw(world: World, by: str) -> None:
    with pytest.raises(Forbidden):
        samples.draw_sample(world.context, world.actor(by), samples.DrawSample(lot=LOT, percent=10))


@pytest.mark.parametrize(
    ("person", "did"),
    [
        ("operator", "requested the order"),
        ("approver1", "approved the order"),
        ("validator", "validated the record"),
        ("all-hands", "drew the sample"),
    ],
)
def test_whoever_had_a_part_in_it_does_not_examine_it(world: World, person: str, did: str) -> None:
    with pytest.raises(SeparationOfDuty, match=did):
        assigned(world, person)


def test_whose_role_does_not_allow_it_is_not_assigned(world: World) -> None:
    with pytest.raises(Conflict, match="may not examine"):
        assigned(world, "viewer")


def test_what_the_page_offers_is_what_the_service_takes(world: World) -> None:
    able = set(drawn(world).drawn_devices[0].able)
    assert able == {world.actor("custodian").ref, world.actor("both").ref}


def test_when_each_drawn_device_holds_the_sample_has_passed(world: World) -> None:
    found = report(world, assigned(world), Finding.PASSED)
    assert found.state is SampleState.PASSED
    assert lot_state(world) is LotState.CLOSED
    assert disk_of(world, found) is DeviceState.SANITIZED


def test_one_failure_opens_the_lot_and_takes_the_records_standing_away(world: World) -> None:
    found = report(world, assigned(world), Finding.FAILED)
    assert found.state is SampleState.FAILED
    assert lot_state(world) is LotState.REOPENED
    assert disk_of(world, found) is DeviceState.FAILED
    assert {"lot-reopened", "record-disowned"} <= world.codes()
    with pytest.raises(Conflict, match="failed"):
        report(world, found, Finding.PASSED)


def test_nobody_else_reports_it(world: World) -> None:
    found = assigned(world)
    with pytest.raises(Forbidden):
        report(world, found, Finding.PASSED, by="both")
    with pytest.raises(Forbidden):
        report(world, drawn_again(world, found), Finding.PASSED, by="viewer")


def drawn_again(world: World, found: SampleDetail) -> SampleDetail:
    """As it stands."""
    return queries.sample(world.context, world.actor("auditor"), found.id)


def test_a_finding_without_evidence_is_none(world: World) -> None:
    found = assigned(world)
    command = samples.ReportFinding(
        sample=found.id, device=found.drawn_devices[0].device, finding=Finding.PASSED, tool="dd"
    )
    with pytest.raises(Invalid):
        samples.report_finding(world.context, world.actor("custodian"), command)


def test_a_reading_by_an_agent_is_the_finding(world: World) -> None:
    found = assigned(world)
    command = samples.ExamineByReading(sample=found.id, device=found.drawn_devices[0].device)
    samples.examine_by_reading(world.context, world.actor("custodian"), command)
    given = reading_lease(world)
    with pytest.raises(Conflict, match="being read"):
        report(world, found, Finding.PASSED)
    chosen = next(disk for disk in (DISK, OTHER_DISK) if world.device(disk).id == found.drawn_devices[0].device)
    send(world, given, answer(world, given, device=chosen.facts))
    assert drawn_again(world, found).state is SampleState.PASSED


def test_a_reading_that_contradicts_fails_the_sample(world: World) -> None:
    found = assigned(world)
    command = samples.ExamineByReading(sample=found.id, device=found.drawn_devices[0].device)
    samples.examine_by_reading(world.context, world.actor("custodian"), command)
    given = reading_lease(world)
    chosen = next(disk for disk in (DISK, OTHER_DISK) if world.device(disk).id == found.drawn_devices[0].device)
    send(world, given, answer(world, given, device=chosen.facts, **RESIDUE))
    assert drawn_again(world, found).state is SampleState.FAILED
    assert lot_state(world) is LotState.REOPENED


def test_where_the_policy_demands_a_sample_nothing_leaves_before_it_passed(world: World) -> None:
    demand(world, 50)
    assert "sample-missing" in reasons(world, leaves=True)
    assert "sample-missing" not in reasons(world, leaves=False)
    report(world, assigned(world), Finding.PASSED)
    assert "sample-missing" not in reasons(world, leaves=True)


def test_a_sample_of_an_older_record_lets_nothing_pass(world: World) -> None:
    report(world, assigned(world), Finding.PASSED)
    world.sanitized(DISK)
    demand(world, 50)
    assert "sample-missing" in reasons(world, leaves=True)


def test_what_nobody_examined_in_time_is_an_exception(world: World) -> None:
    found = drawn(world)
    world.clock.forward(days=15)
    with world.context.writing() as session:
        samples.remind(session, world.context, world.clock.now())
        assert session.get_one(Sample, found.id).state is SampleState.OPEN
    assert "sample-overdue" in world.codes()


def test_an_unknown_sample_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        queries.sample(world.context, world.actor("auditor"), "SM-99999")


def demand(world: World, percent: int) -> None:
    """As if the policy had asked for it when the orders were sealed."""
    with world.context.writing() as session:
        for order in session.query(Order):
            order.decision = {**order.decision, "sampling_percent": percent}


def reasons(world: World, *, leaves: bool) -> set[str]:
    """Why the gate is closed for the first disk."""
    device = world.device(DISK)
    view = device.gate_leave if leaves else device.gate_reuse_inside
    assert _gate.LEAVE.leaves_control
    return {reason.code for reason in view.reasons}
