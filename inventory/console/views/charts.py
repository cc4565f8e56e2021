"""Where the pieces of a chart go. Pure: numbers in, rectangles out; every picture has its numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .chips import Tone

WIDTH: Final = 1000
"""Units across a bar; the page stretches them to whatever room there is."""
GAP: Final = 4
LEAST: Final = 8
"""Units the smallest piece keeps, so that one among a million is still seen."""
COLUMN: Final = 80
"""Units a column and the room around it are wide."""
HEIGHT: Final = 72
"""Units the highest column has."""


@dataclass(frozen=True)
class Share:
    """One part of a whole, as it is known."""

    label: str
    count: int
    tone: Tone
    url: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Piece:
    """One part of a whole, as it is drawn."""

    share: Share
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A whole and its parts side by side."""

    pieces: tuple[Piece, ...]
    total: int


@dataclass(frozen=True)
class Column:
    """One count among others, as it is drawn; its foot stands on the line."""

    share: Share
    x: float
    middle: float
    y: float
    height: float


@dataclass(frozen=True)
class Columns:
    """Counts beside each other."""

    columns: tuple[Column, ...]
    width: int
    total: int


def bar(shares: Sequence[Share]) -> Bar:
    """Parts of a whole: each as wide as its share, none so small that it is not seen, together exactly the whole width."""
    present = [share for share in shares if share.count > 0]
    total = sum(share.count for share in present)
    room = WIDTH - GAP * max(0, len(present) - 1)
    spare = room - LEAST * len(present)
    pieces, x = [], 0.0
    for share in present:
        width = LEAST + spare * share.count / total
        pieces.append(Piece(share, round(x, 2), round(width, 2)))
        x += width + GAP
    return Bar(tuple(pieces), total)


def columns(shares: Sequence[Share]) -> Columns:
    """Counts beside each other; zero has no height, everything else at least a little."""
    most = max((share.count for share in shares), default=0)
    found = []
    for position, share in enumerate(shares):
        height = max(2.0, HEIGHT * share.count / most) if share.count else 0.0
        left = position * COLUMN
        found.append(Column(share, left + COLUMN / 4, left + COLUMN / 2, round(HEIGHT - height, 2), round(height, 2)))
    return Columns(tuple(found), COLUMN * len(shares), sum(share.count for share in shares))
