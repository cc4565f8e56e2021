"""Gives a drive back the blocks that somebody hid: by HPA, DCO, AMAX or the SCSI block descriptor.

No data is changed by it; what was hidden can be read and overwritten afterwards. A drive takes one such change per power
cycle (ACS-2, SET MAX ADDRESS EXT; ACS-3, SET ACCESSIBLE MAX ADDRESS EXT), so a drive with two of them takes two visits, and
what was changed since it was last powered on is kept in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from .capability import AMAX, BLOCK_DESCRIPTOR, DCO, HPA, Capabilities, HiddenCapacity, Tri
from .capacity_commands import SENDERS, Sender
from .capacity_notes import PowerCycles, note_maximum
from .errors import (
    CapacityNotRestored,
    CapacityUnrestorable,
    ConfirmationMissing,
    DeviceChanged,
    DormantMember,
    IdentityUnreadable,
    PowerCycleNeeded,
)
from .host import Host
from .identity import DeviceIdentity
from .inspection import Inspection
from .inspector import Inspector
from .rescanning import rescan
from .transport.base import OpenDevice
from .transport.block import BlockDevice
from .transport.ports import kernel_name

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
    proven: bool = False
    """Whether a disk that tells nothing by itself was shown to have no more than this; kept for the looks that follow."""

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
            "proven": self.proven,
        }


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
        state_dir: Folder for the notes: what a drive was changed in since it was powered on, and what a disk has shown to be all.
        look: How devices are looked at.
        claim: How the device is claimed; held for the whole visit.
        ask_again: Makes the kernel ask the drive for its size, told what was changed.

    Raises:
        Refused: nothing was sent; `PowerCycleNeeded` and `CapacityUnrestorable` are the special ones.
        CapacityNotRestored: the drive took the command, or did not, and shows another size than promised.
        TransportError: no answer; look again after a power cycle.
    """
    looking = look or Inspector(Host(state=state_dir))
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
        return _restored(device, now, identity, state_dir, looking, ask_again or _ask_again)
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
    state_dir: Path,
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
    cycles = PowerCycles(state_dir)
    earlier = cycles.changed(now, identity)
    if earlier is not None and change != BLOCK_DESCRIPTOR:  # the rule is ATA's
        raise PowerCycleNeeded(fingerprint=identity.fingerprint, changed=earlier)
    sender = SENDERS[change](port, capabilities)
    cycles.note(now, identity, change)
    expected = sender.send() * identity.logical_block_bytes
    ask_again(device, change)
    after = looking.inspect_open(device)
    if sender.proven is not None and after.capacity_bytes == sender.proven.bytes and after.identity is not None:
        told = {**sender.told, "taken": after.taken.isoformat()}
        if note_maximum(state_dir, after.identity, sender.proven, told):
            after = looking.inspect_open(device)
    return _compared(now, after, identity, change, sender, expected)


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
    before: Inspection, after: Inspection, identity: DeviceIdentity, change: str, sender: Sender, expected: int
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
    proven = sender.proven is not None and capabilities.hidden.present is Tri.NO
    return CapacityChange(
        path=after.path,
        before=before.capabilities.hidden,
        before_bytes=identity.capacity_bytes,
        after=capabilities.hidden,
        after_bytes=found,
        changed=None if in_vain else change,
        command=sender.command,
        next_step="nothing" if done else "power-cycle",
        proven=proven,
    )


def _ask_again(device: OpenDevice, change: str) -> None:
    """A protected area's end is taken up by libata; at any other change of size it would take the drive for another one."""
    rescan(kernel_name(device.device_number), whole_host=change == HPA)
