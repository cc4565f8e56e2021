"""The real agent without a network and the real service: nothing passes between them but signed bundles a person carries."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image

from agents import discovery, enrolment
from agents.assembly import Agent
from agents.byhand import building, codes, intake, returning
from agents.byhand.service import HandService
from agents.byhand.working import Outcome, Shift
from agents.errors import BundleRefused
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import DeviceState, OrderState
from inventory.errors import Conflict, InventoryError
from inventory.errors import EvidenceRefused as ServiceRefused
from inventory.services import halts, job_bundles, queries, return_bundles, upkeep
from inventory.services import holds as holding
from inventory.services.job_bundles import IssueJobBundle
from inventory.services.return_bundles import ReceiveReturnBundle
from inventory.services.setup import trust
from inventory.services.views import OrderDetail
from inventory.services.views.by_hand import JobBundleView, ReturnBundleView
from reports.canonical import to_base64
from reports.envelope import envelope_digest, sign, unverified_body
from reports.numbered import Row, parts_of
from reports.verdict import judge
from tests.contract.test_agent_against_service import Clock, Site, TimedSystem, made_site
from tests.support.agent_world import RULES
from tests.support.capabilities import requires_tool
from tests.support.simulated_drive import SimulatedDrive

SECOND_READER = Path(__file__).resolve().parents[1] / "judges" / "by_hand.mjs"


class Away:
    """The site's host behind the air gap, and the people on both sides of it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.observe()
        known = enrolment.load(site.agent.state)
        assert known is not None
        self.host = known.host
        self.order = site.approved_order()
        site.beat()
        site.wire.cut = True
        self.agent, self.service = self.start()

    def start(self) -> tuple[Agent, HandService]:
        """A new process on the same disk."""
        site = self.site
        clock = Clock(site.world.clock, site.system)
        self.agent, self.service = building.build(
            site.settings, site.agent.state, engine=site.engine, clock=clock, rules=lambda: RULES
        )
        return self.agent, self.service

    def issue(self, **wanted: Any) -> tuple[JobBundleView, dict[str, Any]]:  # noqa: ANN401 - fields of the command
        world = self.site.world
        view = job_bundles.issue(world.context, world.actor("operator"), IssueJobBundle(host=self.host, **wanted))
        return view, job_bundles.envelope_of(world.context, world.actor("operator"), self.host, view.number)

    def carry_in(self, envelope: dict[str, Any]) -> intake.TakenIn:
        return intake.take_in(self.agent, self.service, envelope)

    def work(self) -> list[Outcome]:
        return list(Shift(self.agent, self.service).work())

    def carry_out(self, *, devices: bool = True) -> dict[str, Any]:
        return returning.make(self.agent, self.service, devices=devices)[1]

    def hand_in(self, envelope: dict[str, Any]) -> ReturnBundleView:
        world = self.site.world
        return return_bundles.receive(world.context, world.actor("custodian"), ReceiveReturnBundle(envelope=envelope))

    def now(self) -> OrderDetail:
        return self.site.order(self.order.id)

    def hold(self) -> None:
        world = self.site.world
        command = holding.PlaceHold(kind="legal", reference="LIT-7", reason="Litigation", device=self.order.device)
        holding.place_hold(world.context, world.actor("privacy"), command)

    def exceptions(self) -> set[str]:
        world = self.site.world
        found = queries.list_exceptions(world.context, world.actor("auditor"), host=self.host)
        return {one.code for one in found.items}


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Away]:
    monkeypatch.setattr(discovery, "udev_disks", set)
    with made_site(tmp_path, lambda clock: TimedSystem(SimulatedDrive(), clock)) as site:
        yield Away(site)


def test_work_is_carried_in_done_and_carried_back_and_the_record_says_how_old_the_answer_was(away: Away) -> None:
    view, envelope = away.issue()
    assert (view.orders, view.left_out, view.newest) == ((away.order.id,), (), True)
    assert away.now().state is OrderState.EXECUTING, "from now on nobody here knows whether it is written to"
    assert away.carry_in(envelope).jobs == 1
    assert away.carry_in(envelope).new is False
    away.site.world.clock.forward(hours=5)
    (outcome,) = away.work()
    assert (outcome.end, outcome.order) == ("recorded", away.order.id)
    assert b"SECRET" not in bytes(away.site.system.drive.durable)
    (record_id,) = away.agent.outbox.waiting()
    record = away.agent.outbox.read(record_id).record
    (permit,) = record.order.by_hand
    assert permit.bundle == view.sha256
    assert permit.age_seconds == 5 * 3600
    assert judge(record).outcome == "sanitized"

    back = away.carry_out()
    taken = away.hand_in(back)
    assert [(part.what, part.outcome) for part in taken.parts] == [("observation", "taken-in"), ("record", "taken-in")]
    assert away.now().state is OrderState.RECORDED
    again = away.hand_in(back)
    assert again.new is False
    assert again.parts == taken.parts
    later = away.hand_in(away.carry_out())
    assert [(part.what, part.outcome) for part in later.parts] == [("observation", "older"), ("record", "known")]

    _, acceptances = away.issue()
    assert away.carry_in(acceptances).accepted == 1
    assert away.agent.outbox.waiting() == []
    assert list((away.site.settings.state_dir / "accepted").iterdir())
    assert away.work() == []
    assert away.site.world.validate(away.order.id).state is OrderState.VALIDATED


