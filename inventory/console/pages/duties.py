"""Who may do what, and who did: of a person, and about an object on which duties are kept apart."""

from __future__ import annotations

from flask import redirect, request, url_for

from inventory.console.blueprint import Reply, page
from inventory.console.language.speaking import say, words
from inventory.console.views import acts
from inventory.console.web import actor, here, show
from inventory.domain.roles import Permission
from inventory.services import people
from inventory.services import responsibility as service
from inventory.services.views import TrustedView

from ._shorter import shorter
from .history import told


@page("/duties", Permission.READ_EVENTS)
def duties() -> Reply:
    """Everybody with how far they see; and the way to an object's page."""
    asked = request.args.get("about", "").strip()[:128]
    if asked:
        return redirect(url_for("console.duties_about", subject=asked), 303)
    found = shorter(people.list_people(here(), actor()), lambda one: (one.login, one.name, one.ref), "people")
    return show("duties.html", found=found)


@page("/duties/acts", Permission.READ_EVENTS)
def duties_acts() -> Reply:
    """Every kind of act with the roles that grant it; and who may, for the one that is chosen."""
    chosen = next((one for one in Permission if str(one) == request.args.get("act")), None)
    return show(
        "duties-acts.html",
        acts=acts.acts(service.acts(here(), actor())),
        chosen=chosen,
        question=words("Who may {act}", act=say(acts.WORDS[chosen])) if chosen else "",
        found=shorter(service.trusted(here(), actor(), chosen), _named, "people") if chosen else None,
        apart=acts.apart(),
    )


def _named(one: TrustedView) -> tuple[str | None, ...]:
    return one.person.login, one.person.name, one.person.ref


@page("/duties/<subject>", Permission.READ_EVENTS)
def duties_about(subject: str) -> Reply:
    """Who did what about an object, and who may do what next."""
    found = service.of_object(here(), actor(), subject)
    return show("duties-about.html", found=found, story=told(found.last, about_one=True), said=acts.said)


@page("/people/<person>/duties", None)
def duties_of(person: str) -> Reply:
    """What one person may do, why, and what they did last."""
    found = service.of_person(here(), actor(), person)
    return show("duties-of.html", found=found, story=told(found.last), said=acts.said)
