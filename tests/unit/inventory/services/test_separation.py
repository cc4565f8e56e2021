"""Nobody decides about their own act: every row of the table, by somebody whose roles would let them do anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.separation import DUTIES, SAID, TO_DO, Deed, Subject, bars
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import Forbidden, NotFound, SeparationOfDuty
from inventory.services import (
    approvals,
    approvers,
    destruction,
    destruction_papers,
    responsibility,
    validation,
    waivers,
)
from inventory.services.context import Actor
from reports.canonical import to_base64
from reports.keys import FileSigner
from tests.support.inventory_world import DISK, World

pytestmark = pytest.mark.usefixtures("residue")

Case = tuple[Subject, Deed, Deed]
"""The object, the earlier deed, the later one it bars from."""
ROWS = {
    (subject, earlier, duty.deed) for subject, duties in DUTIES.items() for duty in duties for earlier in duty.barred
}
ELSEWHERE = {
    (Subject.ORDER, Deed.REQUESTED, Deed.EXAMINED),
    (Subject.ORDER, Deed.APPROVED, Deed.EXAMINED),
    (Subject.ORDER, Deed.VALIDATED, Deed.EXAMINED),
    (Subject.HANDOVER, Deed.OFFERED, Deed.ANSWERED),
    (Subject.BALANCE, Deed.EXPLAINED, Deed.CLOSED),
}
"""Tested with the samples, the hand-overs and the balances."""


def able(world: World, login: str) -> Actor:
    """Somebody with every role there is; what stops them can only be their own deed."""
    return Actor(world.actor(login).ref, "person", frozenset(Role), scope=EVERYTHING)


def requested_then_approves(world: World) -> None:
    world.change("retire")
    order = world.order(by="all-hands")
    approvals.ready_to_sign(world.context, able(world, "all-hands"), order.id)


def requested_then_validates(world: World) -> None:
    order = world.recorded()
    _validate(world, order.id, "operator")


def approved_then_validates(world: World) -> None:
    order = world.recorded()
    _validate(world, order.id, "approver1")


def _validate(world: World, order: str, login: str) -> None:
    command = validation.Validate(order=order, decision=ValidationDecision.APPROVE, reason="as the evidence says")
    validation.validate(world.context, able(world, login), command)


def _destroyed(world: World, *, witness: str | None = None) -> str:
    world.change("retire")
    done = destruction.RecordDestruction(
        kept_elsewhere="the works",
        device=world.device().id,
        method="shred",
        machine="Shredder 2, checked in May",
        facility="Hall 3",
        performed=world.clock.now() - timedelta(minutes=1),
        particle_size_mm=2,
        serial_read=DISK.serial,
        evidence=("a" * 64,),
    )
    number = destruction.record_destruction(world.context, able(world, "both"), done).id
    if witness is not None:
        _witness(world, number, witness)
    return number


def _witness(world: World, number: str, login: str) -> None:
    destruction.witness_destruction(world.context, able(world, login), number, "I stood beside the machine.")


def _decide(world: World, number: str, login: str) -> None:
    command = destruction.DecideDestruction(
        destruction=number, decision=ValidationDecision.APPROVE, reason="as the evidence says"
    )
    destruction.decide_destruction(world.context, able(world, login), command)


def performed_then_witnesses(world: World) -> None:
    _witness(world, _destroyed(world), "both")


def performed_then_countersigns(world: World) -> None:
    number = _destroyed(world, witness="approver1")
    destruction_papers.ready_to_sign(world.context, able(world, "both"), number, "countersigner")


def witnessed_then_countersigns(world: World) -> None:
    number = _destroyed(world, witness="approver1")
    destruction_papers.ready_to_sign(world.context, able(world, "approver1"), number, "countersigner")


def performed_then_decides(world: World) -> None:
    _decide(world, _destroyed(world, witness="approver1"), "both")


def witnessed_then_decides(world: World) -> None:
    _decide(world, _destroyed(world, witness="approver1"), "approver1")


def opened_then_countersigns(world: World) -> None:
    world.change("retire")
    opened = waivers.OpenWaiver(
        device=world.device().id,
        destination="Kestrel Leasing",
        reason="The contract forbids opening it.",
        role="custodian",
        expires=world.clock.now() + timedelta(days=3),
    )
    number = waivers.open_waiver(world.context, able(world, "privacy"), opened).id
    waivers.countersign_waiver(world.context, able(world, "privacy"), number, "privacy_officer")


def registered_then_confirms(world: World) -> None:
    public = to_base64(FileSigner.generate("p256").public_key_der)
    key = approvers.register_key(world.context, able(world, "both"), approvers.RegisterKey(public_key=public))
    approvers.confirm_key(world.context, able(world, "both"), key.key_id)


CASES: dict[Case, Callable[[World], None]] = {
    (Subject.ORDER, Deed.REQUESTED, Deed.APPROVED): requested_then_approves,
    (Subject.ORDER, Deed.REQUESTED, Deed.VALIDATED): requested_then_validates,
    (Subject.ORDER, Deed.APPROVED, Deed.VALIDATED): approved_then_validates,
    (Subject.DESTRUCTION, Deed.PERFORMED, Deed.WITNESSED): performed_then_witnesses,
    (Subject.DESTRUCTION, Deed.PERFORMED, Deed.COUNTERSIGNED): performed_then_countersigns,
    (Subject.DESTRUCTION, Deed.WITNESSED, Deed.COUNTERSIGNED): witnessed_then_countersigns,
    (Subject.DESTRUCTION, Deed.PERFORMED, Deed.VALIDATED): performed_then_decides,
    (Subject.DESTRUCTION, Deed.WITNESSED, Deed.VALIDATED): witnessed_then_decides,
    (Subject.WAIVER, Deed.OPENED, Deed.COUNTERSIGNED): opened_then_countersigns,
    (Subject.APPROVER_KEY, Deed.REGISTERED, Deed.CONFIRMED): registered_then_confirms,
}


def test_every_row_of_the_table_is_tried() -> None:
    assert set(CASES) | ELSEWHERE == ROWS
    assert set(SAID) == set(Deed)
    assert set(TO_DO) == {duty.deed for duties in DUTIES.values() for duty in duties}


@pytest.mark.parametrize("case", sorted(CASES), ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_whoever_did_the_one_cannot_do_the_other(world: World, case: Case) -> None:
    with pytest.raises(SeparationOfDuty):
        CASES[case](world)


def test_the_page_names_exactly_those_whom_the_services_would_refuse(world: World) -> None:
    order = world.recorded()
    found = responsibility.of_object(world.context, world.actor("auditor"), order.id)
    validated = next(duty for duty in found.duties if duty.duty == "validated")
    free = {world.actor(login).ref for login in ("validator", "all-hands")}
    assert set(validated.may) == free
    assert validated.barred == ()
    approved = next(duty for duty in found.duties if duty.duty == "approved")
    assert world.actor("operator").ref not in {*approved.may, *(one.person for one in approved.barred)}
    assert {deed.deed for deed in found.deeds} == {"requested", "approved"}


def test_somebody_barred_is_named_with_their_deed(world: World) -> None:
    world.change("retire")
    order = world.order(by="both")
    found = responsibility.of_object(world.context, world.actor("auditor"), order.id)
    approved = next(duty for duty in found.duties if duty.duty == "approved")
    assert [(one.person, one.because) for one in approved.barred] == [(world.actor("both").ref, "requested it")]
    assert world.actor("approver1").ref in approved.may


def test_about_others_it_takes_a_role_that_reads_the_history(world: World) -> None:
    viewer, other = world.actor("viewer"), world.actor("operator").ref
    assert responsibility.of_person(world.context, viewer, viewer.ref).grants
    with pytest.raises(Forbidden):
        responsibility.of_person(world.context, viewer, other)
    found = responsibility.of_person(world.context, world.actor("auditor"), other)
    assert {grant.permission for grant in found.grants} >= {"order.request"}
    with pytest.raises(NotFound):
        responsibility.of_object(world.context, world.actor("auditor"), "O-2026-999999")
    with pytest.raises(NotFound):
        responsibility.of_object(world.context, world.actor("auditor"), "nonsense")


def test_a_deed_nobody_did_bars_nobody() -> None:
    for duties in DUTIES.values():
        for duty in duties:
            assert bars(duty, "p-x", {}) is None
            for deed in duty.barred:
                assert bars(duty, "p-x", {deed: {"p-x"}}) is deed
                assert bars(duty, "p-y", {deed: {"p-x"}}) is None
