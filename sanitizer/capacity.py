"""Gives a drive back the blocks that somebody hid: by HPA, DCO, AMAX or the SCSI block descriptor.

No data is changed by it; what was hidden can be read and overwritten afterwards. A drive takes one such change per power
cycle (ACS-2, SET MAX ADDRESS EXT; ACS-3, SET ACCESSIBLE MAX ADDRESS EXT), so a drive with two of them takes two visits, and
what was changed since it was last powered on is kept in a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from .capability import AMAX, BLOCK_DESCRIPTOR, DCO, HPA, Capabilities, HiddenCapacity, Tri
from .errors import (
    CapacityNotRestored,
    CapacityUnrestorable,
    ConfirmationMissing,
    DeviceChanged,
    DormantMember,
    IdentityUnreadable,
    PowerCycleNeeded,
)
from .hidden import last_lba
from .identity import DeviceIdentity
from .inspection import Inspection
from .inspector import Inspector
from .rescanning import rescan
from .standings import QUICK_MS, past_attentions
from .transport.base import OpenDevice
from .transport.block import BlockDevice
from .transport.commands import ScsiPort
from .transport.ports import kernel_name
from .wire import ata_commands, scsi_commands
from .wire.ata_commands import AtaCommand
from .wire.scsi_answers import ata_outcome, scsi_outcome

NextStep = Literal["nothing", "power-cycle"]
_ORDER = (HPA, AMAX, DCO, BLOCK_DESCRIPTOR)
"""The overlay refuses to go while a host protected area is set (ACS-2, DEVICE CONFIGURATION RESTORE)."""
_CONCERNS_OTHERS = frozenset({"capacity-hidden", "in-failure-mode", "odd-block-size"})


class Look(Protocol):
    """How a device is looked at; `Inspector` is it."""

    def inspect(self, path: str | Path) -> Inspection:
        """See `sanitizer.inspect`."""
        ...

    def inspect_open(self, device: OpenDevice) -> Inspection:
        """The same of a claimed descriptor."""
        ...


@dataclass(frozen=True, kw_only=True)
class CapacityChange:
    """What one visit did."""

    path: str
    before: HiddenCapacity
    before_bytes: int
    after: HiddenCapacity
    after_bytes: int
    changed: str | None
    """hpa, dco, amax or block-descriptor; None where nothing was hidden."""
    command: str | None
    """The standard's name of what was sent."""
    next_step: NextStep
    """What the person has to do: power-cycle when more is hidden, or when the change shows only then."""

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return {
            "path": self.path,
            "before_bytes": self.before_bytes,
            "hidden_before": {"present": self.before.present.value, "by": list(self.before.by)},
            "after_bytes": self.after_bytes,
            "hidden_after": {"present": self.after.present.value, "by": list(self.after.by)},
            "native_bytes": self.before.native_bytes,
            "changed": self.changed,
            "command": self.command,
            "next_step": self.next_step,
        }


