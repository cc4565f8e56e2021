"""Orders in lists, and one order."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.vocabulary import OrderState
from inventory.services.context import Actor, Context
from inventory.services.views import OrderDetail, OrderRow, Page


@dataclass(frozen=True, kw_only=True)
class OrderFilter:
    """Which orders; every field that is given must match."""

    states: frozenset[OrderState] = frozenset()
    device: str | None = None
    host: str | None = None
    requested_by: str | None = None
    open: bool | None = None
    """Not in an end state."""


def list_orders(
    context: Context, actor: Actor, where: OrderFilter, *, after: str | None = None, limit: int = 50
) -> Page[OrderRow]:
    """Orders, newest first. Permission `inventory.read`."""
    raise NotImplementedError


def order(context: Context, actor: Actor, order_id: str) -> OrderDetail:
    """One order. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError
