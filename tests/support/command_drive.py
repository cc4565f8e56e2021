"""A simulated drive that sanitizes itself, honestly or not, and the techniques that command it.

Its commands are bytes of no standard (`START`, `STATUS`, ...): what is tested with it is the engine's course, not the wire. Every
command is a step, so that a test can let the process die before and after each. An operation gets on by being asked about, so
that it needs no clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

from sanitizer.capability import (
    AtaCapabilities,
    Capabilities,
    HiddenCapacity,
    SanitizePhase,
    SanitizeStanding,
    Tri,
)
from sanitizer.errors import CommandTimeout, DeviceGone, HostReset, SanitizeInProgress, SecurityLocked
from sanitizer.identity import DeviceIdentity
from sanitizer.inspection import Inspection
from sanitizer.techniques.base import Aftermath, Escrow, Hands, Level, Parameters, Reach, Sent
from sanitizer.transport.base import RequestFailed
from sanitizer.transport.commands import Ports, ScsiAnswer
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem, Steps

START, STATUS, PASSWORD, ERASE, UNLOCK, DISABLE = 0x48, 0x03, 0xF1, 0xF4, 0xF2, 0xF6
PHASES = tuple(SanitizePhase)
SECRET = b"S" * 32


class CommandDrive(SimulatedDrive):
    """One drive. Its character is set as attributes before a run."""

    def __init__(self, size: int = 64 << 10) -> None:
        self._hidden = 0
        self._shown: int | None = None
        super().__init__(size)
        self.phase = SanitizePhase.NEVER
        self.operation = 0
        """Which operation the status is about; grows with each."""
        self.tells_history = True
        """False: only idle, in progress or failed, as SCSI has it."""
        self.polls = 3
        """Questions until an operation is over."""
        self.loses_once = False
        """Whether only the first answer goes wrong as `answers` says."""
        self.left = 0
        self.leaves: list[tuple[int, int]] = []
        """Byte ranges the drive does not erase, whatever it says."""
        self.fill: bytes = b"\0"
        self.ends: SanitizePhase = SanitizePhase.SUCCEEDED
        self.stalls = False
        self.silent = 0
        """Status questions that get no answer (bus reset)."""
        self.refuses = False
        self.answers: Literal["yes", "lost", "lost-undone", "gone", "reset"] = "yes"
        self.wrong_sizes = 0
        """How often the drive shows no capacity after its operation, before it shows the right one."""
        self.right_sizes: int | None = None
        """How often it shows the right one after that, before it shows none for good; None: for ever."""
        self.started: list[int] = []
        self.password: bytes | None = None
        self.locked = False

    @property
    def size(self) -> int:
        """Bytes, as the kernel would be told."""
        if self._hidden:
            self._hidden -= 1
            return 0
        if self._shown is not None:
            self._shown -= 1
            if self._shown < 0:
                return 0
        return len(self.current)

    @size.setter
    def size(self, value: int) -> None:
        pass

    @property
    def working(self) -> bool:
        return self.phase is SanitizePhase.IN_PROGRESS

    @property
    def stuck(self) -> bool:
        return self.phase.value.startswith("failed")

    def power_cut(self) -> None:
        super().power_cut()
        self.locked = self.password is not None

    def _available(self, operation: str) -> None:
        if self.working or self.stuck or self.locked:
            raise RequestFailed(operation, 5)

    def write(self, data: bytes, offset: int) -> int:
        self._available("write")
        return super().write(data, offset)

    def read(self, length: int, offset: int) -> bytes:
        self._available("read")
        return super().read(length, offset)

    def erase(self) -> None:
        new = bytearray(self.fill * (len(self.current) // len(self.fill)))
        for start, end in self.leaves:
            new[start:end] = self.current[start:end]
        self.current, self.durable = new, bytearray(new)

    # --- commands ---

    def command(self, cdb: bytes, write: bytes) -> ScsiAnswer:
        actions: dict[int, Callable[[bytes], ScsiAnswer]] = {
            START: self._start,
            STATUS: self._status,
            PASSWORD: self._set_password,
            ERASE: self._erase_unit,
            UNLOCK: self._unlock,
            DISABLE: self._disable,
        }
        return actions[cdb[0]](write)

    def _start(self, _: bytes) -> ScsiAnswer:
        if self.refuses or self.working:
            return answered(2, sense=b"\x70\0\x05")
        self.started.append(START)
        how = self.answers
        if self.loses_once:
            self.answers = "yes"
        if how == "gone":
            raise DeviceGone(operation="SG_IO", errno=19, touched="maybe")
        if how != "lost-undone":
            self.phase, self.left, self.operation = SanitizePhase.IN_PROGRESS, self.polls, self.operation + 1
        if how in {"lost", "lost-undone"}:
            raise CommandTimeout(operation="SG_IO", sent=True, timeout_ms=1)
        if how == "reset":
            raise HostReset(operation="SG_IO", errno=5, host_status=8, touched="maybe")
        return answered(0)

    def _status(self, _: bytes) -> ScsiAnswer:
        if self.silent:
            self.silent -= 1
            raise CommandTimeout(operation="SG_IO", sent=True, timeout_ms=1)
        progress = 0
        if self.working and not self.stalls:
            self.left -= 1
            progress = 65536 * (self.polls - self.left) // (self.polls + 1)
            if self.left <= 0:
                self._finish()
        phase = self.phase
        if not self.tells_history and not self.working and not self.stuck:
            phase = SanitizePhase.IDLE
        told = self.operation if self.tells_history else 0
        return answered(0, data=bytes((PHASES.index(phase), told)) + progress.to_bytes(4, "big"))

    def _finish(self) -> None:
        self.phase = self.ends
        if self.ends is SanitizePhase.SUCCEEDED:
            self.erase()
        self._hidden, self._shown = self.wrong_sizes, self.right_sizes

    def _set_password(self, write: bytes) -> ScsiAnswer:
        self.password = write
        return answered(0)

    def _erase_unit(self, write: bytes) -> ScsiAnswer:
        if self.refuses or write != self.password:
            return answered(2, sense=b"\x70\0\x0b")
        self.started.append(ERASE)
        if self.answers == "gone":
            raise DeviceGone(operation="SG_IO", errno=19, touched="maybe")
        if self.answers == "lost-undone":
            raise CommandTimeout(operation="SG_IO", sent=True, timeout_ms=1)
        self.erase()
        self.password = None
        if self.answers == "lost":
            raise CommandTimeout(operation="SG_IO", sent=True, timeout_ms=1)
        return answered(0)

    def _unlock(self, write: bytes) -> ScsiAnswer:
        if write != self.password:
            return answered(2, sense=b"\x70\0\x0b")
        self.locked = False
        return answered(0)

    def _disable(self, write: bytes) -> ScsiAnswer:
        if self.locked or write != self.password:
            return answered(2, sense=b"\x70\0\x0b")
        self.password = None
        return answered(0)


def answered(status: int, *, sense: bytes = b"", data: bytes = b"") -> ScsiAnswer:
    return ScsiAnswer(status=status, host_status=0, driver_status=0, sense=sense, data=data, duration_ms=1)


class CommandPort:
    """Implements `ScsiPort`."""

    def __init__(self, drive: CommandDrive, steps: Steps) -> None:
        self._drive = drive
        self._steps = steps

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        assert timeout_ms > 0
        assert not (read and write)
        return self._steps.step(f"command {cdb[0]:02x}", lambda: self._drive.command(cdb, write))


def port_of(ports: Ports) -> CommandPort:
    assert isinstance(ports.scsi, CommandPort)
    return ports.scsi


@dataclasses.dataclass(eq=False)
class SelfSanitize:
    """A background operation with a status, as SANITIZE is."""

    name: str = "nvme-sanitize-block-erase"
    after: Aftermath = "uniform"
    blocking: bool = False
    resumes: bool = True
    destroys_neighbours: bool = False
    estimate: int | None = 10
    level: Level = "purge"
    title: str = "Simulated sanitize"
    clause: str = "none"
    refused: tuple[str, ...] = ()

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        return self.refused

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        return Reach(level=self.level, reason="simulated", clause="none", setting=None)

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        return self.after

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:  # noqa: ARG002 - protocol
        return self.estimate

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        return (sent(hands, self.name, START, "SIMULATED SANITIZE"),)

    def standing(self, ports: Ports) -> SanitizeStanding:
        data = port_of(ports).scsi(bytes((STATUS,)), timeout_ms=1, read=6).data
        return SanitizeStanding(phase=PHASES[data[0]], progress=int.from_bytes(data[2:6], "big"), raw=data[:2])

    def recover(self, hands: Hands) -> tuple[Sent, ...]:  # noqa: ARG002 - protocol
        return ()


class PasswordErase(SelfSanitize):
    """A blocking command that needs a password first, as SECURITY ERASE UNIT does."""

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        hands.note("ata-password", {"technique": self.name, "password": SECRET.decode()})
        hands.escrow(Escrow(kind="ata-user-password", secret=SECRET, recovery="unlock it"))
        first = sent(hands, self.name, PASSWORD, "SET PASSWORD", write=SECRET)
        return (first, sent(hands, self.name, ERASE, "ERASE UNIT", write=SECRET))

    def standing(self, ports: Ports) -> SanitizeStanding:
        drive = port_of(ports)._drive
        phase = SanitizePhase.SUCCEEDED if drive.password is None else SanitizePhase.FAILED
        return SanitizeStanding(phase=phase, progress=None, raw=bytes((drive.password is not None, drive.locked)))

    def recover(self, hands: Hands) -> tuple[Sent, ...]:
        drive = port_of(hands.ports)._drive
        if drive.password is None:
            return ()
        first = sent(hands, self.name, UNLOCK, "UNLOCK", write=hands.secret, noted=False)
        return (first, sent(hands, self.name, DISABLE, "DISABLE PASSWORD", write=hands.secret, noted=False))


def sent(hands: Hands, technique: str, opcode: int, command: str, *, write: bytes = b"", noted: bool = True) -> Sent:
    cdb = bytes((opcode,))
    if noted:
        hands.note("command-sending", {"technique": technique, "command": command, "sent": cdb.hex()})
        hands.prove()
    answer = port_of(hands.ports).scsi(cdb, timeout_ms=1, write=write)
    return Sent(
        command=command,
        opcode=opcode,
        sent=cdb,
        answer=bytes((answer.status,)) + answer.sense,
        accepted="yes" if answer.status == 0 else "no",
    )


class CommandSystem(SimulatedSystem):
    """`System` with one such drive and its techniques."""

    drive: CommandDrive

    def __init__(self, drive: CommandDrive, steps: Steps | None = None, boot: str = "boot-1") -> None:
        super().__init__(drive, steps, boot)
        drive.ports = Ports(scsi=CommandPort(drive, self.steps))
        found = (
            SelfSanitize(),
            SelfSanitize(name="nvme-sanitize-crypto-erase", after="undefined"),
            SelfSanitize(name="ata-sanitize-block-erase"),
            PasswordErase(name="ata-security-erase", blocking=True, resumes=False, level="clear"),
        )
        self.techniques = {each.name: each for each in found}

    def _inspection(self, found: DeviceIdentity | None) -> Inspection:
        drive = self.drive
        made = super()._inspection(found)
        extra = (SanitizeInProgress(),) if drive.working else ()
        locked = (SecurityLocked(attempts_exhausted="no"),) if drive.locked else ()
        return dataclasses.replace(made, capabilities=capabilities(drive), obstacles=(*made.obstacles, *extra, *locked))


def capabilities(drive: CommandDrive) -> Capabilities:
    """What the drive would say of itself; all of it that the engine reads."""
    yes = Tri.YES
    return Capabilities(
        path="direct",
        standing=SanitizeStanding(phase=drive.phase, progress=None, raw=b""),
        hidden=HiddenCapacity(native_bytes=drive.size, present=Tri.NO, by=()),
        ata=AtaCapabilities(
            identify=b"",
            sanitize=yes,
            crypto_scramble=yes,
            block_erase=yes,
            overwrite=yes,
            security=yes,
            security_enabled=Tri.of(drive.password is not None),
            security_locked=Tri.of(drive.locked),
            security_frozen=Tri.NO,
            attempts_exhausted=Tri.NO,
            enhanced_erase=yes,
            erase_minutes=2,
            enhanced_erase_minutes=2,
            lba48=yes,
            rotational=Tri.NO,
        ),
    )
