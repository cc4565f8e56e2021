"""Withdrawals from a list, due dates, what is still exposed, and the report of a missing medium."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.exposure import Readable, Why
from inventory.domain.vocabulary import Category
from inventory.errors import Conflict, Forbidden, Invalid, StaleVersion
from inventory.services import case_dates, case_intake, cases, data, holds, queries, upkeep
from inventory.services.queries.exposure import ExposureFilter
from inventory.services.views import CaseDetail
from inventory.services.views.exposure import IntakeView
from tests.support.inventory_world import OTHER_DISK, World

LIST = b"reference,data_sets,withdrawn\nC-1,CRM production,2026-11-20\nC-2,CRM production,2026-11-21\n"


def take_in(world: World, content: bytes = LIST, *, dry_run: bool = False, by: str = "privacy") -> IntakeView:
    return case_intake.take_in(world.context, world.actor(by), case_intake.rows_of(content), dry_run=dry_run)


def number_of_cases(world: World) -> int:
    return len(queries.list_cases(world.context, world.actor("privacy"), limit=200).items)


def open_case(world: World, reference: str = "C-4711", **more: object) -> CaseDetail:
    fields: dict[str, object] = {"data_sets": ("CRM production",), "withdrawn": world.clock.now(), **more}
    return cases.open_case(world.context, world.actor("privacy"), cases.OpenCase(reference=reference, **fields))  # type: ignore[arg-type]


# -- lists -----------------------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_become_of_each_row_and_changes_nothing(world: World) -> None:
    world.hold_data()
    found = take_in(world, dry_run=True)
    assert (found.opened, found.present, found.refused) == (2, 0, 0)
    assert [row.outcome for row in found.rows] == ["opens", "opens"]
    assert number_of_cases(world) == 0


def test_a_list_sent_twice_opens_each_case_once(world: World) -> None:
    world.hold_data()
    first = take_in(world)
    again = take_in(world)
    assert (first.opened, again.opened, again.present) == (2, 0, 2)
    assert [row.case for row in again.rows] == [row.case for row in first.rows]
    assert number_of_cases(world) == 2
    assert "case.intake" in world.tags(str(first.rows[0].case))


def test_one_bad_row_and_nothing_is_taken_in(world: World) -> None:
    world.hold_data()
    bad = (
        LIST
        + b"jane@example.org,CRM production,2026-11-20\nC-3,No such thing,2026-11-20\nC-4,CRM production,2027-01-01\n"
    )
    with pytest.raises(Invalid) as refused:
        take_in(world, bad)
    assert [reason.code for reason in refused.value.reasons] == [
        "row-3/reference",
        "row-4/data_sets",
        "row-5/withdrawn",
    ]
    assert number_of_cases(world) == 0
    assert [row.outcome for row in take_in(world, bad, dry_run=True).rows] == ["opens", "opens", *["refused"] * 3]


def test_a_reference_means_one_withdrawal(world: World) -> None:
    world.hold_data()
    take_in(world)
    other = LIST.replace(b"2026-11-20", b"2026-11-19")
    assert [row.outcome for row in take_in(world, other, dry_run=True).rows] == ["refused", "present"]
    twice = LIST.replace(b"C-2", b"C-1")
    assert {row.outcome for row in take_in(world, twice, dry_run=True).rows} == {"refused"}


def test_only_who_manages_cases_takes_in_lists(world: World) -> None:
    for dry_run in (True, False):
        with pytest.raises(Forbidden):
            take_in(world, dry_run=dry_run, by="operator")
    with pytest.raises(Invalid, match="other columns"):
        take_in(world, b"name;address\nJane;Street 1\n")


# -- due dates -------------------------------------------------------------------------------------------------------------


def test_a_case_is_reminded_of_then_overdue_then_escalated_and_settled_when_it_is_put_off(world: World) -> None:
    world.hold_data()
    case = open_case(world)
    seen = []
    for days in (1, 23, 7, 7):
        world.clock.forward(days=days)
        upkeep.run(world.context)
        upkeep.run(world.context)
        seen.append(world.codes() & {"case-due", "case-overdue", "case-escalated"})
    assert seen == [set(), {"case-due"}, {"case-overdue"}, {"case-overdue", "case-escalated"}]
    told = [tag for tag in world.tags(case.id) if tag in {"case.reminded", "case.overdue", "case.escalated"}]
    assert told == ["case.reminded", "case.overdue", "case.escalated"], "each once, however often upkeep runs"
    move = case_dates.MoveDue(case=case.id, due=world.clock.now() + timedelta(days=20), reason="many backups to find")
    assert case_dates.move_due(world.context, world.actor("privacy"), move).overdue is False
    assert not world.codes() & {"case-due", "case-overdue", "case-escalated"}


def test_a_due_date_moves_within_limits_with_a_reason_and_an_event(world: World) -> None:
    world.hold_data()
    case = open_case(world)
    privacy = world.actor("privacy")

    def move(days: int, reason: str = "many backups to find", version: int | None = None) -> CaseDetail:
        due = world.clock.now() + timedelta(days=days)
        command = case_dates.MoveDue(case=case.id, due=due, reason=reason, version=version)
        return case_dates.move_due(world.context, privacy, command)

    assert move(90, version=case.version).due == world.clock.now() + timedelta(days=90)
    for days, reason in ((91, "many backups to find"), (-1, "many backups to find"), (40, "short")):
        with pytest.raises(Invalid):
            move(days, reason)
    with pytest.raises(StaleVersion):
        move(40, version=case.version)
    assert world.tags(case.id)[-1] == "case.due-moved"
    with pytest.raises(Forbidden):
        case_dates.move_due(
            world.context, world.actor("operator"), case_dates.MoveDue(case=case.id, due=case.due, reason="x" * 10)
        )


# -- what is still exposed --------------------------------------------------------------------------------------------------


def test_the_board_counts_media_once_and_tells_since_when_and_why(world: World) -> None:
    number = world.hold_data()
    old = open_case(world, "C-1", withdrawn=datetime(2026, 11, 1, tzinfo=UTC))
    open_case(world, "C-2")
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    viewer = world.actor("viewer")
    board = queries.exposure(world.context, viewer, "data_set")
    assert (board.media, board.cases, board.obligations) == (2, 2, 4)
    assert board.since == old.withdrawn
    assert [(row.key, row.label, row.media) for row in board.rows] == [(number, "CRM production", 2)]
    assert [(one.why, one.media) for one in board.why] == [(Why.IN_USE, 2)]
    by_case = queries.exposure(world.context, viewer, "case").rows
    assert [(row.label, row.media) for row in by_case] == [("C-1", 2), ("C-2", 2)]
    (nowhere,) = queries.exposure(world.context, viewer, "place").rows
    assert (nowhere.key, nowhere.label, nowhere.media) == (None, "No place is known", 2)
    world.change("retire")
    hold = holds.PlaceHold(kind="legal", reference="LH-1", reason="a court asks", device=world.device(OTHER_DISK).id)
    holds.place_hold(world.context, world.actor("privacy"), hold)
    why = {one.why: one.media for one in queries.exposure(world.context, viewer, "place").why}
    assert why == {Why.HELD: 1, Why.WAITS: 1}
    for reason in Why:
        lines = queries.list_exposures(world.context, viewer, ExposureFilter(why=reason)).items
        assert len({line.device for line in lines}) == why.get(reason, 0)
        assert {line.why for line in lines} <= {reason}


def test_what_a_validated_record_covers_is_exposed_no_more(world: World) -> None:
    world.hold_data()
    open_case(world)
    world.unmount()
    assert queries.exposure(world.context, world.actor("viewer")).media == 1
    world.sanitized()
    board = queries.exposure(world.context, world.actor("viewer"))
    assert (board.media, board.rows, board.since) == (0, (), None)
    assert board.rows_open == 0


# -- incidents -------------------------------------------------------------------------------------------------------------


def test_a_missing_medium_lists_whose_data_is_exposed_and_who_holds_the_keys(world: World) -> None:
    number = world.hold_data()
    case = open_case(world)
    viewer, device = world.actor("viewer"), world.device().id
    with pytest.raises(Conflict, match="never reported missing"):
        queries.incident(world.context, viewer, device)
    world.change("report_missing")
    report = queries.incident(world.context, viewer, device)
    assert [one.name for one in report.data_sets] == ["CRM production"]
    assert [one.reference for one in report.cases] == [case.reference]
    assert (report.readable, report.last_host) == (Readable.UNKNOWN, world.agent.host)
    assert report.authority_by - report.reported == timedelta(hours=72)
    view = data.data_set(world.context, world.actor("privacy"), number)
    change = data.ChangeDataSet(
        data_set=number, category=Category.HIGH, owner=view.owner, description="", retention_days=None,
        encryption="software", key_holder="Key team", reason="asked the team",
    )  # fmt: skip
    data.change_data_set(world.context, world.actor("privacy"), change)
    report = queries.incident(world.context, viewer, device)
    assert (report.readable, report.data_sets[0].key_holder) == (Readable.WITH_KEYS, "Key team")
    (line,) = queries.list_exposures(world.context, viewer, ExposureFilter(why=Why.MISSING)).items
    assert line.device == device


def test_an_empty_looking_medium_nobody_ever_described_counts_as_readable(world: World) -> None:
    world.change("report_missing")
    report = queries.incident(world.context, world.actor("viewer"), world.device().id)
    assert (report.readable, report.data_sets, report.cases) == (Readable.UNKNOWN, (), ())
    assert "readable" in report.sentence
