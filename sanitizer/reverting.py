"""Bringing back a drive that hides its medium behind TCG locking, by a revert with its label's number or its owner's password.

Such a drive takes no canaries, so what a revert did to its medium could not be proven: it counts as no sanitization, and nothing
is said of one. It destroys what the drive holds all the same, so everything that stands against a run stands against it,
down to the neighbours, and is proven again right before. What was sent is kept in a journal of its own. Afterwards the
drive shows its medium, and a run can be planned like for any other drive.

    begun             which drive, in which state, by whose password (never the password)
    step, command-*   as in a run's journal (`command_log.py`)
    ended             the whole result, or the error it ended with
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .capability import OpalCapabilities, SanitizePhase, SanitizeStanding, Tri
from .clearance import Confirmation, standing_against
from .command_log import commands_of, sent_times, told
from .errors import (
    ConfirmationMissing,
    DeviceChanged,
    DeviceGone,
    IdentityMismatch,
    IdentityUnreadable,
    Interrupted,
    JournalFailed,
    NoTechnique,
    Refused,
    SanitizerError,
    TechniqueFailed,
    Touched,
    TransportError,
)
from .hooks import Hooks, stamp
from .identity import DeviceIdentity, same_device
from .inspection import Inspection
from .journal import Journal
from .planning import PlanRequest, rules
from .settings import Settings
from .settling import Settling
from .signatures import UNREADABLE
from .system import System
from .techniques.base import Escrow, Hands, Parameters, Sent, Technique
from .transport.base import OpenDevice

BY_LABEL, BY_OWNER = "opal-psid-revert", "opal-revert"
PROVES_NOTHING = "This claims nothing: nobody looked at what the medium holds. An ordinary run can be planned now."


@dataclass(frozen=True, kw_only=True)
class RecoveryRequest:
    """What a person asks for, and accepts."""

    technique: str
    """By the number on the label, or by the owner's password."""
    confirmation: Confirmation
    """The fingerprint as it was typed, and dormant signatures that may be destroyed."""
    scope: tuple[str, ...] = ()
    """What else may be destroyed: words of `planning.SCOPES`."""


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What was done to bring a drive back."""

    recovery_id: str
    path: str
    fingerprint: str
    technique: str
    before: tuple[str, ...]
    """What hid the medium: locked, shadowed, removal-interrupted."""
    after: tuple[str, ...]
    """What still does, and `unknown` where the drive does not tell; empty where the medium shows."""
    also_destroyed: tuple[str, ...]
    """Sentences."""
    commands: tuple[dict[str, Any], ...]
    """Every command sent, as a run's record has them."""
    started: str
    finished: str

    @property
    def in_service(self) -> bool:
        """Whether the drive shows its medium again."""
        return not self.after

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**dataclasses.asdict(self), "in_service": self.in_service, "claims": "nothing"}


def hiding(opal: OpalCapabilities | None) -> tuple[str, ...]:
    """What keeps the medium from being seen, by the drive's own account; unknown where it does not tell."""
    if opal is None:
        return ("unknown",)
    states = {
        "locked": opal.locked,
        "shadowed": opal.shadowed,
        "removal-interrupted": opal.removal_interrupted,
    }
    known = tuple(word for word, value in states.items() if value is Tri.YES)
    unknown = Tri.UNKNOWN in {opal.locked, opal.shadowed}
    return known + (("unknown",) if unknown else ())


