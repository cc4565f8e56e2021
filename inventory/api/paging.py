"""What every list takes: where to go on and how much."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from inventory.contract.v1.common import Message

Text = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A filter's value."""


class Paging(Message):
    """Query of a list. The order is stable; a page never skips or repeats what stood there when the first was read."""

    after: Text | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
