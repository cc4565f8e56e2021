"""What planning ends in. Pure values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from sanitizer.patterns import PatternSet
from sanitizer.techniques.base import Aftermath, Level, Parameters, Reach

from .request import CANARIES, HOST, KEYS, PlanRequest


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A technique that was considered and is not used."""

    technique: str
    reasons: tuple[str, ...]
    """Sentences without full stop."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A request that can be carried out on one inspected device."""

    request: PlanRequest
    patterns: PatternSet
    """What the host writes: the passes of an overwrite, or the canaries before a drive's own technique."""
    capacity_bytes: int
    steps: tuple[str, ...] = (HOST,)
    """Techniques in order."""
    parameters: Parameters = field(default_factory=Parameters)
    level: Level = "clear"
    """What is reached when every step succeeds and is proven."""
    reaches: tuple[Reach, ...] = ()
    """For each step, how far it gets and why."""
    titles: tuple[str, ...] = ()
    """For each step, its name for people."""
    aftermath: Aftermath = "undefined"
    """What the last of the drive's own steps leaves on the blocks."""
    rejected: tuple[Rejected, ...] = ()
    """What was considered before and after, when the technique was to be chosen."""
    also_destroyed: tuple[str, ...] = ()
    """What else is destroyed, and was accepted: sentences without full stop."""
    notes: tuple[str, ...] = ()
    """What a person should know before: sentences without full stop."""
    estimates: tuple[int | None, ...] = ()
    """For each step, seconds by the drive's own estimate; None where it makes none."""

    @property
    def digest(self) -> str:
        """The request's digest: what an order seals and a record repeats."""
        return self.request.digest

    @property
    def technique(self) -> str:
        """The steps in the record's words."""
        return "+".join(self.steps)

    @property
    def passes(self) -> int:
        """How often the host goes over what it writes."""
        return len(self.patterns.passes)

    @property
    def by_drive(self) -> bool:
        """Whether the drive's own commands are used."""
        return self.steps not in {(HOST,), (KEYS,)}

    @property
    def by_keys(self) -> bool:
        """Whether the keys of a container are destroyed, and what they encrypted stays."""
        return self.steps == (KEYS,)

    @property
    def estimate_seconds(self) -> int | None:
        """The drive's own estimates together, marking and reading back not included; None as soon as one is missing."""
        total = 0
        for each in self.estimates or (None,):
            if each is None:
                return None
            total += each
        return total

    @property
    def explicit(self) -> PlanRequest:
        """The same request with the technique that was chosen in place of auto."""
        pattern_set = CANARIES if self.by_drive else self.patterns.name
        return dataclasses.replace(self.request, technique=self.technique, pattern_set=pattern_set)

    def describe(self) -> str:
        """One line for a person."""
        asked = self.request
        if self.by_drive:
            return f"{asked.method} by {', then '.join(self.titles)}, {asked.verification} verification"
        if self.by_keys:
            return f"{asked.method} by {self.titles[0]}, {asked.verification} verification"
        passes = "1 pass" if self.passes == 1 else f"{self.passes} passes"
        return f"{asked.method} by overwriting with {self.patterns.label}, {passes}, {asked.verification} verification"
