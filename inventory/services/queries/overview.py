"""The dashboard, the event history, exceptions."""

from __future__ import annotations

from datetime import datetime

from inventory.domain.vocabulary import ExceptionState
from inventory.services.context import Actor, Context
from inventory.services.views import Dashboard, EventView, ExceptionView, Page


def dashboard(context: Context, actor: Actor) -> Dashboard:
    """What to look at first. Permission `inventory.read`."""
    raise NotImplementedError


def list_events(
    context: Context,
    actor: Actor,
    *,
    tag: str | None = None,
    subject: str | None = None,
    actor_ref: str | None = None,
    since: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[EventView]:
    """The event history, newest first. Permission `events.read`."""
    raise NotImplementedError


def list_exceptions(
    context: Context,
    actor: Actor,
    *,
    state: ExceptionState | None = ExceptionState.OPEN,
    device: str | None = None,
    host: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[ExceptionView]:
    """Exceptions, critical ones first, then newest. Permission `inventory.read`."""
    raise NotImplementedError
