"""A customer withdraws: obligations on every medium, evidence that closes them, certificates, the statement."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from inventory.domain.vocabulary import CaseState, ObligationKind, ValidationDecision
from inventory.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound
from inventory.services import cases, certificates, queries, setup, transparency, upkeep
from inventory.services.views import CaseDetail
from reports.bundle import DestructionBundle, UnsuccessfulRunBundle, read_file
from reports.verify_run import RunChecks
from reports.verify_statement import StatementChecks
from reports.verify_steps import run_steps
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, OTHER_DISK, World, failed_record


def open_case(world: World, **changes: object) -> CaseDetail:
    fields: dict[str, object] = {
        "reference": "C-4711", "data_sets": ("CRM production",), "withdrawn": world.clock.now(), **changes,
    }  # fmt: skip
    return cases.open_case(world.context, world.actor("privacy"), cases.OpenCase(**fields))  # type: ignore[arg-type]


def attest(world: World, case: CaseDetail, *obligations: str) -> CaseDetail:
    command = cases.Attest(case=case.id, obligations=obligations, statement="Rows deleted, checked by query 12.")
    return cases.attest(world.context, world.actor("privacy"), command)


def by_kind(case: CaseDetail, kind: ObligationKind) -> list[str]:
    return [row.id for row in case.obligations if row.kind is kind]


def test_a_withdrawal_becomes_obligations_on_every_medium(world: World) -> None:
    world.hold_data()
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    case = open_case(world)
    assert sorted((row.kind.value, row.device) for row in case.obligations) == sorted(
        [
            ("medium_sanitized", world.device().id),
            ("medium_sanitized", world.device(OTHER_DISK).id),
            ("logical_deletion", world.device(OTHER_DISK).id),
        ]
    )
    assert case.due == world.clock.now() + timedelta(days=30)
    assert all(row.why_open for row in case.obligations)


@pytest.mark.parametrize("reference", ["jane@example.org", "Jane Doe", "janedoe", "", "x" * 200])
def test_the_reference_is_opaque(world: World, reference: str) -> None:
    world.hold_data()
    with pytest.raises(Invalid):
        open_case(world, reference=reference)


def test_one_open_case_a_reference(world: World) -> None:
    world.hold_data()
    open_case(world)
    with pytest.raises(Duplicate):
        open_case(world)
    with pytest.raises(NotFound):
        open_case(world, reference="C-2", data_sets=("no such thing",))
    with pytest.raises(Invalid):
        open_case(world, reference="C-3", withdrawn=world.clock.now() + timedelta(days=2))


def test_a_medium_is_never_attested_clean_by_word(world: World) -> None:
    world.hold_data()
    case = open_case(world)
    with pytest.raises(Conflict, match="only a validated record"):
        attest(world, case, *by_kind(case, ObligationKind.MEDIUM_SANITIZED))
    done = attest(world, case, *by_kind(case, ObligationKind.LOGICAL_DELETION))
    assert (done.obligations_open, done.state) == (1, CaseState.OPEN)
    with pytest.raises(Conflict, match="open"):
        cases.close_case(world.context, world.actor("privacy"), case.id, "hurry")
    with pytest.raises(Forbidden):
        cases.close_case(world.context, world.actor("operator"), case.id, "hurry")


def test_a_copy_found_later_joins_the_open_case(world: World) -> None:
    world.hold_data()
    case = open_case(world)
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    found = queries.case(world.context, world.actor("privacy"), case.id)
    assert {row.device for row in found.obligations} == {world.device().id, world.device(OTHER_DISK).id}


def whole(world: World) -> tuple[CaseDetail, str]:
    """From withdrawal to a closed case; the certificate's number."""
    world.hold_data()
    case = open_case(world)
    attest(world, case, *by_kind(case, ObligationKind.LOGICAL_DELETION))
    world.unmount()
    order = world.sanitized()
    certificate = certificates.issue(world.context, world.actor("validator"), order.id)
    found = queries.case(world.context, world.actor("privacy"), case.id)
    assert found.state is CaseState.FULFILLED
    return cases.close_case(world.context, world.actor("privacy"), case.id, "all proven"), certificate.number


@pytest.mark.parametrize("attested", [False, True])
def test_rows_nobody_deleted_are_not_gone_with_the_disk_they_were_seen_on(world: World, attested: bool) -> None:
    """The only known disk is sanitized, and the data set turns up on another: with the rows, unless they were deleted."""
    world.hold_data()
    case = open_case(world)
    if attested:
        attest(world, case, *by_kind(case, ObligationKind.LOGICAL_DELETION))
    world.unmount()
    world.sanitized()
    assert queries.case(world.context, world.actor("privacy"), case.id).state is CaseState.FULFILLED
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    found = queries.case(world.context, world.actor("privacy"), case.id)
    assert found.state is (CaseState.FULFILLED if attested else CaseState.OPEN)
    again = [row for row in found.obligations if row.device == world.device(OTHER_DISK).id]
    assert len(again) == (0 if attested else 2)
    if not attested:
        rows = attest(world, found, *(row.id for row in again if row.kind is ObligationKind.LOGICAL_DELETION))
        assert rows.state is CaseState.OPEN, "the medium is still to be sanitized"


def test_rows_are_deleted_once_it_is_said_of_every_live_copy(world: World) -> None:
    """Of one of two live disks it was attested: a third that takes up the data set owes the customer, too."""
    third = Disk("Seagate", "ST4000NM0035", "ZC1THIRD", 4_000_787_030_016, path="/dev/sdd", slot="bay 5")
    world.agent.disks = [DISK, OTHER_DISK, third]
    world.hold_data()
    world.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
    case = open_case(world)
    first, second = by_kind(case, ObligationKind.LOGICAL_DELETION)
    attest(world, case, first)
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK, third), ()))
    found = queries.case(world.context, world.actor("privacy"), case.id)
    (added,) = (
        row
        for row in found.obligations
        if row.device == world.device(third).id and row.kind is ObligationKind.LOGICAL_DELETION
    )
    attest(world, found, second, added.id)
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK, third), ()))
    after = queries.case(world.context, world.actor("privacy"), case.id)
    assert len(after.obligations) == len(found.obligations), "what takes up the data set after that owes nothing"


def test_the_bundle_and_the_statement_satisfy_the_offline_verifier(world: World) -> None:
    case, number = whole(world)
    assert case.state is CaseState.CLOSED
    pin = setup.trust(world.context).pin
    auditor = world.actor("auditor")
    bundle = read_file(certificates.bundle(world.context, auditor, number))
    assert isinstance(bundle, DestructionBundle)
    checks, _ = run_steps(RunChecks(bundle, pin).steps())
    assert [check.detail for check in checks if check.state == "failed"] == []
    statement = cases.issue_statement(world.context, world.actor("privacy"), case.id)
    assert statement.complete
    file = read_file(cases.statement_file(world.context, auditor, statement.number))
    checks, _ = run_steps(StatementChecks(file, pin).steps())  # type: ignore[arg-type]  # the kind of file just read
    assert [check.detail for check in checks if check.state == "failed"] == []
    assert cases.statement_pdf(world.context, auditor, statement.number).startswith(b"%PDF-")
    assert certificates.pdf(world.context, auditor, number).startswith(b"%PDF-")


def test_a_certificate_is_issued_once_and_only_for_what_was_validated(residue: World) -> None:
    validator = residue.actor("validator")
    order = residue.recorded()
    with pytest.raises(Conflict, match="only a validated order"):
        certificates.issue(residue.context, validator, order.id)
    residue.validate(order.id)
    first = certificates.issue(residue.context, validator, order.id)
    assert certificates.issue(residue.context, validator, order.id) == first
    assert first.sealed
    assert first.number.startswith("SC-2026-")
    with pytest.raises(Conflict, match="has a certificate"):
        certificates.failure_report(residue.context, residue.actor("auditor"), order.id)
    with pytest.raises(Forbidden):
        certificates.pdf(residue.context, residue.actor("viewer"), first.number)


def test_a_crash_between_statement_and_files_is_mended_by_upkeep(
    residue: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = residue.sanitized()

    def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(certificates, "seal", crash)
        with pytest.raises(RuntimeError):
            certificates.issue(residue.context, residue.actor("validator"), order.id)
    (row,) = queries.list_certificates(residue.context, residue.actor("auditor")).items
    assert not row.sealed
    with pytest.raises(Conflict, match="not been made yet"):
        certificates.bundle(residue.context, residue.actor("auditor"), row.number)
    assert upkeep.run(residue.context).certificates_sealed == 1
    assert certificates.certificate(residue.context, residue.actor("auditor"), row.number).sealed
    assert upkeep.run(residue.context).certificates_sealed == 0


def test_a_failed_run_has_a_report_that_verifies_and_no_certificate(residue: World) -> None:
    order = residue.approved()
    lease = residue.agent.take()
    residue.ask(lease)
    residue.hand_over(lease, failed_record(residue.finished(lease)))
    with pytest.raises(Conflict):
        certificates.issue(residue.context, residue.actor("validator"), order.id)
    auditor = residue.actor("auditor")
    assert certificates.failure_report(residue.context, auditor, order.id).startswith(b"%PDF-")
    bundle = read_file(certificates.failure_bundle(residue.context, auditor, order.id))
    assert isinstance(bundle, UnsuccessfulRunBundle)
    checks, _ = run_steps(RunChecks(bundle, setup.trust(residue.context).pin).steps())
    assert [check.detail for check in checks if check.state == "failed"] == []


def test_an_interim_statement_says_what_is_open_and_why(world: World) -> None:
    world.hold_data()
    case = open_case(world)
    statement = cases.issue_statement(world.context, world.actor("privacy"), case.id)
    assert not statement.complete
    assert len(statement.content["open"]) == 2
    assert all(line["why"] for line in statement.content["open"])
    device = world.device()
    assert {line["medium"] for line in statement.content["open"]} == {
        f"{device.id} ({device.asset_tag}): {device.label}" if device.asset_tag else f"{device.id}: {device.label}"
    }


def test_an_overdue_case_is_critical_until_it_is_closed(world: World) -> None:
    world.hold_data()
    open_case(world)
    world.clock.forward(days=31)
    assert upkeep.run(world.context).cases_overdue == 1
    assert "case-overdue" in world.codes()
    assert queries.list_cases(world.context, world.actor("privacy"), overdue=True).items


def test_a_rejected_record_closes_nothing(world: World) -> None:
    world.hold_data()
    case = open_case(world)
    world.unmount()
    world.validate(world.recorded().id, ValidationDecision.REJECT)
    assert queries.case(world.context, world.actor("privacy"), case.id).obligations_open == 2


# -- the log as anybody may ask it -------------------------------------------------------------------------------------------


def test_entries_hold_digests_and_nothing_that_tells_a_name(world: World) -> None:
    size = transparency.checkpoint(world.context).size
    for entry in transparency.entries(world.context, 0, 256):
        assert set(json.loads(entry)) == {"kind", "sha256", "v"}
    assert len(transparency.entries(world.context, 0, 256)) == size
    assert json.loads(transparency.entries(world.context, 0, 1)[0])["kind"] == "trust-root"
    assert len(transparency.tile(world.context, 0, 0, size)) == size * 32
    with pytest.raises(NotFound):
        transparency.tile(world.context, 0, 0, size + 1)


@pytest.mark.parametrize(("old", "new"), [(-1, 1), (3, 2), (0, 10_000)])
def test_impossible_proofs_are_refused(world: World, old: int, new: int) -> None:
    with pytest.raises(Invalid):
        transparency.consistency(world.context, old, new)
