"""Media a withdrawal must find though no agent sees the data on them any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from inventory.domain.vocabulary import CaseState, Category, HoldingKind, HoldingState
from inventory.errors import Conflict, Invalid
from inventory.services import cases, certificates, data, path_dates, queries, setup
from inventory.services.views import CaseDetail, HoldingView
from reports.bundle import read_file
from reports.verify_statement import StatementChecks
from reports.verify_steps import run_steps
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, EPOCH, OTHER_DISK, World

OLD = Disk("Seagate", "ST4000NM0035", "ZC1OLD01", 4_000_787_030_016, path="/dev/sdd", slot="bay 5")
"""A member of the RAID that is replaced before anybody declares the path."""


def data_set(world: World, name: str = "CRM production", **more: object) -> str:
    command = data.CreateDataSet(name=name, category=Category.MODERATE, owner="CRM team", **more)  # type: ignore[arg-type]
    return data.create_data_set(world.context, world.actor("privacy"), command).id


def declare(world: World, number: str, since: datetime | None = None) -> str:
    command = data.DeclarePath(host=world.agent.host, data_set=number, path="/srv/crm", since=since)
    return data.declare_path(world.context, world.actor("privacy"), command).id


def replace_member(world: World) -> None:
    """OLD was in the host for an hour, and left."""
    world.agent.disks.append(OLD)
    world.agent.observe()
    world.clock.forward(hours=1)
    world.agent.disks.remove(OLD)
    world.agent.observe()
    world.clock.forward(hours=1)


def withdraw(world: World, *sets: str) -> CaseDetail:
    command = cases.OpenCase(reference="C-4711", data_sets=sets or ("CRM production",), withdrawn=world.clock.now())
    return cases.open_case(world.context, world.actor("privacy"), command)


def held(world: World, disk: Disk) -> tuple[HoldingView, ...]:
    return queries.list_holdings(world.context, world.actor("auditor"), device=world.device(disk).id).items


def follow(world: World, *disks: Disk) -> None:
    world.agent.observe(("CRM production", "/srv/crm", disks, ()))


def test_a_member_replaced_before_the_path_was_followed_is_found_by_the_withdrawal(world: World) -> None:
    replace_member(world)
    declare(world, data_set(world), since=EPOCH - timedelta(days=300))
    follow(world, DISK)
    (holding,) = held(world, OLD)
    assert (holding.source, holding.state) == ("inherited", HoldingState.RESIDUE)
    assert holding.until is not None
    assert world.device(OLD).id in {row.device for row in withdraw(world).obligations}
    assert not held(world, OTHER_DISK), "an agent can look at what is still there"


def test_without_a_date_it_is_a_question_that_keeps_the_case_open(world: World) -> None:
    replace_member(world)
    path = declare(world, data_set(world))
    case = withdraw(world)
    assert not case.obligations
    follow(world)  # nothing beneath it: nothing to close, and still a question later
    follow(world, DISK)
    assert "media-untraced" in world.codes()
    with pytest.raises(Conflict) as refused:
        cases.close_case(world.context, world.actor("privacy"), case.id, "all clean, surely")
    assert "media-unknown" in {reason.code for reason in refused.value.reasons}
    statement = cases.issue_statement(world.context, world.actor("privacy"), case.id)
    assert "not known" in {line["medium"] for line in statement.content["open"]}
    file = read_file(cases.statement_file(world.context, world.actor("auditor"), statement.number))
    checks, _ = run_steps(StatementChecks(file, setup.trust(world.context).pin).steps())  # type: ignore[arg-type]
    assert [check.detail for check in checks if check.state == "failed"] == []

    command = path_dates.DatePath(path=path, since=EPOCH - timedelta(days=9), reason="since the host was installed")
    view = path_dates.date_path(world.context, world.actor("privacy"), command)
    assert view.lived_since == EPOCH - timedelta(days=9)
    assert "media-untraced" not in world.codes()
    found = queries.case(world.context, world.actor("privacy"), case.id)
    assert world.device(OLD).id in {row.device for row in found.obligations}
    assert "path.dated" in world.tags(path)


def test_a_date_is_never_taken_back(world: World) -> None:
    path = declare(world, data_set(world), since=EPOCH - timedelta(days=5))
    privacy = world.actor("privacy")
    for since, error in ((EPOCH, Conflict), (world.clock.now() + timedelta(days=1), Invalid)):
        with pytest.raises(error):
            path_dates.date_path(world.context, privacy, path_dates.DatePath(path=path, since=since, reason="x" * 10))
    again = path_dates.DatePath(path=path, since=EPOCH - timedelta(days=9), reason="older than we thought")
    assert path_dates.date_path(world.context, privacy, again).lived_since == EPOCH - timedelta(days=9)


def test_dating_a_path_twice_concludes_nothing_twice(world: World) -> None:
    replace_member(world)
    path = declare(world, data_set(world), since=EPOCH - timedelta(days=5))
    follow(world, DISK)
    again = path_dates.DatePath(path=path, since=EPOCH - timedelta(days=9), reason="older than we thought")
    path_dates.date_path(world.context, world.actor("privacy"), again)
    assert len(held(world, OLD)) == 1


def test_a_volume_that_moves_with_its_medium_stays_known(world: World) -> None:
    world.hold_data()
    other = world.enrol_agent("crm-db-02", [DISK])
    world.agent.disks.remove(DISK)
    world.clock.forward(minutes=5)
    other.observe()
    world.agent.observe(("CRM production", "/srv/crm", (), ()))
    live = [holding for holding in held(world, DISK) if holding.state is HoldingState.LIVE]
    assert [(holding.source, holding.host) for holding in live] == [("inherited", other.host)]
    kinds = {row.kind.value for row in withdraw(world).obligations}
    assert kinds == {"logical_deletion", "medium_sanitized"}, "its rows are there to be deleted, too"


def test_a_medium_taken_to_another_host_to_be_sanitized_brings_nothing_along(residue: World) -> None:
    residue.change("retire")
    other = residue.enrol_agent("wipe-01", [DISK])
    residue.agent.disks.remove(DISK)
    other.observe()
    assert {holding.state for holding in held(residue, DISK)} == {HoldingState.RESIDUE}


def test_an_agent_that_follows_a_path_takes_over_what_was_concluded(world: World) -> None:
    number = world.hold_data()
    other = world.enrol_agent("crm-db-02", [DISK])
    world.agent.disks.remove(DISK)
    other.observe()
    command = data.DeclarePath(host=other.host, data_set=number, path="/srv/moved")
    data.declare_path(world.context, world.actor("privacy"), command)
    world.clock.forward(minutes=5)
    other.observe(("CRM production", "/srv/moved", (DISK,), ()))
    live = {(holding.source, holding.path) for holding in held(world, DISK) if holding.state is HoldingState.LIVE}
    assert ("resolved", "/srv/moved") in live
    assert not any(source == "inherited" for source, _ in live)


def test_a_withdrawal_reaches_every_copy_of_the_data_set(world: World) -> None:
    data_set(world)
    data_set(world, "CRM nightly backups", copies_of=("CRM production",))
    export = data_set(world, "Warehouse", copies_of=("CRM nightly backups",))
    data_set(world, "Payroll")
    case = withdraw(world)
    names = {row.id: row.name for row in data.list_data_sets(world.context, world.actor("privacy"))}
    assert {names[one] for one in case.data_sets} == {"CRM production", "CRM nightly backups", "Warehouse"}
    command = data.DeclareHolding(device=world.device().id, data_set=export, kind=HoldingKind.BACKUP, since=EPOCH)
    data.declare_holding(world.context, world.actor("privacy"), command)
    found = queries.case(world.context, world.actor("privacy"), case.id)
    assert {row.kind.value for row in found.obligations} == {"backup_gone", "medium_sanitized"}


def test_a_copy_named_later_joins_the_cases_about_its_source(world: World) -> None:
    data_set(world)
    late = data_set(world, "Warehouse")
    case = withdraw(world)
    view = data.data_set(world.context, world.actor("privacy"), late)
    change = data.ChangeDataSet(
        data_set=late, category=view.category, owner=view.owner, description="", retention_days=None,
        encryption="unknown", reason="found out", copies_of=("CRM production",),
    )  # fmt: skip
    assert data.change_data_set(world.context, world.actor("privacy"), change).copies_of
    assert late in queries.case(world.context, world.actor("privacy"), case.id).data_sets
    kept = data.ChangeDataSet(**{**change.__dict__, "copies_of": ()})
    data.change_data_set(world.context, world.actor("privacy"), kept)
    assert late in queries.case(world.context, world.actor("privacy"), case.id).data_sets, "a case never loses one"
    with pytest.raises(Invalid):
        data.change_data_set(
            world.context, world.actor("privacy"), data.ChangeDataSet(**{**change.__dict__, "copies_of": (late,)})
        )


def test_evidence_from_before_a_past_holding_became_known_covers_it_where_it_suffices(residue: World) -> None:
    before = residue.clock.now() - timedelta(minutes=1)
    order = residue.sanitized()
    privacy, device = residue.actor("privacy"), residue.device().id
    low = data_set(residue, "Newsletter")
    known = data.DeclareHolding(
        device=device, data_set=low, kind=HoldingKind.PRIMARY, since=EPOCH - timedelta(days=9), until=before
    )
    covered = data.declare_holding(residue.context, privacy, known)
    assert (covered.state, covered.covered_by) == (HoldingState.COVERED, order.record)
    case = withdraw(residue, "Newsletter")
    assert (case.state, case.obligations_open) == (CaseState.FULFILLED, 0)
    certificates.issue(residue.context, residue.actor("validator"), order.id)

    after = data.DeclareHolding(
        device=device, data_set=low, kind=HoldingKind.PRIMARY, since=before, until=residue.clock.now()
    )
    assert data.declare_holding(residue.context, privacy, after).state is HoldingState.RESIDUE


def test_a_run_too_weak_for_what_is_found_out_later_covers_nothing(residue: World) -> None:
    before = residue.clock.now() - timedelta(minutes=1)
    residue.sanitized()
    command = data.CreateDataSet(name="Medical", category=Category.HIGH, owner="Clinic")
    high = data.create_data_set(residue.context, residue.actor("privacy"), command).id
    known = data.DeclareHolding(
        device=residue.device().id,
        data_set=high,
        kind=HoldingKind.PRIMARY,
        since=EPOCH - timedelta(days=9),
        until=before,
    )
    found = data.declare_holding(residue.context, residue.actor("privacy"), known)
    assert found.state is HoldingState.RESIDUE
