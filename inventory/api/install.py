"""Joins the interface to an application: a blueprint a noun, and the OpenAPI document."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Flask

from . import openapi
from .dispatch import view_function
from .endpoint import Endpoint, Noun, flask_rule
from .problems import BLUEPRINTS
from .v1 import NOUNS
from .v1.service import DOCUMENT, product_version

CACHEABLE = frozenset({"api_files.static"})
"""Endpoints whose answers hold nothing personal and never change under their address."""


def endpoints() -> tuple[Endpoint, ...]:
    """Every declared endpoint."""
    return tuple(endpoint for noun in NOUNS for endpoint in noun.endpoints)


@lru_cache(maxsize=4)
def document(url: str) -> openapi.Document:
    """The OpenAPI document of a service known by this address; made once, so only to be read."""
    return openapi.document(NOUNS, version=product_version(), url=url)


def _blueprint(noun: Noun) -> Blueprint:
    blueprint = Blueprint(f"{BLUEPRINTS}{noun.name.replace('-', '_')}", __name__)
    for endpoint in noun.endpoints:
        blueprint.add_url_rule(
            flask_rule(endpoint.path),
            endpoint=endpoint.name,
            view_func=view_function(endpoint),
            methods=[endpoint.method],
            provide_automatic_options=False,
        )
    return blueprint


def install(app: Flask, url: str) -> None:
    """Registers every noun on the application."""
    for noun in NOUNS:
        app.register_blueprint(_blueprint(noun))
    files = Blueprint(
        "api_files", __name__, static_folder="static", static_url_path="/api/static", template_folder="templates"
    )
    app.register_blueprint(files)
    app.extensions[DOCUMENT] = document(url)
