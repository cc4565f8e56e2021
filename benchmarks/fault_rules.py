"""The faults a device is given, and what a tool did with them. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MIB = 1 << 20
NAME = "sanitrail-bench-disk"
"""The one file a faulty disk serves."""

SIZE = 64 * MIB
"""Of a faulty device, in bytes."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A device that fails or lies in one way."""

    key: str
    title: str
    rules: tuple[str, ...]
    """For `fault_device`."""
    short_writes: bool = False
    """Leave large requests whole, so that the loop driver takes the short writes of its backing file for success."""
    unavoidable: int = 0
    """Sectors of 512 bytes that no tool can overwrite."""


_SECTORS = (f"bad:{20 * MIB + 12288}:4096", f"bad:{41 * MIB}:512")

BAD_SECTORS = Fault(key="bad-sectors", title="9 bad sectors", rules=_SECTORS, unavoidable=9)
"""One run of 4 KiB and one single sector of 512 bytes."""

LIES = (
    Fault(key="dropped", title="a dropped write of 64 KiB", rules=(f"drop:{30 * MIB}:65536",), unavoidable=128),
    Fault(
        key="aliased", title="addresses that wrap at half the capacity", rules=("alias:25",), unavoidable=SIZE // 1024
    ),
    Fault(
        key="short-writes", title="bad sectors reported as written", rules=_SECTORS, short_writes=True, unavoidable=9
    ),
)
"""Devices that report success and keep old data."""


@dataclass(frozen=True, kw_only=True)
class FaultRow:
    """What one tool did on one faulty device."""

    fault: str
    key: str
    label: str
    exits: tuple[int, ...] = ()
    seconds: float = 0
    sectors_left: int | None = None
    """Sectors of 512 bytes that still hold old data afterwards."""
    failing_requests: int | None = None
    """Requests the device answered with an error."""
    said: str = ""
    """What the tool concluded, for ours the run's end state and error code."""
    noticed: bool | None = None
    """Whether the tool ended in anything but success; None when it came to no end of its own."""
    left_out: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "exits": list(self.exits)}
