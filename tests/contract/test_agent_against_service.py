"""The real agent against the real service, in one process: no network, no fake, only the drive is simulated.

People act through the service's own functions; the agent speaks HTTP through its own client to the real application.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

import sanitizer
from agents import assembly, discovery, enrolment, host, keys, leasing
from agents.assembly import Agent
from agents.client import Client
from agents.clock import ClockWatch
from agents.config import Settings
from agents.errors import AgentError, Conflict, NotEnrolled, Rejected, SignatureRefused
from agents.log_watch import decode_hashes, position_of
from agents.network import Network
from agents.pins import PinStore
from agents.reporter import Control
from agents.runner import NotYet
from inventory.app import create_app
from inventory.contract.v1.agents import Heartbeat, HeartbeatReply
from inventory.contract.v1.orders import PlanRequest
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import Category, OrderState
from inventory.services import custody, data, devices, hosts, orders, queries, roster
from inventory.services import holds as holding
from inventory.services.views import ExceptionView, OrderDetail
from reports.envelope import payload_digest
from reports.record import SanitizationRecord
from reports.verdict import judge
from sanitizer import Inspection
from sanitizer.transport.commands import ScsiAnswer
from tests.support.agent_world import RULES, SimEngine
from tests.support.command_drive import SECRET, CommandDrive, CommandSystem
from tests.support.inventory_world import INSIDE, PLAN, FixedClock, World, copied_world
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem


class TimedSystem(SimulatedSystem):
    """The simulated machine on the service's clock."""

    def __init__(self, drive: SimulatedDrive, fixed: FixedClock) -> None:
        super().__init__(drive)
        self.fixed = fixed

    def now(self) -> dt.datetime:
        return self.fixed.now()


class TimedCommands(CommandSystem):
    """The same machine with a drive that sanitizes itself."""

    def __init__(self, drive: CommandDrive, fixed: FixedClock) -> None:
        super().__init__(drive)
        self.fixed = fixed

    def now(self) -> dt.datetime:
        return self.fixed.now()


class Clock:
    """The agent's: the service's, and a monotonic one."""

    def __init__(self, fixed: FixedClock, system: SimulatedSystem) -> None:
        self.now = fixed.now
        self.monotonic = lambda: fixed.now().timestamp() + system.monotonic()


class Wire(httpx2.WSGITransport):
    """The application in this process; can be cut, and remembers the last request."""

    cut = False
    last: httpx2.Request | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.cut:
            raise httpx2.ConnectError("the service is away", request=request)
        self.last = request
        return super().handle_request(request)


def moved_runs(world: World) -> list[ExceptionView]:
    """What is open about disks that were moved in the middle of a run."""
    found = queries.list_exceptions(world.context, world.actor("auditor")).items
    return [each for each in found if each.code == ExceptionCode.RUN_DISK_MOVED]


def over(wire: Wire) -> Network:
    """A link to the application in this process."""
    return Network(connect_timeout=5.0, reply_timeout=20.0, transport=wire)


