"""One leased order and everything that can be the matter with it: what is refused, what waits, what is recorded.

Real orders, signatures, journals, records and log; a simulated drive and clock.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sanitizer
from agents import leasing, refusals
from agents.errors import AcceptanceRefused, LogForked, NotEnrolled, OutboxDamaged, ServerBusy, Unreachable
from agents.hopeless import Limits as HopelessLimits
from agents.local_rules import LocalRules, NeverTouchEntry, parse
from agents.reporter import Control
from inventory.contract.v1.orders import Lease
from reports.canonical import to_base64
from reports.envelope import sign, unverified_body
from reports.keys import FileSigner
from reports.record import SanitizationRecord
from reports.tlog import Checkpoint, sign_checkpoint
from reports.verdict import judge
from sanitizer.errors import MountedFilesystem
from tests.support.agent_world import RULES, AgentWorld
from tests.support.evidence import World
from tests.support.fake_service import Refuse
from tests.support.simulated_drive import SimulatedDrive

SECRET = b"SECRET"


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    return AgentWorld(tmp_path)


def untouched(world: AgentWorld) -> bool:
    drive = world.system.drive
    return bytes(drive.current) == bytes(drive.durable) and SECRET in bytes(drive.current) and drive.writes == 0


def refused_before_a_run(world: AgentWorld, code: str) -> None:
    """The service knows the reason, nothing was written, no record exists, nothing is left behind."""
    (order,) = world.service.orders
    assert [reason for reason, _ in order.reasons] == [code]
    assert order.state == "refused"
    assert order.records == []
    assert untouched(world)
    assert world.agent.runs.all() == []
    assert world.agent.outbox.waiting() == []


# --- the honest course ------------------------------------------------------------------------------------------------


def test_an_approved_order_becomes_one_accepted_record(world: AgentWorld) -> None:
    order = world.order()
    world.settle()
    (record,) = world.records()
    assert order.state == "recorded"
    assert record["run"]["state"] == "succeeded"
    assert record["order"]["nonce"] == unverified_body(order.envelope, "order")["nonce"]
    assert record["verification"]["kind"] == "full"
    assert record["policy"]["id"] == "default-1"
    assert record["operator_ref"] == "p-operator"
    assert SECRET not in bytes(world.system.drive.durable)


def test_the_second_record_of_a_medium_names_the_first_and_has_the_next_number(world: AgentWorld) -> None:
    world.order()
    world.settle()
    first = world.service.orders[0].records[0]
    world.system.drive.current[:16] = world.system.drive.durable[:16] = b"SECRET-CRM-ROW42"
    world.order()
    world.settle()
    _, second = world.records()
    from reports.envelope import envelope_digest  # noqa: PLC0415 - used here only

    assert second["previous"] == envelope_digest(first)
    assert second["host"]["sequence"] == 2


def test_progress_is_told_in_the_contracts_words(world: AgentWorld) -> None:
    world.order()
    world.settle()
    assert {message.state for message in world.service.progress} <= {
        "cleared",
        "executing",
        "settling",
        "verifying",
        "succeeded",
    }
    assert all(message.token == 1 for message in world.service.progress)


# --- refused before anything is written -------------------------------------------------------------------------------


def test_an_order_for_another_agent_is_refused(world: AgentWorld) -> None:
    """Two agents claim one order: whichever the service hands it to, only the named one begins."""
    fingerprint = world.system.inspect().fingerprint
    assert fingerprint is not None
    order = world.service.order("e" * 64, fingerprint)
    order.agent_key = world.signer.key_id  # the service hands it to this agent all the same
    world.settle()
    refused_before_a_run(world, "order-for-another-agent")


def test_an_altered_approval_is_refused(world: AgentWorld) -> None:
    order = world.order()
    order.approvals[0] = world.service.approval(order.envelope, "p-approver-1", FileSigner.generate("p256"))
    world.settle()
    refused_before_a_run(world, "approval-signature-invalid")


def test_an_approval_by_the_requester_is_refused(world: AgentWorld) -> None:
    world.order(sealed={"requested_by": "p-approver-1"})
    world.settle()
    refused_before_a_run(world, "approved-by-requester")


def test_an_expired_order_is_refused(world: AgentWorld) -> None:
    world.service.lease_seconds = 10 * 86_400
    world.order()
    world.lease()
    world.system.clock += 9 * 3600
    world.settle()
    refused_before_a_run(world, "order-expired")


def test_a_medium_swapped_after_approval_is_refused_and_named(world: AgentWorld) -> None:
    order = world.order()
    world.system.drive.serial = "SIM-9999"  # same path, other serial
    world.settle()
    refused_before_a_run(world, "device-not-attached")
    assert (world.system.inspect().fingerprint or "")[:16] in order.reasons[0][1]


def test_a_medium_in_use_is_refused_with_the_sanitizers_reason(world: AgentWorld) -> None:
    world.system.drive.obstacles = (MountedFilesystem(mount_points=("/srv/crm",)),)
    world.order()
    world.settle()
    refused_before_a_run(world, "mounted-filesystem")


def test_a_method_no_technique_reaches_is_refused(world: AgentWorld) -> None:
    world.rules = RULES.model_copy(update={"allowed_methods": ("clear", "purge")})
    world.order(plan={"method": "purge"}, sealed={"required_method": "purge"})
    world.settle()
    refused_before_a_run(world, "no-technique")


def test_an_unknown_pattern_set_is_refused(world: AgentWorld) -> None:
    world.order(plan={"pattern_set": "gutmann-and-then-some"})
    world.settle()
    refused_before_a_run(world, "no-technique")


def test_a_method_the_local_rules_forbid_is_refused(world: AgentWorld) -> None:
    world.rules = RULES.model_copy(update={"allowed_methods": ()})
    world.order()
    world.settle()
    refused_before_a_run(world, "method-forbidden-here")


def test_a_protected_medium_is_refused(world: AgentWorld) -> None:
    world.rules = RULES.model_copy(update={"never_touch": (NeverTouchEntry(serial="SIM-*"),)})
    world.order()
    world.settle()
    refused_before_a_run(world, "never-touch")


def test_the_hourly_limit_is_kept(world: AgentWorld) -> None:
    world.rules = RULES.model_copy(update={"max_devices_per_hour": 0})
    world.order()
    world.settle()
    refused_before_a_run(world, "too-many-devices")


def test_outside_the_window_is_refused(world: AgentWorld) -> None:
    window = '[[maintenance_window]]\ndays = ["mon"]\nfrom = "00:00"\nto = "00:01"'
    world.rules = parse('allowed_methods = ["clear"]\nmax_devices_per_hour = 9\n' + window)
    world.order()
    world.settle()
    refused_before_a_run(world, "outside-maintenance-window")


def test_rules_that_cannot_be_relied_on_refuse_everything(world: AgentWorld) -> None:
    def unusable() -> LocalRules:
        raise refusals.LocalRulesUnusable("/etc/sanitrail/local-rules.toml", "belongs to user 1000, not to root")

    object.__setattr__(world.agent.judge, "rules", unusable)
    world.order()
    world.settle()
    refused_before_a_run(world, "local-rules-unusable")


def test_more_approvals_can_be_demanded_here(world: AgentWorld) -> None:
    world.rules = RULES.model_copy(update={"minimum_approvals": 3})
    world.order()
    world.settle()
    refused_before_a_run(world, "too-few-approvals")


def test_a_refusal_is_told_even_if_the_service_was_away(world: AgentWorld) -> None:
    world.order(sealed={"requested_by": "p-approver-1"})
    world.lease()
    world.service.away = True
    (waiting,) = world.work()
    assert waiting.reason_code == "service-unreachable"
    world.start()
    world.service.away = False
    world.settle()
    refused_before_a_run(world, "approved-by-requester")


# --- this host cannot judge: nothing final, the order waits -----------------------------------------------------------


@pytest.mark.parametrize("days", [1, -1], ids=["ahead", "behind"])
@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_with_a_clock_off_by_a_day_nothing_begins_and_the_clocks_are_named(
    world: AgentWorld, days: int, whose: str
) -> None:
    order = world.order()
    world.lease()
    off = dt.timedelta(days=days)
    if whose == "ours":
        world.clock.offset = off
    else:
        world.service.offset = off
    world.agent.watch.heard(world.service.now())
    (waiting,) = world.work()
    assert waiting.reason_code == "clock-untrusted"
    assert "1 day" in waiting.detail
    assert untouched(world)
    world.clock.offset = world.service.offset = dt.timedelta()
    world.agent.watch.heard(world.service.now())
    world.settle()
    assert order.state == "recorded"


def test_the_service_refuses_requests_of_a_clock_off_by_a_day_and_the_agent_says_why(world: AgentWorld) -> None:
    world.clock.offset = dt.timedelta(days=1)
    with pytest.raises(Exception, match="1 day ahead of the service's"):
        world.agent.service.lease()


def test_without_a_roster_nothing_begins(world: AgentWorld) -> None:
    from dataclasses import replace  # noqa: PLC0415 - used here only

    world.agent.pins.replace(replace(world.agent.pins.require(), roster=None))
    world.order()
    world.lease()
    (waiting,) = world.work()
    assert waiting.reason_code == "no-roster-pinned"
    assert untouched(world)


def test_while_the_log_is_in_alarm_nothing_begins(world: AgentWorld) -> None:
    rewritten = World()
    world.order(sealed={"after": {"origin": "records.example.org/log", "size": 3, "root": to_base64(b"\1" * 32)}})
    world.lease()
    (waiting,) = world.work()
    assert waiting.reason_code == "log-in-alarm"
    assert world.agent.pins.alarms()
    assert untouched(world)
    assert rewritten.pin != world.service.world.pin


def test_an_alarm_that_stands_keeps_even_a_good_order_waiting(world: AgentWorld) -> None:
    world.order()
    world.lease()
    lie = Checkpoint(world.service.world.log.checkpoint.origin, world.service.world.log.checkpoint.size, b"\1" * 32)
    with pytest.raises(LogForked):
        world.agent.pins.advance(sign_checkpoint(lie, world.service.world.log.signers, 1), lambda _old, _new: ())
    (waiting,) = world.work()
    assert waiting.reason_code == "log-in-alarm"
    assert untouched(world)


def test_an_order_newer_than_the_known_log_brings_the_log_up_to_date(world: AgentWorld) -> None:
    world.service.world.add_roster()
    order = world.order()
    world.settle()
    assert order.state == "recorded"
    assert world.agent.pins.alarms() == ()


def test_a_lease_that_ended_before_anything_began_lapses_silently(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    world.system.clock += world.service.lease_seconds + 1
    assert world.work() == []
    assert world.agent.runs.all() == []
    assert order.reasons == []
    world.settle()
    assert order.state == "recorded"
    assert order.token == 2


# --- the last question ------------------------------------------------------------------------------------------------


def refused_at_the_last_question(world: AgentWorld, reason: str) -> None:
    (record,) = world.records()
    assert record["run"]["state"] == "refused"
    assert record["run"]["touched"] == "no"
    assert record["run"]["error_code"] == "permission-withheld"
    assert reason in record["run"]["error"]
    assert untouched(world)


def test_a_hold_stops_it_right_before_the_first_write(world: AgentWorld) -> None:
    world.service.holds = ["Legal hold 7."]
    world.order()
    world.settle()
    refused_at_the_last_question(world, "hold-in-force")
    refused_at_the_last_question(world, "Legal hold 7.")


def test_no_answer_to_the_last_question_means_no(world: AgentWorld) -> None:
    world.service.fault = lambda name: "before" if name.endswith("/holds") else None
    world.order()
    world.settle()
    refused_at_the_last_question(world, "hold-unanswered")


def test_a_lost_answer_to_the_last_question_means_no(world: AgentWorld) -> None:
    world.service.fault = lambda name: "after" if name.endswith("/holds") else None
    world.order()
    world.settle()
    refused_at_the_last_question(world, "hold-unanswered")


def test_an_old_answer_to_the_last_question_means_no(world: AgentWorld) -> None:
    def replay(name: str, reply: dict[str, Any]) -> dict[str, Any]:
        if not name.endswith("/holds"):
            return reply
        said = {**unverified_body(reply["statement"], "hold-answer"), "nonce": "0" * 32}
        return {**reply, "statement": sign("hold-answer", said, world.service.world.acceptance)}

    world.service.alter = replay
    world.order()
    world.settle()
    refused_at_the_last_question(world, "The answer is to another question.")


def test_an_approval_withdrawn_by_local_rules_counts_at_the_last_question(world: AgentWorld) -> None:
    world.order()
    world.lease()
    original = world.engine.clear

    def clear_then_forbid(*arguments: Any) -> sanitizer.Clearance:  # noqa: ANN401 - passed through
        world.rules = RULES.model_copy(update={"allowed_methods": ()})
        return original(*arguments)

    world.engine.clear = clear_then_forbid  # type: ignore[method-assign, assignment]  # this test's own fault
    world.settle()
    refused_at_the_last_question(world, "method-forbidden-here")


def test_a_technique_forbidden_meanwhile_counts_at_the_last_question(world: AgentWorld) -> None:
    world.order()
    world.lease()
    original = world.engine.sanitize

    def forbid_then_begin(*arguments: Any, **named: Any) -> sanitizer.RunResult:  # noqa: ANN401 - passed through
        world.rules = RULES.model_copy(update={"forbidden_techniques": ("overwrite",)})
        return original(*arguments, **named)

    world.engine.sanitize = forbid_then_begin  # type: ignore[method-assign]  # this test's own fault
    world.settle()
    refused_at_the_last_question(world, "technique-forbidden-here")


# --- approvals count once ---------------------------------------------------------------------------------------------


def test_an_order_is_not_executed_twice(world: AgentWorld) -> None:
    order = world.order()
    world.settle()
    order.state = "approved"  # a service that forgot, or lies
    world.settle()
    assert len(world.records()) == 1
    assert order.reasons[-1][0] == "order-already-executed"


def test_an_order_spent_by_a_run_that_never_began_is_begun_under_the_next_lease(world: AgentWorld) -> None:
    """Killed between spending the order and beginning the run, and the lease has ended before the restart."""
    world.service.lease_seconds = 60.0
    world.rules = RULES.model_copy(update={"max_devices_per_hour": 1})  # its own beginning does not count against it
    order = world.order()
    world.lease()
    (run,) = world.agent.runs.all()
    world.agent.runs.spend(run, world.clock.now())
    world.system.clock += 61
    world.start()
    (waiting,) = world.work()
    assert waiting.reason_code == "lease-expired"
    world.settle()
    assert order.state == "recorded"
    assert world.records()[0]["run"]["state"] == "succeeded"


def test_an_order_refused_at_the_last_question_is_not_begun_again(world: AgentWorld) -> None:
    world.service.holds = ["Hold."]
    order = world.order()
    world.settle()
    world.service.holds = []
    order.state = "approved"
    world.settle()
    assert untouched(world)
    assert order.reasons[-1][0] == "order-already-executed"


def test_a_waiting_record_goes_out_under_the_newest_lease(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    world.service.fault = lambda name: "before" if name == "POST /agent/records" else None
    world.work()
    with pytest.raises(Unreachable):
        world.deliver()
    world.system.clock += world.service.lease_seconds + 1
    world.lease()
    assert world.agent.runs.all() == [], "it was done; it is not begun again"
    world.service.fault = lambda _name: None
    world.deliver()
    assert order.state == "recorded"
    assert order.token == 2


def test_a_record_made_while_the_lease_was_renewed_goes_out_under_the_newest(world: AgentWorld) -> None:
    order = world.order()
    world.lease()

    def lose_the_lease(progress: sanitizer.Progress) -> None:
        if progress.state == "verifying" and order.token == 1:
            renewed = Lease.model_validate(world.service.lease_of(order))
            leasing.take_in(world.agent.runs, world.agent.outbox, renewed)

    world.engine.during = lose_the_lease
    world.work()
    world.deliver()
    assert order.token == 2
    assert order.state == "recorded"


def test_a_stored_record_of_an_unfinished_run_moves_to_the_newest_lease(world: AgentWorld) -> None:
    """Killed between storing the record and noting it: the lease is renewed at the restart, before the run is taken up."""
    order = world.order()
    world.lease()
    names: list[str] = []

    def stop_at_heads(name: str, effect: Callable[[], Any]) -> Any:  # noqa: ANN401
        names.append(name)
        if name.startswith("write state/heads"):
            raise OSError(errno.EIO, "killed here")
        return effect()

    world.system.steps.step = stop_at_heads  # type: ignore[method-assign]  # this test's own fault
    with pytest.raises(OSError, match="killed here"):
        world.work()
    assert len(world.agent.outbox.waiting()) == 1
    world.start()
    world.system.clock += world.service.lease_seconds + 1
    world.lease()
    world.deliver()
    assert order.token == 2
    assert order.state == "recorded"
    world.settle()
    assert len(order.records) == 1


def test_a_record_that_was_delivered_before_a_crash_is_not_sent_again(world: AgentWorld) -> None:
    """Killed between storing the record and noting that: the outbox was faster than the restart."""
    world.order()
    world.lease()

    def stop_at_heads(name: str, effect: Callable[[], Any]) -> Any:  # noqa: ANN401
        if name.startswith("write state/heads"):
            raise OSError(errno.EIO, "killed here")
        return effect()

    world.system.steps.step = stop_at_heads  # type: ignore[method-assign]  # this test's own fault
    with pytest.raises(OSError, match="killed here"):
        world.work()
    world.start()
    world.deliver()
    world.work()
    assert world.agent.outbox.waiting() == []
    assert world.agent.runs.all() == []
    assert world.service.requests.count("POST /agent/records") == 1
    fingerprint = world.system.inspect().fingerprint
    assert fingerprint is not None
    assert world.agent.outbox.previous(fingerprint) is not None


def test_a_second_order_for_a_medium_under_work_is_refused(world: AgentWorld) -> None:
    first = world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.work(control)
    world.engine.during = lambda _progress: None
    world.start()
    second = world.order()
    world.service.holds = ["The first one waits."]
    world.lease()
    world.work()
    assert second.reasons[-1][0] == "device-busy-here"
    world.service.holds = []
    world.settle()
    assert first.state == "recorded"


# --- the service is away, is stopped, changes its mind ----------------------------------------------------------------


def test_a_run_that_was_begun_does_not_need_the_service(world: AgentWorld) -> None:
    order = world.order()
    world.lease()

    def leave(progress: sanitizer.Progress) -> None:
        world.service.away = world.service.away or progress.state == "executing"

    world.engine.during = leave
    world.work()
    assert len(world.agent.outbox.waiting()) == 1
    assert SECRET not in bytes(world.system.drive.durable)
    with pytest.raises(Unreachable):
        world.deliver()
    world.start()
    world.service.away = False
    world.settle()
    assert order.state == "recorded"
    assert world.records()[0]["run"]["state"] == "succeeded"


@pytest.mark.parametrize("fault", ["before", "after"])
def test_every_exchange_may_fail_once_before_or_after_its_effect(world: AgentWorld, fault: Any) -> None:  # noqa: ANN401
    names: list[str] = []
    world.service.fault = names.append  # it returns None: no fault
    world.order()
    world.settle()
    failing = {name for name in names if not name.endswith(("/holds", "/progress"))}
    for name in sorted(failing):
        failed: list[str] = []

        def once(asked: str, name: str = name, failed: list[str] = failed) -> Any:  # noqa: ANN401
            if asked == name and not failed:
                failed.append(asked)
                return fault
            return None

        world.system.drive.current[:16] = world.system.drive.durable[:16] = b"SECRET-CRM-ROW42"
        world.service.fault = once
        order = world.order()
        for _ in range(3):
            try:
                world.settle()
            except (Unreachable, ServerBusy):
                world.system.clock += world.service.lease_seconds + 1
        assert order.state == "recorded", name
        assert len(order.records) == 1, name
    numbers = [record["host"]["sequence"] for record in world.records()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_stop_asked_by_the_service_ends_the_run_with_a_record(world: AgentWorld) -> None:
    world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.cancel() if progress.state == "executing" else None
    world.work(control)
    world.deliver()
    (record,) = world.records()
    assert record["run"]["state"] == "interrupted"
    assert world.agent.runs.all() == []


def test_a_hopeless_medium_is_given_up_and_its_record_says_why_and_what_to_do(world: AgentWorld) -> None:
    world.order()
    world.lease()
    limits = HopelessLimits(slowest=1 << 60, slow_seconds=0, most_errors=0, hottest=0, hot_seconds=0)
    runner = dataclasses.replace(
        world.agent.runner, limits=dataclasses.replace(world.agent.runner.limits, hopeless=limits)
    )
    (run,) = world.agent.runs.all()
    runner.work(run, Control())
    world.deliver()
    (record,) = world.records()
    assert record["run"]["state"] == "interrupted"
    assert "given up: It has been slower" in record["run"]["error"]
    assert record["run"]["error"].endswith("Destroy it.")


def test_a_stop_of_the_daemon_only_pauses(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    (waiting,) = world.work(control)
    assert waiting.reason_code == "interrupted"
    assert order.records == []
    world.engine.during = lambda _progress: None
    world.start()
    world.settle()
    (record,) = world.records()
    assert record["run"]["state"] == "succeeded"
    assert len(record["run"]["segments"]) == 2


def test_a_begun_medium_under_a_new_hold_waits_and_goes_on_later(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.work(control)
    world.engine.during = lambda _progress: None
    written = world.system.drive.writes
    world.service.holds = ["Legal hold 8."]
    world.start()
    (waiting,) = world.work()
    assert waiting.reason_code == "hold-in-force"
    assert world.system.drive.writes == written
    world.service.holds = []
    world.settle()
    assert order.state == "recorded"
    assert world.records()[0]["run"]["state"] == "succeeded"


def test_a_begun_run_waits_for_its_medium(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.work(control)
    world.engine.during = lambda _progress: None
    world.start()
    world.system.drive.serial = "SIM-9999"
    (waiting,) = world.work()
    assert waiting.reason_code == "device-not-attached"
    world.system.drive.serial = "SIM-0001"
    world.settle()
    assert order.state == "recorded"


def test_a_waiting_run_can_be_ended_by_people(world: AgentWorld) -> None:
    world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.work(control)
    world.start()
    world.system.drive.serial = "SIM-9999"
    (waiting,) = world.work()
    world.service.stop_requested = True
    again = Control()
    world.agent.runner.tell_waiting(world.agent.runs.all()[0], waiting, again)
    assert again.cancelled
    world.work(again)
    world.deliver()
    (record,) = world.records()
    assert record["run"]["state"] == "interrupted"
    assert record["run"]["touched"] != "no"


# --- acceptance -------------------------------------------------------------------------------------------------------


def _forged_acceptance(world: AgentWorld, reply: dict[str, Any]) -> dict[str, Any]:
    body = unverified_body(reply["acceptance"], "acceptance")
    return {**reply, "acceptance": sign("acceptance", body, FileSigner.generate())}


def _for_another_record(world: AgentWorld, reply: dict[str, Any]) -> dict[str, Any]:
    """Honestly signed and logged, and about something else."""
    body = {**unverified_body(reply["acceptance"], "acceptance"), "record_sha256": "0" * 64}
    acceptance, log = sign("acceptance", body, world.service.world.acceptance), world.service.world.log
    index = log.append("acceptance", acceptance)
    proof = [to_base64(item) for item in log.inclusion(index)]
    return {**reply, "acceptance": acceptance, "index": index, "proof": proof, "checkpoint": log.note()}


def _not_in_the_log(world: AgentWorld, reply: dict[str, Any]) -> dict[str, Any]:
    body = {**unverified_body(reply["acceptance"], "acceptance"), "received": "2026-01-01T00:00:01Z"}
    return {**reply, "acceptance": sign("acceptance", body, world.service.world.acceptance)}


def _wrong_place(world: AgentWorld, reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "index": reply["index"] - 1}


def _no_proof(world: AgentWorld, reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "proof": []}


def _other_digest(world: AgentWorld, reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "record_sha256": "0" * 64}


@pytest.mark.parametrize(
    "spoil", [_forged_acceptance, _for_another_record, _not_in_the_log, _wrong_place, _no_proof, _other_digest]
)
def test_an_acceptance_that_proves_nothing_keeps_the_record(
    world: AgentWorld, spoil: Callable[[AgentWorld, dict[str, Any]], dict[str, Any]]
) -> None:
    world.order()
    world.lease()
    world.work()
    world.service.alter = lambda name, reply: spoil(world, reply) if name == "POST /agent/records" else reply
    with pytest.raises(AcceptanceRefused):
        world.deliver()
    assert len(world.agent.outbox.waiting()) == 1
    world.service.alter = lambda _name, reply: reply
    world.deliver()
    assert world.agent.outbox.waiting() == []
    assert len(list((world.settings.state_dir / "accepted").iterdir())) == 1


def test_an_acceptance_under_a_rewritten_log_keeps_the_record_and_raises_an_alarm(world: AgentWorld) -> None:
    world.order()
    world.lease()
    world.work()
    world.service.alter = lambda name, reply: {**reply, "hashes": []} if name.endswith("/consistency") else reply
    with pytest.raises(LogForked):
        world.deliver()
    assert len(world.agent.outbox.waiting()) == 1
    assert world.agent.pins.alarms()


def test_a_revoked_key_keeps_its_records_and_begins_nothing(world: AgentWorld) -> None:
    world.order()
    world.lease()
    world.service.hosts[world.signer.key_id].status = "revoked"
    world.work()
    with pytest.raises(NotEnrolled):
        world.deliver()
    assert untouched(world)
    assert len(world.agent.outbox.waiting()) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_whatever_the_service_answers_to_a_record_it_is_kept(world: AgentWorld, status: int) -> None:
    world.order()
    world.lease()
    world.work()
    original = world.service._record

    def refuse(*_arguments: object) -> Any:  # noqa: ANN401
        raise Refuse(status, "some-reason")

    world.service._record = refuse  # type: ignore[method-assign, assignment]  # this test's own fault
    with pytest.raises(Exception, match=str(status)):
        world.deliver()
    assert len(world.agent.outbox.waiting()) == 1
    world.service._record = original  # type: ignore[method-assign]  # as before
    world.deliver()
    assert world.agent.outbox.waiting() == []


# --- disks ------------------------------------------------------------------------------------------------------------


def test_a_full_disk_at_any_write_loses_nothing(tmp_path: Path) -> None:
    clean = AgentWorld(tmp_path / "clean")
    clean.order()
    clean.settle()
    writes = sum(name.startswith(("write ", "move ", "remove ")) for name in clean.system.steps.names)
    for number in range(writes):
        world = AgentWorld(tmp_path / str(number))
        order = world.order()
        seen = 0
        full = False

        def sometimes_full(
            name: str, effect: Callable[[], Any], number: int = number, world: AgentWorld = world
        ) -> Any:  # noqa: ANN401
            nonlocal seen, full
            if name.startswith(("write ", "move ", "remove ")):
                if seen == number:
                    full = True
                seen += 1
                if full:
                    raise OSError(errno.ENOSPC, "No space left on device")
            return effect()

        world.system.steps.step = sometimes_full  # type: ignore[method-assign]  # this test's own fault
        for _ in range(3):
            with contextlib.suppress(OSError):
                world.settle()
        world.start()  # somebody made room
        for _ in range(2):
            world.settle()
            world.system.clock += world.service.lease_seconds + 1
        assert order.state == "recorded", number
        (record,) = world.records()
        assert record["run"]["state"] == "succeeded", number
        assert record["host"]["sequence"] == 1, number


def test_a_damaged_record_is_kept_aside_and_named(world: AgentWorld) -> None:
    world.order()
    world.lease()
    world.work()
    (record_id,) = world.agent.outbox.waiting()
    file = world.settings.state_dir / f"outbox/{record_id}.json"
    damaged = file.read_bytes()[:-40]
    file.write_bytes(damaged)
    with pytest.raises(OutboxDamaged, match="damaged"):
        world.deliver()
    assert world.agent.outbox.waiting() == []
    (kept,) = (world.settings.state_dir / "outbox/damaged").iterdir()
    assert kept.read_bytes() == damaged


def test_a_record_somebody_edited_is_not_sent(world: AgentWorld) -> None:
    world.order()
    world.lease()
    world.work()
    (record_id,) = world.agent.outbox.waiting()
    file = world.settings.state_dir / f"outbox/{record_id}.json"
    file.write_bytes(file.read_bytes().replace(b'"payload":"', b'"payload":"AAAA'))
    with pytest.raises(OutboxDamaged):
        world.deliver()
    assert world.records() == []


def test_a_missing_counter_is_not_guessed(world: AgentWorld) -> None:
    world.order()
    world.lease()
    (world.settings.state_dir / "sequence.json").unlink()
    with pytest.raises(Exception, match="counter is missing"):
        world.work()
    assert world.agent.runs.all()[0].state == "ended", "the result is kept until the counter is back"


def test_a_lost_journal_of_a_begun_run_begins_again_from_the_start(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.work(control)
    world.engine.during = lambda _progress: None
    (journal,) = (world.settings.state_dir / "journals").iterdir()
    import shutil  # noqa: PLC0415 - used here only

    shutil.rmtree(journal)
    world.start()
    world.settle()
    assert order.state == "recorded"
    assert world.records()[0]["run"]["state"] == "succeeded"


def test_a_damaged_journal_is_told_and_never_called_a_success(world: AgentWorld) -> None:
    order = world.order()
    world.lease()
    control = Control()
    world.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    world.work(control)
    (folder,) = (world.settings.state_dir / "journals").iterdir()
    file = folder / "journal"
    file.write_bytes(b"0" * 32 + file.read_bytes()[32:])
    world.start()
    world.settle()
    assert order.reasons[-1][0] == "journal-lost"
    assert order.records == []
    assert file.exists(), "the evidence stays"


def _block_refuses(drive: SimulatedDrive) -> None:
    drive.bad_writes = {100}


def _vanishes(drive: SimulatedDrive) -> None:
    drive.gone_after = 128


def _shrinks(drive: SimulatedDrive) -> None:
    drive.shrinks_after = (128, 32 << 10)


def _lies(drive: SimulatedDrive) -> None:
    drive.dropped = {100}


def _cannot_flush(drive: SimulatedDrive) -> None:
    drive.flush_fails = True


def _becomes_another(drive: SimulatedDrive) -> None:
    drive.identity_after = None


@pytest.mark.parametrize(
    "spoil",
    [_block_refuses, _shrinks, _lies, _cannot_flush, _becomes_another],
    ids=lambda spoil: spoil.__name__,
)
def test_a_drive_that_fails_is_recorded_as_it_is_and_never_judged_sanitized(
    world: AgentWorld, spoil: Callable[[SimulatedDrive], None]
) -> None:
    spoil(world.system.drive)
    order = world.order()
    world.settle()
    assert order.state == "recorded"
    (record,) = world.records()
    verdict = judge(SanitizationRecord.from_dict(record))
    assert record["run"]["state"] == "failed"
    assert record["run"]["touched"] != "no"
    assert verdict.outcome != "sanitized"
    assert verdict.method == "none"


def test_a_drive_that_vanishes_is_waited_for_and_never_judged(world: AgentWorld) -> None:
    _vanishes(world.system.drive)
    order = world.order()
    world.settle()
    assert order.state != "recorded"
    assert world.records() == []


def test_an_honest_record_is_judged_sanitized(world: AgentWorld) -> None:
    world.order()
    world.settle()
    verdict = judge(SanitizationRecord.from_dict(world.records()[0]))
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "clear", "full")
