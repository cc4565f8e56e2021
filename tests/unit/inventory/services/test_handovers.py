"""Nothing changes hands before both sides have counted the same; gate and undertaking are asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from inventory.contract.v1.orders import PlanRequest
from inventory.domain.handovers import HandoverState
from inventory.domain.scopes import Scope
from inventory.domain.vocabulary import DeviceState, PartyKind
from inventory.errors import (
    Conflict,
    Forbidden,
    GateClosed,
    IllegalTransition,
    Invalid,
    NotFound,
    NotSignedIn,
    SeparationOfDuty,
    TooManyAttempts,
)
from inventory.models import HandoverLink, LogEntry
from inventory.services import (
    containers,
    devices,
    handover_links,
    handover_offers,
    handovers,
    holds,
    lot_register,
    orders,
    places,
    queries,
    setup,
    undertakings,
)
from inventory.services.context import Actor
from inventory.services.kernel import digest_of_secret, load_envelope
from inventory.services.views.handovers import DownstreamHandover, HandoverDetail
from reports.custody import HandOver
from reports.envelope import open_envelope
from reports.trust import open_trust_root
from tests.support.inventory_world import World, copied_world
from tests.support.purge_evidence import purged
from tests.support.travelling import Travelling

HERE = "192.0.2.1"
LEAVING = orders.Purpose(reuse=True, leaves_control=True)
PURGE = PlanRequest(method="purge", technique="ata-sanitize-overwrite", pattern_set="canaries", verification="full")


@pytest.fixture(scope="module")
def travel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Travelling]:
    """One world for all: each test makes its own devices. The vendor is bound."""
    with copied_world(tmp_path_factory.mktemp("handovers") / "data") as world:
        world.hold_data()
        world.unmount()
        made = Travelling(world)
        made.undertake(days=300)
        yield made


def device(travel: Travelling, number: str) -> tuple[DeviceState, str | None, str | None]:
    """State, place and party."""
    found = queries.device(travel.context, travel.sender, number)
    return found.state, found.location, found.party


def statement(travel: Travelling, handover: HandoverDetail) -> HandOver:
    """What both sides said, checked as an auditor would."""
    trust = setup.trust(travel.context)
    root = open_trust_root(trust.envelope, trust.pin)
    with travel.context.reading() as session:
        entry = session.get(LogEntry, handover.log_index)
        assert (entry.kind, entry.sha256, entry.subject) == ("custody", handover.sha256, handover.id)
        envelope = load_envelope(session, entry.sha256)
    body, _ = open_envelope(envelope, root.keys("acceptance", entry.idx), "custody", exact=True)
    return HandOver.from_dict(body)


def open_codes(travel: Travelling, handover: str) -> list[str]:
    """Codes of the open exceptions about a hand-over."""
    page = queries.list_exceptions(travel.context, travel.world.actor("auditor"), limit=200)
    return sorted(item.code for item in page.items if item.subject.split()[0] == handover)


# -- inside ----------------------------------------------------------------------------------------------------------------


def test_nothing_changes_hands_before_the_other_side_accepts(travel: Travelling) -> None:
    (number,) = travel.unused()
    handover = travel.offer(devices=(number,))
    assert device(travel, number) == (DeviceState.DECLARED, travel.store, None)
    accepted = travel.answer(handover.id, 1)
    assert accepted.state is HandoverState.ACCEPTED
    assert device(travel, number) == (DeviceState.DECLARED, travel.workshop, None)
    assert travel.world.tags(number)[-1] == "device.relocated"


def test_both_sides_stand_in_one_signed_statement(travel: Travelling) -> None:
    inside, beside = travel.unused(2)
    box = travel.box(devices=(inside,), seals=("S-7",))
    handover = travel.offer(containers=(box.id,), devices=(beside,))
    said = statement(travel, travel.answer(handover.id, 2, seals=("S-7",)))
    assert (said.answer, said.differences, said.outward) == ("accepted", (), False)
    assert [(one.device, one.container) for one in said.devices] == [(inside, box.id), (beside, "")]
    assert (said.sender.actor, said.receiver.actor) == (travel.sender.ref, travel.receiver.ref)
    assert (said.sender.seals, said.receiver.seals) == (("S-7",), ("S-7",))
    assert containers.container(travel.context, travel.sender, box.id).location == travel.workshop


def test_nobody_accepts_their_own_offer(travel: Travelling) -> None:
    handover = travel.offer(devices=travel.unused())
    with pytest.raises(SeparationOfDuty):
        travel.answer(handover.id, 1, by=travel.sender)


def test_the_receiver_is_not_shown_what_the_sender_counted(travel: Travelling) -> None:
    box = travel.box(devices=travel.unused(), seals=("S-8",))
    handover = travel.offer(containers=(box.id,))
    assert (handover.count, handover.seals) == (1, ("S-8",))
    shown = handovers.handover(travel.context, travel.receiver, handover.id)
    assert (shown.count, shown.seals, shown.devices) == (None, None, None)
    assert next(
        row for row in handovers.list_handovers(travel.context, travel.receiver).items if row.id == handover.id
    ).count is None  # fmt: skip
    assert travel.answer(handover.id, 1, seals=("S-8",)).count == 1


def test_what_differs_is_disputed_and_each_difference_an_exception(travel: Travelling) -> None:
    there, gone = travel.unused(2)
    box = travel.box(devices=(there, gone), seals=("S-9",))
    handover = travel.offer(containers=(box.id,))
    disputed = travel.answer(handover.id, 1, seals=("S-10",), codes=(travel.tag(there),))
    assert disputed.state is HandoverState.DISPUTED
    assert [one.code for one in disputed.differences] == ["count", "device-absent", "seal-absent", "seal-unexpected"]
    assert device(travel, there)[1] == device(travel, gone)[1] == travel.store
    assert open_codes(travel, handover.id) == ["handover-disputed"] * 4
    assert {item.device for item in queries.device(travel.context, travel.sender, gone).exceptions} == {gone}
    said = statement(travel, disputed)
    assert (said.answer, len(said.differences)) == ("disputed", 4)


def test_somebodys_whole_stock_is_one_exception_and_fits_into_the_statement(travel: Travelling) -> None:
    handover = travel.offer(devices=travel.unused())
    codes = tuple(f"{number:0>256}" for number in range(handovers.MAX_CODES))
    disputed = travel.answer(handover.id, 1, codes=codes)
    assert len(disputed.differences) == handovers.MAX_CODES + 1
    assert open_codes(travel, handover.id) == ["handover-disputed"] * 2
    assert statement(travel, disputed).differences[-1] == "And 4001 further differences."


def test_a_dispute_keeps_a_lot_from_being_closed(travel: Travelling) -> None:
    lot = travel.lot(2)
    handover = travel.offer(lot=lot.id)
    travel.move(lot.id, "begin_closing")
    travel.answer_differences(lot.id)
    frozen = lot_register.lot(travel.context, travel.sender, lot.id)
    assert [one.code for one in frozen.unsettled] == ["handover-open"]
    travel.answer(handover.id, 3)
    with pytest.raises(Conflict) as refused:
        travel.move(lot.id, "close")
    assert [one.code for one in refused.value.reasons] == ["exception-open"]


def test_what_is_offered_is_bound_until_there_is_an_answer(travel: Travelling) -> None:
    (number,) = travel.unused()
    first = travel.offer(devices=(number,))
    with pytest.raises(Conflict, match=first.id):
        travel.offer(devices=(number,))
    handovers.withdraw(travel.context, travel.sender, first.id, "the lorry did not come")
    second = travel.offer(devices=(number,))
    with pytest.raises(IllegalTransition):
        travel.answer(first.id, 1)
    assert travel.answer(second.id, 1).state is HandoverState.ACCEPTED


def test_the_gate_is_asked_at_the_offer(travel: Travelling) -> None:
    held = travel.world.device().id
    travel.box(devices=(held,))  # brings it into the store
    with pytest.raises(GateClosed) as refused:
        travel.offer(containers=containers_of(travel, held), to_location=travel.dock)
    assert {one.sentence.split(":")[0] for one in refused.value.reasons} == {held}
    assert travel.world.tags(held)[-1] == "device.release-refused"


def containers_of(travel: Travelling, device: str) -> tuple[str, ...]:
    page = containers.list_containers(travel.context, travel.sender)
    return tuple(box.id for box in page.items if device in box.devices)


def test_what_lies_in_a_container_is_not_handed_over_without_it(travel: Travelling) -> None:
    (number,) = travel.unused()
    box = travel.box(devices=(number,))
    with pytest.raises(Conflict, match=box.id):
        travel.offer(devices=(number,))


def test_a_container_under_way_is_left_alone(travel: Travelling) -> None:
    box = travel.box(devices=travel.unused(), seals=("S-11",))
    travel.offer(containers=(box.id,))
    broken = containers.SealContainer(container=box.id, seals=(), reason="to look inside")
    with pytest.raises(Conflict, match="hand-over"):
        containers.seal(travel.context, travel.sender, broken)


def test_devices_of_two_places_are_not_handed_over_together(travel: Travelling) -> None:
    numbers = travel.unused() + travel.unused(at=travel.dock)
    with pytest.raises(Conflict, match="at one known place"):
        travel.offer(devices=numbers)


def test_whoever_works_elsewhere_does_not_answer(travel: Travelling) -> None:
    handover = travel.offer(devices=travel.unused())
    elsewhere = Actor(travel.receiver.ref, "person", travel.receiver.roles, scope=Scope(frozenset({"SI-9999"}), None))
    with pytest.raises(NotFound):
        travel.answer(handover.id, 1, by=elsewhere)


# -- outward ---------------------------------------------------------------------------------------------------------------


def link_for(travel: Travelling, handover: str, **more: timedelta) -> tuple[str, str]:
    """Number and secret of a fresh link."""
    view, secret = handover_links.make(
        travel.context, travel.sender, handover_links.MakeLink(handover=handover, **more)
    )
    return view.id, secret


def downstream(travel: Travelling, secret: str, count: int, address: str = HERE, **more: object) -> DownstreamHandover:
    """The vendor's answer."""
    counted = handovers.AnswerHandover(count=count, **more)  # type: ignore[arg-type]  # fields of the command
    command = handover_links.AnswerByLink(secret=secret, receiver="Vera Vendor", counted=counted)
    return handover_links.answer(travel.context, command, address)


