"""The daemon as its administrator runs it: enrolled, told to work, killed, stopped, cut off; on real loop devices."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sanitizer
from inventory.contract.v1.devices import Observation
from reports.envelope import unverified_body
from reports.record import SanitizationRecord
from reports.verdict import judge
from tests.support.agent_process import AgentProcess, agent_process, until
from tests.support.capabilities import requires_loop
from tests.support.fake_service import FakeService, Order
from tests.support.loopdev import SECRET, Loop, attach, loop_device, make_file

pytestmark = [requires_loop, pytest.mark.block_device]


@pytest.fixture
def agent(tmp_path: Path, service: FakeService) -> Iterator[AgentProcess]:
    with agent_process(tmp_path, service) as process:
        yield process


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop_device(tmp_path) as loop:
        yield loop


def fingerprint(loop: Loop) -> str:
    found = sanitizer.inspect(loop.path).fingerprint
    assert found is not None
    return found


def key_of(service: FakeService) -> str:
    (key,) = service.hosts
    return key


def order_for(service: FakeService, loop: Loop, **changes: Any) -> Order:  # noqa: ANN401 - as FakeService.order
    return service.order(key_of(service), fingerprint(loop), **changes)


def record_of(order: Order) -> SanitizationRecord:
    (envelope,) = order.records
    return SanitizationRecord.from_dict(unverified_body(envelope, "sanitization-record"))


def assert_sanitized(order: Order, loop: Loop) -> SanitizationRecord:
    record = record_of(order)
    assert record.run.state == "succeeded", record.run.error
    assert SECRET not in loop.backing()
    assert judge(record).blocking == ()
    return record


# --- the honest course ------------------------------------------------------------------------------------------------


def test_from_enrolment_to_an_accepted_record_and_a_clean_stop(
    agent: AgentProcess, service: FakeService, disk: Loop
) -> None:
    agent.start()
    until(lambda: bool(service.observations), "an observation")
    seen = {d.path: d for d in service.observations[-1].devices}
    assert seen[disk.path].identity is not None
    assert seen[disk.path].obstacles == ()
    order = order_for(service, disk)
    until(lambda: order.state == "recorded", "the record")
    until(lambda: not agent.waiting(), "an empty outbox")
    record = assert_sanitized(order, disk)
    assert record.host.agent_key == key_of(service)
    assert record.host.sequence == 1
    assert len(list((agent.state / "accepted").iterdir())) == 1
    assert list((agent.state / "runs").iterdir()) == []
    assert list((agent.state / "journals").iterdir()) == []
    assert agent.stop() == 0


def test_status_shows_how_it_stands(agent: AgentProcess, service: FakeService) -> None:
    agent.start()
    until(lambda: bool(service.heartbeats), "a heartbeat")
    until((agent.state / "status.json").exists, "a status")
    done = agent.command("status", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["enrolment"] in {"pending", "confirmed"}
    assert found["roster"]["version"] == 1
    assert found["alarms"] == []
    assert "Fingerprint" in agent.command("status").stdout


def test_several_media_at_once(agent: AgentProcess, service: FakeService, tmp_path: Path) -> None:
    with loop_device(tmp_path, name="one.img") as one, loop_device(tmp_path, name="two.img") as two:
        orders = [order_for(service, one), order_for(service, two)]
        agent.start()
        until(lambda: all(order.state == "recorded" for order in orders), "both records")
        assert_sanitized(orders[0], one)
        assert_sanitized(orders[1], two)
        assert sorted(record_of(order).host.sequence for order in orders) == [1, 2]


def test_a_declared_path_is_followed_to_its_medium(agent: AgentProcess, service: FakeService, tmp_path: Path) -> None:
    service.paths = [{"data_set": "crm", "path": str(tmp_path)}]
    agent.start()

    def mapped() -> bool:
        return bool(service.observations) and bool(service.observations[-1].paths)

    until(mapped, "a mapping")
    (mapping,) = service.observations[-1].paths
    assert mapping.path == str(tmp_path)
    assert mapping.devices or mapping.unresolved, "known, or named as unknown; never silence"


def test_a_medium_attached_later_is_seen_without_being_asked(
    agent: AgentProcess, service: FakeService, tmp_path: Path
) -> None:
    agent.start()
    until(lambda: bool(service.observations), "the first observation")

    def latest() -> Observation:
        return service.observations[-1]

    def seen(path: str) -> list[str]:
        return [d.identity.fingerprint for d in latest().devices if d.path == path and d.identity]

    with loop_device(tmp_path, name="late.img") as late:
        until(lambda: bool(seen(late.path)), "the new medium")
        medium = seen(late.path)
    until(lambda: seen(late.path) != medium, "its absence")  # another test's medium may stand there by then


def test_only_one_daemon_owns_the_state(agent: AgentProcess, service: FakeService) -> None:
    agent.start()
    until(lambda: bool(service.heartbeats), "a heartbeat")
    second = agent.command("run")
    assert second.returncode == 6
    assert "Another agent process owns the state directory" in second.stderr


# --- killed at every step of the run table ----------------------------------------------------------------------------

PLACES = [
    "disk write runs/",
    "disk write spent/",
    "journal begun",
    "journal first-write",
    "journal marked",
    "journal pass",
    "journal checkpoint",
    "journal pass-done",
    "journal settled",
    "journal verifying",
    "journal ended",
    "disk write state/sequence.json",
    "disk write outbox/",
    "disk write state/heads.json",
    "disk remove runs/",
    "disk write accepted/",
    "disk remove outbox/",
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", PLACES)
def test_killed_there_it_ends_with_one_record_after_a_restart(
    agent: AgentProcess, service: FakeService, disk: Loop, place: str, when: str
) -> None:
    order = order_for(service, disk)
    agent.start(when, place)
    assert agent.ended() == -signal.SIGKILL, "the place was not reached"
    if not list((agent.state / "runs").iterdir()) and not agent.waiting():
        order.lease_expires = service.now()  # it was lost with the process, and its time passes
    beats = len(service.heartbeats)
    agent.start()
    until(lambda: len(service.heartbeats) > beats, "the daemon is up again")
    until(lambda: order.state == "recorded" and not agent.waiting(), "the record")
    record = assert_sanitized(order, disk)
    assert record.host.sequence == 1
    assert record.order.id == order.id
    until(lambda: not list((agent.state / "runs").iterdir()), "nothing left to do")
    assert list((agent.state / "journals").iterdir()) == []
    assert agent.stop() == 0


# --- the service goes away --------------------------------------------------------------------------------------------


def test_the_service_is_away_for_the_whole_run(agent: AgentProcess, service: FakeService, tmp_path: Path) -> None:
    with loop_device(tmp_path, size=64 << 20, name="big.img") as disk:
        order = order_for(service, disk)

        def away_after_the_last_question(name: str, effect: Any) -> Any:  # noqa: ANN401
            answer = effect()
            if name.endswith("/holds"):
                service.away = True
            return answer

        service.around = away_after_the_last_question
        agent.start()
        until(lambda: bool(agent.waiting()), "a record in the outbox")
        assert SECRET not in disk.backing()
        assert agent.stop() == 0
        service.around = lambda _name, effect: effect()
        service.away = False
        agent.start()
        until(lambda: order.state == "recorded", "the record")
        assert_sanitized(order, disk)


def test_the_service_is_restarted_in_the_middle(agent: AgentProcess, service: FakeService, tmp_path: Path) -> None:
    with loop_device(tmp_path, size=64 << 20, name="big.img") as disk:
        order = order_for(service, disk)
        service.fault = lambda name: "before" if name.endswith("/progress") and len(service.requests) % 3 else None
        agent.start()
        until(lambda: any("/holds" in name for name in service.requests), "the last question")
        service.away = True
        until(lambda: bool(agent.waiting()), "the end of the run")
        service.away = False
        until(lambda: order.state == "recorded", "the record")
        assert_sanitized(order, disk)


def test_a_stop_pauses_and_a_start_resumes(agent: AgentProcess, service: FakeService, tmp_path: Path) -> None:
    with loop_device(tmp_path, size=512 << 20, name="big.img") as disk:
        order = order_for(service, disk, plan={"pattern_set": "keyed-stream"})
        agent.start()
        until(lambda: any(p.state == "executing" for p in service.progress), "the run is under way")
        assert agent.stop() == 0
        if order.state != "recorded" and not agent.waiting():  # it was not faster than the signal
            assert len(list((agent.state / "runs").iterdir())) == 1
        agent.start()
        until(lambda: order.state == "recorded", "the record")
        record = record_of(order)
        assert record.run.state == "succeeded"
        assert SECRET not in disk.backing()


# --- what must not happen ---------------------------------------------------------------------------------------------


def test_a_medium_swapped_after_approval_is_left_alone(
    agent: AgentProcess, service: FakeService, tmp_path: Path
) -> None:
    first = attach(make_file(tmp_path / "approved.img", 8 << 20))
    order = order_for(service, first)
    first.detach()
    second = attach(make_file(tmp_path / "other.img", 8 << 20))
    try:
        agent.start()
        until(lambda: order.state == "refused", "the refusal")
        assert order.reasons[0][0] == "device-not-attached"
        assert second.backing() == make_file(tmp_path / "same.img", 8 << 20).read_bytes()
        assert order.records == []
    finally:
        second.detach()


def test_a_hold_leaves_the_medium_as_it_was(agent: AgentProcess, service: FakeService, disk: Loop) -> None:
    service.holds = ["Litigation hold 12."]
    before = disk.backing()
    order = order_for(service, disk)
    agent.start()
    until(lambda: order.state == "recorded", "the record")
    record = record_of(order)
    assert (record.run.state, record.run.touched) == ("refused", "no")
    assert "Litigation hold 12." in (record.run.error or "")
    assert disk.backing() == before


def test_two_agents_and_one_order(agent: AgentProcess, service: FakeService, disk: Loop, tmp_path: Path) -> None:
    order = order_for(service, disk)
    with agent_process(tmp_path, service, "second") as second:
        theirs = next(key for key in service.hosts if key != order.agent_key)
        named, order.agent_key = order.agent_key, theirs  # the service hands it to the wrong one first
        second.start()
        until(lambda: order.state == "refused", "the refusal of the wrong one")
        assert order.reasons[0][0] == "order-for-another-agent"
        assert SECRET in disk.backing()
        order.agent_key, order.state = named, "approved"
        agent.start()
        until(lambda: order.state == "recorded", "the record of the right one")
        assert_sanitized(order, disk)
        assert len(order.records) == 1


def test_a_revoked_key_ends_all_orders_and_says_so(agent: AgentProcess, service: FakeService, disk: Loop) -> None:
    agent.start()
    until(lambda: bool(service.heartbeats), "a heartbeat")
    service.hosts[key_of(service)].status = "revoked"
    order_for(service, disk)
    until(
        lambda: "not-enrolled" in json.dumps(json.loads(agent.command("status", "--json").stdout)), "the status says so"
    )
    assert SECRET in disk.backing()
    assert agent.stop() == 0


def test_with_the_services_clock_off_by_a_day_nothing_begins_and_the_host_says_why(tmp_path: Path, disk: Loop) -> None:
    import datetime as dt  # noqa: PLC0415 - used here only

    service = FakeService()
    server = service.serve()
    try:
        with agent_process(tmp_path, service) as agent:
            service.offset = dt.timedelta(days=1)
            order_for(service, disk)
            agent.start()
            until(lambda: "1 day behind the service's" in agent.command("status").stdout, "the status says so")
            assert SECRET in disk.backing()
    finally:
        server.shutdown()
        server.server_close()


def test_without_usable_rules_the_host_stands_by_and_tells_why(
    agent: AgentProcess, service: FakeService, disk: Loop
) -> None:
    agent.rules.chmod(0o666)
    order = order_for(service, disk)
    agent.start()
    until(
        lambda: any("local-rules-unusable" in " ".join(beat.standing_by) for beat in service.heartbeats), "the reason"
    )
    assert order.state == "approved", "an order that could not be begun is not even leased"
    assert SECRET in disk.backing()
    agent.rules.chmod(0o644)
    until(lambda: order.state == "recorded", "the record, once the rules are right")


def test_a_full_state_disk_keeps_the_journal_until_the_record_is_safe(
    tmp_path: Path, service: FakeService, disk: Loop
) -> None:
    import subprocess  # noqa: PLC0415 - used here only

    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m,mode=0700", "tmpfs", str(place)], check=True)
    try:
        with agent_process(tmp_path, service, state_dir=str(place / "state")) as agent:
            agent.state = place / "state"
            order = order_for(service, disk)
            ballast = place / "ballast"

            def fill(name: str, effect: Any) -> Any:  # noqa: ANN401
                answer = effect()
                if name.endswith("/progress") and service.progress[-1].state == "verifying" and not ballast.exists():
                    with ballast.open("wb", buffering=0) as stream:
                        try:
                            while True:
                                stream.write(bytes(1 << 16))
                        except OSError:
                            pass
                return answer

            service.around = fill
            agent.start()
            until(lambda: order.state == "recorded" or ballast.exists(), "a full disk, or a run that was faster")
            ballast.unlink(missing_ok=True)
            until(lambda: order.state == "recorded", "the record")
            assert SECRET not in disk.backing()
            assert agent.stop() == 0
    finally:
        subprocess.run(["umount", str(place)], check=True)