def refuse(inspection: Inspection, technique: Technique, asked: RecoveryRequest) -> None:
    """Everything that stands against it.

    Args:
        inspection: Of the drive.
        technique: One of the two reverts.
        asked: What is asked for.

    Raises:
        Refused: the gravest of them.
    """
    identity, capabilities = inspection.identity, inspection.capabilities
    if identity is None:
        raise IdentityUnreadable(reason=f"{inspection.path} reports no identity")
    opal = capabilities.opal if capabilities is not None else None
    if capabilities is None or opal is None or hiding(opal) in {(), ("unknown",)}:
        reason = "the drive hides nothing behind TCG locking, as far as it tells: plan an ordinary run"
        raise NoTechnique(fingerprint=identity.fingerprint, reasons=(reason,))
    # Nothing can be read of such a drive, and the confirmation says so: this one signature needs no word of its own.
    accepted = (*asked.confirmation.acknowledged_signatures, UNREADABLE)
    for obstacle in standing_against(inspection, (technique.name,), accepted):
        raise obstacle
    request = PlanRequest(acknowledged_scope=asked.scope)
    reasons = rules.of_path(technique.name, capabilities)
    reasons += rules.of_scope(technique.name, capabilities, request, neighbours=technique.destroys_neighbours)
    reasons += technique.refusals(capabilities, Parameters())
    if reasons:
        raise NoTechnique(
            fingerprint=identity.fingerprint, reasons=tuple(f"{technique.name}: {why}" for why in reasons)
        )
    given = asked.confirmation.fingerprint
    if given != identity.fingerprint:
        raise ConfirmationMissing(fingerprint=identity.fingerprint, expected=identity.fingerprint, given=given)