class PowerCycles:
    """Remembers which change a drive has had since it was last powered on, durably, by names that no change of size alters."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir

    def _file(self, identity: DeviceIdentity) -> Path:
        named = [identity.kind, identity.model, identity.serial, identity.wwn, identity.eui64, identity.nguid]
        name = hashlib.sha256(json.dumps(named).encode("ascii")).hexdigest()
        return self._folder / f"capacity-{name[:32]}.json"

    def changed(self, inspection: Inspection, identity: DeviceIdentity) -> str | None:
        """What was changed during the present attachment; a drive that was attached anew, or a host that booted, may try again.

        A warm start does not power a drive off; then the drive itself refuses.
        """
        try:
            kept = json.loads(self._file(identity).read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CapacityUnrestorable(reason=f"the note of earlier changes cannot be read: {error}") from error
        if not isinstance(kept, dict):
            raise CapacityUnrestorable(reason="the note of earlier changes is damaged")
        here = [inspection.boot_id, inspection.disk_sequence]
        return str(kept.get("changed")) if kept.get("attachment") == here else None

    def note(self, inspection: Inspection, identity: DeviceIdentity, change: str) -> None:
        """Make it durable before the command is sent. Raises `CapacityUnrestorable`."""
        text = json.dumps({"changed": change, "attachment": [inspection.boot_id, inspection.disk_sequence]})
        place = self._file(identity)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = place.with_suffix(".new")
            with fresh.open("w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(place)
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise CapacityUnrestorable(reason=f"the note of this change cannot be written: {error}") from error


def restore_capacity(
    path: str | Path,
    confirmation_fingerprint: str,
    state_dir: Path,
    *,
    look: Look | None = None,
    claim: Callable[[str], OpenDevice] = BlockDevice.open_exclusive,
    ask_again: Callable[[OpenDevice, str], None] | None = None,
) -> CapacityChange:
    """Undo one thing that hides blocks, the first of those there are.

    Args:
        path: Of the device.
        confirmation_fingerprint: As `sanitizer show` prints it; it changes with the capacity.
        state_dir: Folder for the note of what a drive was changed in since it was powered on.
        look: How devices are looked at.
        claim: How the device is claimed; held for the whole visit.
        ask_again: Makes the kernel ask the drive for its size, told what was changed.

    Raises:
        Refused: nothing was sent; `PowerCycleNeeded` and `CapacityUnrestorable` are the special ones.
        CapacityNotRestored: the drive took the command, or did not, and shows another size than promised.
        TransportError: no answer; look again after a power cycle.
    """
    looking = look or Inspector()
    first = looking.inspect(path)
    _cleared(first, confirmation_fingerprint)
    device = claim(first.path)
    try:
        now = looking.inspect_open(device)
        identity = _cleared(now, confirmation_fingerprint)
        if (first.boot_id, first.disk_sequence) != (now.boot_id, now.disk_sequence):
            raise DeviceChanged(
                fingerprint=identity.fingerprint,
                what="attachment",
                expected=f"{first.boot_id}/{first.disk_sequence}",
                found=f"{now.boot_id}/{now.disk_sequence}",
            )
        return _restored(device, now, identity, PowerCycles(state_dir), looking, ask_again or _ask_again)
    finally:
        device.close()


def _cleared(inspection: Inspection, confirmed: str) -> DeviceIdentity:
    """Everything that stands against writing stands against this, but for what a device holds: nothing of it is lost."""
    identity = inspection.identity
    for obstacle in inspection.obstacles:
        if not isinstance(obstacle, DormantMember) and obstacle.code not in _CONCERNS_OTHERS:
            raise obstacle
    if identity is None:
        raise IdentityUnreadable(reason=f"{inspection.path} reports no identity")
    if confirmed != identity.fingerprint:
        raise ConfirmationMissing(fingerprint=identity.fingerprint, expected=identity.fingerprint, given=confirmed)
    return identity


def _restored(
    device: OpenDevice,
    now: Inspection,
    identity: DeviceIdentity,
    cycles: PowerCycles,
    looking: Look,
    ask_again: Callable[[OpenDevice, str], None],
) -> CapacityChange:
    capabilities, port = now.capabilities, device.ports().scsi
    if capabilities is None:
        raise CapacityUnrestorable(reason="the device has no command interface")
    hidden = capabilities.hidden
    change = _next_change(capabilities)
    if change is None:
        return CapacityChange(
            path=now.path,
            before=hidden,
            before_bytes=identity.capacity_bytes,
            after=hidden,
            after_bytes=identity.capacity_bytes,
            changed=None,
            command=None,
            next_step="nothing",
        )
    if port is None:
        raise CapacityUnrestorable(reason="only ATA and SCSI drives can be told to show all of their blocks")
    if capabilities.path != "direct":
        raise CapacityUnrestorable(reason=f"the path to the drive is not trusted with it: {capabilities.path}")
    earlier = cycles.changed(now, identity)
    if earlier is not None:
        raise PowerCycleNeeded(fingerprint=identity.fingerprint, changed=earlier)
    sender = _SENDERS[change](port, capabilities)
    cycles.note(now, identity, change)
    expected = sender.send() * identity.logical_block_bytes
    ask_again(device, change)
    return _compared(now, looking.inspect_open(device), identity, change, sender, expected)


def _next_change(capabilities: Capabilities) -> str | None:
    """What to undo now.

    Raises:
        CapacityUnrestorable: it cannot be said, or not be undone by address commands.
    """
    hidden = capabilities.hidden
    if hidden.present is Tri.NO:
        return None
    if hidden.present is Tri.UNKNOWN and hidden.by != (BLOCK_DESCRIPTOR,):
        raise CapacityUnrestorable(
            reason=f"whether capacity is hidden could not be asked ({', '.join(hidden.by) or 'no question is known'})"
        )
    found = next((name for name in _ORDER if name in hidden.by), None)
    if found is None:
        raise CapacityUnrestorable(
            reason=f"hidden by {', '.join(hidden.by)}, which only the drive's own sanitize reaches"
        )
    return found


def _compared(
    before: Inspection, after: Inspection, identity: DeviceIdentity, change: str, sender: _Sender, expected: int
) -> CapacityChange:
    """The size the kernel sees now against the one the drive promised."""
    found, capabilities = after.capacity_bytes, after.capabilities
    stuck = capabilities is not None and change in {HPA, AMAX} and change in capabilities.hidden.by
    if before.capabilities is None or capabilities is None or found is None or found < identity.capacity_bytes or stuck:
        raise CapacityNotRestored(fingerprint=identity.fingerprint, expected_bytes=expected, found_bytes=found)
    shown = found >= expected
    done = (
        shown
        and capabilities.hidden.present is not Tri.YES
        and not (change == DCO and found == identity.capacity_bytes)
    )
    in_vain = change == BLOCK_DESCRIPTOR and found == identity.capacity_bytes
    return CapacityChange(
        path=after.path,
        before=before.capabilities.hidden,
        before_bytes=identity.capacity_bytes,
        after=capabilities.hidden,
        after_bytes=found,
        changed=None if in_vain else change,
        command=sender.command,
        next_step="nothing" if done else "power-cycle",
    )


def _ask_again(device: OpenDevice, change: str) -> None:
    """A protected area's end is taken up by libata; at any other change of size it would take the drive for another one."""
    rescan(kernel_name(device.device_number), whole_host=change == HPA)


