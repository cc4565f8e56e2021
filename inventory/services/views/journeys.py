"""A medium's life as stations."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.journey import Standing, Station

from .overview import EventView


@dataclass(frozen=True, kw_only=True)
class StopView:
    """One station of one medium."""

    station: Station
    standing: Standing
    event: EventView | None
    """What reached it; None exactly while it is open."""
