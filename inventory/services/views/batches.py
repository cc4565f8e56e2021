"""Orders for many devices at once: what would be ordered, and what was."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.vocabulary import Method, Verification

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class BatchLine:
    """One device of a batch."""

    device: str
    asset_tag: str | None
    label: str
    possible: bool
    """Whether an order can be sealed for it as things stand."""
    host: str | None
    host_name: str
    required_method: Method | None
    required_verification: Verification | None
    approvals: int
    """How many people must approve its order."""
    explanation: str
    """Why the policy demands that."""
    reasons: tuple[ReasonView, ...]
    """Everything that stands in the way."""
    order: str | None
    """Its order, once there is one."""


@dataclass(frozen=True, kw_only=True)
class BatchView:
    """A batch, looked at or ordered."""

    lot: str | None
    destination: str
    """Where they go, in words; the lot's, where nothing else was said."""
    lines: tuple[BatchLine, ...]
    """In the order in which the devices were named."""
    possible: int
    sha256: str
    """Of what a person saw: naming it orders exactly that, or nothing."""
