"""Refused: nothing was written, and the operator can act. One class for each obstacle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import Fault, Refused

# --- refused: the device is in use -------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class SystemDevice(Refused):
    """The running system lives on it."""

    code = "system-device"
    sentence = "The running system uses this device"
    remedy = "Start this host from another medium, or move the device to another host."
    mount_points: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class MountedFilesystem(Refused):
    """A filesystem on the device or on one of its partitions is mounted."""

    code = "mounted-filesystem"
    sentence = "A filesystem on this device is mounted"
    remedy = "Unmount it, then inspect the device again."
    mount_points: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class ActiveSwap(Refused):
    """The kernel swaps to it."""

    code = "active-swap"
    sentence = "The kernel swaps to this device"
    remedy = "Run swapoff on it, then inspect the device again."
    areas: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class HeldByDevice(Refused):
    """Another kernel device is built on it, of a kind that has no class of its own here."""

    code = "held-by-device"
    sentence = "Another block device is built on this one"
    remedy = "Take the other device down first."
    holders: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class RaidMember(Refused):
    """An assembled md array uses it."""

    code = "raid-member"
    sentence = "This device is a member of a running RAID array"
    remedy = "Stop the array (mdadm --stop) or remove the member, then inspect the device again."
    arrays: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class LvmMember(Refused):
    """An active logical volume lies on it."""

    code = "lvm-member"
    sentence = "Active logical volumes lie on this device"
    remedy = "Deactivate the volume group (vgchange -an), then inspect the device again."
    volumes: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class MultipathMember(Refused):
    """It is one path of a multipath map."""

    code = "multipath-member"
    sentence = "This device is one path of a multipath device"
    remedy = "Remove the map (multipath -f); order one of the paths only when a single path is left."
    maps: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class CryptMember(Refused):
    """An open encrypted volume lies on it."""

    code = "crypt-member"
    sentence = "An encrypted volume on this device is open"
    remedy = "Close it (cryptsetup close), then inspect the device again."
    volumes: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class HeldByProcess(Refused):
    """A process has the device, or one of its partitions, open for writing."""

    code = "held-by-process"
    sentence = "A process has this device open for writing"
    remedy = "Stop the process (a virtual machine, a database, another copy tool), then inspect the device again."
    processes: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class DeviceBusy(Refused):
    """The kernel refuses an exclusive claim (EBUSY on O_EXCL)."""

    code = "device-busy"
    sentence = "The kernel refuses exclusive use of this device: somebody else has claimed it"
    remedy = "Find the claim (mounts in other namespaces, ZFS, another run of this tool) and end it."
    path: str


@dataclass(eq=False, kw_only=True)
class DormantMember(Refused):
    """Its contents say it belongs to an array, volume group or pool that is not running."""

    code = "dormant-member"
    sentence = "This device carries the signature of an array, volume group or pool that is not running"
    remedy = "If that group may be destroyed, acknowledge each signature by name in the plan."
    signatures: tuple[str, ...]


# --- refused: the kind of device ---------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class NotBlockDevice(Refused):
    """The path leads to something else."""

    code = "not-block-device"
    sentence = "This path is not a block device"
    remedy = "Name the device node of a whole disk, for example one shown by `sanitizer list`."
    path: str


@dataclass(eq=False, kw_only=True)
class NotWholeDevice(Refused):
    """A partition: sanitization covers the medium, never a part of it."""

    code = "not-whole-device"
    sentence = "This is a partition, not a whole device"
    remedy = "Name the whole device; a partition cannot be certified on its own."
    path: str
    whole: str


@dataclass(eq=False, kw_only=True)
class AssembledDevice(Refused):
    """dm, md and the like: not a medium."""

    code = "assembled-device"
    sentence = "This device is assembled from others and is no medium itself"
    remedy = "Take it down and sanitize the physical devices beneath it."
    beneath: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class ZonedDevice(Refused):
    """Host-managed or host-aware zones: random overwriting does not reach what was there (ZBC, ZNS)."""

    code = "zoned-device"
    sentence = "This device writes in zones, which overwriting by block address does not cover"
    remedy = "Use a device command (sanitize) for it, or destroy it."
    model: str


@dataclass(eq=False, kw_only=True)
class ReadOnlyDevice(Refused):
    """Write-protected, by a switch or by the kernel."""

    code = "read-only-device"
    sentence = "This device is read-only"
    remedy = "Remove the write protection (switch, blockdev --setrw), then inspect the device again."
    nodes: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class NoMedium(Refused):
    """Zero capacity: an empty reader, a detached loop device."""

    code = "no-medium"
    sentence = "There is no medium in this device"
    remedy = "Insert or attach the medium."
    path: str


@dataclass(eq=False, kw_only=True)
class DirectIoUnavailable(Refused):
    """O_DIRECT is not possible, and the page cache is no evidence."""

    code = "direct-io-unavailable"
    sentence = "This device cannot be opened for direct input and output"
    remedy = "Without O_DIRECT nothing can be proven; attach the device in another way."
    path: str


@dataclass(eq=False, kw_only=True)
class DeviceMissing(Refused):
    """Nothing is at the path, or it vanished between looking and opening."""

    code = "device-missing"
    sentence = "There is no device at this path"
    remedy = "Look for the device with `sanitizer list`; paths change, fingerprints do not."
    path: str


# --- refused: identity -------------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class IdentityUnreadable(Refused):
    """No serial number and no world-wide name: it cannot be told from another."""

    code = "identity-unreadable"
    sentence = "This device gives nothing that tells it from another of its kind"
    remedy = "Attach it so that serial number or world-wide name can be read; otherwise destroy it under supervision."
    reason: str


@dataclass(eq=False, kw_only=True)
class AmbiguousIdentity(Refused):
    """Two nodes with one identity: two paths to one medium, or a made-up serial number."""

    code = "ambiguous-identity"
    sentence = "More than one attached device has this identity"
    remedy = "Leave only one of them attached: it is one medium on two paths, or the serial number is made up."
    paths: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class IdentityMismatch(Refused):
    """Another medium than the one that was cleared."""

    code = "identity-mismatch"
    sentence = "This is not the device that was named"
    remedy = "Find the right device by its fingerprint and start again."
    expected: str
    found: str | None


@dataclass(eq=False, kw_only=True)
class DeviceChanged(Refused):
    """Same identity, but re-attached or resized since it was inspected."""

    code = "device-changed"
    sentence = "The device was attached anew or altered since it was inspected"
    remedy = "Inspect it again and give a new confirmation."
    what: str
    expected: str
    found: str


# --- refused: permission -----------------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class ConfirmationMissing(Refused):
    """The typed fingerprint is not the device's."""

    code = "confirmation-missing"
    sentence = "The confirmation does not name this device"
    remedy = "Type the fingerprint exactly as `sanitizer show` prints it."
    expected: str
    given: str


