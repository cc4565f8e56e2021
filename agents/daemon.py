"""The main loop: a handful of tasks, each due at its own time, none of which may stop the others.

    self-test    at start before anything else, then once an hour: does this build find what it claims to find?
    runs         every pending run is given a thread; at start before anything is leased
    enrolment    until the fingerprint is confirmed
    heartbeat    alive, what runs, and what the service wants known
    roster       when the service has a newer one than is pinned
    lease        when work waits and this host would take it
    readings     verify-only orders: taken up when work waits, and what was read handed over
    observation  everything attached; soon after the kernel reports a change, and now and then anyway
    outbox       records to the service

A task returns when it is due again, or None where somebody else will say so. Whatever it raises is noted and tried again
with growing pauses; nothing of it is lost, since all that must survive is on disk before it is tried. None may wait for a
device: reading a failing one takes minutes.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Mapping

from inventory.contract.v1.agents import DeclaredPath, Heartbeat, HeartbeatReply
from inventory.contract.v1.devices import Observation
from inventory.contract.v1.orders import Lease

from . import discovery, enrolment, following, halts, host, leasing, status
from .assembly import Agent
from .backoff import Backoff, jittered
from .conditions import Conditions
from .delivering import deliver_all
from .errors import AgentError, EvidenceRefused, NotEnrolled, Retry, StateUnwritable
from .folder_watch import FolderWatch
from .hotplug import HotPlug
from .lamps import Lamps
from .log_watch import decode_hashes, position_of
from .looking import Looking
from .notify import Notifier
from .readiness import standing_by, words
from .refusals import OrderMalformed
from .runs import State
from .self_tests import VALID
from .status import Board
from .workers import Workers

log = logging.getLogger("agents.daemon")

PATHS = "paths.json"
PATHS_SCHEMA = "sanitrail-agent/paths/1"
_FIRST_HEARTBEAT = 30.0
_STOP = "stop"
_LOOK_FOR_HALT = 1.0
"""Seconds, where the kernel does not tell: a halt at the host is a file, and nobody else tells of it."""
_SETTLE = 2.0
"""Seconds after a device event before looking: they come in flocks."""
_STOP_WITHIN = 60.0
_OTHERS_TELL = 3600.0
"""Seconds until a task is due whose moment somebody else tells."""


class Daemon:
    """One agent at work. `run` is the main thread's; `nudge` and `stop` may be called from anywhere, signal handlers included."""

    def __init__(
        self, agent: Agent, notifier: Notifier, hotplug: Callable[[Callable[[], None]], HotPlug] = HotPlug
    ) -> None:
        """Nothing happens yet.

        Args:
            agent: The enrolled agent.
            notifier: Told how the service stands.
            hotplug: Makes the listener for device events.
        """
        self._agent = agent
        self._notifier = notifier
        self._clock = agent.watch.clock
        self._nudges: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._board = Board(self._clock)
        self._workers = Workers(agent.runner, agent.settings.parallel, self._board, self._clock.monotonic, self.nudge)
        agent.readings.nudge = lambda: self.nudge("readings")
        self._hotplug = hotplug(lambda: self.nudge("devices"))
        self._halt_files = FolderWatch(lambda: self.nudge("halts"), agent.state.root, halts.FILES)
        self._looking: Looking[Observation] = Looking(self._look, lambda: self.nudge("observation"))
        self._tasks: Mapping[str, Callable[[], float | None]] = {
            "self-test": self._self_test,
            "runs": self._dispatch,
            "enrolment": self._poll_enrolment,
            "heartbeat": self._beat,
            "roster": self._follow_roster,
            "lease": self._lease,
            "readings": self._read,
            "observation": self._observe,
            "outbox": self._deliver,
        }
        self._due = {name: self._clock.monotonic() for name in self._tasks}
        self._backoffs = {name: Backoff(2.0, 300.0) for name in self._tasks}
        self._backoffs["outbox"] = Backoff(2.0, agent.settings.outbox_retry_limit)
        self._enrolment = agent.enrolment
        self._confirmed = agent.enrolment.status == "confirmed"
        self._interval = _FIRST_HEARTBEAT
        self._work_waiting = False
        self._reading_may_wait = False
        self._roster_offered = 0
        self._paths = self._known_paths()
        self._lamps = Lamps()
        self._attached: frozenset[str] = frozenset()
        self._halted: str | None = None
        self._traces = agent.judge.halts.traces()
        self._outcome = 0
        self._conditions = Conditions(log)
        self._clock_doubted = False
        self._display = status.Display(agent.state, self._board, self._conditions)

    def nudge(self, task: str) -> None:
        """Do a task as soon as possible."""
        self._nudges.put(task)

    def stop(self) -> None:
        """End cleanly."""
        self._nudges.put(_STOP)

    def run(self) -> int:
        """Work until `stop`. Returns the exit code: 0, or 5 when the service turned this host away."""
        self._agent.state.sweep()
        self._hotplug.start()
        self._halt_files.start()
        self._notifier.ready(
            "Working" if self._confirmed else "Waiting for an administrator to confirm the fingerprint"
        )
        try:
            while self._outcome == 0:
                self._heed_halts()
                for name in self._tasks:
                    if self._due[name] <= self._clock.monotonic():
                        self._due[name] = self._clock.monotonic() + self._attempt(name)
                self._show()
                self._notifier.alive()
                if not self._wait():
                    break
        finally:
            self._notifier.stopping()
            self._hotplug.stop()
            self._halt_files.stop()
            self._lamps.dark()
            self._agent.readings.stop(_STOP_WITHIN)
            if not self._workers.stop(_STOP_WITHIN):
                log.error(
                    "a run did not reach its next block within %g seconds; its journal has the rest", _STOP_WITHIN
                )
            self._show()
        return self._outcome

    # --- the loop ---------------------------------------------------------------------------------------------------

    def _wait(self) -> bool:
        """Sleep until something is due or somebody nudges. Returns whether to go on."""
        if self._agent.judge.halts.traces() != self._traces:
            return True
        pause = max(0.0, min(self._due.values()) - self._clock.monotonic())
        if self._notifier.watchdog_seconds is not None:
            pause = min(pause, self._notifier.watchdog_seconds / 3)
        until = self._clock.monotonic() + min(pause, 60.0)
        try:
            name = self._next_nudge(until)
            while name != _STOP:
                self._hasten(name)
                name = self._nudges.get_nowait()
        except queue.Empty:
            return True
        return False

    def _next_nudge(self, until: float) -> str:
        """Looks for a halt every second meanwhile, unless the kernel tells of one.

        Raises `queue.Empty` when it is time, or when a halt came or went.
        """
        while True:
            left = until - self._clock.monotonic()
            longest = left if self._halt_files.hears else _LOOK_FOR_HALT
            try:
                return self._nudges.get(timeout=max(0.0, min(left, longest)))
            except queue.Empty:
                if left <= longest or self._agent.judge.halts.traces() != self._traces:
                    raise

    def _heed_halts(self) -> None:
        """Carry out a halt that came, or its lifting."""
        self._traces = self._agent.judge.halts.traces()
        standing = self._agent.judge.halts.standing()
        if standing == self._halted:
            return
        self._halted = standing
        if standing is None:
            log.warning("the halt is lifted; work goes on")
            self._workers.go_on()
            self._agent.readings.go_on()
        else:
            log.warning("halted: %s", standing)
            self._workers.halt()
            self._agent.readings.halt()
        self._due["runs"] = self._due["heartbeat"] = self._clock.monotonic()

    def _hasten(self, name: str) -> None:
        now = self._clock.monotonic()
        if name == "halts":
            return  # every turn of the loop begins with them
        if name == "devices":
            self._lamps.dark()  # another disk may be in that bay by now
            self._due["observation"] = min(self._due["observation"], now + _SETTLE)
        elif not (
            name == "outbox" and self._backoffs["outbox"].failures
        ):  # a service that is away is not asked more often
            self._due[name] = now

    def _attempt(self, name: str) -> float:
        """Do a task. Returns seconds until it is due again, whatever happened."""
        backoff = self._backoffs[name]
        try:
            pause = self._tasks[name]()
        except NotEnrolled as error:
            self._turned_away(name, error)
        except Retry as error:
            self._board.failed(name, error)
            self._conditions.stands(name, logging.INFO, f"{name}: {error.summarize()}")
            return backoff.failed(error.after)
        except AgentError as error:
            self._board.failed(name, error)
            level = logging.CRITICAL if isinstance(error, EvidenceRefused) else logging.ERROR
            self._conditions.stands(name, level, f"{name}: {error.explain()}")
        except OSError as error:  # the disk or the kernel says it all; a traceback adds nothing
            self._board.failed(name, StateUnwritable(str(error)))
            self._conditions.stands(name, logging.ERROR, f"{name}: {error}")
            if name == "heartbeat":  # it was heard, though what came back cannot be kept: the next one goes out in time
                return jittered(self._interval)
        except Exception as error:
            log.exception("%s: a defect of the agent", name)
            self._board.failed(name, AgentError(f"{type(error).__name__}; see the log"))
        else:
            if pause is None:  # under way, neither well nor badly
                return _OTHERS_TELL
            backoff.succeeded()
            self._board.over(name)
            self._conditions.over(name)
            return pause
        return backoff.failed()

    def _turned_away(self, name: str, error: NotEnrolled) -> None:
        """The key does not count (any more). Runs go on, records wait; the enrolment's own answer says what it is."""
        self._board.failed(name, error)
        log.error("%s: %s", name, error.explain())
        self._confirmed = False
        self._due["enrolment"] = self._clock.monotonic()

    # --- tasks ------------------------------------------------------------------------------------------------------

    def _self_test(self) -> float:
        self._agent.judge.self_tests.require()
        self._board.succeeded("self-test")
        return VALID

    def _dispatch(self) -> float:
        return self._workers.dispatch(self._agent.runs.all())

    def _poll_enrolment(self) -> float:
        if self._confirmed:
            return 3600.0
        reply = self._agent.service.enrolment()
        self._board.succeeded("enrolment")
        known = self._enrolment
        self._enrolment = enrolment.Enrolment(known.server, reply.host, reply.status, known.key_id)
        if self._enrolment != known:
            enrolment.save(self._agent.state, self._enrolment)
        if reply.status == "rejected":
            log.critical("the service turned this host away; enrol again with a new token")
            self._outcome = 5
        if reply.status != "confirmed":
            return jittered(5.0)
        self._confirmed = True
        for task in ("heartbeat", "observation", "lease", "outbox"):
            self._due[task] = self._clock.monotonic()
        self._notifier.status("Working")
        return 3600.0

    def _beat(self) -> float:
        if not self._confirmed:
            return jittered(self._interval)
        known = self._agent.pins.require().checkpoint
        reasons = self._reasons()
        asked_before = (
            self._agent.watch.reading().skew_seconds is not None
        )  # else the clock is unknown to everybody, always
        reply = self._agent.service.heartbeat(
            Heartbeat(
                agent_version=host.agent_version(),
                boot_id=host.boot_id(),
                time=self._clock.now(),
                running=tuple(run.order_id for run in self._agent.runs.all() if run.state is State.STARTED),
                outbox=len(self._agent.outbox.waiting()),
                checkpoint=position_of(known),
                standing_by=(reasons + self._cannot_halt())[:16] if asked_before else (),
            )
        )
        self._board.succeeded("heartbeat")
        self._take_in(reply, known.size)
        return jittered(self._interval)

    def _reasons(self) -> tuple[str, ...]:
        """Why this host would take no order now."""
        found = standing_by(self._agent.judge, self._agent.runs, self._agent.state.root, self._agent.watch)
        problem = self._display.problem
        if problem is None or any(reason.startswith("state-") for reason in found):
            return found
        return (*found, words(problem))

    def _cannot_halt(self) -> tuple[str, ...]:
        """What goes on although this host is halted, for the people who halted it."""
        if self._halted is None:
            return ()
        became = halts.what_became(self._agent.runs, self._agent.engine, self._agent.state.journals)
        return tuple(f"host-halted: {one.describe()}"[:500] for one in became if one.progress == "goes-on")

    def _take_in(self, reply: HeartbeatReply, named: int) -> None:
        self._interval = float(reply.interval_seconds)
        self._lamps.told({lamp.device: lamp.sign for lamp in reply.lamps}, self._clock.monotonic())
        self._work_waiting = reply.work_waiting
        self._roster_offered = reply.roster_version
        self._reading_may_wait = reply.work_waiting
        if reply.work_waiting:
            self._due["lease"] = self._due["readings"] = self._clock.monotonic()
        self._due["roster"] = self._clock.monotonic()
        if reply.halt is not None:
            judge = self._agent.judge
            judge.halts.follow(reply.halt.model_dump(), judge.agent_key, judge.service_keys())
        if reply.paths != self._paths:
            self._paths = reply.paths
            document = {"paths": [path.model_dump() for path in reply.paths]}
            self._agent.state.write(PATHS, PATHS_SCHEMA, document)
            self._due["observation"] = self._clock.monotonic()

        def prove(old: int, new: int) -> tuple[bytes, ...]:
            own = reply.consistency if old == named else self._agent.service.consistency(old, new).hashes
            return decode_hashes(own)

        if reply.trust_root_sha256 not in {None, self._agent.pins.require().trust.pin}:
            following.follow(self._agent.pins, self._agent.service)
        following.advance(self._agent.pins, self._agent.service, reply.checkpoint, prove)

    def _follow_roster(self) -> float:
        pinned = self._agent.pins.require().roster
        if not self._confirmed or pinned is None or self._roster_offered <= pinned.roster.version:
            return 3600.0
        chain = self._agent.service.rosters(pinned.roster.version)
        newest = self._agent.pins.follow_rosters([envelope.model_dump() for envelope in chain.rosters])
        log.info("roster version %d is pinned", newest.roster.version)
        self._board.succeeded("roster")
        return 3600.0

    def _lease(self) -> float:
        if self._halted is not None or self._display.problem is not None:  # a lease that cannot be kept is lost
            return jittered(self._interval)
        wanted = self._work_waiting or self._workers.waiting
        reasons = self._reasons()
        self._board.note(standing_by=list(reasons))
        if not self._confirmed or not wanted or (not self._workers.waiting and (reasons or not self._workers.free)):
            return jittered(self._interval)
        lease = self._agent.service.lease().lease
        self._board.succeeded("lease")
        if lease is None:
            self._work_waiting = False
            return jittered(self._interval)
        self._keep(lease)
        return 0.0  # there may be more: a whole station waits for its approvals at once

    def _read(self) -> float:
        """Nothing is written under a verify-only order: neither the hour nor a hold stands in its way; an alarm and a halt do."""
        if not self._confirmed:
            return jittered(self._interval)
        busy = self._agent.readings.work(wanted=self._reading_may_wait and self._halted is None)
        self._board.succeeded("readings")
        self._reading_may_wait = busy
        return 0.5 if busy else jittered(self._interval)

    def _keep(self, lease: Lease) -> None:
        try:
            run = leasing.take_in(self._agent.runs, self._agent.outbox, lease)
        except OrderMalformed as error:
            log.critical("a lease without an order that can be named: %s", error.explain())
            return
        if run is None:
            self.nudge("outbox")
            return
        self._workers.retry_now(run.order_sha256)
        self._due["runs"] = self._clock.monotonic()

    def _look(self) -> Observation:
        """In a thread of its own."""
        return discovery.observe(self._agent.engine, self._paths, self._clock, beyond=self._agent.settings.survey)

    def _observe(self) -> float | None:
        if not self._confirmed:
            return jittered(self._interval)
        seen = self._looking.take()
        if seen is None:
            return None
        self._agent.service.observe(seen)
        self._board.succeeded("observation")
        self._board.note(devices=len(seen.devices))
        self._lamps.see(seen.devices, self._clock.monotonic())
        attached = frozenset(one.identity.fingerprint for one in seen.devices if one.identity is not None)
        if attached - self._attached:  # an order may wait for what was just put in
            self._due["heartbeat"] = self._clock.monotonic()
        self._attached = attached
        return 0.0 if self._looking.outdated else jittered(self._agent.settings.rescan_interval)

    def _deliver(self) -> float:
        if not self._confirmed:
            return jittered(60.0)
        deliver_all(self._agent.outbox, self._conditions)
        self._board.succeeded("outbox")
        return self._agent.settings.outbox_retry_limit

    # --- parts ------------------------------------------------------------------------------------------------------

    def _known_paths(self) -> tuple[DeclaredPath, ...]:
        document = self._agent.state.read(PATHS, PATHS_SCHEMA)
        return () if document is None else tuple(DeclaredPath.model_validate(path) for path in document["paths"])

    def _show(self) -> None:
        """What `sanitrail-agent status` shows, and the lamps."""
        self._lamps.keep(self._clock.monotonic())
        reading = self._agent.watch.reading()
        self._board.note(
            confirmed=self._confirmed,
            clock={"skew_seconds": reading.skew_seconds, "problem": reading.problem},
            alarms=list(self._agent.pins.alarms()),
        )
        doubted, self._clock_doubted = self._clock_doubted, reading.problem is not None
        if self._display.show() or (doubted and not self._clock_doubted):  # what waited for it need not wait any longer
            self._due["heartbeat"] = self._due["outbox"] = self._clock.monotonic()
            self._workers.hasten()
