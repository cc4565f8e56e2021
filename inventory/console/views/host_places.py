"""The way down from a place on a host, as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from inventory.services.views import HostPlaceView, StepView

_DEEPEST: Final = 24
"""Deeper than any host stacks its storage; the picture ends there, the facts do not."""


@dataclass(frozen=True)
class Below:
    """One thing beneath another, with how that is known."""

    name: str
    how: str
    beneath: tuple[Below, ...]


@dataclass(frozen=True)
class PlaceTree:
    """A place and everything beneath it."""

    place: HostPlaceView
    beneath: tuple[Below, ...]


def tree_of(place: HostPlaceView) -> PlaceTree:
    """The steps, joined. What is reached twice (a disk beneath both halves of a mirror's volumes) stands there twice."""
    lower = {step.below for step in place.steps}
    beginnings = dict.fromkeys(step.above for step in place.steps if step.above not in lower)
    first = [step for step in place.steps if step.above in beginnings]
    return PlaceTree(place, tuple(_below(step, place.steps, (step.above,)) for step in first))


def _below(step: StepView, steps: Sequence[StepView], above: tuple[str, ...]) -> Below:
    if step.below in above or len(above) > _DEEPEST:
        return Below(step.below, step.how, ())
    onward = (*above, step.below)
    return Below(step.below, step.how, tuple(_below(each, steps, onward) for each in steps if each.above == step.below))
