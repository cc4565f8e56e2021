"""Photographs, films and papers about a device, kept byte for byte."""

from __future__ import annotations

from typing import Annotated

from flask import request
from pydantic import StringConstraints

from inventory.api import uploads
from inventory.api.dispatch import Call
from inventory.api.endpoint import File, Noun, people
from inventory.api.problems import ApiError
from inventory.contract.v1.common import Message
from inventory.contract.v1.vocabulary import Key
from inventory.domain.evidence_files import MEDIA_TYPES, MOST_BYTES
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound
from inventory.services import evidence_files
from inventory.services.views import Page
from inventory.services.views.evidence_files import EvidenceFileView

noun = Noun("evidence files", "What shows what happened to a device: statements name a file by its digest.")

_EVIDENCE = people(Permission.READ_EVIDENCE)


class FileWords(Message):
    """What a file shows."""

    note: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


@noun.post(
    "/devices/{device}/evidence-files",
    "Keep a file",
    people(Permission.EVIDENCE_KEEP),
    uploads=MEDIA_TYPES,
    raises=(Invalid, Conflict, NotFound),
)
def keep_file(call: Call, device: Key, query: FileWords) -> EvidenceFileView:
    """The body is the file itself. What it is, its first bytes tell; sent twice, it is kept once."""
    if request.mimetype not in MEDIA_TYPES:
        raise ApiError("unsupported-media-type", detail=f"Send the file itself as {', '.join(MEDIA_TYPES)}.")
    content = uploads.receive(request, MOST_BYTES)
    command = evidence_files.KeepFile(device=device, content=content, note=query.note)
    return evidence_files.keep(call.context, call.actor, command)


@noun.get("/devices/{device}/evidence-files", "What is kept about a device", _EVIDENCE)
def list_files(call: Call, device: Key) -> Page[EvidenceFileView]:
    """Oldest first, not divided into pages."""
    return Page(evidence_files.list_files(call.context, call.actor, device), None)


@noun.get(
    "/evidence-files/{file}",
    "A kept file",
    _EVIDENCE,
    media_type="application/octet-stream",
    raises=(Conflict,),
)
def get_file(call: Call, file: Key) -> File:
    """Byte for byte, to be saved and not shown: it came from outside."""
    view, content = evidence_files.content(call.context, call.actor, file)
    return File(
        content, "application/octet-stream", f"{view.id}.{view.media_type.rpartition('/')[2]}", etag=view.sha256
    )
