"""Exceptions: anything unaccounted, with an owner and an end."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, page
from inventory.console.forms import Form
from inventory.console.web import actor, form_status, go, here, one_view, perform, received, show
from inventory.domain.roles import Permission
from inventory.services import exceptions as service

from ._people import somebody
from .lists import asked_here, list_view, selecting


@page("/exceptions")
@one_view
def exceptions_page() -> Reply:
    """Open ones first; each with a form to answer it."""
    return _show(Form.starting(), "")


def _show(typed: Form, at: str) -> Reply:
    view, items = list_view("exceptions", asked_here("exceptions"))
    return show(
        "exceptions.html", form_status(typed), list=view, exceptions=items, none_at_all=False, selects=selecting("exceptions"),
        form=typed, at=at, blank=Form.starting(), owners=somebody(),
    )  # fmt: skip


@act("/exceptions/<exception>/resolve", Permission.EXCEPTION_RESOLVE)
def resolve_exception(exception: str) -> Reply:
    """Say how it ended."""
    typed = received()
    resolution = typed.text("resolution", "Say how it ended.")
    if resolution and len(resolution) < 10:
        typed.fail("resolution", "At least ten characters, please: auditors read it.")
    version = typed.number("version", "", low=0, high=2**53)
    command = service.ResolveException(exception=exception, resolution=resolution, version=version)

    def deed() -> AnyResponse:
        service.resolve(here(), actor(), command)
        return go("exceptions", said="exception-resolved")

    return perform(typed, deed) or _show(typed, exception)


@act("/exceptions/<exception>/assign", Permission.EXCEPTION_RESOLVE)
def assign_exception(exception: str) -> Reply:
    """Give it an owner."""
    typed = received()
    owner = typed.text("owner", "Choose who answers for it.")

    def deed() -> AnyResponse:
        service.assign(here(), actor(), exception, owner)
        return go("exceptions", said="exception-assigned")

    return perform(typed, deed) or _show(typed, exception)