class _Reverting:
    """One recovery of one claimed drive."""

    def __init__(
        self,
        system: System,
        settings: Settings,
        device: OpenDevice,
        journal: Journal,
        technique: Technique,
        asked: RecoveryRequest,
        hooks: Hooks,
    ) -> None:
        self._system = system
        self._settings = settings
        self._device = device
        self._journal = journal
        self._technique = technique
        self._asked = asked
        self._hooks = hooks
        self._touched: Touched = "no"
        self._started = stamp(system.now())
        self._first: Inspection | None = None

    def go(self) -> Recovery:
        """All of it. Raises what `recover` does."""
        first = self._proven()
        self._first = first
        identity, capabilities = first.identity, first.capabilities
        if identity is None or capabilities is None:
            raise RuntimeError("what has no identity or no command interface was refused")
        before = hiding(capabilities.opal)
        also = rules.also_destroyed(self._technique.name, capabilities, neighbours=True)
        self._note(
            "begun",
            recovery_id=self._journal.run_id,
            path=first.path,
            fingerprint=identity.fingerprint,
            device=identity.to_dict(),
            technique=self._technique.name,
            hidden_by=list(before),
            also_destroyed=list(also.values()),
        )
        try:
            self._send(first)
            self._settle()
            after = self._after(identity)
        except SanitizerError as error:
            if not isinstance(error, JournalFailed):
                self._note("ended", error=error.code, touched=self._touched, result=None)
            raise
        recovery = Recovery(
            recovery_id=self._journal.run_id,
            path=first.path,
            fingerprint=identity.fingerprint,
            technique=self._technique.name,
            before=before,
            after=after,
            also_destroyed=tuple(also.values()),
            commands=commands_of(self._journal.entries),
            started=self._started,
            finished=stamp(self._system.now()),
        )
        self._note("ended", error=None, touched=self._touched, result=recovery.to_dict())
        return recovery

    def _proven(self) -> Inspection:
        """A fresh look at the open drive, held against everything again. Raises `Refused`."""
        now = self._system.inspect_open(self._device)
        refuse(now, self._technique, self._asked)
        first = self._first
        if first is not None and (first.boot_id, first.disk_sequence) != (now.boot_id, now.disk_sequence):
            raise DeviceChanged(
                fingerprint=now.fingerprint,
                what="attachment",
                expected=f"{first.boot_id}/{first.disk_sequence}",
                found=f"{now.boot_id}/{now.disk_sequence}",
            )
        return now

    def _prove(self) -> None:
        self._proven()

    def _note(self, kind: str, **fields: Any) -> None:  # noqa: ANN401 - JSON values
        moment = {"t": stamp(self._system.now()), "m": int(self._system.monotonic() * 1000)}
        self._journal.append(kind, {**moment, **fields})
        if kind == "command-sending":
            self._touched = "maybe"

    def _send(self, first: Inspection) -> None:
        """The revert. Raises `Refused` where nothing may be sent, `TechniqueFailed` where the drive does not take it."""
        technique, capabilities, identity = self._technique, first.capabilities, first.identity
        if capabilities is None or identity is None:
            raise RuntimeError("what has no identity or no command interface was refused")
        standing = technique.standing(self._device.ports())
        self._note(
            "step",
            step=0,
            technique=technique.name,
            recovery=False,
            before=standing.raw.hex(),
            phase=standing.phase.value,
            setting=None,
            aftermath="undefined",
        )
        hands = Hands(
            ports=self._device.ports(),
            capabilities=capabilities,
            parameters=Parameters(),
            capacity_bytes=identity.capacity_bytes,
            escrow=_nothing_to_keep,
            prove=self._prove,
            note=lambda kind, fields: self._note(kind, step=0, **fields),
            secret=self._hooks.secret,
        )
        begun, mark = stamp(self._system.now()), len(self._journal.entries)
        try:
            sent = technique.start(hands)
        except Refused:
            self._touched = "no"
            self._note("command-withheld", step=0)
            raise
        except (DeviceGone, JournalFailed):
            raise
        except TransportError as error:
            self._note("command-lost", step=0, error=error.code)
            return  # its own discovery tells
        intents = [each for each in self._journal.entries[mark:] if each["kind"] == "command-sending"]
        accepted = sent[-1].accepted if sent else "no"
        times = sent_times(sent, intents, begun, stamp(self._system.now()))
        self._note("command-answered", step=0, accepted=accepted, commands=told(sent, times))
        if accepted == "no":
            self._touched = "no"
            raise self._failed(f"it was refused{_raw(sent)}: another number or password, or too many attempts")
        if accepted == "yes":
            self._touched = "yes"

    def _settle(self) -> None:
        """The drive may go on removing data after it has answered. Raises what `Settling.run` does."""
        ports = self._device.ports()
        settling = Settling(
            self._technique.name,
            lambda: self._technique.standing(ports),
            estimate_seconds=None,
            settings=self._settings,
            clock=self._system.monotonic,
            pause=self._pause,
        )
        ending = settling.run()
        if ending is None:
            raise Interrupted(pass_number=0, durable_bytes=0, touched=self._touched)
        standing: SanitizeStanding = ending.standing
        done = standing.phase is SanitizePhase.SUCCEEDED
        self._note(
            "command-settled",
            step=0,
            phase=standing.phase.value,
            worked=ending.seen_working,
            after=standing.raw.hex(),
            verdict="done" if done else "failed",
        )
        if not done:
            raise self._failed(f"the drive says of itself: {standing.phase.value}")
        self._touched = "yes"

    def _after(self, identity: DeviceIdentity) -> tuple[str, ...]:
        self._system.rescan(self._device)
        found = self._system.inspect_open(self._device)
        if not same_device(identity, found.identity):
            expected = identity.fingerprint
            raise IdentityMismatch(fingerprint=expected, expected=expected, found=found.fingerprint)
        return hiding(found.capabilities.opal if found.capabilities is not None else None)

    def _failed(self, reason: str) -> TechniqueFailed:
        return TechniqueFailed(technique=self._technique.name, reason=reason, touched=self._touched)

    def _pause(self, seconds: float) -> bool:
        self._system.wait(self._hooks.stop, seconds)
        return not self._hooks.stop.is_set()


def recover_drive(
    system: System,
    settings: Settings,
    path: str,
    asked: RecoveryRequest,
    recovery_id: str,
    record_dir: Path,
    hooks: Hooks,
) -> Recovery:
    """See `sanitizer.api.recover_drive`."""
    technique = system.technique(asked.technique)
    device = system.claim(path)
    try:
        refuse(system.inspect_open(device), technique, asked)
        journal = system.create_journal(record_dir, recovery_id)
        try:
            return _Reverting(system, settings, device, journal, technique, asked, hooks).go()
        finally:
            journal.close()
    finally:
        device.close()


def _raw(sent: tuple[Sent, ...]) -> str:
    return f" ({sent[-1].command} answered {sent[-1].answer.hex() or 'nothing'})" if sent else ""


def _nothing_to_keep(_escrow: Escrow) -> None:
    raise RuntimeError("a revert sets no password")
