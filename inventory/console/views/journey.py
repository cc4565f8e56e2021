"""A medium's life at a glance: ten stations, each with its day and the way to its evidence; and the parts of its story."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from inventory.domain.journey import Part, Standing, Station
from inventory.services.views import EventView
from inventory.services.views.journeys import StopView

from .chips import Tone


@dataclass(frozen=True)
class Stop:
    """One station as the reader sees it."""

    label: str
    icon: str
    tone: Tone
    words: str
    """What its shape and colour say, for who sees neither."""
    time: datetime | None
    url: str


_LABELS: Final[dict[Station, tuple[str, str]]] = {
    Station.DECLARED: ("Declared", "file"),
    Station.SEEN: ("Seen", "eye"),
    Station.HELD: ("Held data", "data"),
    Station.MOVED: ("Moved", "place"),
    Station.ORDERED: ("Ordered", "order"),
    Station.APPROVED: ("Approved", "sign"),
    Station.WIPED: ("Wiped", "spin"),
    Station.VERIFIED: ("Verified", "file"),
    Station.VALIDATED: ("Validated", "shield-check"),
    Station.LEFT: ("Left", "exit"),
}
_STANDINGS: Final[dict[Standing, tuple[str, Tone]]] = {
    Standing.REACHED: ("", "ok"),
    Standing.UNDONE: ("taken back", "bad"),
    Standing.EARLIER: ("before it was used again", "residue"),
    Standing.OPEN: ("not yet", "quiet"),
}
PARTS: Final[dict[Part, str]] = {
    Part.WHEREABOUTS: "Where it was",
    Part.DATA: "Data",
    Part.WORK: "Work",
    Part.EVIDENCE: "Evidence",
    Part.TROUBLE: "Trouble",
}

Opens = Callable[[EventView], str]
"""The address of what an event rests on, where the reader may go there; else nothing."""


def stops_of(journey: Iterable[StopView], opens: Opens) -> tuple[Stop, ...]:
    """The stations in order. Only what stands is green; that it held data is no merit."""
    return tuple(_stop(one, opens) for one in journey)


def _stop(one: StopView, opens: Opens) -> Stop:
    label, icon = _LABELS[one.station]
    words, tone = _STANDINGS[one.standing]
    if one.standing is Standing.REACHED and one.station is Station.HELD:
        tone = "residue"
    return Stop(
        label=label,
        icon=icon,
        tone=tone,
        words=words,
        time=one.event.at if one.event is not None else None,
        url=opens(one.event) if one.event is not None else "",
    )
