"""Reading a device back on its own, without a run: what an operator checks by hand, or with this tool after another one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .content import FixedSource, KeyedSource, Source, stream_key
from .crew import Crew
from .errors import IdentityMismatch, IdentityUnreadable, Interrupted, NoTechnique, RunUnknown
from .hooks import Hooks
from .identity import same_device
from .inspection import Inspection
from .journal import master_key, peek, runs_in
from .medium import Medium
from .meter import Meter
from .patterns import Fixed, Keyed, pattern_set
from .readback import Verifier
from .recovery import recover
from .results import verification_facts
from .run import RunState, VerificationFacts
from .sampling import full, select
from .settings import Settings
from .system import System
from .telling import Teller


@dataclass(frozen=True)
class Expected:
    """What a device should hold."""

    label: str
    source: Source


def of_pattern(inspection: Inspection, pattern: str) -> Expected:
    """A constant by name.

    Raises:
        NoTechnique: it is no constant.
    """
    known = pattern_set(pattern)
    last = known.passes[-1] if known else None
    if not isinstance(last, Fixed):
        reason = f"verify: {pattern!r} is no constant; zeros, ones or fixed:HEX can be verified without a run's key"
        raise NoTechnique(fingerprint=inspection.fingerprint, reasons=(reason,))
    return Expected(last.label, FixedSource(last.unit))


def of_run(inspection: Inspection, journal_dir: Path, run_id: str) -> Expected:
    """What a run of this host wrote last, from its journal and key.

    Raises:
        RunUnknown: there is no such run.
        IdentityMismatch: it was a run on another medium.
        NoTechnique: it wrote no whole pass.
        JournalDamaged: journal or key cannot be read.
    """
    if run_id not in runs_in(journal_dir):
        raise RunUnknown(run_id=run_id)
    entries, _ = peek(journal_dir, run_id)
    before = recover(entries)
    if before is None or not before.passes:
        raise NoTechnique(fingerprint=inspection.fingerprint, reasons=(f"verify: run {run_id} wrote no whole pass",))
    written_on = before.device.fingerprint if before.device else "unknown"
    if inspection.fingerprint != written_on:
        raise IdentityMismatch(expected=written_on, found=inspection.fingerprint)
    key = stream_key(master_key(journal_dir / run_id, run_id), written_on)
    last = before.passes[-1]
    if last.pattern == Keyed().label:
        return Expected(last.pattern, KeyedSource(key, last.number, through_gcm=False))
    return of_pattern(inspection, last.pattern)


def verify_device(
    system: System,
    settings: Settings,
    inspection: Inspection,
    expected: Expected,
    verification: str,
    sample_seed: str,
    hooks: Hooks,
) -> VerificationFacts:
    """See `sanitizer.verify`."""
    identity = inspection.identity
    if identity is None:
        raise IdentityUnreadable(reason=f"{inspection.path} reports no identity")
    selection = select(verification, identity.capacity_bytes, identity.logical_block_bytes, sample_seed)
    selection = selection or full(identity.capacity_bytes)
    device = system.open_reading(inspection.path)
    try:
        found = system.inspect_open(device).identity
        if not same_device(identity, found):
            raise IdentityMismatch(expected=identity.fingerprint, found=found.fingerprint if found else None)
        medium = Medium(
            device=device,
            size_bytes=identity.capacity_bytes,
            floor_bytes=max(identity.logical_block_bytes, identity.physical_block_bytes),
            logical_bytes=identity.logical_block_bytes,
            settings=settings,
            clock=system.monotonic,
        )
        teller = Teller("verify", hooks.progress, system.monotonic, settings.progress_seconds)
        teller.state = RunState.VERIFYING
        teller.meter = Meter(pass_bytes=0, passes=0, verify_bytes=selection.total_bytes)
        teller.meter.begin_verification()
        crew = Crew("verify", settings.threads or 2, hooks.stop, teller.tick, settings.tick_seconds)
        verifier = Verifier(medium, expected.source, selection, crew)
        teller.done = lambda: verifier.done_bytes
        teller.errors = lambda: medium.errors + verifier.findings
        verifier.run()
        if hooks.stop.is_set() and not verifier.found.completed:
            raise Interrupted(pass_number=0, durable_bytes=verifier.done_bytes, touched="no")
        return verification_facts(verifier, selection, expected.label, direct=device.direct)
    finally:
        device.close()
