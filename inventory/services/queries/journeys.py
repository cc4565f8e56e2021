"""A medium's life as stations, each with the event that reached it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.journey import Told, journey
from inventory.domain.roles import Permission
from inventory.models.history import Event
from inventory.services._among import of_numbers
from inventory.services._mapping import event_view
from inventory.services.context import Actor, Context, authorize
from inventory.services.views.journeys import StopView

from .devices import find_device, rows_of


def device_journey(context: Context, actor: Actor, device_id: str) -> tuple[StopView, ...]:
    """Every station of a device's life in order, reached or not. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        known = find_device(session, device_id).id
        stops = journey(_told(session, known))
        events = of_numbers(session, Event, {stop.event for stop in stops if stop.event is not None})
        return tuple(
            StopView(
                station=stop.station,
                standing=stop.standing,
                event=event_view(events[stop.event]) if stop.event is not None else None,
            )
            for stop in stops
        )


def _told(session: Session, device: str) -> list[Told]:
    statement = (
        sa.select(Event.tag, Event.order_id, sa.func.min(Event.id), sa.func.max(Event.id))
        .where(Event.device_id.in_(rows_of(session, device)))
        .group_by(Event.tag, Event.order_id)
    )
    return [Told(tag, order, first, last) for tag, order, first, last in session.execute(statement)]
