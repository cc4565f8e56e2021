"""From the steps an agent took beneath a path: what lies between the path and one disk. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """What lies between a path and one disk, from above to below; nothing where the path rests on the disk itself."""

    between: tuple[str, ...]
    known: tuple[str, ...]
    """How each step was known; one more than there are things between."""


def way_to(disk: str, steps: Iterable[Mapping[str, str]]) -> Way | None:
    """The shortest way from the top down to a disk, by its kernel name; None where the steps do not lead there.

    Args:
        disk: kernel name, such as sdb; its partitions count as the disk.
        steps: each with `above`, `below` and `how`.
    """
    above: dict[str, list[tuple[str, str]]] = {}
    for step in steps:
        above.setdefault(step["below"], []).append((step["above"], step["how"]))
    own = re.compile(rf"{re.escape(disk)}(?:p?\d+)?")
    waiting: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        (name, (), ()) for name in above if own.fullmatch(name)
    ]
    seen = {name for name, _, _ in waiting}
    while waiting:
        name, between, known = waiting.pop(0)
        if name not in above:
            return Way(between[1:], known)  # the top is the place itself
        for upper, how in above[name]:
            if upper not in seen:
                seen.add(upper)
                waiting.append((upper, *_longer(upper, between, how, known)))
    return None


def _longer(
    upper: str, between: tuple[str, ...], how: str, known: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (upper, *between), (how, *known)
