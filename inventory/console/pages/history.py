"""The event history as a feed, and how pages tell events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import url_for

from inventory.console.blueprint import ACCESS, Reply, page
from inventory.console.language.speaking import words
from inventory.console.views.story import Day, Link, days
from inventory.console.views.telling import Names, numbers
from inventory.console.web import called, may, names, one_view, show
from inventory.domain.roles import Permission
from inventory.events import Tag
from inventory.services.views import EventView

from .lists import asked_here, list_view

_PAGES = {"device": "device", "host": "host", "order": "order", "case": "case", "certificate": "certificate"}
_FURTHER = {
    "audit-pack": "audit_pack",
    "balance": "balance",
    "container": "container",
    "data_set": "data_set",
    "handover": "handover",
    "lot": "lot",
    "person": "person",
    "reading": "reading",
    "sample": "sample",
    "webhook": "webhook",
}
"""What else has a page, which not everybody may open."""
_BESIDE = {
    **_PAGES,
    "lot": "lot",
    "container": "container",
    "handover": "handover",
    "reading": "reading",
    "sample": "sample",
}
"""What a device's story leads to beside its orders; the number is the subject itself."""


_NUMBERED = {"audit_pack": "pack"}
"""What an address calls the number, where it is not the page's own name."""


def _address(endpoint: str, reference: str) -> str:
    parts: dict[str, Any] = {_NUMBERED.get(endpoint, endpoint): reference}
    return url_for(f"console.{endpoint}", **parts)


def _subject(event: EventView, call: Names) -> Link | None:
    """What an event is about; nothing where somebody did something about themselves."""
    endpoint = _PAGES.get(event.subject_kind)
    if endpoint is not None and event.subject:
        return Link(call(event.subject), _address(endpoint, event.subject))
    if event.order:
        return Link(event.order, url_for("console.order", order=event.order))
    if event.device:
        return Link(call(event.device), url_for("console.device", device=event.device))
    if not event.subject or event.subject == event.actor:
        return None
    return _further(event, call)


def _further(event: EventView, call: Names) -> Link:
    """What has a page that not everybody may open, and what has none."""
    endpoint = _FURTHER.get(event.subject_kind)
    name = call(event.subject)
    if endpoint is not None and _opens(ACCESS[f"console.{endpoint}"].permission):
        return Link(name, _address(endpoint, event.subject))
    kind = words(event.subject_kind.replace("-", " ").replace("_", " "))
    return Link(name if name != event.subject else f"{kind} {event.subject}")


def _opens(permission: Permission | None) -> bool:
    return permission is None or may(permission)


def proof(digest: str) -> Link:
    """The signed envelope behind a digest, where the reader may see evidence."""
    label = f"Evidence {digest}"
    return Link(label, url_for("console.envelope", sha256=digest)) if may(Permission.READ_EVIDENCE) else Link(label)


def told(events: Iterable[EventView], *, about_one: bool = False) -> tuple[Day, ...]:
    """Events as a story; on the page of their subject, the subject itself is not repeated."""
    events = tuple(events)
    call = _names_in(events)
    return days(events, (lambda _: None) if about_one else lambda event: _subject(event, call), proof, call)


def _names_in(events: Iterable[EventView]) -> Names:
    """What the events' numbers are called; people as this reader may know them."""
    found = called(set().union(*map(numbers, events)))
    person = names()
    return lambda number: found.get(number) or person(number)


def _beside(event: EventView, call: Names = str) -> Link | None:
    """What else than the device an event is about."""
    endpoint = _BESIDE.get(event.subject_kind)
    if endpoint == "certificate" and not may(Permission.READ_EVIDENCE):
        return Link(event.subject)
    if endpoint not in {None, "device", "order"} and event.subject:
        return Link(call(event.subject), _address(str(endpoint), event.subject))
    if event.order:
        return Link(event.order, url_for("console.order", order=event.order))
    told_by_itself = event.host == event.actor
    return (
        Link(call(event.host), url_for("console.host", host=event.host)) if event.host and not told_by_itself else None
    )


def device_story(events: Iterable[EventView]) -> tuple[Day, ...]:
    """A device's story: what else each entry is about leads there, the device itself is not repeated."""
    events = tuple(events)
    call = _names_in(events)
    return days(events, lambda event: _beside(event, call), proof, call)


def opens(event: EventView) -> str:
    """The page of what an event rests on: its evidence, else what it is about; nothing where the reader may not go."""
    if event.evidence and may(Permission.READ_EVIDENCE):
        decision = event.tag == Tag.RECORD_VALIDATED  # names the record first, then the decision about it
        return url_for("console.envelope", sha256=event.evidence[-1 if decision else 0])
    found = _beside(event)
    return found.url if found is not None else ""


@page("/events", Permission.READ_EVENTS)
@one_view
def events() -> Reply:
    """Everything that happened, newest first."""
    view, items = list_view("events", asked_here("events"), rows=25, primary="kind")
    return show("events.html", list=view, story=told(items), none_at_all=False, tags=[str(tag) for tag in Tag])
