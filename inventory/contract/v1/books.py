"""Balances, and tables that are read in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, StringConstraints

from .common import Message, Text

Reference = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class BalanceRequest(Message):
    """What shall be counted."""

    scope: Literal["host", "lot", "place", "site", "everything"]
    reference: Reference = ""
    """Number of the host, lot, location or site; empty for everything."""
    begin: AwareDatetime | None = None
    end: AwareDatetime | None = None
    """Not included. Both: a period; `end` alone: as it was then; neither: now."""
    owner: Reference = ""
    """Pseudonym of who answers for differences without an owner; empty: whoever draws it up."""


class BalanceClosing(Message):
    """Why it may be closed."""

    reason: Text


class MappingDocument(Message):
    """What the columns of a file mean; exactly one of the two."""

    ready_made: Reference = ""
    """Name of a mapping that comes with the product."""
    document: dict[str, Any] | None = None
    """`sanitrail/import-mapping/1`."""
