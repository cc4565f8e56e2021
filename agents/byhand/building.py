"""The agent of a host without a network: the same parts, with the newest job bundle in the service's place."""

from __future__ import annotations

from collections.abc import Callable

from agents import assembly
from agents.assembly import Agent
from agents.clock import Clock
from agents.config import Settings
from agents.engine import Engine
from agents.local_rules import LocalRules
from agents.state import StateDirectory

from . import intake
from .clock import HandWatch
from .service import HandService
from .store import ByHandStore


def build(
    settings: Settings,
    state: StateDirectory,
    *,
    engine: Engine | None = None,
    clock: Clock | None = None,
    rules: Callable[[], LocalRules] | None = None,
) -> tuple[Agent, HandService]:
    """Put it together.

    Args:
        settings: The agent's.
        state: Its directory, prepared and owned by this process.
        engine: None takes this host's devices.
        clock: None takes this machine's.
        rules: None reads the settings' root-owned file at each question.

    Raises:
        EnrolmentRefused, ConfigInvalid, StateDamaged: As `assembly.build`.
        BundleRefused: The bundle that is kept cannot be read any more.
    """
    store = ByHandStore(state)
    plain = assembly.open_watch(settings, clock)
    watch = HandWatch(plain.clock, settings.clock_tolerance, settings.sync_clock_marker, store.newest_time)
    service = HandService(store, watch, settings.oldest_hold_answer)
    service.job = intake.kept(service)
    return assembly.build(settings, state=state, engine=engine, service=service, watch=watch, rules=rules), service