# --- what is sent -------------------------------------------------------------------------------------------------


class _Sender(Protocol):
    """One way to undo; its constructor sends nothing."""

    command: str

    def send(self) -> int:
        """Carry it out; returns the sectors there must be afterwards, 0 where the drive does not say.

        Raises:
            TransportError: no answer.
            CapacityUnrestorable: the drive refused.
        """
        ...


def _ata(port: ScsiPort, command: AtaCommand) -> int | None:
    """Send one command without data; returns the address in its answer.

    Raises:
        TransportError: no answer.
        CapacityUnrestorable: the drive refused, or its answer says nothing.
    """
    found = ata_outcome(port.scsi(command.cdb, timeout_ms=QUICK_MS), registers_wanted=True)
    if not found.accepted:
        raise CapacityUnrestorable(reason=f"{command.name}: {found.reason}")
    return last_lba(found.registers, wide=command.extend) if found.registers is not None else None


class _Hpa:
    """READ NATIVE MAX ADDRESS (EXT) and, as the very next command, SET MAX ADDRESS (EXT), non-volatile."""

    def __init__(self, port: ScsiPort, capabilities: Capabilities) -> None:
        self._port = port
        self._wide = capabilities.ata is not None and capabilities.ata.lba48 is Tri.YES
        self.command = "SET MAX ADDRESS EXT" if self._wide else "SET MAX ADDRESS"

    def send(self) -> int:
        """See `_Sender`."""
        last = _ata(self._port, ata_commands.read_native_max_ext() if self._wide else ata_commands.read_native_max())
        if last is None:
            raise CapacityUnrestorable(reason="the drive did not tell its largest address")
        _ata(self._port, ata_commands.set_max_ext(last) if self._wide else ata_commands.set_max(last))
        return last + 1


class _Amax:
    """GET NATIVE MAX ADDRESS EXT, then SET ACCESSIBLE MAX ADDRESS EXT."""

    command = "SET ACCESSIBLE MAX ADDRESS EXT"

    def __init__(self, port: ScsiPort, _: Capabilities) -> None:
        self._port = port

    def send(self) -> int:
        """See `_Sender`."""
        last = _ata(self._port, ata_commands.get_native_max_ext())
        if last is None:
            raise CapacityUnrestorable(reason="the drive did not tell its largest address")
        _ata(self._port, ata_commands.set_accessible_max_ext(last))
        return last + 1


class _Dco:
    """DEVICE CONFIGURATION RESTORE. Features that were switched off come back with the blocks."""

    command = "DEVICE CONFIGURATION RESTORE"

    def __init__(self, port: ScsiPort, capabilities: Capabilities) -> None:
        self._port = port
        self._native = capabilities.hidden.native_bytes

    def send(self) -> int:
        """See `_Sender`."""
        _ata(self._port, ata_commands.dco_restore())
        return 0


class _BlockDescriptor:
    """MODE SELECT (10) with all ones for the number of blocks (SBC-4, mode parameter block descriptor)."""

    command = "MODE SELECT (10)"

    def __init__(self, port: ScsiPort, capabilities: Capabilities) -> None:
        self._port = port
        block = capabilities.scsi.block_bytes if capabilities.scsi is not None else None
        if block is None:
            raise CapacityUnrestorable(reason="the block size is unknown")
        self._block = block

    def send(self) -> int:
        """See `_Sender`."""
        past_attentions(self._port, scsi_commands.test_unit_ready().cdb)
        asked = scsi_commands.mode_select_10(scsi_commands.all_blocks_parameters(self._block), save=True)
        found = scsi_outcome(self._port.scsi(asked.cdb, timeout_ms=QUICK_MS, write=asked.data))
        if not found.accepted:
            raise CapacityUnrestorable(reason=f"{asked.name}: {found.reason}")
        return 0


_SENDERS: dict[str, Callable[[ScsiPort, Capabilities], _Sender]] = {
    HPA: _Hpa,
    AMAX: _Amax,
    DCO: _Dco,
    BLOCK_DESCRIPTOR: _BlockDescriptor,
}
