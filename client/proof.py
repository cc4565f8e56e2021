"""How a request shows who asks: a person's token, or whatever else can be said in its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Outgoing:
    """A request, complete but for its proof."""

    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]


class Proof(Protocol):
    """Adds headers to a request. An agent signs it with its key here (RFC 9421); a script carries a token."""

    def __call__(self, request: Outgoing) -> Mapping[str, str]:
        """Headers that show who asks; made anew for each attempt, so that a nonce is used once."""
        ...


@dataclass(frozen=True)
class Token:
    """An API token: `sanitrail token create`, or the account page."""

    secret: str = field(repr=False)

    def __call__(self, request: Outgoing) -> Mapping[str, str]:  # noqa: ARG002 - a token is the same for every request
        """The bearer header."""
        return {"Authorization": f"Bearer {self.secret}"}


def nobody(request: Outgoing) -> Mapping[str, str]:  # noqa: ARG001 - there is nothing to show
    """For public addresses."""
    return {}