def test_a_vendor_accepts_through_a_link_and_the_devices_are_released(travel: Travelling) -> None:
    lot = travel.closed(2)
    handover = travel.offer(lot=lot.id, to_location=travel.works)
    number, secret = link_for(travel, handover.id)
    shown = handover_links.peek(travel.context, secret, HERE)
    assert (shown.number, shown.receiver, shown.counted) == (handover.id, "Shredder Ltd", None)
    assert "Equal restrictions" in shown.restrictions[0]
    with pytest.raises(Forbidden, match="link"):
        travel.answer(handover.id, 2)
    assert downstream(travel, secret, 2).state is HandoverState.ACCEPTED
    for member in lot.members:
        assert device(travel, member.device) == (DeviceState.RELEASED, travel.works, travel.vendor)
    said = statement(travel, handovers.handover(travel.context, travel.sender, handover.id))
    assert (said.receiver.actor, said.outward) == (number, True)
    assert "Vera" not in str(said.to_dict())
    with pytest.raises(NotSignedIn):
        downstream(travel, secret, 2)


def test_a_lot_leaves_only_closed(travel: Travelling) -> None:
    lot = travel.lot()
    with pytest.raises(Conflict, match="not closed"):
        travel.offer(lot=lot.id, to_party=travel.vendor)


