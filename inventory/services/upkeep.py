"""What happens by itself as time passes. Safe to call at any time, by any number of processes, as often as one likes."""

from __future__ import annotations

from dataclasses import dataclass

from .context import Context


@dataclass(frozen=True)
class UpkeepReport:
    """What was done."""

    orders_expired: int
    hosts_silent: int
    cases_overdue: int
    certificates_sealed: int
    leases_lapsed: int
    rows_removed: int
    """Spent nonces, finished idempotency keys, dead sessions and links: never evidence."""


def run(context: Context) -> UpkeepReport:
    """Expire orders, notice silent hosts and overdue cases, finish unfinished seals, forget spent nonces."""
    raise NotImplementedError
