"""Balances as people see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.balance import ScopeKind


@dataclass(frozen=True, kw_only=True)
class BalanceView:
    """A balance sheet."""

    id: str
    scope: ScopeKind
    reference: str
    words: str
    begin: datetime | None
    end: datetime | None
    owner: str
    drawn: datetime
    drawn_by: str
    counting: int
    counts: dict[str, int]
    """declared, observed, total; before, new, arrived; present, released, destroyed, waived, moved, missing, unknown."""
    states: dict[str, int]
    """Of what is present."""
    differences: int
    open_differences: int
    closed: datetime | None
    closed_by: str | None
    sha256: str | None
    log_index: int | None
    version: int
