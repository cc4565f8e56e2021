"""Which media of a closed lot are examined again by somebody else: drawn from the log, so that anybody can repeat the draw.

The seed is the root of the log at the closing of the lot: of exactly the entries up to the closing and no more. It covers the
signed list of devices, and nobody knew it while that list could change. From there on nothing is left to choose:

* a number for each device of the population: SHA-256 over `seed, 0x00, device, 0x00, fingerprint`;
* the devices with the smallest numbers are drawn, as many as the share asks for, rounded up, and at least one.

Standard library only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .custody import LotClosing, LotMember
from .errors import BrokenChain
from .orders import LogPosition
from .parts import StrictPart

SAMPLE_DRAWN: Final = "sanitrail/sample-drawn/1"


@dataclass(frozen=True, kw_only=True)
class SampleDrawn(StrictPart):
    """The service's signed statement of a draw, an envelope of kind `custody`. Everything in it follows from the closing."""

    schema: Literal["sanitrail/sample-drawn/1"] = SAMPLE_DRAWN
    id: str
    lot: str
    closing: int
    """The how-manieth closing of the lot."""
    closing_sha256: str
    """Envelope digest of the signed closing."""
    seed: LogPosition
    """The log at that closing: one entry more than the closing's own index."""
    percent: int
    """The share that was asked for, 1 to 100."""
    population: tuple[str, ...]
    """Numbers of the devices that could be drawn, in the closing's order."""
    drawn: tuple[str, ...]
    """Numbers of those that were, in the closing's order."""
    actor: str
    time: str


def population_of(closing: LotClosing) -> tuple[LotMember, ...]:
    """What can be examined again: every device of the lot that rests on a record, also one put under lock since."""
    return tuple(member for member in closing.devices if member.record and member.state in {"sanitized", "quarantined"})


def seed_of(position: LogPosition) -> bytes:
    """The seed of a draw from the log at a closing."""
    text = f"sanitrail sample/1\n{position.origin}\n{position.size}\n{position.root}\n"
    return hashlib.sha256(text.encode()).digest()


def how_many(population: int, percent: int) -> int:
    """How many of a population a share asks for: rounded up, at least one, never more than there are."""
    if not 1 <= percent <= 100:
        raise ValueError(f"a share of {percent} %")
    return -(-population * percent // 100)


def draw(population: Sequence[LotMember], percent: int, seed: bytes) -> tuple[str, ...]:
    """The devices that are drawn, in the order of the population."""

    def number(member: LotMember) -> bytes:
        return hashlib.sha256(seed + b"\0" + member.device.encode() + b"\0" + member.fingerprint.encode()).digest()

    first = sorted(population, key=number)[: how_many(len(population), percent)]
    chosen = {member.device for member in first}
    return tuple(member.device for member in population if member.device in chosen)


def check(drawn: SampleDrawn, closing: LotClosing, closing_sha256: str, closing_index: int) -> None:
    """Repeat the draw.

    Raises:
        BrokenChain: the statement is about another closing, or another set of devices follows from it.
    """
    if (drawn.lot, drawn.closing, drawn.closing_sha256) != (closing.lot, closing.closing, closing_sha256):
        raise BrokenChain("sample", "it names another closing than the one it stands beside.")
    if drawn.seed.size != closing_index + 1:
        raise BrokenChain("sample", "its seed is not the log at the closing.")
    members = population_of(closing)
    if drawn.population != tuple(member.device for member in members):
        raise BrokenChain("sample", "another population follows from the closing.")
    if not members or not 1 <= drawn.percent <= 100:
        raise BrokenChain("sample", "nothing can be drawn by what it says.")
    if drawn.drawn != draw(members, drawn.percent, seed_of(drawn.seed)):
        raise BrokenChain("sample", "other devices follow from the seed.")
