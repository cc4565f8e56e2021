"""What stands in a drive's way, as its agent last told: recognised by its code, said in the reader's language, with what to do.

An agent's own sentence is English, and another version may word it otherwise: the code says what it is. The particulars it
names (mount points, arrays, processes) are shown as it told them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from inventory.services.views import ReasonView

TOLD: Final[Mapping[str, tuple[str, str]]] = {
    "active-swap": (
        "The kernel swaps to this device.",
        "Run swapoff on it, then inspect the device again.",
    ),
    "ambiguous-identity": (
        "More than one attached device has this identity.",
        "Leave only one of them attached: it is one medium on two paths, or the serial number is made up.",
    ),
    "assembled-device": (
        "This device is assembled from others and is no medium itself.",
        "Take it down and sanitize the physical devices beneath it.",
    ),
    "capacity-hidden": (
        "Part of the drive's capacity is hidden and cannot be addressed.",
        "Restore it first with `sanitizer restore-capacity`, which changes no data; then plan anew.",
    ),
    "crypt-member": (
        "An encrypted volume on this device is open.",
        "Close it (cryptsetup close), then inspect the device again.",
    ),
    "dormant-member": (
        "This device carries the signature of an array, volume group or pool that is not running.",
        "If that group may be destroyed, acknowledge each signature by name in the plan.",
    ),
    "facts-unknown": (
        "Facts that must be known before writing could not be read.",
        "Run as root with /proc and /sys mounted; see which fact is missing.",
    ),
    "held-by-device": (
        "Another block device is built on this one.",
        "Take the other device down first.",
    ),
    "held-by-process": (
        "A process has this device open for writing.",
        "Stop the process (a virtual machine, a database, another copy tool), then inspect the device again.",
    ),
    "identity-unreadable": (
        "This device gives nothing that tells it from another of its kind.",
        "Attach it so that serial number or world-wide name can be read; otherwise destroy it under supervision.",
    ),
    "in-failure-mode": (
        "A sanitize operation of the drive failed, and it refuses reads and writes since.",
        "Plan one of the drive's own sanitize techniques again; overwriting is impossible in this state.",
    ),
    "lvm-member": (
        "Active logical volumes lie on this device.",
        "Deactivate the volume group (vgchange -an), then inspect the device again.",
    ),
    "mounted-filesystem": (
        "A filesystem on this device is mounted.",
        "Unmount it, then inspect the device again.",
    ),
    "multipath-member": (
        "This device is one path of a multipath device.",
        "Remove the map (multipath -f); order one of the paths only when a single path is left.",
    ),
    "neighbour-in-use": (
        "Another device of the same drive is in use and would be destroyed with it.",
        "Unmount and release it first, or use a technique that reaches this namespace only.",
    ),
    "no-medium": (
        "There is no medium in this device.",
        "Insert or attach the medium.",
    ),
    "odd-block-size": (
        "The drive is formatted with blocks of a size the kernel does not serve.",
        "Reformat it to 512 or 4096 bytes (FORMAT UNIT, hours), then plan a run: nothing can be written or read before.",
    ),
    "opal-locked": (
        "The drive hides its medium behind TCG locking.",
        (
            "Have its owner unlock it, or bring it back with the number on its label (sanitizer recover), which destroys what "
            "it holds and proves nothing; then plan a run. An empty read is no empty medium."
        ),
    ),
    "raid-member": (
        "This device is a member of a running RAID array.",
        "Stop the array (mdadm --stop) or remove the member, then inspect the device again.",
    ),
    "read-only-device": (
        "This device is read-only.",
        "Remove the write protection (switch, blockdev --setrw), then inspect the device again.",
    ),
    "sanitize-in-progress": (
        "The drive is in the middle of a sanitize operation.",
        "Leave it powered until the operation ends (`sanitizer settle` waits for it), then inspect the device again.",
    ),
    "security-locked": (
        "The drive is locked by an ATA password.",
        (
            "Unlock it with its password (sanitizer unlock; one of ours is in the escrow); without the password only the"
            " drive's maker or destruction helps."
        ),
    ),
    "system-device": (
        "The running system uses this device.",
        "Start this host from another medium, or move the device to another host.",
    ),
    "zoned-device": (
        "This device writes in zones, which overwriting by block address does not cover.",
        "Use a device command (sanitize) for it, or destroy it.",
    ),
}
"""Code -> what it says, and what to do; in the words of the sanitizer, which a test holds beside them."""

PARTS: Final = (
    "Areas", "Arrays", "Attempts exhausted", "Because", "Beneath", "Block bytes", "Facts", "Hidden by", "Holders", "Maps",
    "Mode", "Model", "Mount points", "Native bytes", "Neighbour", "Nodes", "Path", "Paths", "Processes", "Progress",
    "Reason", "Signatures", "State", "Volumes",
)  # fmt: skip
"""What an agent calls the particulars it names."""
_PART: Final = re.compile(rf"(?:^|; )({'|'.join(PARTS)}): ", re.IGNORECASE)


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands in the way."""

    sentence: str
    remedy: str
    """What to do; empty where the code is none this service knows."""
    parts: tuple[tuple[str, str], ...]
    """What it is called, and what the agent told."""
    known: bool
    """Whether the sentence is ours; else it is the agent's own English."""


def told(reasons: Iterable[ReasonView]) -> tuple[Obstacle, ...]:
    """What an agent told of a drive, in words that can be said in each language."""
    return tuple(_one(reason) for reason in reasons)


def _one(reason: ReasonView) -> Obstacle:
    ours = TOLD.get(reason.code)
    if ours is None:
        return Obstacle(reason.sentence, "", (), known=False)
    sentence, remedy = ours
    return Obstacle(sentence, remedy, _parts(reason.sentence), known=True)


def _parts(sentence: str) -> tuple[tuple[str, str], ...]:
    """The particulars at the end of an agent's sentence: `... (mount points: /srv; model: X)`."""
    _, opened, rest = sentence.partition(" (")
    if not opened or not rest.endswith(")"):
        return ()
    pieces = _PART.split(rest[:-1])
    return tuple((name.capitalize(), value) for name, value in zip(pieces[1::2], pieces[2::2], strict=True))