def test_the_undertaking_is_asked_again_at_the_answer(travel: Travelling) -> None:
    other = travel.party("Lapsing Ltd", PartyKind.VENDOR)
    travel.undertake(days=2, party=other)
    number = written_and_sanitized(travel)
    handover = travel.offer(devices=(number,), to_party=other)
    _, secret = link_for(travel, handover.id)
    travel.world.clock.forward(days=3)
    with pytest.raises(Conflict) as refused:
        downstream(travel, secret, 1)
    assert "undertaking" not in refused.value.explain()
    assert open_codes(travel, handover.id) == ["handover-blocked"]
    assert device(travel, number)[0] is DeviceState.SANITIZED
    assert handovers.handover(travel.context, travel.sender, handover.id).state is HandoverState.OFFERED
    travel.undertake(days=2, party=other)
    assert downstream(travel, secret, 1).state is HandoverState.ACCEPTED
    assert open_codes(travel, handover.id) == []
    assert device(travel, number) == (DeviceState.RELEASED, None, other)


def written_and_sanitized(travel: Travelling) -> str:
    """The disk that held data, purged, in the store."""
    number = travel.world.device().id
    for box in containers_of(travel, number):
        taking = containers.TakeFromContainer(container=box, device=number, reason="to be wiped")
        containers.take(travel.context, travel.sender, taking)
    world = travel.world
    world.change("retire")
    order = world.approve(world.order(plan=PURGE, purpose=LEAVING).id)
    lease = world.agent.take()
    assert world.ask(lease).clear
    world.hand_over(lease, purged(world.finished(lease)))
    world.validate(order.id)
    if device(travel, number)[1] != travel.store:
        moving = devices.MoveDevice(device=number, location=travel.store, reason="back to the store")
        devices.move(travel.context, travel.sender, moving)
    return number