@dataclass
class Site:
    """One company, one host of it, one drive."""

    world: World
    wire: Wire
    system: TimedSystem | TimedCommands
    engine: SimEngine
    folder: Path
    settings: Settings
    watch: ClockWatch
    client: Client
    agent: Agent

    @property
    def inspection(self) -> Inspection:
        return self.engine.list_devices()[0]

    def beat(self) -> HeartbeatReply:
        """A heartbeat, and what the daemon does with its answer."""
        known = self.agent.pins.require().checkpoint
        reply = self.client.heartbeat(
            Heartbeat(
                agent_version="0.1.0",
                boot_id="b",
                time=self.world.clock.now(),
                running=(),
                outbox=0,
                checkpoint=position_of(known),
            )
        )
        self.agent.pins.advance(reply.checkpoint, lambda _old, _new: decode_hashes(reply.consistency))
        return reply

    def observe(self) -> None:
        self.client.observe(discovery.observe(self.engine, (), self.watch.clock))

    def approved_order(self, plan: PlanRequest = PLAN) -> OrderDetail:
        """A data set is found on the drive; it is retired, ordered, approved by two: by people, through the service."""
        fingerprint = self.inspection.fingerprint
        assert fingerprint is not None
        known = enrolment.load(self.agent.state)
        assert known is not None
        privacy = self.world.actor("privacy")
        data_set = data.create_data_set(
            self.world.context, privacy, data.CreateDataSet(name="CRM", category=Category.MODERATE, owner="CRM team")
        )
        path = data.DeclarePath(host=known.host, data_set=data_set.id, path="/srv/crm")
        data.declare_path(self.world.context, privacy, path)
        self.engine.lies_on = (fingerprint,)
        self.client.observe(discovery.observe(self.engine, self.beat().paths, self.watch.clock))
        found = queries.device(self.world.context, self.world.actor("auditor"), fingerprint)
        custodian = self.world.actor("custodian")
        devices.retire(self.world.context, custodian, devices.ChangeState(device=found.id, reason="replaced"))
        command = orders.CreateOrder(device=found.id, plan=plan, purpose=INSIDE, reason="replaced")
        order = orders.create_order(self.world.context, self.world.actor("operator"), command)
        return self.world.approve(order.id)

    def lease(self) -> None:
        lease = self.client.lease().lease
        if lease is not None:
            leasing.take_in(self.agent.runs, self.agent.outbox, lease)

    def work(self, control: Control | None = None) -> list[NotYet]:
        waiting: list[NotYet] = []
        for run in self.agent.runs.all():
            try:
                self.agent.runner.work(run, control or Control())
            except NotYet as error:
                waiting.append(error)
        return waiting

    def deliver(self) -> None:
        for record_id in self.agent.outbox.waiting():
            self.agent.outbox.deliver(record_id)

    def order(self, number: str) -> OrderDetail:
        return queries.order(self.world.context, self.world.actor("auditor"), number)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(discovery, "udev_disks", set)
    with made_site(tmp_path, lambda clock: TimedSystem(SimulatedDrive(), clock)) as made:
        yield made


@pytest.fixture
def commanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(discovery, "udev_disks", set)
    with made_site(tmp_path, lambda clock: TimedCommands(CommandDrive(), clock)) as made:
        yield made


@contextmanager
def made_site(tmp_path: Path, machine: Callable[[FixedClock], TimedSystem | TimedCommands]) -> Iterator[Site]:
    with copied_world(tmp_path / "service") as world:
        yield enrolled(world, tmp_path, machine(world.clock))


def enrolled(world: World, folder: Path, system: TimedSystem | TimedCommands) -> Site:
    """A host of the company, enrolled and confirmed."""
    base = world.context.settings.external_url
    wire = Wire(app=create_app(world.context.settings, clock=world.clock, context=world.context))
    engine = SimEngine(lambda: system)
    settings = Settings(state_dir=folder / "host", server=base, progress_interval=0.01)
    state = assembly.open_state(settings)
    own = keys.load_or_create(state)
    watch = ClockWatch(Clock(world.clock, system), 120.0)
    client = assembly.open_client(base, own, watch, over(wire))
    token = hosts.create_enrolment_token(world.context, world.actor("admin"), hosts.CreateEnrolmentToken())
    proposal = enrolment.propose(client, base, token.secret, own, host.describe(state, own.signer.key_id))
    assert proposal.roster is not None
    pins = enrolment.compare(proposal, proposal.pins.trust.pin, proposal.roster.sha256)
    enrolment.accept(state, PinStore(state), proposal, pins)
    hosts.confirm(world.context, world.actor("admin"), proposal.reply.host, own.fingerprint)
    agent = assembly.build(settings, state=state, engine=engine, service=client, watch=watch, rules=lambda: RULES)
    return Site(world, wire, system, engine, folder, settings, watch, client, agent)


def test_from_enrolment_to_an_order_that_waits_for_its_validator(site: Site) -> None:
    assert site.client.enrolment().status == "confirmed"
    site.observe()
    order = site.approved_order()
    assert site.beat().work_waiting
    site.lease()
    assert site.work() == []
    site.deliver()
    assert site.agent.outbox.waiting() == []
    assert site.order(order.id).state is OrderState.RECORDED
    (kept,) = (site.settings.state_dir / "accepted").iterdir()
    assert b"SECRET" not in bytes(site.system.drive.durable)
    assert site.beat().work_waiting is False
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_service_judges_the_record_as_everybody_else_does(site: Site) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()
    site.work()
    (record_id,) = site.agent.outbox.waiting()
    record = site.agent.outbox.read(record_id).record
    assert isinstance(record, SanitizationRecord)
    assert judge(record).outcome == "sanitized"
    site.deliver()
    validated = site.world.validate(site.order(order.id).id)
    assert validated.state is OrderState.VALIDATED


