"""Certificates: the list, one of them, its files."""

from __future__ import annotations

from io import BytesIO

from flask import send_file

from inventory.console.blueprint import Reply, page
from inventory.console.printing import asked_language
from inventory.console.views.order import verdict_of
from inventory.console.web import actor, here, show
from inventory.domain.roles import Permission
from inventory.services import certificates as service
from inventory.services import corrections, queries, transparency


@page("/certificates/<certificate>", Permission.READ_EVIDENCE)
def certificate(certificate: str) -> Reply:
    """One certificate, what it rests on, and how anybody checks it."""
    found = service.certificate(here(), actor(), certificate)
    record = queries.record(here(), actor(), found.record)
    return show(
        "certificate.html", certificate=found, record=record, verdict=verdict_of(record),
        order=queries.order(here(), actor(), found.order), pin=transparency.trust(here()).pin,
        corrections=corrections.corrections(here(), actor(), found.number),
    )  # fmt: skip


@page("/certificates/<certificate>/certificate.pdf", Permission.READ_EVIDENCE)
def certificate_pdf(certificate: str) -> Reply:
    """The sealed PDF with the bundle attached."""
    content = service.pdf(here(), actor(), certificate, asked_language())
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=f"{certificate}.pdf")


@page("/certificates/<certificate>/bundle.json", Permission.READ_EVIDENCE)
def certificate_bundle(certificate: str) -> Reply:
    """Everything an auditor needs in one file."""
    content = service.bundle(here(), actor(), certificate)
    return send_file(
        BytesIO(content), "application/json", as_attachment=True, download_name=f"{certificate}-bundle.json"
    )
