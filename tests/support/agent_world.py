"""An enrolled agent on a simulated drive against the fake service: everything real but drive, clock and network.

Drive, journals, the agent's disk and the service's exchanges are all steps of one count, so that a test can end the
process before or after any single effect and start the agent again on what is left.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sanitizer
from agents import assembly, enrolment, leasing, pins
from agents.assembly import Agent
from agents.client import Client
from agents.config import Settings
from agents.durable import Disk
from agents.local_rules import LocalRules
from agents.network import Network
from agents.pins import PinStore
from agents.reporter import Control
from agents.rosters import read
from agents.runner import NotYet
from agents.self_tests import this_build
from agents.sequence import Sequence as Counter
from agents.state import StateDirectory
from reports.keys import FileSigner
from sanitizer import engine as machinery
from sanitizer import verifying
from sanitizer.hooks import Hooks
from sanitizer.selftest import SelfTest
from sanitizer.settings import Settings as EngineSettings
from tests.support.fake_service import FakeService, Order
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem, Steps


class SteppedDisk(Disk):
    """The agent's real disk functions; each durable effect is a step."""

    def __init__(self, steps: Callable[[], Steps]) -> None:
        self._steps = steps

    def write_file(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        self._steps().step(
            f"write {path.parent.name}/{path.name[:12]}", lambda: super(SteppedDisk, self).write_file(path, data, mode)
        )

    def move(self, source: Path, target: Path) -> None:
        self._steps().step(f"move {source.name[:12]}", lambda: super(SteppedDisk, self).move(source, target))

    def remove(self, path: Path) -> None:
        self._steps().step(f"remove {path.parent.name}/{path.name[:12]}", lambda: super(SteppedDisk, self).remove(path))


class SimEngine:
    """`agents.engine.Engine` over a simulated system: the sanitizer's own machinery, journals on the real disk."""

    def __init__(self, system: Callable[[], SimulatedSystem]) -> None:
        self._system = system
        self.during: Callable[[sanitizer.Progress], None] = lambda _progress: None
        """Called with each progress, in the run's thread."""
        self.lies_on: tuple[str, ...] = ()
        """Fingerprints every path leads to; empty: no path can be followed."""

    def list_devices(self) -> Sequence[sanitizer.Inspection]:
        # Nothing hidden, as a drive says that was asked (the simulated one has no words for that).
        return [dataclasses.replace(self._system().inspect(), hidden_capacity="no")]

    def find_devices(self, fingerprint: str, place: str = "") -> Sequence[sanitizer.Inspection]:
        del fingerprint, place
        return self.list_devices()

    def resolve_path(self, path: str | Path) -> sanitizer.PathResolution:
        return sanitizer.PathResolution(
            path=str(path),
            mount_point="/",
            devices=("/dev/sim",) if self.lies_on else (),
            fingerprints=self.lies_on,
            unresolved=() if self.lies_on else ("simulated",),
        )

    def resolve_path_of(self, pid: int, path: str) -> sanitizer.PathResolution:
        del pid
        return self.resolve_path(path)

    def memory_areas(self) -> Sequence[sanitizer.MemoryArea]:
        return ()

    def plan(self, request: sanitizer.PlanRequest, inspection: sanitizer.Inspection) -> sanitizer.Plan:
        return sanitizer.plan(request, inspection)

    def clear(
        self,
        inspection: sanitizer.Inspection,
        plan: sanitizer.Plan,
        confirmation: sanitizer.Confirmation,
        now: dt.datetime,
    ) -> sanitizer.Clearance:
        return sanitizer.clear(inspection, plan, confirmation, now)

    def sanitize(
        self,
        clearance: sanitizer.Clearance,
        run_id: str,
        journal_dir: Path,
        *,
        sample_seed: str,
        progress: Callable[[sanitizer.Progress], None] | None = None,
        stop: threading.Event | None = None,
        before_first_write: Callable[[], None] | None = None,
        escrow: Callable[[sanitizer.Escrow], None] | None = None,
    ) -> sanitizer.RunResult:
        hooks = self._hooks(progress, stop, before_first_write, escrow)
        return machinery.sanitize(self._system(), EngineSettings(), clearance, run_id, journal_dir, sample_seed, hooks)

    def verify(
        self,
        inspection: sanitizer.Inspection,
        pattern: str,
        verification: str,
        *,
        sample_seed: str,
        progress: Callable[[sanitizer.Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> sanitizer.VerificationFacts:
        hooks = self._hooks(progress, stop, None, None)
        expected = verifying.of_pattern(inspection, pattern)
        return verifying.verify_device(
            self._system(), EngineSettings(), inspection, expected, verification, sample_seed, hooks
        )

    def pending_runs(self, journal_dir: Path) -> Sequence[sanitizer.PendingRun]:
        return sanitizer.pending_runs(journal_dir)

    def resume(
        self,
        pending: sanitizer.PendingRun,
        clearance: sanitizer.Clearance,
        *,
        progress: Callable[[sanitizer.Progress], None] | None = None,
        stop: threading.Event | None = None,
        before_first_write: Callable[[], None] | None = None,
        escrow: Callable[[sanitizer.Escrow], None] | None = None,
    ) -> sanitizer.RunResult:
        hooks = self._hooks(progress, stop, before_first_write, escrow)
        return machinery.resume(self._system(), EngineSettings(), clearance, pending.run_id, pending.journal_dir, hooks)

    def abandon(self, pending: sanitizer.PendingRun, reason: str) -> sanitizer.RunResult:
        return machinery.abandon(self._system(), pending.run_id, pending.journal_dir, reason)

    def discard_journal(self, journal_dir: Path, run_id: str) -> None:
        self._system().steps.step("discard-journal", lambda: sanitizer.discard_journal(journal_dir, run_id))

    def clear_again(
        self,
        pending: sanitizer.PendingRun,
        inspection: sanitizer.Inspection,
        confirmation: sanitizer.Confirmation,
        now: dt.datetime,
    ) -> sanitizer.Clearance:
        return sanitizer.clear_again(pending, inspection, confirmation, now)

    def _hooks(self, progress: Any, stop: Any, ask: Any, escrow: Any) -> Hooks:  # noqa: ANN401 - passed through
        def told(figures: sanitizer.Progress) -> None:
            self.during(figures)
            if progress is not None:
                progress(figures)

        return Hooks(progress=told, stop=stop or threading.Event(), before_first_write=ask, escrow=escrow)


class SimClock:
    """The simulated system's clock, and how far this host's is off."""

    def __init__(self, system: Callable[[], SimulatedSystem]) -> None:
        self._system = system
        self.offset = dt.timedelta()

    def now(self) -> dt.datetime:
        return self._system().now() + self.offset

    def monotonic(self) -> float:
        return self._system().monotonic()


@functools.cache
def self_test_of_this_build() -> SelfTest:
    """Made once: a test starts hundreds of agents."""
    return this_build()


RULES = LocalRules(allowed_methods=("clear",), max_devices_per_hour=100, minimum_approvals=2)


class AgentWorld:
    """One host with one drive, one service, and an agent that can be killed and started again."""

    def __init__(self, folder: Path, *, serial: str = "SIM-0001", system: SimulatedSystem | None = None) -> None:
        self.folder = folder
        self.system = system or SimulatedSystem(SimulatedDrive(serial=serial))
        self.clock = SimClock(lambda: self.system)
        self.service = FakeService(now=lambda: self.system.now())  # noqa: PLW0108 - the system is replaced at each start
        self.engine = SimEngine(lambda: self.system)
        self.rules = RULES
        self.self_test = self_test_of_this_build()
        """What every process of this agent finds out about itself."""
        self.settings = Settings(
            state_dir=folder / "state", server=self.service.base, progress_interval=0.01, hold_limit=5.0
        )
        self.disk = SteppedDisk(lambda: self.system.steps)
        self.signer = self._enrol()
        self.agent = self.start()

    def _enrol(self) -> FileSigner:
        """As `sanitrail-agent enrol` leaves it, confirmed."""
        state = assembly.open_state(self.settings)
        signer = FileSigner.create(state.key_file)
        host = self.service.know(signer)
        world = self.service.world
        Counter(state).begin()
        made = pins.make(world.trust_roots, world.pin, read(world.rosters[-1][0]), world.log.note())
        PinStore(state).replace(made)
        enrolment.save(state, enrolment.Enrolment(self.service.base, host.ref, "confirmed", signer.key_id))
        return signer

    def start(self, steps: Steps | None = None) -> Agent:
        """A new process on the same disk and drive."""
        self.system.die()
        before = self.system
        self.system = type(before)(before.drive, steps, before.boot)
        self.system.clock = before.clock
        self.service.around = self._exchange
        state = StateDirectory(self.settings.state_dir, self.disk)
        watch = assembly.open_watch(self.settings, self.clock)
        link = Network(connect_timeout=5.0, reply_timeout=20.0, transport=self.service.transport())
        client = Client(self.service.base, FileSigner.load(state.key_file), watch, link)
        self.agent = assembly.build(
            self.settings,
            state=state,
            engine=self.engine,
            service=client,
            watch=watch,
            rules=lambda: self.rules,
            self_test=lambda: self.self_test,
        )
        watch.heard(self.service.now())
        return self.agent

    def _exchange(self, name: str, effect: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Every exchange is a step, but for progress: it is told from another thread, at moments of its own."""
        if name.endswith("/progress"):
            if self.system.steps.dead:
                raise ConnectionError("the process is dead")
            return effect()
        return self.system.steps.step(name, effect)

    def order(self, **changes: Any) -> Order:  # noqa: ANN401 - as FakeService.order
        """An approved order for the drive."""
        fingerprint = self.system.inspect().fingerprint
        assert fingerprint is not None
        return self.service.order(self.signer.key_id, fingerprint, **changes)

    def lease(self) -> None:
        """Take what the service has to do."""
        lease = self.agent.service.lease().lease
        if lease is not None:
            leasing.take_in(self.agent.runs, self.agent.outbox, lease)

    def work(self, control: Control | None = None) -> list[NotYet]:
        """Every run as far as it goes now; what still waits, and why."""
        waiting: list[NotYet] = []
        for run in self.agent.runs.all():
            try:
                self.agent.runner.work(run, control or Control())
            except NotYet as error:
                waiting.append(error)
        return waiting

    def deliver(self) -> None:
        """Everything in the outbox."""
        for record_id in self.agent.outbox.waiting():
            self.agent.outbox.deliver(record_id)

    def settle(self) -> None:
        """What the daemon does: pending runs first, then leases, then the outbox, until nothing is left to do."""
        for _ in range(4):
            self.work()
            self.lease()
            self.work()
            self.deliver()

    def records(self) -> list[dict[str, Any]]:
        """The bodies of every accepted record, by number."""
        from reports.envelope import unverified_body  # noqa: PLC0415 - used here only

        found = [
            unverified_body(record, "sanitization-record") for order in self.service.orders for record in order.records
        ]
        return sorted(found, key=lambda body: int(body["host"]["sequence"]))