def test_the_service_is_away_for_the_whole_run(site: Site) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()

    def cut(progress: sanitizer.Progress) -> None:
        site.wire.cut = site.wire.cut or progress.state == "executing"

    site.engine.during = cut
    site.work()
    assert len(site.agent.outbox.waiting()) == 1
    site.wire.cut = False
    site.deliver()
    assert site.order(order.id).state is OrderState.RECORDED


def test_stopped_in_the_middle_and_resumed_after_the_lease_ran_out(site: Site) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()
    control = Control()
    site.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    assert len(site.work(control)) == 1
    site.engine.during = lambda _progress: None
    site.system.die()
    for thread in threading.enumerate():  # a late figure would prolong the lease that shall run out
        if thread.name == "progress-reporter":
            thread.join()
    site.world.clock.forward(days=1)
    (waiting,) = site.work()
    assert waiting.reason_code == "hold-in-force", "the lease was lost: nothing is written under it"
    site.lease()
    assert site.work() == []
    site.deliver()
    found = site.order(order.id)
    assert found.state is OrderState.RECORDED


def test_a_disk_whose_host_is_lost_is_finished_in_another_and_the_first_writes_nothing_any_more(
    site: Site, tmp_path: Path
) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()
    control = Control()
    site.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    assert len(site.work(control)) == 1
    site.engine.during = lambda _progress: None
    site.system.die()
    for thread in threading.enumerate():  # as above
        if thread.name == "progress-reporter":
            thread.join()
    site.world.clock.forward(days=1)
    drive = site.system.drive
    other = enrolled(site.world, tmp_path / "other", TimedSystem(drive, site.world.clock))
    other.observe()
    (moved,) = moved_runs(site.world)
    assert (moved.device, moved.severity) == (order.device, "critical")
    operator = site.world.actor("operator")
    orders.abandon_order(site.world.context, operator, order.id, "its host burnt out")
    command = orders.CreateOrder(device=order.device, plan=PLAN, purpose=INSIDE, reason="its host burnt out")
    assert moved_runs(site.world) == [], "the run is given up: nothing is pending any more"
    again = site.world.approve(orders.create_order(site.world.context, operator, command).id)
    other.beat()
    other.lease()
    assert other.work() == []
    other.deliver()
    assert site.order(again.id).state is OrderState.RECORDED
    assert b"SECRET" not in bytes(drive.durable)
    written = len(drive.spent_writes)
    site.observe()  # the first host works again after all, and the disk is put back into it
    site.beat()
    site.lease()
    (waiting,) = site.work()
    assert waiting.reason_code == "hold-in-force", "its lease is over, and its order"
    assert len(drive.spent_writes) == written
    assert site.order(order.id).state is OrderState.INTERRUPTED


def test_a_run_whose_disk_was_taken_to_another_host_begins_nothing_until_it_is_back(site: Site, tmp_path: Path) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()
    control = Control()
    site.engine.during = lambda progress: control.stop.set() if progress.state == "executing" else None
    assert len(site.work(control)) == 1
    site.engine.during = lambda _progress: None
    drive = site.system.drive
    other = enrolled(site.world, tmp_path / "other", TimedSystem(drive, site.world.clock))
    other.observe()
    written = len(drive.spent_writes)
    (waiting,) = site.work()
    assert "was last seen in" in str(waiting), "two hosts never write to one disk"
    assert len(drive.spent_writes) == written
    assert len(moved_runs(site.world)) == 1
    site.observe()
    assert moved_runs(site.world) == []
    assert site.work() == []
    site.deliver()
    assert site.order(order.id).state is OrderState.RECORDED