def test_bundles_pass_as_codes_in_any_order_both_ways(away: Away) -> None:
    _, envelope = away.issue()
    texts = list(parts_of(envelope, 200))
    texts = texts[1::2] + texts[::2]
    row = Row()
    for text in texts[1:]:
        row.add(text)
    assert len(row.missing) == 1
    row.add(texts[0])
    assert away.carry_in(row.envelope()).jobs == 1
    away.work()
    world = away.site.world
    back = list(parts_of(away.carry_out(devices=False), 200))
    back.reverse()
    with pytest.raises(InventoryError, match="missing"):
        return_bundles.receive(world.context, world.actor("custodian"), ReceiveReturnBundle(parts=tuple(back[1:])))
    taken = return_bundles.receive(world.context, world.actor("custodian"), ReceiveReturnBundle(parts=tuple(back)))
    assert [part.outcome for part in taken.parts] == ["taken-in"]


def _second_reader(texts: list[str], kind: str, whom: str) -> str:
    line = ["node", str(SECOND_READER), kind, whom]
    done = subprocess.run(line, input="\n".join(texts), capture_output=True, text=True, check=False, timeout=60)
    assert not done.stderr
    assert (done.returncode == 0) == done.stdout.startswith("yes")
    return done.stdout.strip()


@requires_tool("node")
def test_a_reader_of_another_hand_finds_the_same_in_the_codes_and_only_there(away: Away) -> None:
    view, envelope = away.issue()
    pin = trust(away.site.world.context).pin
    texts = list(parts_of(envelope, 200))
    texts.reverse()
    assert _second_reader(texts, "job-bundle", pin) == f"yes: {envelope_digest(envelope)} {view.number}"
    assert _second_reader(texts, "job-bundle", "0" * 64) == "no: no version is the pinned one"
    assert _second_reader(texts[1:], "job-bundle", pin) == f"no: missing: {len(texts)}"
    misread = [texts[0][:-1] + ("0" if texts[0][-1] != "0" else "1"), *texts[1:]]
    assert _second_reader(misread, "job-bundle", pin).startswith(f"no: check of part {len(texts)}")
    forged = sign("job-bundle", unverified_body(envelope, "job-bundle"), away.agent.runner.signer)
    assert "who may not" in _second_reader(list(parts_of(forged)), "job-bundle", pin)

    away.carry_in(envelope)
    away.work()
    back = away.carry_out()
    key = to_base64(away.agent.runner.signer.public_key_der)
    assert _second_reader(list(parts_of(back)), "return-bundle", key) == f"yes: {envelope_digest(back)} 1"
    assert "who may not" in _second_reader(
        list(parts_of({**envelope, "payloadType": back["payloadType"]})), "return-bundle", key
    )


def test_nothing_is_begun_after_the_bundle_has_ended(away: Away) -> None:
    away.carry_in(away.issue(hours=2)[1])
    away.site.world.clock.forward(hours=2, minutes=1)
    (outcome,) = away.work()
    assert outcome.end == "lapsed"
    assert away.site.system.drive.writes == 0


def test_an_answer_about_holds_that_is_too_old_for_this_host_is_none(away: Away) -> None:
    away.site.settings = away.site.settings.model_copy(update={"oldest_hold_answer": 3600.0})
    away.start()
    away.carry_in(away.issue()[1])
    away.site.world.clock.forward(hours=1, minutes=1)
    (outcome,) = away.work()
    assert "older than the 1 hours allowed here" in outcome.said
    assert away.site.system.drive.writes == 0


