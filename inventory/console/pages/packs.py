"""Audit packs: ask for one, fetch it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast

from flask import request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.api.v1.packs import streamed
from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form, Option
from inventory.console.sheets import Field, Sheet
from inventory.console.views.lists import pager
from inventory.console.web import actor, go, here, may, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.services import audit_packs as service
from reports.pack.contents import Documents, Names, ScopeKind

_SCOPES: Final = (
    Option("lot", "A lot", "The devices of a lot, or of a lot's document."),
    Option("case", "A customer", "The media of one erasure case."),
    Option("site", "A site", "Devices that are or were at one of your places."),
    Option("period", "A period", "Devices with any event in it."),
)
_NAMES: Final = (
    Option("pseudonyms", "References only", "Signed documents name people all the same, as they were signed."),
    Option("full", "Names in full", "The pack then holds personal data: think of where it goes."),
)
_DOCUMENTS: Final = (
    Option("all", "Evidence and PDF of each"),
    Option("bundles", "Evidence only", "Smaller, and just as verifiable."),
    Option("none", "Digests only", "A verifier then cannot say yes."),
)


@page("/audit-packs", Permission.AUDIT_EXPORT)
def audit_packs() -> Reply:
    """Packs that were asked for."""
    found = service.list_packs(here(), actor(), after=request.args.get("after"), limit=50)
    return show("audit-packs.html", packs=found.items, pager=pager(found, "packs"))


@page("/audit-packs/<pack>", Permission.AUDIT_EXPORT)
def audit_pack(pack: str) -> Reply:
    """One pack: what it is about, how to fetch and check it."""
    return show("audit-pack.html", pack=service.pack(here(), actor(), pack))


@page("/audit-packs/<pack>/pack.zip", Permission.AUDIT_EXPORT)
def audit_pack_file(pack: str) -> Reply:
    """The pack itself, made while it is sent."""
    return streamed(service.stream(here(), actor(), pack))


@form("/audit-packs/new", Permission.AUDIT_EXPORT)
def request_audit_pack() -> Reply:
    """Ask for a pack."""
    typed = received()
    if posted():
        command = _command(typed)

        def deed() -> AnyResponse:
            found = service.request(here(), actor(), command)
            return go("audit_pack", pack=found.number)

        done = perform(typed, deed)
        if done is not None:
            return done
    elif not typed.value("scope"):
        typed = Form.starting({"scope": "case", "names": "pseudonyms", "documents": "all", **dict(request.args)})
    return show_sheet(_sheet(), typed)


def _command(typed: Form) -> service.RequestPack:
    scopes, names = _scopes(), _names()
    scope = typed.one_of("scope", scopes, "Choose what the pack is about.")
    reference, begin, end = "", None, None
    if scope == "period":
        begin = typed.day("begin", "The first day, as YYYY-MM-DD.")
        last = typed.day("end", "The last day, as YYYY-MM-DD.")
        end = None if last is None else last + timedelta(days=1)
    else:
        reference = typed.text("reference", "Which one? Give its number.", limit=64)
    return service.RequestPack(
        scope=cast("ScopeKind", scope),
        reference=reference,
        begin=begin,
        end=end,
        names=cast("Names", typed.one_of("names", names, "Choose how people are named.")),
        documents=cast("Documents", typed.one_of("documents", _DOCUMENTS, "Choose which documents go in.")),
        word=typed.text("word", limit=100),
    )


def _scopes() -> tuple[Option, ...]:
    return _SCOPES if may(Permission.READ_EVENTS) else tuple(one for one in _SCOPES if one.value == "case")


def _names() -> tuple[Option, ...]:
    return _NAMES if may(Permission.READ_DIRECTORY) else _NAMES[:1]


def _sheet() -> Sheet:
    return Sheet(
        title="Ask for an audit pack",
        submit="Ask for the pack",
        lead="One ZIP with records, documents, custody, reconciliation and clauses; signed, logged, checkable offline.",
        crumbs=(("Audit packs", url_for("console.audit_packs")),),
        back=url_for("console.audit_packs"),
        consequences=("That you asked, and each time you fetch it, stands in the history.",),
        fields=(
            Field(kind="choices", name="scope", label="What it is about", options=_scopes()),
            Field(
                kind="text", name="reference", label="Which one", required=False, mono=True, limit=64,
                hint="Number of the lot (LT-00001) or its document (LC-2026-000001), the case (EC-2026-000001) "
                "or the place (L-0001).",
            ),
            Field(kind="day", name="begin", label="First day of the period", required=False),
            Field(kind="day", name="end", label="Last day of the period", required=False),
            Field(kind="choices", name="names", label="People", options=_names()),
            Field(kind="choices", name="documents", label="Documents", options=_DOCUMENTS),
            Field(
                kind="text", name="word", label="A word of the auditor's", required=False, limit=100,
                hint="Mixed into the draw of the sample, so that nobody here could prefer a certain one.",
            ),
        ),
    )  # fmt: skip