def test_a_hold_placed_after_approval_stops_it_at_the_last_question(site: Site) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()
    fingerprint = site.inspection.fingerprint
    assert fingerprint is not None
    device = queries.device(site.world.context, site.world.actor("auditor"), fingerprint)
    command = holding.PlaceHold(kind="legal", reference="LIT-12", reason="Litigation", device=device.id)
    holding.place_hold(site.world.context, site.world.actor("privacy"), command)
    site.work()
    site.deliver()
    found = site.order(order.id)
    assert found.state is OrderState.REFUSED
    assert site.system.drive.writes == 0


def test_a_medium_swapped_after_approval_ends_the_order_with_the_reason(site: Site) -> None:
    site.observe()
    order = site.approved_order()
    site.beat()
    site.lease()
    site.system.drive.serial = "SIM-9999"
    site.work()
    found = site.order(order.id)
    assert found.state is OrderState.REFUSED
    assert "not attached" in (found.outcome_reason or "")
    assert site.system.drive.writes == 0


def test_a_revoked_agent_is_told_so_and_its_record_stays(site: Site) -> None:
    site.observe()
    site.approved_order()
    site.beat()
    site.lease()
    site.work()
    number = enrolment.load(site.agent.state)
    assert number is not None
    command = hosts.RevokeHost(host=number.host, reason="stolen")
    hosts.revoke(site.world.context, site.world.actor("admin"), command)
    with pytest.raises(NotEnrolled):
        site.deliver()
    with pytest.raises(NotEnrolled):
        site.client.lease()
    assert len(site.agent.outbox.waiting()) == 1


def test_a_replayed_request_is_refused_by_the_service(site: Site) -> None:
    site.observe()
    replay = site.wire.last
    assert replay is not None
    answer = site.wire.handle_request(
        httpx2.Request(replay.method, replay.url, headers=replay.headers, content=replay.content)
    )
    assert answer.status_code == 409


def test_a_clock_off_by_a_day_is_refused_and_named(site: Site) -> None:
    moment = site.world.clock.moment
    site.watch.clock.now = lambda: moment + dt.timedelta(days=1)  # type: ignore[method-assign]  # this test's own fault
    with pytest.raises(SignatureRefused):
        site.client.lease()


def test_an_agent_nobody_confirmed_is_given_nothing(site: Site, tmp_path: Path) -> None:
    state = assembly.open_state(Settings(state_dir=tmp_path / "second"))
    own = keys.load_or_create(state)
    base = site.world.context.settings.external_url
    second = assembly.open_client(base, own, site.watch, over(site.wire))
    with pytest.raises(NotEnrolled):
        second.lease()
    token = hosts.create_enrolment_token(site.world.context, site.world.actor("admin"), hosts.CreateEnrolmentToken())
    enrolment.propose(second, base, token.secret, own, host.describe(state, own.signer.key_id))
    with pytest.raises(NotEnrolled):
        second.lease()
    assert second.enrolment().status == "pending"


def test_asking_for_enrolment_twice_gives_the_same_answer(site: Site, tmp_path: Path) -> None:
    state = assembly.open_state(Settings(state_dir=tmp_path / "second"))
    own = keys.load_or_create(state)
    base = site.world.context.settings.external_url
    second = assembly.open_client(base, own, site.watch, over(site.wire))
    token = hosts.create_enrolment_token(site.world.context, site.world.actor("admin"), hosts.CreateEnrolmentToken())
    described = host.describe(state, own.signer.key_id)
    once = enrolment.propose(second, base, token.secret, own, described)
    again = enrolment.propose(second, base, token.secret, own, described)
    assert once.reply.host == again.reply.host


def test_a_new_roster_is_followed_by_its_signatures(site: Site) -> None:
    pinned = site.agent.pins.require().roster
    assert pinned is not None
    site.world.publish_roster("approver1", "approver2", "both", signed_by=("approver1", "approver2"))
    reply = site.beat()
    assert reply.roster_version == pinned.roster.version + 1
    chain = site.client.rosters(pinned.roster.version)
    newest = site.agent.pins.follow_rosters([envelope.model_dump() for envelope in chain.rosters])
    current = roster.current(site.world.context, site.world.actor("auditor"))
    assert current is not None
    assert newest.roster.version == current.version
    assert newest.sha256 == payload_digest(newest.envelope)


