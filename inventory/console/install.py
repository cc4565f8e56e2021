"""Joins the console to an application: pages, filters, the few functions templates may call."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from flask import Flask, Response, request, url_for

from inventory.auth import web as auth
from inventory.console.printing import further_languages
from inventory.domain.techniques import plan_words, scope_words
from inventory.services.views import OrderRow
from reports.drive_words import technique_words
from reports.typesetting import together

from . import pages, shrinking
from .blueprint import ACCESS, console, doors
from .formatting import FILTERS
from .kept import kept_here
from .language import speaking
from .language.catalogs import TONGUES, catalog
from .language.marking import Marking
from .naming import Naming
from .said import SAID, Said
from .views.chips import state_chip, word_chip
from .views.frame import board
from .views.running import Figures, figures
from .views.story import Link
from .web import actor, asset, drawn_cells, may, module, sidebar

STATIC_ENDPOINTS: Final = frozenset({"console.static"})
"""Endpoints whose answers hold nothing personal and may be cached."""

_THEMES: Final = ("light", "dark")


def _ago(moment: datetime) -> str:
    return speaking.ago(moment, auth.context().now())


def _technique(name: str) -> str:
    return speaking.words(technique_words(name))


def _figures(order: OrderRow) -> Figures | None:
    return figures(order, auth.context().now())


def _said_here() -> Said | None:
    return SAID.get(request.args.get("said", ""))


def _onward(said: Said) -> Link | None:
    """What comes next after a deed, for who may open it; the first steps only before the first order."""
    if said.onward is None or auth.find_caller() is None:
        return None
    endpoint, label = said.onward
    permission = ACCESS[f"console.{endpoint}"].permission
    if permission is not None and not may(permission):
        return None
    if endpoint == "first_steps" and any(board(auth.context(), actor()).orders_by_state.values()):
        return None
    return Link(label, url_for(f"console.{endpoint}"))


def _of_reader() -> dict[str, Any]:
    """What every template knows of who reads: the theme, and how things are said."""
    theme = request.cookies.get("theme", "")
    return {"theme": theme if theme in _THEMES else None, "_": partial(speaking.say_in, speaking.tongue())}


def make_ready(app: Flask) -> None:
    """Read and compile every template and every catalog, so that no reader's first page waits for it."""
    for name in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(name)
    for tongue in TONGUES:
        catalog(tongue)


_ROOMS: Final = frozenset({console.name, doors.name})


def _typeset(response: Response) -> Response:
    """A page with its numbers and units kept together; what is no page goes out as it is."""
    if request.blueprint in _ROOMS and response.mimetype == "text/html" and not response.is_streamed:
        html = response.get_data(as_text=True)
        kept = together(html)
        if kept != html:
            response.set_data(kept)
    return response


def install(app: Flask) -> None:
    """Adds the console to an application that has `auth.web` installed."""
    pages.load()
    app.register_blueprint(console)
    app.register_blueprint(doors)
    app.after_request(_typeset)
    for endpoint in STATIC_ENDPOINTS:
        shrinking.install(app, endpoint)
    app.jinja_env.add_extension(Marking)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.filters.update(speaking.FILTERS)
    app.jinja_env.filters["ago"] = _ago
    app.jinja_env.filters["figures"] = _figures
    app.jinja_env.filters.update(plan_words=plan_words, technique_words=_technique, scope_words=scope_words)
    app.jinja_env.globals.update(
        _=speaking.say,
        asset=asset,
        drawn_cells=drawn_cells,
        further_languages=further_languages,
        kept_here=kept_here,
        onward=_onward,
        said_here=_said_here,
        sidebar=sidebar,
        languages=speaking.NAMES,
        module=module,
        naming=Naming,
        state_chip=state_chip,
        tongue=speaking.tongue,
        word_chip=word_chip,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.context_processor(_of_reader)
