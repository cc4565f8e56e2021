"""The policy in force: a table as data, with version and digest; never edited, only superseded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .context import Actor, Context
from .views import PolicyView


@dataclass(frozen=True, kw_only=True)
class ImportPolicy:
    """A new version of the table (schema: `inventory.domain.policy`)."""

    document: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class PolicyPreview:
    """What would change."""

    sha256: str
    differences: tuple[str, ...]
    """Row by row, in words."""
    devices_no_longer_sufficient: tuple[str, ...]
    """Sanitized devices whose standing record would not open the gate any more, for reuse inside or for leaving."""


def current_policy(context: Context, actor: Actor) -> PolicyView:
    """The policy in force. Permission `inventory.read`."""
    raise NotImplementedError


def list_policies(context: Context, actor: Actor) -> tuple[PolicyView, ...]:
    """Every version, newest first. Permission `inventory.read`."""
    raise NotImplementedError


def preview_policy(context: Context, actor: Actor, document: dict[str, Any]) -> PolicyPreview:
    """What a document would change, without taking it. Permission `inventory.read`. Raises `Invalid`."""
    raise NotImplementedError


def import_policy(context: Context, actor: Actor, command: ImportPolicy) -> PolicyView:
    """Put a new version in force; open orders keep the decision they were sealed with. Permission `policy.manage`.

    Raises:
        Invalid: not a policy, or one that asks for less than SP 800-88's decision flow.
        Duplicate: the same table is in force.
    """
    raise NotImplementedError
