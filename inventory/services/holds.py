"""Legal and investigation holds: asked when ordering, approving, leasing, and by the agent right before the first write."""

from __future__ import annotations

from dataclasses import dataclass

from .context import Actor, Context
from .views import HoldView


@dataclass(frozen=True, kw_only=True)
class PlaceHold:
    """Nothing on this device, or nothing that holds this data set, may be destroyed."""

    kind: str
    """legal, investigation."""
    reference: str
    """File number."""
    reason: str
    device: str | None = None
    data_set: str | None = None
    """Exactly one of the two is given."""


def place_hold(context: Context, actor: Actor, command: PlaceHold) -> HoldView:
    """Permission `hold.manage`. Runs under way are asked to stop. Raises `Invalid`, `NotFound`."""
    raise NotImplementedError


def lift_hold(context: Context, actor: Actor, hold: str, reason: str) -> HoldView:
    """Permission `hold.manage`. Raises `NotFound`, `Conflict` (lifted already)."""
    raise NotImplementedError


def list_holds(context: Context, actor: Actor, *, active: bool = True) -> tuple[HoldView, ...]:
    """Holds, newest first. Permission `inventory.read`."""
    raise NotImplementedError
