"""From a path to the physical devices its bytes lie on. Pure; being written: the result type stands first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PathResolution:
    """Where the bytes beneath one path physically lie."""

    path: str
    mount_point: str | None
    """None where the path does not exist or the mount table could not be read."""
    devices: tuple[str, ...]
    """Kernel nodes of the physical devices beneath, such as /dev/sda."""
    fingerprints: tuple[str, ...]
    """Fingerprints of those devices whose identity could be read."""
    unresolved: tuple[str, ...]
    """One sentence per edge that could not be followed. Empty only when everything beneath the path is known."""
