"""The bays of a wipe room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.bays import Bay


@dataclass(frozen=True, kw_only=True)
class BayView:
    """One slot of one host, and what is going on in it."""

    host: str
    host_name: str
    slot: str
    """As the kernel names it; the device's node where it names none."""
    bay: Bay
    device: str | None
    asset_tag: str | None
    label: str
    order: str | None
    """The open order, else the newest one."""
    percent: int | None
    """Of all passes and the verification, rounded down; None where no run is under way."""
    seconds_left: int | None
    """None where nothing honest can be said."""
    bytes_per_second: int | None
    errors: int
    temperature: int | None
    """Degrees Celsius by the drive's own sensor; None where it has none, or nothing was heard lately."""
    reported: datetime | None


@dataclass(frozen=True, kw_only=True)
class UnheardView:
    """A host of which nothing was heard lately."""

    host: str
    name: str
    last: datetime | None
    """None: never."""


@dataclass(frozen=True, kw_only=True)
class WallView:
    """Every bay of the hosts asked for."""

    bays: tuple[BayView, ...]
    """By host, then by slot."""
    hosts: tuple[tuple[str, str], ...]
    """Number and name of each host that has bays."""
    unheard: tuple[UnheardView, ...]
    """Hosts of these that have said nothing for so long that nobody knows what is in their bays."""
    left_out: int
    """Media that are not shown because there are too many."""
