"""What the client needs of a way to the service, and nothing about networks: so that a process without one loads no HTTP library.

Two ways exist: `network.Network` in processes that have a network, `carried.Carried` in the helper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Failure = Literal["connect", "timeout", "broken", "too-large"]

MAX_REPLY = 4 << 20
"""Bytes; the largest honest reply is a roster chain."""


@dataclass
class Request:
    """One request; signing adds to its headers."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes | None = None


@dataclass(frozen=True)
class Reply:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class NotReached(Exception):
    """Nothing came back that can be read."""

    def __init__(self, kind: Failure, words: str) -> None:
        super().__init__(words)
        self.kind: Failure = kind


class Link(Protocol):
    """A way to the service. `exchange` may be called from any thread."""

    def exchange(self, request: Request) -> Reply:
        """Send it and wait for all of the answer. Raises `NotReached`, and nothing else for what a network does."""

    def close(self) -> None:
        """End its connections."""
