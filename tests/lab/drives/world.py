"""The real engine on an emulated drive in this process: real planning, clearance, journal, techniques and proof.

Only the kernel is missing. Time is the drive's own clock, which stands still until somebody waits; so a week of standing still
takes no time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from sanitizer import engine
from sanitizer.capability import Capabilities
from sanitizer.capacity import CapacityChange, restore_capacity
from sanitizer.capacity_notes import note_name, proven_maximum
from sanitizer.clearance import Clearance, Confirmation, clear
from sanitizer.deriving import capabilities_of
from sanitizer.drive_obstacles import medium_answers, of_drive
from sanitizer.errors import DeviceBusy, DormantMember, Refused
from sanitizer.identity import DeviceIdentity, cleaned
from sanitizer.inspection import Inspection
from sanitizer.journal import Journal
from sanitizer.planning import PlanRequest, plan, plan_again
from sanitizer.probing import probe
from sanitizer.readings import container_in, with_container
from sanitizer.reverting import Recovery, RecoveryRequest, recover_drive
from sanitizer.run import RunResult
from sanitizer.settings import Settings
from sanitizer.signatures import UNREADABLE
from sanitizer.stretch import Hooks
from sanitizer.system import HostSystem
from sanitizer.techniques.base import Technique
from sanitizer.transport.base import OpenDevice

from .clock import ManualClock
from .ports import Blocks, EmulatedDevice

RUN, SEED = "run-1", "0123456789abcdef"
SETTINGS = Settings(small_block_bytes=256 << 10, threads=1, markers=6, tick_seconds=0.005, progress_seconds=10.0)
PATH = "/dev/emulated"
B = TypeVar("B", bound=Blocks)
_NO_NAMES = {"wwn": None, "eui64": None, "nguid": None}


@dataclass
class World(Generic[B]):
    """One drive and a host; implements `System`."""

    blocks: B
    clock: ManualClock
    name: Callable[[], tuple[str, str, str]]
    """Kind, model and serial number as the drive reports them now."""
    transport: str
    """As the host sees it attached: nvme-pcie, mmc, sata, sas, usb."""
    path: str = "direct"
    """What stands between (`Capabilities.path`)."""
    media: str = "flash"
    sequence: int = 1
    boot: str = "boot-1"
    claimed: bool = False
    state: Path | None = None
    """Folder of the notes of drives' capacities; None keeps none."""
    waits: list[Callable[[], None]] = field(default_factory=list)
    """What happens in the world at the next waits, one each."""
    result: RunResult | None = None
    """Of the newest fresh run; None where none was allowed to begin."""
    _host: HostSystem = field(default_factory=HostSystem)
    _began: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    # Devices

    def _open(self, on_close: Callable[[], None] = lambda: None) -> EmulatedDevice:
        return EmulatedDevice(self.blocks, self.clock, path=PATH, sequence=self.sequence, on_close=on_close)

    def claim(self, path: str) -> OpenDevice:
        """See `System`."""
        if self.claimed:
            raise DeviceBusy(path=path)
        self.claimed = True

        def release() -> None:
            self.claimed = False

        return self._open(release)

    def open_reading(self, path: str) -> OpenDevice:
        """See `System`."""
        assert path == PATH
        return self._open()

    def restore(self, state: Path) -> CapacityChange:
        """As an operator has hidden blocks brought back, or a disk prove what it has. Raises what `restore_capacity` does."""
        self.state = state
        confirmed = self.inspect().fingerprint or ""
        return restore_capacity(PATH, confirmed, state, look=self, claim=self.claim, ask_again=lambda *_: None)

    def recover(self, asked: RecoveryRequest, records: Path, secret: bytes) -> Recovery:
        """As an operator brings back a drive that hides its medium. Raises what `recover_drive` does."""
        return recover_drive(self, SETTINGS, PATH, asked, RUN, records, Hooks(secret=secret))

    def inspect(self, _path: str | Path = PATH) -> Inspection:
        """A look at the drive."""
        return self.inspect_open(self._open())

    def inspect_open(self, device: OpenDevice) -> Inspection:
        """As `Inspector` does it: first what the drive says, then the obstacles that follow."""
        geometry = device.geometry()
        kind, model, serial = self.name()
        answers = probe(device.ports(), transport=self.transport)
        identity = self._identity(kind, model, serial, geometry.size_bytes, geometry.logical_block_bytes)
        proven = None
        if self.state is not None and identity is not None:
            proven = proven_maximum(
                self.state, note_name({**_NO_NAMES, "kind": kind, "model": model, "serial": serial})
            )
        capabilities = capabilities_of(answers, path=self.path, model=model, proven=proven)
        if medium_answers(capabilities):
            hidden = capabilities.hidden.present.value if capabilities is not None else "unknown"
            capabilities = with_container(capabilities, container_in(device, geometry), self.transport, hidden)
        signatures = () if medium_answers(capabilities) else (UNREADABLE,)
        return Inspection(
            path=PATH,
            identity=identity,
            kind=kind,
            firmware="LAB1",
            media=self.media,
            transport=self.transport,
            slot=None,
            removable=False,
            hidden_capacity=capabilities.hidden.present.value if capabilities else "unknown",
            capacity_bytes=geometry.size_bytes,
            obstacles=_obstacles(capabilities, signatures, identity),
            dormant_signatures=signatures,
            zoned=False,
            disk_sequence=self.sequence,
            boot_id=self.boot,
            taken=self.now(),
            capabilities=capabilities,
        )

    @staticmethod
    def _identity(kind: str, model: str, serial: str, size: int, block: int) -> DeviceIdentity | None:
        if not size:
            return None
        return DeviceIdentity(
            kind=kind,
            vendor=None,
            model=cleaned(model),
            serial=cleaned(serial),
            wwn=None,
            eui64=None,
            nguid=None,
            capacity_bytes=size,
            logical_block_bytes=block,
            physical_block_bytes=block,
        )

    # Journals, clocks, techniques

    def create_journal(self, journal_dir: Path, run_id: str) -> Journal:
        """See `System`."""
        return self._host.create_journal(journal_dir, run_id)

    def reopen_journal(self, journal_dir: Path, run_id: str) -> Journal:
        """See `System`."""
        return self._host.reopen_journal(journal_dir, run_id)

    def now(self) -> datetime:
        """See `System`."""
        return self._began + timedelta(seconds=self.clock.now())

    def monotonic(self) -> float:
        """See `System`."""
        return self.clock.now()

    def clock_synchronized(self) -> bool | None:
        """See `System`."""
        return True

    def boot_id(self) -> str:
        """See `System`."""
        return self.boot

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """See `System`: time passes, and what a test wants to happen happens."""
        if self.waits:
            self.waits.pop(0)()
        if not stop.is_set():
            self.clock.sleep(seconds)

    def rescan(self, device: OpenDevice) -> None:
        """See `System`: what is asked here is always asked anew."""

    def technique(self, name: str) -> Technique:
        """See `System`."""
        return self._host.technique(name)

    # Runs

    def cleared(self, request: PlanRequest, *, settling: bool = False) -> Clearance:
        """As an operator gets it, for a fresh run or one that goes on. Raises `Refused`."""
        inspection = self.inspect()
        planned = plan_again(request, inspection, request.steps) if settling else plan(request, inspection)
        agreed = Confirmation(
            fingerprint=inspection.fingerprint or "", acknowledged_signatures=request.acknowledged_signatures
        )
        return clear(inspection, planned, agreed, self.now(), settling=settling)

    def wipe(self, request: PlanRequest, journals: Path, hooks: Hooks | None = None) -> RunResult:
        """A fresh run. Raises `Refused` where none may begin."""
        self.result = engine.sanitize(self, SETTINGS, self.cleared(request), RUN, journals, SEED, hooks or Hooks())
        return self.result

    def go_on(self, request: PlanRequest, journals: Path, hooks: Hooks | None = None) -> RunResult:
        """The same run, resumed."""
        clearance = self.cleared(request, settling=True)
        return engine.resume(self, SETTINGS, clearance, RUN, journals, hooks or Hooks())

    def outcome(self, request: PlanRequest, journals: Path, hooks: Hooks | None = None) -> str:
        """In two words: succeeded, or refused, failed or interrupted and the error's code."""
        try:
            result = self.wipe(request, journals, hooks)
        except Refused as refused:
            return f"refused: {refused.code}"
        return "succeeded" if result.state == "succeeded" else f"{result.state}: {result.error_code}"


def _obstacles(
    capabilities: Capabilities | None, signatures: tuple[str, ...], identity: DeviceIdentity | None
) -> tuple[Refused, ...]:
    found: list[Refused] = list(of_drive(capabilities, PATH)) if capabilities is not None else []
    if signatures:
        found.append(DormantMember(fingerprint=identity.fingerprint if identity else None, signatures=signatures))
    return tuple(found)
