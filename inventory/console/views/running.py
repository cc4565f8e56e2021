"""A run under way as a reader sees it: figures that are believed, and what is said where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from inventory.console.formatting import clock, duration
from inventory.console.language.speaking import rate, words
from inventory.domain.bays import Bay, honest_seconds, is_silent
from inventory.domain.vocabulary import OrderState
from inventory.services.views import OrderRow
from inventory.services.views.bays import BayView, WallView

from .chips import Chip
from .order import RUNNING

HOT: Final = 60
"""Degrees Celsius from which a drive's temperature is shown as a warning: most are rated up to there."""


@dataclass(frozen=True)
class Figures:
    """What is said of a run beside its bar."""

    rate: str
    left: str
    """How long it will take, or why nobody can say."""
    ends: str
    """The time of day at which it ends, UTC; empty where nothing honest can be said."""
    temperature: int | None
    hot: bool
    silent: bool
    """Nothing was heard for too long: the figures are the last that were told."""


def figures(order: OrderRow, now: datetime) -> Figures | None:
    """The figures of a run; None where none is under way or it has told nothing."""
    told = order.progress
    if told is None or order.state not in RUNNING:
        return None
    silent = is_silent(told.reported, now)
    left = honest_seconds(told.seconds_left, told.reported, now)
    still = order.state is OrderState.EXECUTING and not told.bytes_per_second
    if silent:
        words = f"not known: nothing heard for {duration(int((now - told.reported).total_seconds()))}"
    elif left is None:
        words = "not known: it stands still" if still else "not yet known"
    else:
        words = duration(left)
    return Figures(
        rate=rate(told.bytes_per_second) if not silent else "not known",
        left=words,
        ends=clock(now + timedelta(seconds=left))[:5] if left is not None else "",
        temperature=told.temperature if not silent else None,
        hot=told.temperature is not None and told.temperature >= HOT,
        silent=silent,
    )


BAYS: Final[dict[Bay, Chip]] = {
    Bay.EMPTY: Chip("Empty", "quiet", "ring", "There is no medium in it"),
    Bay.READY: Chip("Ready", "accent", "inbox", "Out of use; nobody has ordered anything"),
    Bay.APPROVING: Chip("To approve", "warn", "sign", "Its order lacks approvals"),
    Bay.WAITING: Chip("Waiting", "accent", "clock", "Approved; the agent begins by itself"),
    Bay.WRITING: Chip("Writing", "busy", "spin", "The medium is being written. Leave it in"),
    Bay.SETTLING: Chip("Settling", "busy", "spin", "The drive works by itself. Leave it in"),
    Bay.READING: Chip("Reading back", "busy", "eye", "What was written is being read back. Leave it in"),
    Bay.SILENT: Chip(
        "Nothing heard", "warn", "question", "A run is under way, and nothing has been heard. Leave it in"
    ),
    Bay.DECIDING: Chip("To validate", "residue", "eye", "It is done; a validator decides whether it suffices"),
    Bay.PULL: Chip("Pull", "ok", "check", "Sanitized and validated"),
    Bay.FAILED: Chip("Failed", "bad", "cross", "A run ended badly; it is not sanitized"),
    Bay.KEPT: Chip("Leave", "quiet", "hold", "In use, or under a hold"),
    Bay.UNKNOWN: Chip("Unknown", "warn", "question", "The inventory cannot say; leave it in"),
}
"""Bay -> word, tone, shape, meaning."""


@dataclass(frozen=True)
class Count:
    """How many bays have one word."""

    chip: Chip
    count: int


@dataclass(frozen=True)
class Tile:
    """One bay on the wall."""

    view: BayView
    chip: Chip
    slot: str
    """The number of the slot, where its name ends with one; else the end of the name."""
    left: str
    """How long it will take, why nobody can say, or for how long nothing was heard; empty where no run is under way."""
    worry: bool
    """It stands still, is too hot or meets errors: somebody should look."""
    hot: bool

    @property
    def runs(self) -> bool:
        """Whether its figures are believed."""
        return self.view.bay in _UNDER_WAY


_UNDER_WAY: Final = frozenset({Bay.WRITING, Bay.SETTLING, Bay.READING})


def tiles(view: WallView, now: datetime) -> tuple[Tile, ...]:
    """The bays in order."""
    return tuple(_tile(bay, now) for bay in view.bays)


def _tile(bay: BayView, now: datetime) -> Tile:
    still = bay.bay is Bay.WRITING and bay.percent is not None and not bay.bytes_per_second
    hot = bay.temperature is not None and bay.temperature >= HOT
    worry = bay.bay in _UNDER_WAY and (still or hot or bay.errors > 0)
    return Tile(bay, BAYS[bay.bay], short_slot(bay.slot), _left(bay, now, still=still), worry=worry, hot=hot)


def _left(bay: BayView, now: datetime, *, still: bool) -> str:
    if bay.bay is Bay.SILENT and bay.reported is not None:
        return words("for {time}", time=duration(int((now - bay.reported).total_seconds())))
    if bay.bay not in _UNDER_WAY or bay.percent is None:
        return ""
    if bay.seconds_left is not None:
        return duration(bay.seconds_left)
    return words("stands still") if still else ""


def short_slot(slot: str) -> str:
    """What stands on the bay itself: a number if the name ends with one, else as much of its end as can be read from afar."""
    last = slot.replace("/", " ").replace(":", " ").replace("-", " ").split()[-1:] or [slot]
    digits = last[0].lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return digits if digits.isdigit() and not slot.startswith("/dev/") else last[0][-6:]


def counts(view: WallView) -> tuple[Count, ...]:
    """How many bays have which word, in the order of work; words nobody has are left out."""
    found = [Count(BAYS[bay], sum(one.bay is bay for one in view.bays)) for bay in Bay]
    return tuple(one for one in found if one.count)


def columns(bays: int) -> int:
    """Columns of a wall that is somewhat wider than high."""
    return next(width for width in range(2, 17) if width * max(1, width * 5 // 8) >= bays or width == 16)