@dataclass(eq=False, kw_only=True)
class ClearanceSpent(Refused):
    """One clearance, one run."""

    code = "clearance-spent"
    sentence = "This clearance was already used"
    remedy = "Inspect the device again and give a new confirmation."


@dataclass(eq=False, kw_only=True)
class ClearanceExpired(Refused):
    """The facts it rests on are too old, or the clock went backwards."""

    code = "clearance-expired"
    sentence = "This clearance is not valid at this time"
    remedy = "Inspect the device again and give a new confirmation."
    valid_from: str
    valid_until: str
    now: str


@dataclass(eq=False, kw_only=True)
class PermissionWithheld(Refused):
    """The caller's last question before the first write was answered no, or not at all."""

    code = "permission-withheld"
    sentence = "The last permission before the first write was not given"
    remedy = "See the reason; remove what forbids the run and order it again."
    reason: str


@dataclass(eq=False, kw_only=True)
class PrivilegeMissing(Refused):
    """The process may not open the device."""

    code = "privilege-missing"
    sentence = "This process may not open the device"
    remedy = "Run as root with CAP_SYS_ADMIN, outside a container that hides devices."
    fault: ClassVar[Fault] = "host"
    operation: str
    errno: int


@dataclass(eq=False, kw_only=True)
class FactsUnknown(Refused):
    """Something that must be known could not be read, and unknown never grants."""

    code = "facts-unknown"
    sentence = "Facts that must be known before writing could not be read"
    remedy = "Run as root with /proc and /sys mounted; see which fact is missing."
    fault: ClassVar[Fault] = "host"
    facts: tuple[str, ...]


# --- refused: plan and journal -----------------------------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class NoTechnique(Refused):
    """Nothing this tool can do gives what was asked, with a reason per technique."""

    code = "no-technique"
    sentence = "No technique available here reaches what was asked of this device"
    remedy = "Ask for another method or pattern set, or escalate (clear, purge, destroy)."
    reasons: tuple[str, ...]


@dataclass(eq=False, kw_only=True)
class PlanMismatch(Refused):
    """A run is resumed under the plan it began with, and no other."""

    code = "plan-mismatch"
    sentence = "The interrupted run had another plan"
    remedy = "Resume with the plan the journal names, or give the run up and start a new one."
    expected: str
    found: str


@dataclass(eq=False, kw_only=True)
class RunExists(Refused):
    """A run identifier names one run for ever."""

    code = "run-exists"
    sentence = "A journal with this run identifier exists already"
    remedy = "Resume it, give it up, or choose another identifier."
    run_id: str


@dataclass(eq=False, kw_only=True)
class RunLocked(Refused):
    """Another process works on this run now."""

    code = "run-locked"
    sentence = "Another process is working on this run"
    remedy = "Wait for it, or stop it; it can be resumed afterwards."
    run_id: str


@dataclass(eq=False, kw_only=True)
class RunUnknown(Refused):
    """There is no journal of that name."""

    code = "run-unknown"
    sentence = "There is no journal of this run"
    remedy = "See `sanitizer status` for the runs this journal folder knows."
    run_id: str


@dataclass(eq=False, kw_only=True)
class JournalUnusable(Refused):
    """The journal could not be made durable, so the run did not start."""

    code = "journal-unusable"
    sentence = "The journal cannot be written, and nothing is done without it"
    remedy = "Free space in the journal folder, or repair its filesystem."
    fault: ClassVar[Fault] = "host"
    operation: str
    reason: str
