"""The map of where data lies, drawn: a box a thing, a column a kind, a line a holding. Pure: places only, no colours.

Boxes are put beside what they hang together with, so that few lines cross; the same facts give the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
_SMALL_LETTERS: Final = 26
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
    rows = _ordered(view, columns)
    tallest = max(len(column) for column in rows.values())
    height = _HEAD + tallest * (HEIGHT + _DOWN) - _DOWN + 2 * _EDGE
    boxes = {
        node.key: box for position, kinds in enumerate(columns) for box, node in _placed(rows[kinds], position, height)
    }
    lines = tuple(
        Line(
            _curve(boxes[edge.source], boxes[edge.target]),
            _told(boxes[edge.source].node.label, boxes[edge.target].node.label, edge.words, edge.state),
            _style(edge.state, boxes[edge.target].node.kind),
        )
        for edge in view.edges
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


def _ordered(view: MapView, columns: Sequence[tuple[NodeKind, ...]]) -> dict[tuple[NodeKind, ...], list[MapNode]]:
    """Each column sorted so that things stand near what they hang together with."""
    rows = {kinds: [node for node in view.nodes if node.kind in kinds] for kinds in columns}
    near: dict[str, list[str]] = {node.key: [] for node in view.nodes}
    for edge in view.edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    for _ in range(_ROUNDS):
        for kinds in columns:
            places = _places(rows)
            rows[kinds].sort(key=lambda node, at=places: (_middle(near[node.key], at, at[node.key]), node.key))  # type: ignore[misc]
    return rows


def _places(rows: Mapping[tuple[NodeKind, ...], list[MapNode]]) -> dict[str, float]:
    """Where in its column each thing stands, from 0 to 1."""
    return {
        node.key: (position + 0.5) / len(column) for column in rows.values() for position, node in enumerate(column)
    }


def _middle(others: Sequence[str], places: Mapping[str, float], own: float) -> float:
    return sum(places[other] for other in others) / len(others) if others else own


def _placed(column: Sequence[MapNode], position: int, height: int) -> list[tuple[Box, MapNode]]:
    """The boxes of one column, spread over its height."""
    left = _EDGE + position * (WIDTH + _ACROSS)
    room = height - _HEAD - 2 * _EDGE
    step = max(HEIGHT + _DOWN, room // len(column))
    slack = max(0, room - (step * (len(column) - 1) + HEIGHT)) // 2
    return [
        (
            Box(
                node=node,
                left=left,
                top=_HEAD + _EDGE + slack + row * step,
                label=_cut(words(node.label), _LETTERS),
                text=_cut(words(node.text), _SMALL_LETTERS),
                words=_read(node),
            ),
            node,
        )
        for row, node in enumerate(column)
    ]


def _read(node: MapNode) -> str:
    """A box in words, as it is read when one points at it."""
    return ", ".join(words(part) for part in (node.label, node.text, node.state.replace("_", " ")) if part)


def _cut(text: str, most: int) -> str:
    """Text that fits into a box; the end of it says most, of a path above all."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"


def _curve(source: Box, target: Box) -> str:
    begin, end = source.left + WIDTH, target.left
    from_y, to_y = source.top + HEIGHT // 2, target.top + HEIGHT // 2
    bend = (begin + end) // 2
    return f"M{begin} {from_y}C{bend} {from_y} {bend} {to_y} {end} {to_y}"
