"""Data nobody declared: what follows from the places an agent finds on its host. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

MEMORY: Final = frozenset({"swap", "core-dump"})
"""Memory on disk: whatever this host works with may lie there."""
DATABASES: Final = frozenset({"postgresql", "mariadb", "sqlite"})
TITLES: Final = {
    "declared": "Declared path",
    "postgresql": "PostgreSQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
    "swap": "Swap area",
    "core-dump": "Memory dumps",
}


@dataclass(frozen=True, kw_only=True)
class Spill:
    """Where the memory of a host's processes may lie."""

    devices: frozenset[str]
    """Fingerprints of media."""
    unresolved: tuple[str, ...]
    """What is not known of it; while there is any, nothing ends."""


@dataclass(frozen=True)
class Place:
    """One place of a host, as far as it matters here."""

    kind: str
    path: str
    devices: tuple[str, ...]
    unresolved: tuple[str, ...]


def spill_of(places: Iterable[Place] | None) -> Spill | None:
    """Where memory may be written to; None where nobody looked, so that nothing follows and nothing ends."""
    if places is None:
        return None
    areas = [place for place in places if place.kind in MEMORY]
    return Spill(
        devices=frozenset(device for area in areas for device in area.devices),
        unresolved=tuple(f"memory may be written to {area.path}: {text}" for area in areas for text in area.unresolved),
    )


def undeclared(places: Iterable[Place], declared: Collection[str]) -> tuple[Place, ...]:
    """Running databases that lie beneath no declared path.

    Args:
        places: What the agent found.
        declared: The host's live paths, as declared and with their links followed.
    """
    return tuple(
        place for place in places if place.kind in DATABASES and not any(_within(place.path, path) for path in declared)
    )


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
