"""What became of each of many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ActLineView:
    """One of many things that the same was done to."""

    number: str
    done: bool
    """False in a rehearsal, and where it was refused."""
    code: str | None
    """Why it was refused; null: it was not."""
    sentence: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ActView:
    """Something that can be done to many rows of a list."""

    name: str
    title: str
    hint: str
    needs: tuple[str, ...]
    """`owner`, `day`: what it wants beside the reason."""
