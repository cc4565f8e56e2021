"""What stands around work carried by hand: each guard alone, by the one thing that would slip through without it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import discovery
from agents.byhand.clock import HandReading
from agents.byhand.working import Shift
from agents.clock import rfc3339
from agents.errors import BundleRefused
from inventory.contract.v1.orders import Progress
from inventory.domain.exceptions import ExceptionCode
from inventory.errors import Forbidden, Invalid
from inventory.models import HostContact
from inventory.services import job_bundles, orders, return_bundles
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
