"""Photographs, films and papers about a device: added one by one, named by their digests."""

from __future__ import annotations

from io import BytesIO

from flask import request, send_file

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form
from inventory.console.views.device import crumbs_of
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain.evidence_files import MOST_BYTES
from inventory.domain.roles import Permission
from inventory.services import evidence_files as service
from inventory.services import queries


@page("/devices/<device>/evidence", Permission.READ_EVIDENCE)
def evidence_files_page(device: str) -> Reply:
    """What is kept about a device."""
    return _page(device, Form.starting())


@form("/devices/<device>/evidence/new", Permission.EVIDENCE_KEEP)
def keep_evidence(device: str) -> Reply:
    """Add a file."""
    typed = received()
    if posted():
        file = request.files.get("file")
        content = b"" if file is None else file.stream.read(MOST_BYTES + 1)
        if not content:
            typed.fail("file", "Choose a file first.")
        command = service.KeepFile(device=device, content=content, note=typed.text("note", limit=200))
        done = perform(
            typed,
            lambda: go("evidence_files", said="evidence-kept", device=service.keep(here(), actor(), command).device),
        )
        if done is not None:
            return done
    return _page(device, typed)


def _page(device: str, typed: Form) -> Reply:
    found = queries.device(here(), actor(), device)
    return show(
        "evidence-files.html", form_status(typed), device=found, form=typed, limit=MOST_BYTES,
        files=service.list_files(here(), actor(), found.id), crumbs=crumbs_of(found.id, found.asset_tag),
    )  # fmt: skip


@page("/evidence/<file>", Permission.READ_EVIDENCE)
def evidence_file(file: str) -> Reply:
    """A file, to be saved: it came from outside, so that no browser shows it as a page of ours."""
    view, content = service.content(here(), actor(), file)
    name = f"{view.id}.{view.media_type.rpartition('/')[2]}"
    return send_file(BytesIO(content), "application/octet-stream", as_attachment=True, download_name=name)
