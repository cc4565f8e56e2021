"""The append-only log in SQL."""

from __future__ import annotations


class Ledger:
    """Filled in below."""
