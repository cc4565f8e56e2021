"""Reading a device back on its own, without a run: what an operator checks by hand, or with this tool after another one."""

from __future__ import annotations

from .content import FixedSource
from .crew import Crew
from .errors import IdentityMismatch, IdentityUnreadable, Interrupted, NoTechnique
from .identity import same_device
from .inspection import Inspection
from .medium import Medium
from .meter import Meter
from .patterns import Fixed, pattern_set
from .readback import Verifier
from .results import verification_facts
from .run import RunState, VerificationFacts
from .sampling import full, select
from .settings import Settings
from .stretch import Hooks
from .system import System
from .telling import Teller


def _constant(pattern: str, fingerprint: str) -> Fixed:
    known = pattern_set(pattern)
    last = known.passes[-1] if known else None
    if not isinstance(last, Fixed):
        reason = f"verify: {pattern!r} is no constant; zeros, ones or fixed:HEX can be verified without a run's key"
        raise NoTechnique(fingerprint=fingerprint, reasons=(reason,))
    return last


def verify_device(
    system: System,
    settings: Settings,
    inspection: Inspection,
    pattern: str,
    verification: str,
    sample_seed: str,
    hooks: Hooks,
) -> VerificationFacts:
    """See `sanitizer.verify`."""
    identity = inspection.identity
    if identity is None:
        raise IdentityUnreadable(reason=f"{inspection.path} reports no identity")
    content = _constant(pattern, identity.fingerprint)
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
        verifier = Verifier(medium, FixedSource(content.unit), selection, crew)
        teller.done = lambda: verifier.done_bytes
        teller.errors = lambda: medium.errors + verifier.findings
        verifier.run()
        if hooks.stop.is_set() and not verifier.found.completed:
            raise Interrupted(pass_number=0, durable_bytes=verifier.done_bytes, touched="no")
        return verification_facts(verifier, selection, content.label, direct=device.direct)
    finally:
        device.close()
