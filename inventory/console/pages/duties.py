"""Who may do what, and who did: of a person, and about an object on which duties are kept apart."""

from __future__ import annotations

from flask import redirect, request, url_for

from inventory.console.blueprint import Reply, page
from inventory.console.web import actor, here, show
from inventory.domain.roles import Permission
from inventory.services import people
from inventory.services import responsibility as service

from .history import told


@page("/duties", Permission.READ_EVENTS)
def duties() -> Reply:
    """Everybody with how far they see; and the way to an object's page."""
    asked = request.args.get("about", "").strip()[:128]
    if asked:
        return redirect(url_for("console.duties_about", subject=asked), 303)
    return show("duties.html", people=people.list_people(here(), actor()))


@page("/duties/<subject>", Permission.READ_EVENTS)
def duties_about(subject: str) -> Reply:
    """Who did what about an object, and who may do what next."""
    found = service.of_object(here(), actor(), subject)
    return show("duties-about.html", found=found, story=told(found.last, about_one=True))


@page("/people/<person>/duties", None)
def duties_of(person: str) -> Reply:
    """What one person may do, why, and what they did last."""
    found = service.of_person(here(), actor(), person)
    return show("duties-of.html", found=found, story=told(found.last))
