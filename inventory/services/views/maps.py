"""The map of where data lies: from a customer's case to the disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inventory.domain.vocabulary import HoldingSource, HoldingState

NodeKind = Literal["case", "data_set", "path", "volume", "device", "gap"]
"""What a node is; `gap` is an edge nobody could follow. From left to right in this order."""


@dataclass(frozen=True, kw_only=True)
class MapNode:
    """One thing on the way."""

    key: str
    """Its own within one map."""
    kind: NodeKind
    number: str
    """Of the thing itself; empty for what has no page: a volume, a gap."""
    label: str
    text: str
    """One more line."""
    state: str
    """A word of the vocabulary of its kind; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class MapEdge:
    """That one thing leads to another."""

    source: str
    target: str
    words: str
    """How it is known."""
    state: HoldingState | None
    """How the data stands there; None where nothing can be said."""


@dataclass(frozen=True, kw_only=True)
class MapLine:
    """One holding, or one path without any, as a line of the table beside the picture."""

    case: str | None
    case_reference: str
    data_set: str
    data_set_name: str
    host_name: str
    path: str
    volume: str
    device: str | None
    device_label: str
    source: HoldingSource | None
    state: HoldingState | None
    gaps: tuple[str, ...]
    """What could not be followed beneath the path."""


@dataclass(frozen=True, kw_only=True)
class MapView:
    """Everything on the way, and what was left out because there is too much of it."""

    nodes: tuple[MapNode, ...]
    edges: tuple[MapEdge, ...]
    lines: tuple[MapLine, ...]
    left_out: int
    """Holdings that are not drawn; the lists have them all."""
