"""Builds the agent from its settings: the one place that knows which part needs which."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.selftest import SelfTest

from . import engine as engines
from . import enrolment, host, keys, rules_file
from .client import Client, Service
from .clock import Clock, ClockWatch, SystemClock
from .config import Settings
from .durable import Disk
from .engine import Engine
from .enrolment import Enrolment
from .errors import ConfigInvalid, EnrolmentRefused
from .halts import Halts
from .hopeless import Limits as HopelessLimits
from .keys import AgentKeys
from .link import Link
from .local_rules import LocalRules
from .outbox import Outbox
from .permission import Judge
from .pins import PinStore
from .readings import Readings
from .runner import Limits, Runner
from .runs import RunStore
from .self_tests import SelfTests, this_build
from .sequence import Sequence
from .state import StateDirectory


@dataclass(frozen=True)
class Agent:
    """The parts of an enrolled agent."""

    settings: Settings
    state: StateDirectory
    enrolment: Enrolment
    service: Service
    engine: Engine
    watch: ClockWatch
    pins: PinStore
    judge: Judge
    runs: RunStore
    outbox: Outbox
    runner: Runner
    readings: Readings


def require_enrolled(state: StateDirectory) -> tuple[AgentKeys, Enrolment]:
    """This host's keys and enrolment. Raises `EnrolmentRefused` where there is none, `StateDamaged`."""
    own, enrolled = keys.load(state), enrolment.load(state)
    if own is None or enrolled is None or enrolled.key_id != own.signer.key_id:
        raise EnrolmentRefused("This host is not enrolled: run `sanitrail-agent enrol` first.")
    return own, enrolled


def open_client(server: str, agent_keys: AgentKeys, watch: ClockWatch, link: Link) -> Client:
    """A client for the service."""
    return Client(server, agent_keys.signer, watch, link)


def open_network(settings: Settings) -> Link:
    """The network, as the settings say. Its library is loaded by processes that use it only: the helper never does."""
    from .network import Network  # noqa: PLC0415 - see above

    return Network(
        connect_timeout=settings.connect_timeout, reply_timeout=settings.reply_timeout, ca_file=settings.ca_file
    )


def open_watch(settings: Settings, clock: Clock | None = None) -> ClockWatch:
    """The two clocks, with the settings' tolerance."""
    return ClockWatch(clock or SystemClock(), settings.clock_tolerance, settings.sync_clock_marker)


def open_state(settings: Settings, disk: Disk | None = None) -> StateDirectory:
    """The state directory, made where it is missing. Raises `StateDamaged` when others could enter it."""
    state = StateDirectory(settings.state_dir, disk)
    state.prepare()
    return state


def build(
    settings: Settings,
    *,
    state: StateDirectory | None = None,
    engine: Engine | None = None,
    service: Service | None = None,
    watch: ClockWatch | None = None,
    rules: Callable[[], LocalRules] | None = None,
    self_test: Callable[[], SelfTest] = this_build,
) -> Agent:
    """Put an enrolled agent together.

    Args:
        settings: The agent's.
        state: Its directory, prepared; None opens the settings' one.
        engine: None takes this host's devices.
        service: None takes the service it is enrolled with, over this process's own network.
        watch: None takes this machine's clock.
        rules: None reads the settings' root-owned file at each question.
        self_test: Tries this build on planted faults.

    Raises:
        EnrolmentRefused: This host is not enrolled.
        ConfigInvalid: The settings name another service than the one it is enrolled with.
        StateDamaged: Keys, enrolment or pins cannot be read back.
    """
    state = state or open_state(settings)
    agent_keys, enrolled = require_enrolled(state)
    if settings.server and settings.server != enrolled.server:
        raise ConfigInvalid("server", f"this host is enrolled with {enrolled.server}; enrol again to change that")
    watch = watch or open_watch(settings)
    pins = PinStore(state)
    pins.require()
    link = service or open_client(enrolled.server, agent_keys, watch, open_network(settings))
    runs = RunStore(state)
    outbox = Outbox(state, agent_keys.public, pins, link)

    def from_file() -> LocalRules:
        return rules_file.load(settings.local_rules)

    tests = SelfTests(state, watch.clock.monotonic, self_test)
    judge = Judge(agent_keys.signer.key_id, pins, rules or from_file, watch, Halts(state), tests)
    devices = engine or engines.HERE
    runner = Runner(
        engine=devices,
        service=link,
        journals=state.journals,
        runs=runs,
        outbox=outbox,
        sequence=Sequence(state),
        judge=judge,
        signer=agent_keys.signer,
        host=host.describe(state, agent_keys.signer.key_id),
        limits=Limits(
            hold=settings.hold_limit,
            progress_interval=settings.progress_interval,
            hopeless=HopelessLimits(
                slowest=settings.give_up_below,
                slow_seconds=settings.give_up_slow_seconds,
                most_errors=settings.give_up_errors,
                hottest=settings.give_up_celsius,
                hot_seconds=settings.give_up_hot_seconds,
            ),
        ),
        begin_lock=threading.Lock(),
    )
    readings = Readings(
        engine=devices,
        service=link,
        state=state,
        judge=judge,
        runs=runs,
        signer=agent_keys.signer,
        host=runner.host,
        interval=settings.progress_interval,
    )
    return Agent(settings, state, enrolled, link, devices, watch, pins, judge, runs, outbox, runner, readings)
