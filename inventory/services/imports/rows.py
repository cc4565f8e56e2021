"""What both kinds of file give: lines with their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_ROWS: Final = 2_000_000
MAX_COLUMNS: Final = 200
MAX_BYTES: Final = 256 * 1024 * 1024
"""Of a file as it is sent."""


@dataclass(frozen=True)
class Line:
    """One line of a table."""

    number: int
    """As a person counts it in the file."""
    cells: list[str]


@dataclass(frozen=True)
class Unreadable:
    """One line that is no line of a table."""

    number: int
    sentence: str
