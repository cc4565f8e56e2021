"""Imports: send a table, say what its columns mean, try it without effect, take it over."""

from __future__ import annotations

from typing import Annotated, Any

from flask import request
from pydantic import StringConstraints

from inventory.api import intake
from inventory.api.dispatch import Call
from inventory.api.endpoint import Answer, Noun, people
from inventory.api.paging import Paging, Text
from inventory.api.problems import ApiError
from inventory.contract.v1.books import MappingDocument
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.vocabulary import Key
from inventory.domain.import_fields import Subject
from inventory.domain.import_mapping import ImportMapping, mapping_of
from inventory.domain.import_outcomes import Outcome
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound
from inventory.services.imports import register
from inventory.services.imports.register import ImportView, LineView, SampleLine
from inventory.services.imports.rows import MAX_BYTES
from inventory.services.views import Page

noun = Noun("imports", "Tables from elsewhere: mapped, tried without effect, taken over line by line.")

MEDIA_TYPES = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)
_IMPORT = people(Permission.TABLE_IMPORT)
_RAISES = (Invalid, Conflict)


class ImportQuery(Message):
    """What is sent."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """What the file is called."""
    mapping: Text = ""
    """Name of a ready-made mapping; empty: proposed from the titles."""
    subject: Subject | None = None
    """What the rows are about; left out: what the mapping says, else devices."""


class LineQuery(Paging):
    """Which lines."""

    outcome: Outcome | None = None


@noun.get("/import-mappings", "Ready-made mappings", _IMPORT)
def list_import_mappings(call: Call) -> dict[str, dict[str, Any]]:
    """By name: for exports of NetBox, Snipe-IT and ServiceNow, and for a table of one's own."""
    del call
    return {name: mapping.to_document() for name, mapping in register.ready_made().items()}


@noun.post("/imports", "Send a table", _IMPORT, status=201, uploads=MEDIA_TYPES, raises=(Invalid, Conflict, NotFound))
def send_import(call: Call, query: ImportQuery) -> Answer[ImportView]:
    """The body is the file itself, CSV in UTF-8 or XLSX; read in whole or not at all. Nothing of it counts yet."""
    if request.mimetype not in MEDIA_TYPES:
        raise ApiError("unsupported-media-type", detail=f"Send the file itself as {', '.join(MEDIA_TYPES)}.")
    with intake.received(request, MAX_BYTES) as file:
        view = register.receive(call.context, call.actor, query.name, file, query.mapping, query.subject)
    return Answer(view, version=view.version, location=f"{PREFIX}/imports/{view.id}")


@noun.get("/imports", "Imports", _IMPORT)
def list_imports(call: Call, query: Paging) -> Page[ImportView]:
    """Newest first."""
    return register.list_imports(call.context, call.actor, after=query.after, limit=query.limit)


@noun.get("/imports/{reference}", "One import", _IMPORT)
def get_import(call: Call, reference: Key) -> ImportView:
    """How far it has come."""
    return register.one_import(call.context, call.actor, reference)


@noun.get("/imports/{reference}/preview", "The first lines of an import", _IMPORT)
def preview_import(call: Call, reference: Key) -> tuple[SampleLine, ...]:
    """As they stand in the file, and as the mapping understands them."""
    return register.preview(call.context, call.actor, reference)


@noun.get("/imports/{reference}/lines", "What becomes of each line", _IMPORT)
def list_import_lines(call: Call, reference: Key, query: LineQuery) -> Page[LineView]:
    """With every reason of a refusal, in the order of the file."""
    return register.list_lines(
        call.context, call.actor, reference, outcome=query.outcome, after=query.after, limit=query.limit
    )


@noun.put("/imports/{reference}/mapping", "Say what the columns mean", _IMPORT, updates=True, raises=_RAISES)
def map_import(call: Call, reference: Key, body: MappingDocument) -> Answer[ImportView]:
    """What was tried before is forgotten."""
    return _versioned(register.set_mapping(call.context, call.actor, reference, _mapping(body), call.version))


def _mapping(body: MappingDocument) -> ImportMapping:
    if (body.document is None) == (not body.ready_made):
        raise Invalid("mapping", "Name a ready-made mapping, or send a document: exactly one of the two.")
    return register.mapping_named(body.ready_made) if body.document is None else mapping_of(body.document)


@noun.post("/imports/{reference}/check", "Try an import", _IMPORT, updates=True, raises=_RAISES)
def check_import(call: Call, reference: Key) -> Answer[ImportView]:
    """Every line, without effect. A long one is not done when this answers: ask for further steps."""
    return _versioned(register.check(call.context, call.actor, reference, call.version))


@noun.post("/imports/{reference}/run", "Take an import over", _IMPORT, updates=True, raises=_RAISES)
def run_import(call: Call, reference: Key) -> Answer[ImportView]:
    """What was found good; refused lines stay out. It goes on by itself; further steps hasten it."""
    return _versioned(register.run(call.context, call.actor, reference, call.version))


@noun.post("/imports/{reference}/steps", "Go on with an import", _IMPORT, raises=_RAISES)
def advance_import(call: Call, reference: Key) -> Answer[ImportView]:
    """Works on it for a moment and says how far it came."""
    return _versioned(register.advance(call.context, call.actor, reference))


@noun.post("/imports/{reference}/abandonment", "Abandon an import", _IMPORT, updates=True, raises=_RAISES)
def abandon_import(call: Call, reference: Key) -> Answer[ImportView]:
    """The file goes; what was taken over already stays."""
    return _versioned(register.abandon(call.context, call.actor, reference, call.version))


def _versioned(view: ImportView) -> Answer[ImportView]:
    return Answer(view, version=view.version)