def test_a_clock_that_went_back_behind_what_is_known_begins_nothing(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.site.world.clock.forward(hours=-3)
    (outcome,) = away.work()
    assert outcome.end == "waits"
    assert "Set the clock" in outcome.said
    assert away.site.system.drive.writes == 0


def test_a_refusal_is_carried_back_and_the_medium_goes_back_to_where_it_was(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.site.system.drive.serial = "SIM-9999"
    (outcome,) = away.work()
    assert outcome.end == "refused"
    taken = away.hand_in(away.carry_out(devices=False))
    assert [(part.what, part.outcome) for part in taken.parts] == [("refusal", "taken-in")]
    assert away.now().state is OrderState.REFUSED
    world = away.site.world
    assert queries.device(world.context, world.actor("auditor"), away.order.device).state is DeviceState.QUARANTINED
    away.carry_in(away.issue()[1])
    assert away.service.store.told() == (), "the service has it"


def test_the_newest_bundle_counts_alone_and_takes_back_what_it_does_not_hold(away: Away) -> None:
    _, first = away.issue()
    away.carry_in(first)
    away.hold()
    view, second = away.issue()
    assert [one.order for one in view.left_out] == [away.order.id]
    away.carry_in(second)
    (outcome,) = away.work()
    assert "does not hold this order" in outcome.said
    assert away.site.system.drive.writes == 0
    with pytest.raises(BundleRefused, match="has number 2 already"):
        away.carry_in(first)


def test_a_hold_that_came_after_the_bundle_is_an_exception_when_the_record_arrives(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.site.world.clock.forward(hours=1)
    away.hold()
    away.work()
    away.hand_in(away.carry_out())
    assert away.now().state is OrderState.RECORDED, "what was done was done under the order"
    assert ExceptionCode.CARRIED_PAST_A_HOLD in away.exceptions()


def test_a_bundle_for_another_host_or_signed_by_somebody_else_is_not_taken_in(away: Away) -> None:
    _, envelope = away.issue()
    body = unverified_body(envelope, "job-bundle")
    stranger = sign("job-bundle", {**body, "agent_key": "0" * 64}, away.agent.runner.signer)
    with pytest.raises(BundleRefused, match="this host's is"):
        away.carry_in(stranger)
    forged = sign("job-bundle", {**body, "until": "2099-01-01T00:00:00Z"}, away.agent.runner.signer)
    with pytest.raises(BundleRefused, match="did not sign"):
        away.carry_in(forged)
    assert away.service.job is None
    assert away.agent.runs.all() == []


def test_a_bundle_whose_log_does_not_continue_the_known_one_is_not_taken_in(away: Away) -> None:
    away.issue()
    _, envelope = away.issue()  # the log has grown by the first one
    world = away.site.world
    body = {**unverified_body(envelope, "job-bundle"), "proofs": []}
    unproven = sign("job-bundle", body, world.context.secrets.signer("acceptance"))
    with pytest.raises(BundleRefused, match="does not prove"):
        away.carry_in(unproven)


def test_a_return_bundle_nobody_of_ours_signed_is_refused(away: Away) -> None:
    away.carry_in(away.issue()[1])
    away.work()
    body = unverified_body(away.carry_out(), "return-bundle")
    world = away.site.world
    with pytest.raises(ServiceRefused):
        away.hand_in(sign("return-bundle", body, world.context.secrets.signer("acceptance")))
    assert away.now().state is OrderState.EXECUTING


def test_killed_in_the_middle_the_run_goes_on_from_where_it_was_and_says_each_leave(away: Away) -> None:
    away.carry_in(away.issue()[1])
    shift = Shift(away.agent, away.service)
    away.site.engine.during = lambda progress: shift.stop() if progress.state == "executing" else None
    (outcome,) = shift.work()
    assert outcome.end == "waits"
    away.site.engine.during = lambda _progress: None
    away.site.system.die()
    away.start()
    away.site.world.clock.forward(hours=1)
    (outcome,) = away.work()
    assert outcome.end == "recorded"
    (record_id,) = away.agent.outbox.waiting()
    assert len(away.agent.outbox.read(record_id).record.order.by_hand) == 2


def test_what_does_not_come_back_is_asked_for_and_the_host_is_not_called_silent_meanwhile(away: Away) -> None:
    away.issue(hours=200)
    world = away.site.world
    world.clock.forward(hours=199)
    upkeep.run(world.context)
    assert ExceptionCode.HOST_SILENT not in away.exceptions()
    world.clock.forward(hours=2)
    upkeep.run(world.context)
    assert {ExceptionCode.JOB_BUNDLE_OVERDUE, ExceptionCode.HOST_SILENT} <= away.exceptions()
    assert away.now().state is OrderState.EXECUTING, "it may have been written to: nothing expires"


def test_a_halted_host_is_given_no_work_to_carry(away: Away) -> None:
    world = away.site.world
    halts.halt(world.context, world.actor("operator"), away.host, "stop")
    with pytest.raises(Conflict, match="halted"):
        away.issue()


def test_pictures_of_codes_are_read_by_an_independent_reader_in_any_order(away: Away, tmp_path: Path) -> None:
    pytest.importorskip("zxingcpp")
    _, envelope = away.issue()
    files = []
    for number, data in enumerate(codes.pictures(envelope)):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(data)
    files.reverse()
    assert codes.read_files(files) == envelope
    with pytest.raises(BundleRefused, match="missing"):
        codes.read_files(files[1:])


def test_a_photograph_may_show_labels_beside_the_part(away: Away, tmp_path: Path) -> None:
    pytest.importorskip("zxingcpp")
    _, envelope = away.issue()
    label = io.BytesIO()
    segno.make("https://inventory.example/d/SAN-000001").save(label, kind="png", scale=4, border=4)
    sticker = Image.open(label).convert("L")
    files = []
    for number, data in enumerate(codes.pictures(envelope)):
        part = Image.open(io.BytesIO(data)).convert("L")
        bench = Image.new("L", (part.width + sticker.width, max(part.height, sticker.height)), 255)
        bench.paste(part, (0, 0))
        bench.paste(sticker, (part.width, 0))
        files.append(tmp_path / f"{number}.png")
        bench.save(files[-1])
    assert codes.read_files(files) == envelope
    sticker.save(tmp_path / "sticker.png")
    with pytest.raises(BundleRefused, match="no part"):
        codes.read_files([tmp_path / "sticker.png"])
