"""What is remembered of a drive's capacity, durably, by names that no change of size alters.

capacity-*.json   which change an ATA drive has had since it was last powered on
maximum-*.json    how many blocks a SCSI disk showed when it was told to show all it has
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import CapacityUnrestorable
from .hidden import ProvenMaximum
from .identity import DeviceIdentity, cleaned, cleaned_name
from .inspection import Inspection

_NAMES = ("serial", "wwn", "eui64", "nguid")


def note_name(told: Mapping[str, str | None]) -> str | None:
    """Name of a drive's notes; None for one that nothing tells from another of its model.

    Args:
        told: kind, model, serial, wwn, eui64 and nguid, as they were reported or as an identity has them.
    """
    serial = cleaned(told["serial"])
    unique = [
        serial if serial and serial.strip("0") else None,
        *(cleaned_name(told[name]) for name in ("wwn", "eui64", "nguid")),
    ]
    if not any(unique):
        return None
    named = [told["kind"], cleaned(told["model"]), *unique]
    return hashlib.sha256(json.dumps(named).encode("ascii")).hexdigest()[:32]


def _of(identity: DeviceIdentity) -> str:
    names = {name: getattr(identity, name) for name in ("kind", "model", *_NAMES)}
    found = note_name(names)
    if found is None:
        raise RuntimeError("an identity has a serial number or a world-wide name")
    return found


class PowerCycles:
    """Which change a drive has had since it was last powered on."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir

    def _file(self, identity: DeviceIdentity) -> Path:
        return self._folder / f"capacity-{_of(identity)}.json"

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
        kept = {"changed": change, "attachment": [inspection.boot_id, inspection.disk_sequence]}
        _write(self._file(identity), kept, "the note of this change")


def proven_maximum(state_dir: Path, name: str | None) -> ProvenMaximum | None:
    """What a disk has shown to be all it has; None where nothing is noted, or the note makes no sense.

    Args:
        state_dir: Folder of the notes.
        name: Of `note_name`.
    """
    kept = maximum_note(state_dir, name)
    return None if kept is None else ProvenMaximum(blocks=kept["blocks"], block_bytes=kept["block_bytes"])


def maximum_note(state_dir: Path, name: str | None) -> dict[str, Any] | None:
    """The whole note behind `proven_maximum`: blocks, their size, what was sent and answered, and when."""
    if name is None:
        return None
    try:
        kept = json.loads((state_dir / f"maximum-{name}.json").read_text(encoding="ascii"))
        sizes = [kept["blocks"], kept["block_bytes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not all(type(size) is int and size > 0 for size in sizes):
        return None
    return dict(kept)


def note_maximum(state_dir: Path, identity: DeviceIdentity, found: ProvenMaximum, told: Mapping[str, str]) -> bool:
    """Keep it, with what was sent and answered; not one that is less than what the disk showed before.

    Returns:
        Whether it is kept: a disk that once showed more has lost blocks that nothing here can show again.

    Raises:
        CapacityUnrestorable: it cannot be written.
    """
    name = _of(identity)
    before = proven_maximum(state_dir, name)
    if before is not None and before.bytes > found.bytes:
        return False
    kept = {"blocks": found.blocks, "block_bytes": found.block_bytes, **told}
    _write(state_dir / f"maximum-{name}.json", kept, "the note of the largest capacity")
    return True


def _write(place: Path, kept: Mapping[str, object], what: str) -> None:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = place.with_suffix(".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(json.dumps(kept))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CapacityUnrestorable(reason=f"{what} cannot be written: {error}") from error
