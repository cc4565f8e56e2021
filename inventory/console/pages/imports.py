"""Imports: send a table, compare how it is understood, try it, take it over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Form, Option
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain.import_fields import FIELDS as FIELDS_OF
from inventory.domain.import_fields import Field, Subject
from inventory.domain.import_mapping import ImportMapping, mapping_from_text, mapping_of, subject_named
from inventory.domain.import_outcomes import Outcome
from inventory.domain.roles import Permission
from inventory.models import ImportState
from inventory.services.context import Actor, Context
from inventory.services.imports import register as service
from inventory.services.imports.register import ImportView
from inventory.services.imports.things import subjects_of

WORDS: Final = {
    Outcome.NEW: "New: will be added",
    Outcome.ADOPT: "Known only by its agent: will be declared",
    Outcome.SAME: "Known, and agrees",
    Outcome.SKIPPED: "Left out by the mapping",
    Outcome.REFUSED: "Refused",
}
FIELDS: Final = {
    Field.ASSET_TAG: "Asset tag",
    Field.SERIAL: "Serial number",
    Field.VENDOR: "Manufacturer",
    Field.MODEL: "Model",
    Field.CAPACITY: "Capacity",
    Field.MEDIA: "Kind of medium",
    Field.LOCATION: "Place",
    Field.SOURCE: "Source",
    Field.NAME: "Name",
    Field.ZONE: "Zone",
    Field.ADDRESS: "Address",
    Field.PARTY: "Party",
    Field.SITE: "Site",
    Field.TEAM: "Team",
    Field.CATEGORY: "Category",
    Field.OWNER: "Owner",
    Field.DESCRIPTION: "Description",
    Field.RETENTION: "Days it is kept",
    Field.ENCRYPTION: "Encryption",
    Field.KEY_HOLDER: "Who holds the keys",
    Field.DEVICE: "Device",
    Field.DATA_SET: "Data set",
    Field.KIND: "Kind of copy",
    Field.SINCE: "Since",
    Field.UNTIL: "Until",
    Field.REASON: "Reason",
    Field.LOGIN: "Login name",
    Field.TITLE: "Title",
    Field.CONTACT: "Contact",
    Field.ROLES: "Roles",
    Field.SITES: "Sites",
    Field.TEAMS: "Teams",
    Field.HOST: "Host",
}
SUBJECTS: Final = {
    Subject.DEVICES: "Devices",
    Subject.PLACES: "Places",
    Subject.DATA_SETS: "Data sets",
    Subject.HOLDINGS: "Holdings: which data lies on which device",
    Subject.PEOPLE: "People",
    Subject.HOSTS: "Hosts: where they belong",
}
_PAGES: Final = {
    Subject.DEVICES: ("console.device", "device"),
    Subject.DATA_SETS: ("console.data_set", "data_set"),
    Subject.PEOPLE: ("console.person", "person"),
    Subject.HOSTS: ("console.host", "host"),
}
"""Where what a line is about has a page of its own."""
_CONSOLE_BYTES: Final = 7 * 1024 * 1024
"""A form is read into a file only up to a limit; the command takes larger ones."""


def _presets(*about: Subject) -> tuple[Option, ...]:
    return tuple(
        Option(name, mapping.name) for name, mapping in service.ready_made().items() if mapping.subject in about
    )


@page("/imports", Permission.TABLE_IMPORT)
def imports_page() -> Reply:
    """What was sent, newest first."""
    found = service.list_imports(here(), actor(), after=request.args.get("after"), limit=50)
    return show("imports.html", imports=found.items, subjects=SUBJECTS, pager=pager(found, "imports"))


@form("/imports/new", Permission.TABLE_IMPORT)
def new_import() -> Reply:
    """Send a file."""
    typed = received()
    mine = subjects_of(actor())
    if posted():
        sent = request.files.get("file")
        if sent is None or not sent.filename:
            typed.fail("file", "Choose a file: CSV in UTF-8, or XLSX.")
        mapping = typed.text("mapping", limit=64)
        about = typed.text("subject", limit=16)

        def deed() -> AnyResponse:
            if sent is None:
                raise RuntimeError("a form without a file was refused before")
            name = (sent.filename or "table")[-200:]
            view = service.receive(here(), actor(), name, sent.stream, mapping, subject_named(about) if about else None)
            return go("import_sheet", reference=view.id, said="import-received")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show(
        "new-import.html",
        form_status(typed),
        form=typed,
        subjects=tuple(Option(one, SUBJECTS[one]) for one in mine),
        presets=_presets(*mine),
        limit=_CONSOLE_BYTES,
    )


@page("/imports/<reference>", Permission.TABLE_IMPORT)
def import_sheet(reference: str) -> Reply:
    """How the file is understood, what each line would do, and what became of it."""
    return _show(service.one_import(here(), actor(), reference), Form.starting())


def _address(about: Subject, number: str) -> str:
    """The page of what a line is about; empty where it has none of its own."""
    endpoint, name = _PAGES.get(about, ("", ""))
    values: dict[str, Any] = {name: number}
    return url_for(endpoint, **values) if endpoint else ""


def _show(view: ImportView, typed: Form) -> Reply:
    shown = request.args.get("outcome", "")
    outcome = Outcome(shown) if shown in set(Outcome) else None
    tried = bool(view.counts)
    lines = service.list_lines(here(), actor(), view.id, outcome=outcome, after=request.args.get("after"), limit=50)
    choices = [
        ("", "All", None),
        *((str(one), WORDS[one].partition(":")[0], view.counts.get(str(one), 0)) for one in Outcome),
    ]
    return show(
        "import.html",
        form_status(typed),
        view=view,
        form=typed,
        preview=service.preview(here(), actor(), view.id),
        about=SUBJECTS[view.subject],
        fields={one: FIELDS[one] for one in FIELDS_OF[view.subject]},
        chosen={one: (view.mapping["columns"].get(one) or [""])[0] for one in FIELDS_OF[view.subject]},
        pages={one.about: _address(view.subject, one.about) for one in lines.items if one.about},
        titles=[title for title in view.header if title],
        words=WORDS,
        lines=lines.items,
        pager=pager(lines, "lines"),
        segments=narrowed("outcome", choices),
        tried=tried,
        presets=_presets(view.subject),
        under_way=view.state in {ImportState.CHECKING, ImportState.RUNNING},
    )


@act("/imports/<reference>/mapping", Permission.TABLE_IMPORT)
def map_import(reference: str) -> Reply:
    """Say what the columns mean: by choosing, by a ready-made mapping, or by a file's text."""
    view = service.one_import(here(), actor(), reference)
    typed = received()
    version = typed.number("version", "", low=0, high=2**53)

    def deed() -> AnyResponse:
        service.set_mapping(here(), actor(), view.id, _mapping(view, typed), version)
        return go("import_sheet", reference=view.id, said="import-mapped")

    return perform(typed, deed) or _show(view, typed)