def test_a_hold_placed_after_the_offer_stops_the_answer(travel: Travelling) -> None:
    (number,) = travel.unused()
    handover = travel.offer(devices=(number,), to_party=travel.vendor)
    _, secret = link_for(travel, handover.id)
    command = holds.PlaceHold(kind="legal", reference="AZ-1", reason="litigation", device=number)
    hold = holds.place_hold(travel.context, travel.world.actor("privacy"), command)
    with pytest.raises(Conflict):
        downstream(travel, secret, 1)
    holds.lift_hold(travel.context, travel.world.actor("privacy"), hold.id, "settled")
    assert downstream(travel, secret, 1).state is HandoverState.ACCEPTED


def test_what_is_moved_after_the_offer_is_not_accepted(travel: Travelling) -> None:
    (number,) = travel.unused()
    handover = travel.offer(devices=(number,))
    moving = devices.MoveDevice(device=number, location=travel.dock, reason="in the way")
    devices.move(travel.context, travel.sender, moving)
    with pytest.raises(GateClosed) as refused:
        travel.answer(handover.id, 1)
    assert [one.code for one in refused.value.reasons] == ["moved-since"]
    assert device(travel, number)[1] == travel.dock
    handovers.withdraw(travel.context, travel.sender, handover.id, "it was moved")
    assert open_codes(travel, handover.id) == []


def test_a_vendor_without_an_undertaking_is_offered_nothing_that_was_written(travel: Travelling) -> None:
    stranger = travel.party("Stranger Ltd", PartyKind.VENDOR)
    command = handover_offers.OfferHandover(devices=(travel.world.device().id,), to_party=stranger)
    with pytest.raises((GateClosed, Conflict)):
        handover_offers.offer(travel.context, travel.sender, command)


# -- links -----------------------------------------------------------------------------------------------------------------


def outward(travel: Travelling) -> HandoverDetail:
    return travel.offer(devices=travel.unused(), to_party=travel.vendor)


def test_a_new_link_ends_the_one_before_and_a_revoked_one_opens_nothing(travel: Travelling) -> None:
    handover = outward(travel)
    _, old = link_for(travel, handover.id)
    number, new = link_for(travel, handover.id)
    with pytest.raises(NotSignedIn):
        handover_links.peek(travel.context, old, HERE)
    assert handover_links.peek(travel.context, new, HERE).number == handover.id
    handover_links.revoke(travel.context, travel.sender, handover.id, number)
    with pytest.raises(NotSignedIn):
        handover_links.peek(travel.context, new, HERE)


