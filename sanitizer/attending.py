"""Attending to a drive without a run: waiting for an operation that is under way, whoever began it, and unlocking one.

Neither writes to the medium. What was waited for here proves nothing: whoever began it has to look at the medium.
"""

from __future__ import annotations

from collections.abc import Callable

from .capability import Capabilities, SanitizeStanding, Tri
from .errors import Interrupted, LockedByUs, NoTechnique, TechniqueFailed
from .hooks import Hooks
from .inspection import Inspection
from .run import RunState
from .settings import Settings
from .settling import Settling
from .standings import ata_standing, nvme_standing, scsi_standing
from .system import System
from .techniques.base import Escrow, Hands, Parameters
from .telling import Teller
from .transport.base import OpenDevice
from .transport.commands import Ports

UNLOCKS = "ata-security-erase"
"""The technique that knows how to take an ATA password away."""


def _question(capabilities: Capabilities | None) -> Callable[[Ports], SanitizeStanding] | None:
    """How this drive is asked; None where it has no status to ask for."""
    if capabilities is None or capabilities.standing is None:
        return None
    if capabilities.nvme is not None:
        return nvme_standing
    ata = capabilities.ata
    return ata_standing if ata is not None and ata.sanitize is Tri.YES else scsi_standing


def settle(system: System, settings: Settings, path: str, hooks: Hooks) -> SanitizeStanding:
    """See `sanitizer.settle`."""
    device = system.open_reading(path)
    try:
        inspection = system.inspect_open(device)
        return _settled(system, settings, device, inspection, hooks)
    finally:
        device.close()


def _settled(
    system: System, settings: Settings, device: OpenDevice, inspection: Inspection, hooks: Hooks
) -> SanitizeStanding:
    ask, ports = _question(inspection.capabilities), device.ports()
    if ask is None:
        raise NoTechnique(
            fingerprint=inspection.fingerprint, reasons=("the drive has no sanitize operation of its own to wait for",)
        )
    teller = Teller("settle", hooks.progress, system.monotonic, settings.progress_seconds)
    teller.state = RunState.SETTLING

    def pause(seconds: float) -> bool:
        system.wait(hooks.stop, seconds)
        teller.tick()
        return not hooks.stop.is_set()

    settling = Settling(
        "sanitize", lambda: ask(ports), estimate_seconds=None, settings=settings, clock=system.monotonic, pause=pause
    )
    teller.left = lambda _: settling.seconds_left
    teller.now()
    ending = settling.run()
    if ending is None:
        raise Interrupted(pass_number=0, durable_bytes=0, touched="no")
    return ending.standing


def unlock(system: System, path: str, secret: bytes) -> None:
    """See `sanitizer.unlock`."""
    device = system.claim(path)
    try:
        inspection = system.inspect_open(device)
        capabilities, identity = inspection.capabilities, inspection.identity
        if capabilities is None or capabilities.ata is None or identity is None:
            reason = "the drive shows no ATA security that could be unlocked"
            raise NoTechnique(fingerprint=inspection.fingerprint, reasons=(reason,))
        hands = Hands(
            ports=device.ports(),
            capabilities=capabilities,
            parameters=Parameters(),
            capacity_bytes=identity.capacity_bytes,
            escrow=_nothing_to_keep,
            prove=lambda: None,
            note=lambda _kind, _fields: None,
            secret=secret,
        )
        sent = system.technique(UNLOCKS).recover(hands)
        if sent and sent[-1].accepted != "yes":
            raw = sent[-1].answer.hex() or "nothing"
            reason = f"{sent[-1].command} was answered with {raw}: another password, or too many attempts"
            raise TechniqueFailed(technique=UNLOCKS, reason=reason, fingerprint=identity.fingerprint, touched="no")
        after = system.inspect_open(device).capabilities
        if after is None or after.ata is None or after.ata.security_enabled is not Tri.NO:
            raise LockedByUs(password_id="unknown", fingerprint=identity.fingerprint, touched="no")  # noqa: S106 - a name
    finally:
        device.close()


def _nothing_to_keep(_escrow: Escrow) -> None:
    raise RuntimeError("unlocking sets no password")
