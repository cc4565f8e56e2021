"""Running the real engine on a simulated drive that sanitizes itself."""

from __future__ import annotations

from pathlib import Path

from sanitizer import api, engine
from sanitizer.clearance import Clearance, Confirmation, clear
from sanitizer.hooks import Hooks
from sanitizer.patterns import Keyed, PatternSet
from sanitizer.planning import Plan, PlanRequest
from sanitizer.run import RunResult
from sanitizer.settings import Settings
from sanitizer.techniques.base import Escrow
from tests.support.command_drive import CommandSystem
from tests.unit.sanitizer.simulation import RUN, SEED, SETTINGS

BLOCK_ERASE = ("nvme-sanitize-block-erase",)
CRYPTO_THEN_BLOCK = ("nvme-sanitize-crypto-erase", "nvme-sanitize-block-erase")
PASSWORD_ERASE = ("ata-security-erase",)


def request_of(steps: tuple[str, ...], verification: str = "full") -> PlanRequest:
    """What an order would ask for."""
    method = "clear" if steps == PASSWORD_ERASE else "purge"
    return PlanRequest(method=method, technique="+".join(steps), pattern_set="canaries", verification=verification)


def cleared(
    system: CommandSystem, steps: tuple[str, ...], verification: str = "full", *, again: bool = False
) -> Clearance:
    """A clearance for the simulated drive; `again`: as a resumed run gets it (`api.clear_again`)."""
    inspection = system.inspect()
    plan = Plan(
        request=request_of(steps, verification),
        patterns=PatternSet(name="canaries", passes=(Keyed(),)),
        capacity_bytes=inspection.capacity_bytes or 0,
        steps=steps,
    )
    confirmation = Confirmation(fingerprint=inspection.fingerprint or "")
    return clear(inspection, plan, confirmation, system.now(), settling=again)


def escrowed(into: list[Escrow] | None = None) -> Hooks:
    """Hooks with somebody who keeps passwords."""
    kept: list[Escrow] = [] if into is None else into
    return Hooks(escrow=kept.append)


def command(
    system: CommandSystem,
    journals: Path,
    steps: tuple[str, ...] = BLOCK_ERASE,
    verification: str = "full",
    *,
    settings: Settings = SETTINGS,
    hooks: Hooks | None = None,
) -> RunResult:
    """A fresh run."""
    clearance = cleared(system, steps, verification)
    return engine.sanitize(system, settings, clearance, RUN, journals, SEED, hooks or escrowed())


def go_on(
    system: CommandSystem, journals: Path, steps: tuple[str, ...] = BLOCK_ERASE, *, hooks: Hooks | None = None
) -> RunResult:
    """A resumed run, cleared as what its journal says of it allows."""
    (pending,) = api.pending_runs(journals)
    clearance = cleared(system, steps, again=pending.own_work)
    return engine.resume(system, SETTINGS, clearance, RUN, journals, hooks or escrowed())
