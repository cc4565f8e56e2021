"""Voiding or superseding a document; the document itself stays where it is."""

from __future__ import annotations

from typing import Any

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show_sheet
from inventory.domain.roles import Permission
from inventory.services import certificates
from inventory.services import corrections as service

_ACTIONS = (
    Option("void", "Void it", "It counts no more, and nothing takes its place."),
    Option("supersede", "Supersede it", "Another document of its kind takes its place."),
)
_CALLED = {
    "certificate": "Certificate",
    "failure": "Report",
    "statement": "Statement",
    "paper": "Document",
    "other": "Document",
}


@form("/certificates/<certificate>/correct", Permission.DOCUMENT_CORRECT)
def correct_certificate(certificate: str) -> Reply:
    """Say what is wrong with a certificate."""
    return _corrected(certificates.certificate(here(), actor(), certificate).number)


@form("/documents/<document>/correct", Permission.DOCUMENT_CORRECT)
def correct_document(document: str) -> Reply:
    """Say what is wrong with a document of any kind: of a lot, a processor, a destruction, a case, a run that failed."""
    return _corrected(document)


def _corrected(document: str) -> Reply:
    found = service.place_of(here(), actor(), document)
    typed = received()
    if posted():
        action = typed.one_of("action", _ACTIONS, "Choose what becomes of it.")
        why = typed.text("reason", "Say what is wrong with it.")
        if why and len(why) < 10:
            typed.fail("reason", "At least ten characters, please: it stands in the log for good.")
        command = service.Correct(
            document=found.sha256,
            action="supersede" if action == "supersede" else "void",
            reason=why,
            replacement=typed.text("replacement"),
        )

        def deed() -> AnyResponse:
            service.correct(here(), actor(), command)
            endpoint, named = _page_of(found)
            return go(endpoint, said="document-corrected", **named)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(_sheet(found), typed)


_PAGES = {
    "certificate": ("certificate", "certificate"),
    "failure": ("order", "order"),
    "statement": ("case", "case"),
    "paper": ("paper", "paper"),
    "other": ("papers", ""),
}
"""Where each kind is read about: the page, and what it is called there."""


def _page_of(found: service.DocumentPlace) -> tuple[str, dict[str, str]]:
    endpoint, key = _PAGES[found.kind]
    about = found.number if found.kind in {"certificate", "paper"} else found.about
    return endpoint, {key: about} if key else {}


def _sheet(found: service.DocumentPlace) -> Sheet:
    endpoint, named = _page_of(found)
    values: dict[str, Any] = dict(named)
    page = url_for(f"console.{endpoint}", **values)
    listed = {"failure": "orders", "statement": "cases", "certificate": "certificates"}.get(found.kind, "papers")
    label = {"orders": "Orders", "cases": "Erasure cases", "certificates": "Certificates", "papers": "Documents"}[
        listed
    ]
    crumbs = ((label, url_for(f"console.{listed}")), *((number, page) for number in named.values()))
    return Sheet(
        title=f"Correct {found.number}",
        submit="Sign and log it",
        crumbs=crumbs,
        back=page,
        tone="danger",
        warning=True,
        consequences=(
            "It cannot be taken back. The document is not deleted: the log says from now on that it counts no more.",
            "Copies that are out there still verify as what they are; whoever asks the log is told.",
            "Record, gate and device stay as they are. If the sanitization itself is in doubt, quarantine the device, too.",
        ),
        fields=(
            Field(kind="choices", name="action", label="What becomes of it", options=_ACTIONS),
            Field(
                kind="text", name="replacement", label=f"{_CALLED[found.kind]} that takes its place",
                hint="When superseding: its number.", required=False, mono=True,
            ),
            reason("What is wrong with it. No names: it is published with the log."),
        ),
    )  # fmt: skip
