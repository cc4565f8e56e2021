"""How an inclusion proof is drawn: from a leaf up to the root, each step with the subtree that stands beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from inventory.console.language.speaking import words
from reports.tlog.tree import leaf_hash, node_hash

Side = Literal["left", "right"]
ROW: Final = 64
"""Units from one level to the next."""
_MIDDLE: Final = 320
_BESIDE: Final = {"left": 110, "right": 530}


@dataclass(frozen=True)
class Node:
    """A subtree: which entries it covers, and its hash."""

    first: int
    last: int
    hash: bytes

    @property
    def covers(self) -> str:
        """In words as short as possible."""
        return (
            str(self.first) if self.first == self.last else words("{first} to {last}", first=self.first, last=self.last)
        )


@dataclass(frozen=True)
class Step:
    """One step up: what is known, what the proof gives beside it, and what both make."""

    below: Node
    side: Side
    """Where the proof's hash stands."""
    beside: Node
    above: Node


@dataclass(frozen=True)
class Drawn:
    """A step with its places in the picture."""

    step: Step
    y: int
    """Of the two nodes that are combined."""
    beside_x: int


@dataclass(frozen=True)
class Picture:
    """The whole path."""

    leaf: Node
    steps: tuple[Drawn, ...]
    """From the root down, as it is drawn."""
    root: Node
    width: int
    height: int
    middle: int


def climb(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> tuple[Step, ...]:
    """The steps from a leaf up to the root.

    Args:
        index: of the entry.
        size: of the tree.
        leaf: the entry itself; its hash begins the path.
        proof: hashes from the bottom up.

    Raises:
        ValueError: the proof has another length than the tree is high there.
    """
    sides = _sides(index, size)
    if len(sides) != len(proof):
        raise ValueError(f"a proof of entry {index} in a tree of {size} has {len(sides)} hashes")
    now = Node(index, index, leaf_hash(leaf))
    found = []
    for (side, first, last), sibling in zip(sides, proof, strict=True):
        beside = Node(first, last, sibling)
        pair = (beside, now) if side == "left" else (now, beside)
        above = Node(pair[0].first, pair[1].last, node_hash(pair[0].hash, pair[1].hash))
        found.append(Step(now, side, beside, above))
        now = above
    return tuple(found)


def _sides(index: int, size: int) -> list[tuple[Side, int, int]]:
    """Where each hash of a proof stands and which entries it covers, from the bottom up (RFC 6962, 2.1.1)."""
    found: list[tuple[Side, int, int]] = []
    start, end = 0, size
    while end - start > 1:
        split = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < split:
            found.append(("right", split, end - 1))
            end = split
        else:
            found.append(("left", start, split - 1))
            start = split
    return found[::-1]


def draw(index: int, leaf: bytes, steps: Sequence[Step]) -> Picture:
    """Places for everything: the root on top, the entry at the bottom."""
    bottom = Node(index, index, leaf_hash(leaf))
    root = steps[-1].above if steps else bottom
    height = ROW * (len(steps) + 1)
    drawn = tuple(Drawn(step, (number + 1) * ROW, _BESIDE[step.side]) for number, step in enumerate(reversed(steps)))
    return Picture(bottom, drawn, root, 2 * _MIDDLE, height, _MIDDLE)
