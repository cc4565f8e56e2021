"""Hosts in lists, and one host."""

from __future__ import annotations

from inventory.domain.vocabulary import HostState
from inventory.services.context import Actor, Context
from inventory.services.views import HostDetail, HostRow, Page


def list_hosts(
    context: Context, actor: Actor, *, state: HostState | None = None, after: str | None = None, limit: int = 50
) -> Page[HostRow]:
    """Hosts by number. Permission `inventory.read`."""
    raise NotImplementedError


def host(context: Context, actor: Actor, host_id: str) -> HostDetail:
    """One host. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError
