"""The service about itself: is it alive, is it ready, what does it speak."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from flask import Response, current_app

from inventory.api import openapi, reference
from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, File, Noun, people
from inventory.api.problems import ApiError
from inventory.contract.v1.common import Message
from inventory.domain.roles import Permission
from inventory.errors import InventoryError
from inventory.services import queries, transparency
from inventory.services.views import Dashboard

noun = Noun("service", "The service about itself.", prefix="")

DOCUMENT = "sanitrail-openapi"
"""Where the application keeps its OpenAPI document."""


class Status(Message):
    """How the service is."""

    status: str


class Version(Message):
    """What runs here."""

    version: str
    api: str
    openapi: str


def product_version() -> str:
    """The installed package's version; `0+unknown` when run from a source tree that was never installed."""
    try:
        return version("sanitrail")
    except PackageNotFoundError:
        return "0+unknown"


@noun.get("/healthz", "Is the process alive", PUBLIC)
def healthz(call: Call) -> Status:
    """Asks nothing of the database."""
    del call
    return Status(status="alive")


@noun.get("/readyz", "Is the service ready", PUBLIC)
def readyz(call: Call) -> Status:
    """The database answers and the log stands; otherwise 503."""
    try:
        transparency.checkpoint(call.context)
    except InventoryError:
        raise ApiError("not-ready") from None
    return Status(status="ready")


@noun.get("/version", "What runs here", PUBLIC)
def get_version(call: Call) -> Version:
    """Versions of product, interface and document."""
    del call
    return Version(version=product_version(), api="v1", openapi=openapi.VERSION)


@noun.get(
    "/metrics",
    "Metrics",
    people(Permission.READ_EVENTS, see=Permission.READ_EVENTS),
    media_type="text/plain",
)
def get_metrics(call: Call) -> File:
    """Prometheus text format, computed from the database at each scrape. Give the scraper an auditor's token."""
    lines = list(_metrics(queries.dashboard(call.context, call.actor)))
    return File("\n".join([*lines, ""]).encode(), "text/plain; version=0.0.4; charset=utf-8")


def _metrics(board: Dashboard) -> Iterator[str]:
    for name, help_text, by_state in (
        ("sanitrail_devices", "Devices by state.", board.devices_by_state),
        ("sanitrail_orders", "Orders by state.", board.orders_by_state),
        ("sanitrail_hosts", "Hosts by state.", board.hosts_by_state),
    ):
        yield f"# HELP {name} {help_text}"
        yield f"# TYPE {name} gauge"
        for state, count in sorted(by_state.items()):
            yield f'{name}{{state="{state}"}} {count}'
    for field, help_text in (
        ("hosts_silent", "Confirmed hosts whose agent is silent."),
        ("exceptions_open", "Open exceptions."),
        ("exceptions_critical", "Open critical exceptions."),
        ("cases_open", "Open erasure cases."),
        ("cases_overdue", "Overdue erasure cases."),
        ("holds_active", "Active holds."),
        ("approvals_waiting", "Orders that lack an approval."),
        ("validations_waiting", "Records that wait for a decision."),
        ("residue_devices", "Devices that still carry a holding or residue."),
        ("log_size", "Entries of the log."),
    ):
        yield f"# HELP sanitrail_{field} {help_text}"
        yield f"# TYPE sanitrail_{field} gauge"
        yield f"sanitrail_{field} {getattr(board, field)}"


@noun.get("/api/v1/openapi.json", "This document", PUBLIC)
def openapi_document(call: Call) -> File:
    """OpenAPI 3.1, made from the code."""
    del call
    return File(json.dumps(_document(), indent=1).encode(), "application/json")


@noun.get("/api/docs", "This document, to read", PUBLIC, media_type="text/html")
def reference_page(call: Call) -> Response:
    """Drawn by the service itself; loads nothing from elsewhere."""
    del call
    response: Response = current_app.response_class(reference.render(_document()), mimetype="text/html")
    return response


def _document() -> openapi.Document:
    document: openapi.Document = current_app.extensions[DOCUMENT]
    return document
