"""RFC 9457 problem details with stable codes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .common import Text


class FieldError(BaseModel):
    """One thing wrong with the input; the input itself is not echoed."""

    model_config = ConfigDict(extra="forbid")

    pointer: str
    """RFC 6901 JSON pointer into the body, or the parameter's name."""
    message: Text


class Problem(BaseModel):
    """application/problem+json."""

    model_config = ConfigDict(extra="forbid")

    type: str
    """Stable URI `urn:sanitrail:problem:<code>`."""
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    code: str
    instance: str | None = None
    errors: list[FieldError] = Field(default_factory=list)
