"""What stands around work carried by hand: each guard alone, by the one thing that would slip through without it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import discovery
from agents.byhand.clock import HandReading
from agents.byhand.working import Outcome, Shift
from agents.clock import rfc3339
from agents.errors import BundleRefused
from agents.refusals import HoldUnanswered
from agents.runs import RunStore, State
from inventory.contract.v1.orders import Progress
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import DeviceState, HostState, OrderState
from inventory.errors import Conflict, EvidenceRefused, Forbidden, Invalid
from inventory.models import Attachment, Device, Host, HostContact, Lease, Order
from inventory.services import job_bundles, orders, return_bundles, upkeep
from inventory.services.job_bundles import IssueJobBundle
from inventory.services.return_bundles import ReceiveReturnBundle
from reports.canonical import to_base64
from reports.envelope import sign, unverified_body
from tests.contract.test_agent_against_service import TimedSystem, made_site
from tests.contract.test_by_hand import Away
from tests.support.simulated_drive import SimulatedDrive


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    monkeypatch.setattr(discovery, "udev_disks", set)
    with made_site(tmp_path, lambda clock: TimedSystem(SimulatedDrive(), clock)) as site:
        yield Away(site)


def _by_the_service(away: Away, envelope: dict[str, Any], **changed: object) -> dict[str, Any]:
    """Another bundle that the service really signed."""
    body = {**unverified_body(envelope, "job-bundle"), **changed}
    return sign("job-bundle", body, away.site.world.context.secrets.signer("acceptance"))


def _by_the_agent(away: Away, envelope: dict[str, Any], **changed: object) -> dict[str, Any]:
    """Another bundle that the host really signed."""
    return sign("return-bundle", {**unverified_body(envelope, "return-bundle"), **changed}, away.agent.runner.signer)


# --- at the host ------------------------------------------------------------------------------------------------------


def test_two_bundles_that_the_service_signed_under_one_number_are_an_alarm(away: Away) -> None:
    _, envelope = away.issue()
    away.carry_in(envelope)
    with pytest.raises(BundleRefused, match="two are signed"):
        away.carry_in(_by_the_service(away, envelope, courier="somebody-else"))


def test_a_bundle_that_is_turned_away_leaves_the_one_before_in_force(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.issue()
    _, envelope = away.issue()
    with pytest.raises(BundleRefused):
        away.carry_in(_by_the_service(away, envelope, proofs=[]))
    assert away.service.job is not None
    assert away.service.job.body.number == 1


def test_a_leave_to_write_is_a_time_too_behind_which_no_clock_goes(away: Away) -> None:
    away.carry_in(away.issue()[1])
    shift = Shift(away.agent, away.service)
    away.site.engine.during = lambda progress: shift.stop() if progress.state == "executing" else None
    away.site.world.clock.forward(hours=5)
    shift.work()
    away.site.engine.during = lambda _progress: None
    away.site.world.clock.forward(hours=-3)
    away.start()
    (outcome,) = away.work()
    assert (outcome.end, "Set the clock" in outcome.said) == ("waits", True)


def test_without_any_bundle_nothing_is_known_of_the_time() -> None:
    now = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
    assert HandReading(now, None, 120.0, None).problem is not None
    assert HandReading(now, None, 120.0, now).problem is None


def test_an_older_time_does_not_replace_a_newer_one(away: Away) -> None:
    newer = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
    away.service.store.note_time(newer)
    away.service.store.note_time(newer - dt.timedelta(hours=1))
    assert away.service.store.newest_time() == newer


def test_what_a_later_return_bundle_told_is_told_until_the_service_has_that_one(away: Away) -> None:
    store = away.service.store
    nothing = {"pass_number": 0, "passes": 0, "bytes_done": 0, "bytes_total": 0, "bytes_per_second": 0}
    words = {"seconds_left": None, "errors": 0, "reason_code": "busy", "reason": "No."}
    store.tell("L-1", Progress.model_validate({"token": 1, "state": "refused", **nothing, **words}))
    store.went_out(5, ["L-1"])
    store.heard_of(4)
    assert [one.lease for one in store.told()] == ["L-1"]
    store.heard_of(5)
    assert store.told() == ()


def test_no_two_return_bundles_have_one_number(away: Away) -> None:
    numbers = [unverified_body(away.carry_out(devices=False), "return-bundle")["number"] for _ in range(3)]
    assert numbers == [1, 2, 3]


def test_what_is_stopped_before_it_begins_writes_nothing(away: Away) -> None:
    away.carry_in(away.issue()[1])
    shift = Shift(away.agent, away.service)
    shift.stop()
    (outcome,) = shift.work()
    assert (outcome.end, away.site.system.drive.writes) == ("waits", 0)


def test_a_bundle_that_has_ended_permits_nothing_though_the_run_goes_on_from_where_it_was(away: Away) -> None:
    away.carry_in(away.issue(hours=2)[1])
    shift = Shift(away.agent, away.service)
    away.site.engine.during = lambda progress: shift.stop() if progress.state == "executing" else None
    shift.work()
    (run,) = away.agent.runs.all()
    away.service.permit(run.lease)
    away.site.world.clock.forward(hours=2)
    with pytest.raises(HoldUnanswered, match="ended"):
        away.service.permit(run.lease)


def test_a_run_never_goes_back_to_an_older_token(away: Away) -> None:
    _, envelope = away.issue()
    (job,) = unverified_body(envelope, "job-bundle")["jobs"]
    away.carry_in(_by_the_service(away, envelope, number=2, jobs=[{**job, "token": 5}]))
    assert away.carry_in(_by_the_service(away, envelope, number=3)).jobs == 0
    (run,) = away.agent.runs.all()
    assert run.lease.token == 5


def test_a_roster_comes_along_and_is_followed(away: Away) -> None:
    away.site.world.publish_roster("approver1", "approver2", "both", signed_by=("approver1", "approver2"))
    away.carry_in(away.issue()[1])
    pinned = away.agent.pins.require().roster
    assert pinned is not None
    assert pinned.roster.version == 2


def test_what_was_begun_goes_on_before_anything_new_is_begun(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    away.carry_in(away.issue()[1])
    (new,) = away.agent.runs.all()
    begun = dataclasses.replace(new, state=State.STARTED)
    monkeypatch.setattr(RunStore, "all", lambda _self: [new, begun])
    monkeypatch.setattr(Shift, "_one", lambda _self, run, _told: Outcome(run.state, "", "waits", ""))
    assert [one.order for one in away.work()] == [State.STARTED, State.LEASED]


# --- at the service, going out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 337])
def test_a_bundle_lasts_an_hour_to_a_fortnight(away: Away, hours: int) -> None:
    with pytest.raises(Invalid, match="336"):
        away.issue(hours=hours)


def test_who_carries_it_is_somebody_known(away: Away) -> None:
    with pytest.raises(Invalid, match="no such person"):
        away.issue(courier="P-9999")


def test_only_who_may_order_hands_work_out_and_only_who_moves_media_hands_it_in(away: Away) -> None:
    world = away.site.world
    viewer = world.actor("viewer")
    with pytest.raises(Forbidden):
        job_bundles.issue(world.context, viewer, IssueJobBundle(host=away.host))
    back = away.carry_out(devices=False)
    with pytest.raises(Forbidden):
        return_bundles.receive(world.context, viewer, ReceiveReturnBundle(envelope=back))
    with pytest.raises(Forbidden):
        return_bundles.introduce(world.context, viewer, back)


def test_what_somebody_asked_to_stop_is_not_carried_again(away: Away) -> None:
    world = away.site.world
    assert away.issue()[0].orders == (away.order.id,)
    orders.request_stop(world.context, world.actor("operator"), away.order.id, "The wrong one.")
    view, _ = away.issue()
    assert [(one.order, one.reason) for one in view.left_out] == [(away.order.id, "A stop was requested.")]


def test_an_order_that_has_expired_is_not_carried_again(away: Away) -> None:
    away.issue(hours=1)
    away.site.world.clock.forward(hours=24 * 31)
    view, _ = away.issue()
    assert [(one.order, one.reason) for one in view.left_out] == [(away.order.id, "The order has expired.")]


def _changed(away: Away, kind: type[Any], key: str, **values: object) -> None:
    """As somebody or something else left it."""
    world = away.site.world
    with world.context.writing(world.actor("operator")) as session:
        row = session.get_one(kind, key)
        for name, value in values.items():
            setattr(row, name, value)


@pytest.mark.parametrize("ended", [{"state": HostState.REVOKED}, {"until_index": 1}])
def test_a_host_whose_key_does_not_count_is_given_no_work(away: Away, ended: dict[str, Any]) -> None:
    _changed(away, Host, away.host, **ended)
    with pytest.raises(Conflict, match="works on nothing"):
        away.issue()


def test_a_new_order_is_held_against_what_forbids_it_now(away: Away) -> None:
    away.hold()
    (left_out,) = away.issue()[0].left_out
    assert left_out.reason.startswith("Hold LIT-7: ")


def test_a_new_order_without_its_approvals_stays_here(away: Away) -> None:
    _changed(away, Order, away.order.id, approvals_required=5)
    (left_out,) = away.issue()[0].left_out
    assert "approvals do not suffice" in left_out.reason


def test_a_new_order_of_a_device_that_is_elsewhere_stays_here(away: Away) -> None:
    world = away.site.world
    with world.context.writing(world.actor("operator")) as session:
        for seen in session.query(Attachment).filter_by(device_id=away.order.device):
            seen.until = world.clock.now()
    (left_out,) = away.issue()[0].left_out
    assert "was not seen" in left_out.reason


def test_a_new_order_of_a_device_that_no_run_can_begin_from_stays_here(away: Away) -> None:
    _changed(away, Device, away.order.device, state=DeviceState.SANITIZING)
    (left_out,) = away.issue()[0].left_out
    assert "cannot begin from there" in left_out.reason


@pytest.mark.parametrize("handed_out", [False, True])
def test_an_order_for_another_key_of_the_host_is_not_for_this_one(away: Away, handed_out: bool) -> None:
    if handed_out:
        away.issue()
    _changed(away, Order, away.order.id, agent_key="0" * 64)
    assert away.issue()[0].orders == ()


def test_an_order_leased_over_the_network_is_not_carried(away: Away) -> None:
    world = away.site.world
    with world.context.writing(world.actor("operator")) as session:
        order = session.get_one(Order, away.order.id)
        order.state, order.token, now = OrderState.LEASED, 1, world.clock.now()
        later = now + dt.timedelta(hours=1)
        session.add(Lease(id="L-900000", order_id=order.id, host_id=away.host, token=1, acquired=now, expires=later))
    assert away.issue()[0].orders == ()


def test_what_is_out_may_be_begun_as_long_as_the_newest_bundle_says(away: Away) -> None:
    away.issue(hours=1)
    view, envelope = away.issue(hours=100)
    (job,) = unverified_body(envelope, "job-bundle")["jobs"]
    assert dt.datetime.fromisoformat(job["expires"]) == view.until


# --- at the service, coming back --------------------------------------------------------------------------------------


def _outbox(away: Away) -> int | None:
    world = away.site.world
    with world.context.reading(world.actor("auditor")) as session:
        return session.get_one(HostContact, away.host).outbox


def test_an_older_bundle_that_comes_later_says_nothing_of_how_the_host_is_now(away: Away) -> None:
    away.carry_in(away.issue()[1])
    before = away.carry_out(devices=False)
    away.work()
    away.hand_in(away.carry_out(devices=False))
    assert _outbox(away) == 1
    away.hand_in(before)
    assert _outbox(away) == 1


def test_a_host_that_saw_another_log_is_an_exception(away: Away) -> None:
    seen = unverified_body(away.carry_out(devices=False), "return-bundle")["checkpoint"]
    other = {**seen, "root": to_base64(bytes(32))}
    away.hand_in(_by_the_agent(away, away.carry_out(devices=False), checkpoint=other))
    assert ExceptionCode.LOG_DISAGREEMENT in away.exceptions()


def test_a_host_whose_clock_is_ahead_is_an_exception(away: Away) -> None:
    made = rfc3339(away.site.world.clock.now() + dt.timedelta(hours=3))
    away.hand_in(_by_the_agent(away, away.carry_out(devices=False), made=made))
    assert ExceptionCode.HOST_CLOCK_OFF in away.exceptions()


def test_a_picture_from_before_the_host_was_seen_over_the_network_changes_nothing(away: Away) -> None:
    envelope = away.carry_out()
    seen = unverified_body(envelope, "return-bundle")["observation"]
    earlier = rfc3339(away.site.world.clock.now() - dt.timedelta(hours=1))
    taken = away.hand_in(_by_the_agent(away, envelope, observation={**seen, "taken": earlier}))
    assert [(part.what, part.outcome) for part in taken.parts] == [("observation", "older")]


def test_a_record_that_is_none_of_ours_is_kept_in_sight(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.work()
    envelope = away.carry_out(devices=False)
    (record,) = unverified_body(envelope, "return-bundle")["records"]
    world = away.site.world
    body = unverified_body(record["record"], "sanitization-record")
    forged = {**record, "record": sign("sanitization-record", body, world.context.secrets.signer("acceptance"))}
    taken = away.hand_in(_by_the_agent(away, envelope, records=[forged]))
    assert [(part.what, part.outcome) for part in taken.parts] == [("record", "refused")]
    assert ExceptionCode.RECORD_WITHOUT_EFFECT in away.exceptions()


def test_a_refusal_that_is_told_twice_is_known_the_second_time(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.site.system.drive.serial = "SIM-9999"
    away.work()
    both = [away.hand_in(away.carry_out(devices=False)).parts[0].outcome for _ in range(2)]
    assert both == ["taken-in", "known"]


def test_a_bundle_in_the_name_of_another_agent_is_refused(away: Away) -> None:
    envelope = away.carry_out(devices=False)
    with pytest.raises(EvidenceRefused):
        away.hand_in(_by_the_agent(away, envelope, agent_key="0" * 64))


def test_another_content_under_the_agents_signature_is_refused(away: Away) -> None:
    envelope = away.carry_out(devices=False)
    other = _by_the_agent(away, envelope, number=77)
    with pytest.raises(EvidenceRefused):
        away.hand_in({**envelope, "payload": other["payload"]})


def test_what_was_handed_in_is_not_merged_again(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    envelope = away.carry_out(devices=False)
    assert away.hand_in(envelope).new

    def merged(*_: object) -> None:
        raise AssertionError("merged again")

    monkeypatch.setattr(return_bundles, "_merge", merged)
    assert not away.hand_in(envelope).new


@pytest.mark.parametrize(("changed", "outcome"), [({"token": 99}, "known"), ({}, "taken-in")])
def test_a_refusal_counts_under_the_newest_token_alone(away: Away, changed: dict[str, Any], outcome: str) -> None:
    away.carry_in(away.issue()[1])
    away.site.system.drive.serial = "SIM-9999"
    away.work()
    envelope = away.carry_out(devices=False)
    (told,) = unverified_body(envelope, "return-bundle")["told"]
    said = {**told, "said": {**told["said"], **changed}}
    (part,) = away.hand_in(_by_the_agent(away, envelope, told=[said])).parts
    assert part.outcome == outcome


def test_a_refusal_of_a_lease_that_another_host_had_is_not_taken_in(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.site.system.drive.serial = "SIM-9999"
    away.work()
    other = away.site.world.enrol_agent("host-b", [])
    envelope = away.carry_out(devices=False)
    (told,) = unverified_body(envelope, "return-bundle")["told"]
    _changed(away, Lease, told["lease"], host_id=other.host)
    (part,) = away.hand_in(envelope).parts
    assert (part.outcome, part.said) == ("refused", "This host never had such a lease.")


def test_a_hold_from_before_the_work_was_handed_out_is_no_exception(away: Away) -> None:
    away.carry_in(away.issue()[1])
    later = away.site.world.clock.now() + dt.timedelta(hours=1)
    _changed(away, Lease, away.agent.runs.all()[0].lease.id, acquired=later)
    away.hold()
    away.work()
    away.hand_in(away.carry_out())
    assert ExceptionCode.CARRIED_PAST_A_HOLD not in away.exceptions()


def test_a_hold_on_a_medium_that_was_not_touched_was_not_passed_by(away: Away) -> None:
    away.site.settings = away.site.settings.model_copy(update={"oldest_hold_answer": 3600.0})
    away.start()
    away.carry_in(away.issue()[1])
    away.site.world.clock.forward(hours=1, minutes=1)
    away.hold()
    assert "medium touched: no" in away.work()[0].said
    (part,) = away.hand_in(away.carry_out(devices=False)).parts
    assert part.outcome == "taken-in"
    assert ExceptionCode.CARRIED_PAST_A_HOLD not in away.exceptions()


def test_once_nothing_is_awaited_any_more_nothing_is_overdue(away: Away) -> None:
    away.carry_in(away.issue(hours=1)[1])
    away.work()
    world = away.site.world
    world.clock.forward(hours=2)
    upkeep.run(world.context)
    assert ExceptionCode.JOB_BUNDLE_OVERDUE in away.exceptions()
    away.hand_in(away.carry_out())
    assert ExceptionCode.JOB_BUNDLE_OVERDUE not in away.exceptions()
