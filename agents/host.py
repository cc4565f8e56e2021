"""What this host says of itself: in records, heartbeats and at enrolment."""

from __future__ import annotations

import hashlib
import platform
import secrets
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sanitizer import RunResult
from sanitizer.capacity_notes import maximum_note, note_name
from sanitizer.host import Host as SanitizerHost

from .recording import Host
from .state import StateDirectory

_MACHINE_ID = Path("/etc/machine-id")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HOST_ID = "host-id.json"
_HOST_ID_SCHEMA = "sanitrail-agent/host-id/1"


def agent_version() -> str:
    """The installed version; a checkout that is not installed says so."""
    try:
        return version("sanitrail")
    except PackageNotFoundError:
        return "uninstalled"


def tool() -> str:
    """Name and version of the sanitizing tool, as records state it."""
    return f"sanitrail sanitizer {agent_version()}"


def boot_id() -> str:
    """The kernel's name for this boot."""
    return _BOOT_ID.read_text("ascii").strip()


def describe(state: StateDirectory, agent_key: str) -> Host:
    """This host's facts.

    The machine id itself stays here (machine-id(5) asks for that): only a digest of it leaves, made for this purpose
    alone. A host without one gets a random id of its own, kept in the state directory.
    """
    return Host(
        name=platform.node() or "unnamed",
        agent_key=agent_key,
        agent_version=agent_version(),
        kernel=platform.release(),
        machine_id_sha256=hashlib.sha256(b"sanitrail machine-id:" + _machine_id(state).encode()).hexdigest(),
    )


def capacity_note(result: RunResult) -> dict[str, Any] | None:
    """What this host keeps of a medium's capacity, by names that no change of size alters."""
    device = result.device
    if device is None:
        return None
    names = {name: getattr(device, name) for name in ("kind", "model", "serial", "wwn", "eui64", "nguid")}
    return maximum_note(SanitizerHost().state, note_name(names))


def _machine_id(state: StateDirectory) -> str:
    try:
        found = _MACHINE_ID.read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        found = ""
    if found and found != "uninitialized":
        return found
    document = state.read(_HOST_ID, _HOST_ID_SCHEMA)
    if document is None:
        document = {"id": secrets.token_hex(16)}
        state.write(_HOST_ID, _HOST_ID_SCHEMA, document)
    return str(document["id"])