def test_the_whole_chain_of_rosters_can_be_pinned_by_hand(site: Site) -> None:
    site.world.publish_roster("approver1", "approver2", "both", signed_by=("approver1", "approver2"))
    chain = [envelope.model_dump() for envelope in site.client.rosters(0).rosters]
    from agents import rosters  # noqa: PLC0415 - used here only

    assert rosters.confirmed(chain, payload_digest(chain[-1])).roster.version == 2


def test_two_agents_and_one_order(site: Site) -> None:
    """The service gives the order to the named agent only; another asking at the same moment gets nothing."""
    site.observe()
    site.approved_order()
    other = site.world.agent
    from inventory.services import leases  # noqa: PLC0415 - used here only

    assert leases.acquire(site.world.context, other.actor).lease is None
    site.beat()
    site.lease()
    assert len(site.agent.runs.all()) == 1
    site.lease()
    assert len(site.agent.runs.all()) == 1


def test_garbage_and_oversized_bodies_are_refused_in_the_contracts_way(site: Site) -> None:
    from inventory.contract.v1 import endpoints  # noqa: PLC0415 - used here only

    for content in (b"{", b"[]", b'{"a": 1}', b"\xff\xfe", b"{" * 4000):
        with pytest.raises(Rejected):
            site.client._request("POST", endpoints.AGENT_HEARTBEAT, content)
    with pytest.raises(AgentError) as refused:
        site.client._request("POST", endpoints.AGENT_RECORDS, b" " * (20 << 20))
    assert isinstance(refused.value, Rejected)
    assert not isinstance(refused.value, Conflict)


# --- drives that are given a password ---------------------------------------------------------------------------------

ERASE = PlanRequest(method="clear", technique="ata-security-erase", pattern_set="canaries", verification="full")


def test_what_a_drive_can_do_itself_is_observed_and_shown(commanded: Site) -> None:
    commanded.observe()
    fingerprint = commanded.inspection.fingerprint
    assert fingerprint is not None
    drive = queries.device(commanded.world.context, commanded.world.actor("auditor"), fingerprint).drive
    assert drive is not None
    assert drive.path == "direct"
    assert {each.name for each in drive.techniques} >= {"ata-security-erase", "ata-sanitize-block-erase"}


def test_a_password_is_in_custody_before_the_drive_has_it_and_released_afterwards(commanded: Site) -> None:
    drive, states = commanded.system.drive, list[tuple[str, bytes | None]]()
    assert isinstance(drive, CommandDrive)
    commanded.observe()
    order = commanded.approved_order(ERASE)
    commanded.beat()
    commanded.lease()
    take = drive._set_password

    def set_password(write: bytes) -> ScsiAnswer:
        held = queries.device(commanded.world.context, commanded.world.actor("auditor"), order.device).escrows
        states.append((held[0].state.value, drive.password))
        return take(write)

    drive._set_password = set_password  # type: ignore[method-assign]
    assert commanded.work() == []
    commanded.deliver()
    assert commanded.order(order.id).state is OrderState.RECORDED
    assert states == [("held", None)]
    (held,) = queries.device(commanded.world.context, commanded.world.actor("auditor"), order.device).escrows
    assert held.state.value == "released"
    shown = custody.reveal(
        commanded.world.context, commanded.world.actor("operator"), custody.Reveal(escrow=held.id, reason="to be sure")
    )
    assert bytes.fromhex(shown.secret_hex) == SECRET


def test_no_password_is_set_while_the_service_is_away(commanded: Site) -> None:
    drive = commanded.system.drive
    assert isinstance(drive, CommandDrive)
    commanded.observe()
    order = commanded.approved_order(ERASE)
    commanded.beat()
    commanded.lease()

    def cut(progress: sanitizer.Progress) -> None:
        commanded.wire.cut = commanded.wire.cut or progress.state == "executing"

    commanded.engine.during = cut
    (waiting,) = commanded.work()
    assert waiting.reason_code == "escrow-not-confirmed"
    assert drive.password is None
    commanded.engine.during = lambda _progress: None
    commanded.wire.cut = False
    assert commanded.work() == []
    commanded.deliver()
    assert commanded.order(order.id).state is OrderState.RECORDED