def test_a_link_ends_with_its_time_and_with_its_hand_over(travel: Travelling) -> None:
    handover = outward(travel)
    _, secret = link_for(travel, handover.id, lifetime=timedelta(hours=1))
    travel.world.clock.forward(hours=2)
    with pytest.raises(NotSignedIn):
        handover_links.peek(travel.context, secret, HERE)
    _, secret = link_for(travel, handover.id)
    handovers.withdraw(travel.context, travel.sender, handover.id, "not today")
    with pytest.raises(NotSignedIn):
        downstream(travel, secret, 1)


def test_wrong_secrets_are_slowed_down_by_address(travel: Travelling) -> None:
    _, secret = link_for(travel, outward(travel).id)
    for guess in range(handover_links.WRONG):
        with pytest.raises(NotSignedIn):
            handover_links.peek(travel.context, f"guess-{guess}", "192.0.2.66")
    with pytest.raises(TooManyAttempts):
        handover_links.peek(travel.context, secret, "192.0.2.66")
    assert handover_links.peek(travel.context, secret, HERE).state is HandoverState.OFFERED
    travel.world.clock.forward(minutes=6)
    assert handover_links.peek(travel.context, secret, "192.0.2.66").state is HandoverState.OFFERED


def test_a_links_secret_is_kept_as_a_digest_only(travel: Travelling) -> None:
    number, secret = link_for(travel, outward(travel).id)
    with travel.context.reading() as session:
        assert session.get(HandoverLink, number).secret_sha256 == digest_of_secret(secret)


def test_only_what_leaves_our_control_gets_a_link(travel: Travelling) -> None:
    handover = travel.offer(devices=travel.unused())
    with pytest.raises(Conflict, match="within our control"):
        link_for(travel, handover.id)


def test_the_name_somebody_wrote_can_be_erased(travel: Travelling) -> None:
    handover = outward(travel)
    number, secret = link_for(travel, handover.id)
    downstream(travel, secret, 1)
    admin = travel.world.actor("admin")
    (link,) = handovers.handover(travel.context, admin, handover.id).links
    assert (link.receiver, link.used, link.revoked) == ("Vera Vendor", travel.world.clock.now(), None)
    assert handover_links.erase_receiver(travel.context, admin, handover.id, number).receiver == ""


# -- reminders -------------------------------------------------------------------------------------------------------------


def test_an_offer_nobody_answers_in_time_is_an_exception_until_it_is_answered(world: World) -> None:
    travel = Travelling(world)
    handover = travel.offer(devices=travel.unused(), answer_by=world.clock.now() + timedelta(days=1))
    assert remind(travel) == 0
    world.clock.forward(days=2)
    assert remind(travel) == 1
    assert "handover-overdue" in world.codes()
    travel.answer(handover.id, 1)
    assert "handover-overdue" not in world.codes()
    with pytest.raises(Invalid, match="past"):
        travel.offer(devices=travel.unused(), answer_by=world.clock.now())


def remind(travel: Travelling) -> int:
    with travel.context.writing() as session:
        return handovers.remind(session, travel.context, travel.world.clock.now())


def test_an_undertaking_is_reminded_of_before_it_lapses_and_asked_about_after(world: World) -> None:
    travel = Travelling(world)
    steps = [({}, set()), ({"days": 61}, {"undertaking-due"}), ({"days": 30}, {"undertaking-lapsed"})]
    travel.undertake(days=90)
    for forward, expected in steps:
        world.clock.forward(**forward)
        assert look(travel) == expected
    travel.undertake(days=90)
    assert look(travel) == set()
    names = [party.name for party in places.list_parties(travel.context, travel.sender) if party.undertaking_valid]
    assert names == ["Shredder Ltd"]


def look(travel: Travelling) -> set[str]:
    """Codes about undertakings, after upkeep has looked."""
    with travel.context.writing() as session:
        undertakings.remind(session, travel.context, travel.world.clock.now())
    return {code for code in travel.world.codes() if code.startswith("undertaking")}
