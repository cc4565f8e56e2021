"""Lights the lamps of an enclosure's bays: this disk may be pulled, that one failed. What is not known is dark.

The kernel's driver for enclosures shows each bay as a folder with two files, `locate` and `fault`; the folder of a disk's own
bay hangs at the disk. A hot-plug slot of an NVMe drive has one lamp, `attention`: it shines at a slot in trouble, and blinks at
one that somebody is to find (PCI Express Base, attention indicator). A bay without lamps has none of them, and then there is the
screen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from inventory.contract.v1.devices import ObservedDevice

log = logging.getLogger("agents.lamps")

FRESH: Final = 300.0
"""Seconds for which an answer of the service counts; after that nobody knows whether a disk may still be pulled."""
_FILES: Final = {"pull": "locate", "failed": "fault"}
_ATTENTION: Final = {"pull": "2", "failed": "1"}
"""What the one lamp of a slot is told: blink, shine; anything else is 0."""


class Lamps:
    """The lamps of this host's bays. Used by the main loop alone."""

    def __init__(self, sys: Path = Path("/sys")) -> None:
        """Nothing is lit or put out before the first `see`."""
        self._sys = sys
        self._signs: Mapping[str, str] = {}
        self._told = float("-inf")
        self._bays: dict[str, Path] = {}
        """Fingerprint of the disk in it -> folder of the bay."""

    def see(self, devices: Iterable[ObservedDevice], now: float) -> None:
        """Which disks are where now. A disk that shows up twice is in no bay: two lamps cannot say one thing."""
        found: dict[str, Path] = {}
        twice: set[str] = set()
        for device in devices:
            bay = self._bay_of(device.path)
            if device.identity is None or bay is None:
                continue
            if device.identity.fingerprint in found:
                twice.add(device.identity.fingerprint)
            found[device.identity.fingerprint] = bay
        for gone in set(self._bays.values()) - set(found.values()):
            _write(gone, None)
        self._bays = found
        for fingerprint in twice:
            _write(found[fingerprint], None)
            del self._bays[fingerprint]
        self.keep(now)

    def told(self, signs: Mapping[str, str], now: float) -> None:
        """What the service says of the disks, by fingerprint."""
        self._signs, self._told = dict(signs), now
        self.keep(now)

    def keep(self, now: float) -> None:
        """Show what is known; put out what was told too long ago."""
        fresh = now - self._told <= FRESH
        for fingerprint, bay in self._bays.items():
            _write(bay, self._signs.get(fingerprint) if fresh else None)

    def dark(self) -> None:
        """Put out every lamp: something moved, or nobody will be there to put it out later."""
        for bay in self._bays.values():
            _write(bay, None)

    def _bay_of(self, node: str) -> Path | None:
        folder = self._sys / "block" / Path(node).name / "device"
        try:
            return next(iter(sorted(folder.glob("enclosure_device:*"))), None) or self._slot_of(folder)
        except OSError:
            return None

    def _slot_of(self, device: Path) -> Path | None:
        """The slot that holds an NVMe drive and nothing else; None where it has none, or more than one leads to it."""
        place = device.resolve()
        shared = [each.resolve() for each in place.glob("nvme*") if (each / "address").exists()]
        functions = {each.parent.parent.name for each in shared or [place] if each.name.startswith("nvme")}
        found = {
            slot
            for slot in (self._sys / "bus/pci/slots").glob("*")
            for function in functions
            if function.startswith(f"{(slot / 'address').read_text('ascii').strip()}.")
        }
        return found.pop() if len(found) == len(functions) == 1 else None


def _write(bay: Path, sign: str | None) -> None:
    """Show a sign, and nothing else; nothing is written where it is as it shall be."""
    wanted_of = {name: "1" if sign == shown else "0" for shown, name in _FILES.items()}
    for name, wanted in {**wanted_of, "attention": _ATTENTION.get(sign or "", "0")}.items():
        file = bay / name
        try:
            if file.read_text("ascii").strip() != wanted:
                file.write_text(wanted, "ascii")
        except FileNotFoundError:
            continue  # this enclosure has no such lamp, or the bay is gone
        except OSError as error:
            log.warning("%s cannot be written: %s", file, error)
