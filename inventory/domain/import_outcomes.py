"""What can become of a row of a table from elsewhere. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .import_fields import Problem


class Outcome(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    """What nobody knew is added; a device is declared."""
    ADOPT = "adopt"
    """An agent has seen it, nobody had declared it: now it is declared. Of a host: nobody had said where it belongs."""
    SAME = "same"
    """Known, and nothing in the row says otherwise."""
    SKIPPED = "skipped"
    """The mapping leaves such rows out."""
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a row, and what it is about."""

    outcome: Outcome
    device: str | None = None
    """Number of the device, or of whatever else the row is about."""
    problems: tuple[Problem, ...] = ()