def _mapping(view: ImportView, typed: Form) -> ImportMapping:
    ready, text = typed.text("ready_made", limit=64), typed.value("document").strip()
    if text:
        return mapping_from_text(text[:100_000])
    if ready:
        return service.mapping_named(ready)
    columns = {
        str(one): [title] for one in FIELDS_OF[view.subject] if (title := typed.text(f"column_{one}", limit=200))
    }
    return mapping_of({**view.mapping, "name": "By hand", "columns": columns})


@act("/imports/<reference>/check", Permission.TABLE_IMPORT)
def check_import(reference: str) -> Reply:
    """Try every line."""
    return _move(reference, service.check, said="import-tried")


@act("/imports/<reference>/run", Permission.TABLE_IMPORT)
def run_import(reference: str) -> Reply:
    """Take it over."""
    return _move(reference, service.run, said="import-begun")


@act("/imports/<reference>/go-on", Permission.TABLE_IMPORT)
def advance_import(reference: str) -> Reply:
    """Work on it for a moment more."""
    typed = received()

    def deed() -> AnyResponse:
        service.advance(here(), actor(), reference)
        return go("import_sheet", reference=reference)

    return perform(typed, deed) or _show(service.one_import(here(), actor(), reference), typed)


@act("/imports/<reference>/abandon", Permission.TABLE_IMPORT)
def abandon_import(reference: str) -> Reply:
    """Give it up."""
    return _move(reference, service.abandon, said="import-abandoned")


def _move(reference: str, verb: Callable[[Context, Actor, str, int | None], ImportView], *, said: str) -> Reply:
    typed = received()
    version = typed.number("version", "", low=0, high=2**53)

    def deed() -> AnyResponse:
        verb(here(), actor(), reference, version)
        return go("import_sheet", reference=reference, said=said)

    return perform(typed, deed) or _show(service.one_import(here(), actor(), reference), typed)
