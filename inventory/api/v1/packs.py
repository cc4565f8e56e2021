"""Audit packs: ask for one, fetch it while it is made."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import AwareDatetime, StringConstraints

from inventory.api.dispatch import Call
from inventory.api.endpoint import Answer, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import EvidencePending, Forbidden, Invalid, NotFound, Unavailable
from inventory.services import audit_packs
from inventory.services.audit_packs import AuditPackView, PackStream
from inventory.services.views import Page

noun = Noun("audit-packs", "Everything about a lot, a case, a site or a period in one signed ZIP, verifiable offline.")

_EXPORT = people(Permission.AUDIT_EXPORT)


class AuditPackRequest(Message):
    """What a pack is to be about."""

    scope: Literal["lot", "case", "site", "period"]
    reference: Annotated[str, StringConstraints(max_length=64)] = ""
    """Number of the lot or of its document, of the erasure case or of the location; empty for a period."""
    begin: AwareDatetime | None = None
    """Of a period."""
    end: AwareDatetime | None = None
    """Of a period; not included."""
    names: Literal["full", "pseudonyms"] = "pseudonyms"
    """Whether tables name people or only refer to them; signed documents name people as they were signed."""
    documents: Literal["all", "bundles", "none"] = "all"
    """Evidence and PDF of each document, evidence alone, or only digests."""
    word: Annotated[str, StringConstraints(max_length=100)] = ""
    """Mixed into the sample's seed; best given by the auditor."""


@noun.post(
    "/audit-packs",
    "Ask for an audit pack",
    _EXPORT,
    creates=True,
    raises=(Invalid, NotFound, Forbidden, EvidencePending),
)
def request_audit_pack(call: Call, body: AuditPackRequest) -> Answer[AuditPackView]:
    """Fixes what the pack is about and which state of the log its proofs are against; fetch it at `pack.zip` beneath it."""
    view = audit_packs.request(call.context, call.actor, audit_packs.RequestPack(**body.model_dump()))
    return Answer(view, location=f"{PREFIX}/audit-packs/{view.number}")


@noun.get("/audit-packs", "Audit packs", _EXPORT)
def list_audit_packs(call: Call, query: Paging) -> Page[AuditPackView]:
    """Those asked for, newest first. Who took which away stands in the events."""
    return audit_packs.list_packs(call.context, call.actor, after=query.after, limit=query.limit)


@noun.get("/audit-packs/{number}", "One audit pack", _EXPORT)
def get_audit_pack(call: Call, number: Key) -> AuditPackView:
    """What it is about."""
    return audit_packs.pack(call.context, call.actor, number)


@noun.get(
    "/audit-packs/{number}/pack.zip",
    "Fetch an audit pack",
    _EXPORT,
    media_type="application/zip",
    raises=(Forbidden, Unavailable),
)
def fetch_audit_pack(call: Call, number: Key) -> Response:
    """The ZIP, made while it is sent: its length is not known before. One that ends before its directory is no pack."""
    return streamed(audit_packs.stream(call.context, call.actor, number))


def streamed(pack: PackStream) -> Response:
    """The answer that sends a pack."""
    response = Response(pack.parts, content_type="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=pack.name)
    return response
