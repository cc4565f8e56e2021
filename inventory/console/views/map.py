"""The map of where data lies, drawn: a box a thing, a column a kind, a line a holding. Pure: places only, no colours.

Boxes are put beside what they hang together with, so that few lines cross; a line that skips columns has a lane in each,
so that it never runs beneath a box it has nothing to do with. The same facts give the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, get_args

from inventory.console.language.speaking import words
from inventory.domain.vocabulary import HoldingState
from inventory.services.views.maps import MapNode, MapView, NodeKind

WIDTH: Final = 196
HEIGHT: Final = 50
_ACROSS: Final = 64
_DOWN: Final = 14
_HEAD: Final = 26
_EDGE: Final = 2
_LETTERS: Final = 22
_SMALL_LETTERS: Final = 24
_ROUNDS: Final = 4

HEADINGS: Final[dict[NodeKind, str]] = {
    "case": "Case",
    "data_set": "Data set",
    "path": "Path",
    "volume": "Volume",
    "device": "Disk",
    "gap": "Disk",
}
_KINDS: Final[tuple[NodeKind, ...]] = get_args(NodeKind)


@dataclass(frozen=True)
class Box:
    """One thing, where it is drawn."""

    node: MapNode
    left: int
    top: int
    label: str
    text: str
    words: str
    """Everything, for who points at it or has it read out."""


@dataclass(frozen=True)
class Line:
    """One way from thing to thing, as the path of an SVG."""

    path: str
    words: str
    style: str
    """The state of the holding, `gap` or `plain`."""


@dataclass(frozen=True)
class Heading:
    """What stands above a column."""

    left: int
    words: str


@dataclass(frozen=True)
class Picture:
    """The whole drawing."""

    width: int
    height: int
    headings: tuple[Heading, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def picture(view: MapView) -> Picture | None:
    """The drawing; None where there is nothing to draw a line to."""
    if not view.edges:
        return None
    columns = _columns(view)
    ways = _ways(view, columns)
    rows = _ordered(view, columns, ways)
    tallest = max(len(column) for column in rows)
    height = _HEAD + tallest * (HEIGHT + _DOWN) - _DOWN + 2 * _EDGE
    places = {
        key: (_EDGE + position * (WIDTH + _ACROSS), top)
        for position, column in enumerate(rows)
        for key, top in _spread(column, height)
    }
    boxes = {node.key: _box(node, *places[node.key]) for node in view.nodes}
    lines = tuple(
        Line(
            _curve([places[key] for key in way]),
            _told(boxes[edge.source].node.label, boxes[edge.target].node.label, edge.words, edge.state),
            _style(edge.state, boxes[edge.target].node.kind),
        )
        for edge, way in zip(view.edges, ways, strict=True)
    )
    headings = tuple(
        Heading(_EDGE + position * (WIDTH + _ACROSS), HEADINGS[kinds[0]]) for position, kinds in enumerate(columns)
    )
    width = len(columns) * (WIDTH + _ACROSS) - _ACROSS + 2 * _EDGE
    return Picture(width, height, headings, tuple(boxes.values()), lines)


def _told(source: str, target: str, how: str, state: HoldingState | None) -> str:
    """A line in words, as it is read when one points at it."""
    known = f"{words(how)}, {words(state)}" if state else words(how)
    return words("{source} to {target}: {known}", source=words(source), target=words(target), known=known)


def _style(state: HoldingState | None, kind: NodeKind) -> str:
    return "gap" if kind == "gap" else str(state) if state is not None else "plain"


def _columns(view: MapView) -> tuple[tuple[NodeKind, ...], ...]:
    """The kinds that occur, from left to right; what could not be followed stands among the disks."""
    present = {node.kind for node in view.nodes}
    single = [(kind,) for kind in _KINDS[:-2] if kind in present]
    last = tuple(kind for kind in _KINDS[-2:] if kind in present)
    return (*single, *((last,) if last else ()))


def _ways(view: MapView, columns: Sequence[tuple[NodeKind, ...]]) -> list[tuple[str, ...]]:
    """What each line passes: its source, a lane in each column it skips, shared by all lines like it, its target."""
    column = {kind: position for position, kinds in enumerate(columns) for kind in kinds}
    at = {node.key: column[node.kind] for node in view.nodes}
    return [
        (
            edge.source,
            *(f"{edge.source}/{edge.state}/{n}" for n in range(at[edge.source] + 1, at[edge.target])),
            edge.target,
        )
        for edge in view.edges
    ]


def _ordered(
    view: MapView, columns: Sequence[tuple[NodeKind, ...]], ways: Sequence[tuple[str, ...]]
) -> list[list[str]]:
    """Each column sorted so that things, and lanes, stand near what they hang together with."""
    rows = [[node.key for node in view.nodes if node.kind in kinds] for kinds in columns]
    column = {key: position for position, keys in enumerate(rows) for key in keys}
    near: dict[str, list[str]] = {node.key: [] for node in view.nodes}
    for way in ways:
        for step, (left, right) in enumerate(pairwise(way)):
            position = column[way[0]] + step + 1
            if right not in near:
                near[right] = []
                rows[position].append(right)
            near[left].append(right)
            near[right].append(left)
    for _ in range(_ROUNDS):
        for keys in rows:
            places = _places(rows)
            keys.sort(key=lambda key, at=places: (_middle(near[key], at, at[key]), key))  # type: ignore[misc]
    return rows


def _places(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Where in its column each thing stands, from 0 to 1."""
    return {key: (position + 0.5) / len(keys) for keys in rows for position, key in enumerate(keys)}


def _middle(others: Sequence[str], places: Mapping[str, float], own: float) -> float:
    return sum(places[other] for other in others) / len(others) if others else own


def _spread(column: Sequence[str], height: int) -> list[tuple[str, int]]:
    """The top of each thing of one column, spread over the height."""
    room = height - _HEAD - 2 * _EDGE
    step = max(HEIGHT + _DOWN, room // len(column))
    slack = max(0, room - (step * (len(column) - 1) + HEIGHT)) // 2
    return [(key, _HEAD + _EDGE + slack + row * step) for row, key in enumerate(column)]


def _box(node: MapNode, left: int, top: int) -> Box:
    return Box(node, left, top, _cut(words(node.label), _LETTERS), _cut(words(node.text), _SMALL_LETTERS), _read(node))


def _read(node: MapNode) -> str:
    """A box in words, as it is read when one points at it."""
    return ", ".join(words(part) for part in (node.label, node.text, node.state.replace("_", " ")) if part)


def _cut(text: str, most: int) -> str:
    """Text that fits into a box; the end of it says most, of a path above all."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"


def _curve(places: Sequence[tuple[int, int]]) -> str:
    """From place to place, and straight on through the lanes between."""
    drawn = f"M{places[0][0] + WIDTH} {places[0][1] + HEIGHT // 2}"
    for (left, top), (to_left, to_top) in pairwise(places):
        begin, from_y, to_y = left + WIDTH, top + HEIGHT // 2, to_top + HEIGHT // 2
        bend = (begin + to_left) // 2
        drawn += f"C{bend} {from_y} {bend} {to_y} {to_left} {to_y}"
        if (to_left, to_top) != places[-1]:
            drawn += f"H{to_left + WIDTH}"
    return drawn
