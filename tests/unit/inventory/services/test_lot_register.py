"""Lots are gathered, frozen, reconciled, closed with a signed list, and opened again; containers keep what was sealed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inventory.domain.lots import ContainerKind, LotPurpose, LotState
from inventory.domain.vocabulary import Zone
from inventory.errors import Conflict, Forbidden, GateClosed, IllegalTransition, Invalid, NotFound, StaleVersion
from inventory.models import LogEntry
from inventory.services import containers, devices, lot_register, lots, papers, places, queries, setup
from inventory.services.kernel import load_envelope
from inventory.services.views.lots import LotDetail
from reports.custody import LotClosing
from reports.envelope import open_envelope
from reports.trust import open_trust_root
from tests.support.inventory_world import copied_world
from tests.support.travelling import Travelling


@pytest.fixture(scope="module")
def travel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Travelling]:
    """One world for all: each test makes its own devices. The observed disk stands in the store and holds data."""
    with copied_world(tmp_path_factory.mktemp("lots") / "data") as world:
        world.hold_data()
        world.unmount()
        yield Travelling(world)


def put_in(travel: Travelling, lot: str, *named: str, version: int | None = None) -> None:
    command = lot_register.PutIntoLot(lot=lot, devices=named, version=version)
    lot_register.put_in(travel.context, travel.sender, command)


def take_out(travel: Travelling, lot: str, device: str) -> LotDetail:
    command = lot_register.TakeFromLot(lot=lot, device=device, reason="by mistake")
    return lot_register.take_out(travel.context, travel.sender, command)


def fill(travel: Travelling, box: str, *named: str) -> None:
    containers.fill(travel.context, travel.sender, containers.FillContainer(container=box, devices=named))


def take(travel: Travelling, box: str, device: str) -> None:
    command = containers.TakeFromContainer(container=box, device=device, reason="wrong box")
    containers.take(travel.context, travel.sender, command)


def statement(travel: Travelling, lot: LotDetail) -> LotClosing:
    """The last closing, checked as an auditor would."""
    trust = setup.trust(travel.context)
    root = open_trust_root(trust.envelope, trust.pin)
    with travel.context.reading() as session:
        entry = session.get(LogEntry, lot.closed_index)
        assert (entry.kind, entry.sha256, entry.subject) == ("custody", lot.closed_sha256, lot.id)
        envelope = load_envelope(session, entry.sha256)
    body, _ = open_envelope(envelope, root.keys("acceptance", entry.idx), "custody", exact=True)
    return LotClosing.from_dict(body)


def test_a_closed_lot_is_a_signed_list_in_the_log(travel: Travelling) -> None:
    lot = travel.closed(2)
    assert (lot.state, lot.closings, lot.unsettled) == (LotState.CLOSED, 1, ())
    closing = statement(travel, lot)
    assert [one.device for one in closing.devices] == sorted(one.device for one in lot.members)
    assert (closing.closing, closing.previous, closing.actor) == (1, None, travel.sender.ref)


def test_closing_again_names_the_closing_before(travel: Travelling) -> None:
    first = travel.closed()
    travel.move(first.id, "reopen")
    assert "lot-reopened" in travel.world.codes()
    put_in(travel, first.id, *travel.unused())
    closing = statement(travel, travel.close(first.id))
    assert (closing.closing, closing.previous, len(closing.devices)) == (2, first.closed_sha256, 2)
    assert "lot-reopened" not in travel.world.codes()


def test_an_open_exception_of_one_device_keeps_the_whole_lot_open(travel: Travelling) -> None:
    lot = travel.lot(2)
    missing = lot.members[0].device
    travel.move(lot.id, "begin_closing")
    travel.answer_differences(lot.id)
    devices.report_missing(travel.context, travel.sender, devices.ChangeState(device=missing, reason="not there"))
    assert "exception-open" in codes(travel, lot.id)
    with pytest.raises(Conflict, match="not everything is accounted for"):
        travel.move(lot.id, "close")
    travel.answer_differences(lot.id)
    assert travel.move(lot.id, "close").state is LotState.CLOSED


def test_what_the_books_ask_about_keeps_a_lot_open(travel: Travelling) -> None:
    lot = travel.lot()
    travel.move(lot.id, "begin_closing")
    assert codes(travel, lot.id) == ["declared-not-observed"]
    with pytest.raises(Conflict, match="not everything is accounted for"):
        travel.move(lot.id, "close")


def codes(travel: Travelling, lot: str) -> list[str]:
    """What keeps it open."""
    return [one.code for one in lot_register.lot(travel.context, travel.sender, lot).unsettled]


def test_an_empty_lot_is_not_closed(travel: Travelling) -> None:
    command = lot_register.OpenLot(name="Empty", purpose=LotPurpose.STORAGE)
    lot = lot_register.open_lot(travel.context, travel.sender, command)
    travel.move(lot.id, "begin_closing")
    with pytest.raises(Conflict, match="not everything"):
        travel.move(lot.id, "close")


def test_nothing_goes_in_or_out_of_a_frozen_lot(travel: Travelling) -> None:
    lot = travel.lot()
    travel.move(lot.id, "begin_closing")
    with pytest.raises(IllegalTransition):
        put_in(travel, lot.id, *travel.unused())
    with pytest.raises(IllegalTransition):
        take_out(travel, lot.id, lot.members[0].device)
    assert travel.move(lot.id, "resume").state is LotState.OPEN


def test_a_device_is_in_one_lot_at_a_time(travel: Travelling) -> None:
    lot = travel.lot()
    device = lot.members[0].device
    command = lot_register.OpenLot(name="Other", purpose=LotPurpose.REPAIR, devices=(device,))
    with pytest.raises(Conflict, match=lot.id):
        lot_register.open_lot(travel.context, travel.sender, command)
    assert take_out(travel, lot.id, device).devices == 0
    assert lot_register.open_lot(travel.context, travel.sender, command).devices == 1


def test_all_of_them_go_in_or_none(travel: Travelling) -> None:
    lot = travel.lot()
    with pytest.raises(NotFound):
        put_in(travel, lot.id, *travel.unused(), "AT-unknown")
    assert lot_register.lot(travel.context, travel.sender, lot.id).devices == 1


def test_what_is_in_a_lot_is_part_of_its_version(travel: Travelling) -> None:
    lot = travel.lot()
    put_in(travel, lot.id, *travel.unused(), version=lot.version)
    with pytest.raises(StaleVersion):
        put_in(travel, lot.id, *travel.unused(), version=lot.version)


def test_who_may_not_manage_lots_opens_none(travel: Travelling) -> None:
    command = lot_register.OpenLot(name="Mine", purpose=LotPurpose.STORAGE)
    with pytest.raises(Forbidden):
        lot_register.open_lot(travel.context, travel.world.actor("validator"), command)


def test_a_certificate_is_asked_for_by_the_number_of_a_closed_lot(
    travel: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers, "seal_if_possible", lambda _context, _number: None)  # its pages are another test's
    lot = travel.lot(2)
    with pytest.raises(Conflict, match="not closed"):
        lots.issue(travel.context, travel.sender, lots.IssueLot(lot=lot.id))
    travel.close(lot.id)
    with pytest.raises(Invalid):
        lots.issue(travel.context, travel.sender, lots.IssueLot(lot=lot.id, devices=(lot.members[0].device,)))
    paper = lots.issue(travel.context, travel.sender, lots.IssueLot(lot=lot.id))
    assert (paper.title, paper.complete) == ("Quarter end", False)


# -- containers ------------------------------------------------------------------------------------------------------------


def test_a_sealed_container_is_neither_filled_nor_emptied(travel: Travelling) -> None:
    inside, outside = travel.unused(2)
    box = travel.box(devices=(inside,), seals=("S-2", "S-1"))
    assert box.seals == ("S-1", "S-2")
    with pytest.raises(Conflict, match="sealed"):
        fill(travel, box.id, outside)
    with pytest.raises(Conflict, match="sealed"):
        take(travel, box.id, inside)
    broken = containers.SealContainer(container=box.id, seals=(), reason="customs looked inside")
    containers.seal(travel.context, travel.sender, broken)
    take(travel, box.id, inside)
    assert containers.container(travel.context, travel.sender, box.id).devices == ()


def test_what_is_put_in_stands_where_the_container_stands(travel: Travelling) -> None:
    (number,) = travel.unused(at=travel.workshop)
    travel.box(devices=(number,))
    assert queries.device(travel.context, travel.sender, number).location == travel.store
    assert "device.relocated" in travel.world.tags(number)


def test_a_container_moves_with_everything_in_it_or_not_at_all(travel: Travelling) -> None:
    (clean,) = travel.unused()
    held = travel.world.device().id
    box = travel.box(devices=(clean, held))
    command = containers.MoveContainer(container=box.id, location=travel.dock, reason="to the lorry")
    with pytest.raises(GateClosed) as refused:
        containers.move(travel.context, travel.sender, command)
    assert {reason.sentence.split(":")[0] for reason in refused.value.reasons} == {held}
    assert queries.device(travel.context, travel.sender, clean).location == travel.store
    inside = containers.MoveContainer(container=box.id, location=travel.workshop, reason="to be wiped")
    assert containers.move(travel.context, travel.sender, inside).location == travel.workshop
    assert {queries.device(travel.context, travel.sender, one).location for one in box.devices} == {travel.workshop}
    weaker = places.ChangeLocation(
        location=travel.workshop, name="Workshop", zone=Zone.OPEN, address="", reason="lock broken"
    )
    with pytest.raises(GateClosed):
        places.change_location(travel.context, travel.sender, weaker)


def test_a_device_lies_in_one_container(travel: Travelling) -> None:
    (number,) = travel.unused()
    first = travel.box(devices=(number,))
    with pytest.raises(Conflict, match=first.id):
        travel.box(devices=(number,))


def test_a_container_of_a_lot_takes_that_lots_devices_only(travel: Travelling) -> None:
    lot = travel.lot()
    device = lot.members[0].device
    box = travel.box(lot=lot.id, devices=(device,))
    with pytest.raises(Conflict, match="not in lot"):
        fill(travel, box.id, *travel.unused())
    with pytest.raises(Conflict, match="take it out of there first"):
        take_out(travel, lot.id, device)
    travel.move(lot.id, "begin_closing")
    with pytest.raises(IllegalTransition):
        take(travel, box.id, device)


def test_a_container_stands_at_no_vendors_place(travel: Travelling) -> None:
    command = containers.CreateContainer(name="Box", kind=ContainerKind.BOX, location=travel.works)
    with pytest.raises(Invalid, match="hand-over"):
        containers.create_container(travel.context, travel.sender, command)


def test_a_container_that_is_not_empty_is_not_put_away(travel: Travelling) -> None:
    (number,) = travel.unused()
    box = travel.box(devices=(number,))
    with pytest.raises(Conflict, match="not empty"):
        containers.end(travel.context, travel.sender, box.id, "worn out")
    take(travel, box.id, number)
    assert containers.end(travel.context, travel.sender, box.id, "worn out").ended is not None
    with pytest.raises(Conflict, match="no more"):
        fill(travel, box.id, number)
