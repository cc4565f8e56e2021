"""Documents about lots, processors' statements and destructions: issued, signed with one's own key, read."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from flask import request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Option
from inventory.console.printing import asked_language
from inventory.console.sheets import Field, Sheet
from inventory.console.views.device import crumbs_of
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, form_status, go, here, may, names, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.errors import InventoryError, NotFound
from inventory.services import (
    corrections,
    data,
    destruction_papers,
    lots,
    papers,
    processors,
    queries,
    roster,
    transparency,
)
from inventory.services.views import DeviceDetail, FactsToSign, PaperView

from ._people import somebody
from ._statement_form import statement_fields, statement_from
from .order_acts import envelope_of

_DESTINATIONS = tuple(Option(word, sentence_case(word.replace("-", " "))) for word in lots.DESTINATIONS)
_KINDS = {"lot": "Lots", "processor": "Processors' statements", "destruction": "Destructions"}
_ROLES = {"witness": "witness", "countersigner": "countersigner"}


@page("/documents", Permission.READ_EVIDENCE)
def papers_page() -> Reply:
    """Every document, newest first."""
    kind = request.args.get("kind") or None
    found = papers.list_papers(
        here(), actor(), kind=kind if kind in _KINDS else None, after=request.args.get("after"), limit=50
    )
    segments = narrowed("kind", [("", "All", None), *((word, label, None) for word, label in _KINDS.items())])
    return show("papers.html", papers=found.items, pager=pager(found, "papers"), segments=segments)


@page("/documents/<paper>", Permission.READ_EVIDENCE)
def paper(paper: str) -> Reply:
    """One document: what it says, and how anybody checks it."""
    return show(
        "paper.html",
        paper=papers.paper(here(), actor(), paper),
        pin=transparency.trust(here()).pin,
        me=actor().ref,
        corrections=corrections.corrections(here(), actor(), paper),
    )


@page("/documents/<paper>/document.pdf", Permission.READ_EVIDENCE)
def paper_pdf(paper: str) -> Reply:
    """The sealed PDF with the evidence attached."""
    content = papers.pdf(here(), actor(), paper, asked_language())
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=f"{paper}.pdf")


@page("/documents/<paper>/document.json", Permission.READ_EVIDENCE)
def paper_file(paper: str) -> Reply:
    """The evidence."""
    content = papers.file(here(), actor(), paper)
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=f"{paper}.json")


@page("/documents/<paper>/folder.zip", Permission.READ_EVIDENCE)
def paper_folder(paper: str) -> Reply:
    """The document with the evidence of each of its media."""
    content = papers.folder(here(), actor(), paper)
    return send_file(BytesIO(content), "application/zip", as_attachment=True, download_name=f"{paper}.zip")


def _issued(view: PaperView) -> AnyResponse:
    if view.complete:
        return go("paper", said="document-issued", paper=view.number)
    return go("paper", said="document-report", paper=view.number)


@form("/documents/lot", Permission.CERTIFICATE_ISSUE)
def new_lot() -> Reply:
    """Issue the certificate of a lot."""
    typed = received()
    typed.values.setdefault("destination", "undecided")
    known = somebody()
    if posted():
        lot = typed.optional("lot")
        name = typed.text("name", "" if lot else "Give the lot a name.", limit=120)
        listed = "" if lot else typed.text("devices", "Name at least one device.", limit=200_000)
        devices = tuple(word for word in listed.split() if word)
        asked = typed.value("requested_by")
        command = lots.IssueLot(
            name=name,
            devices=devices,
            lot=lot,
            reference=typed.text("reference", limit=200),
            requested_by=asked if asked in {option.value for option in known} else "",
            destination=typed.one_of("destination", _DESTINATIONS, "Choose where it goes."),
            destination_details=typed.text("destination_details"),
        )
        done = perform(typed, lambda: _issued(lots.issue(here(), actor(), command)))
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Issue a certificate of a lot",
            submit="Issue",
            crumbs=(("Documents", url_for("console.papers")),),
            back=url_for("console.papers"),
            lead="A named list of devices, as they stand now. Each needs a certificate of its own.",
            consequences=(
                "The list is frozen, signed and logged.",
                "Where one device is not proven sanitized or destroyed, a report is issued that certifies nothing.",
            ),
            fields=(
                *_which(typed.value("lot")),
                Field(kind="text", name="reference", label="Reference", hint="The customer's order or contract.", required=False),
                Field(kind="select", name="requested_by", label="Requested by", options=known, blank="Nobody", required=False),
                Field(kind="select", name="destination", label="Destination", options=_DESTINATIONS),
                Field(kind="text", name="destination_details", label="Destination in words", required=False),
            ),
        ),
        typed,
    )  # fmt: skip


def _which(lot: str) -> tuple[Field, ...]:
    """A lot that is closed, by its number; or a list of devices."""
    if lot:
        return (
            Field(kind="text", name="lot", label="Lot", hint="Closed; its devices as they stand now.", mono=True),
            Field(kind="text", name="name", label="Name", required=False, hint="Empty: the lot's own.", limit=120),
        )
    return (
        Field(kind="text", name="name", label="Name of the lot", limit=120),
        Field(
            kind="area", name="devices", label="Devices", limit=200_000,
            hint="Numbers or asset tags without spaces, apart by spaces or one a line.",
        ),
    )  # fmt: skip


@form("/documents/processor", Permission.CASE_MANAGE)
def new_statement() -> Reply:
    """Prepare a processor's statement."""
    typed = received()
    typed.values.setdefault("choice", "delete")
    sets = tuple(Option(row.id, row.name) for row in data.list_data_sets(here(), actor()))
    current = roster.current(here(), actor())
    known = names()
    signers = tuple(Option(one.ref, known(one.ref)) for one in (current.people if current else ()))
    if posted():
        command = statement_from(typed, sets, signers, here().now())
        if command is not None:
            ready = command

            def deed() -> AnyResponse:
                view = processors.prepare(here(), actor(), ready)
                return go("paper", said="statement-prepared", paper=view.number)

            done = perform(typed, deed)
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Prepare a processor's statement",
            submit="Prepare",
            crumbs=(("Documents", url_for("console.papers")),),
            back=url_for("console.papers"),
            lead="Article 28(3)(g) GDPR: at the end of the services, what became of all personal data and every copy.",
            consequences=(
                "The media are those that ever held these data sets, as they stand now.",
                "It waits for the signature of the person responsible; what is open is said first.",
            ),
            fields=statement_fields(sets, signers),
        ),
        typed,
    )


@form("/documents/<paper>/sign", Permission.FACTS_SIGN)
def sign_statement(paper: str) -> Reply:
    """The responsible person signs a statement, in the browser."""
    view = papers.paper(here(), actor(), paper)

    def sign(envelope: dict[str, object]) -> AnyResponse:
        processors.sign(here(), actor(), view.number, dict(envelope))
        return go("paper", said="facts-signed", paper=view.number)

    return _signing(
        sign, lambda: processors.ready_to_sign(here(), actor(), view.number), url_for("console.paper", paper=view.number),
        (("Documents", url_for("console.papers")), (view.number, url_for("console.paper", paper=view.number))),
        facts=view.facts, kind="processor",
    )  # fmt: skip


def _signing(
    sign: Callable[[dict[str, object]], AnyResponse],
    ready_to_sign: Callable[[], FactsToSign],
    back: str,
    crumbs: tuple[tuple[str, str], ...],
    *,
    facts: dict[str, object],
    kind: str,
) -> Reply:
    """Exactly what is being signed, in words; the signature is made in the browser."""
    typed = received()
    if posted():
        envelope = envelope_of(typed)
        if envelope is not None:
            given = envelope
            done = perform(typed, lambda: sign(given))
            if done is not None:
                return done
    ready, refusal = None, None
    try:
        ready = ready_to_sign()
    except InventoryError as error:
        refusal = error
    status = form_status(typed) if refusal is None else max(form_status(typed) if posted() else 0, refusal.status)
    return show(
        "sign-facts.html", status, form=typed, ready=ready, refusal=refusal, back=back, crumbs=crumbs, facts=facts,
        kind=kind,
    )  # fmt: skip


def _destroyed(device: str, destruction: str) -> DeviceDetail:
    found = queries.device(here(), actor(), device)
    if destruction not in {item.id for item in found.destructions}:
        raise NotFound("destruction", destruction)
    return found


@page("/devices/<device>/destruction/<destruction>", Permission.READ_EVIDENCE)
def destruction(device: str, destruction: str) -> Reply:
    """One destruction: what was stated, who signed, what a certificate lacks."""
    found = _destroyed(device, destruction)
    row = next(item for item in found.destructions if item.id == destruction)
    return show(
        "destruction.html", device=found, row=row, me=actor().ref,
        standing=destruction_papers.standing(here(), actor(), destruction),
        crumbs=crumbs_of(found.id, found.asset_tag), may_sign=may(Permission.FACTS_SIGN),
    )  # fmt: skip


@form("/devices/<device>/destruction/<destruction>/sign/<role>", Permission.FACTS_SIGN)
def sign_destruction(device: str, destruction: str, role: str) -> Reply:
    """Sign the facts as witness or second person, in the browser."""
    found = _destroyed(device, destruction)
    if role not in _ROLES:
        raise NotFound("role", role)
    signing: destruction_papers.Role = "witness" if role == "witness" else "countersigner"
    back = url_for("console.destruction", device=found.id, destruction=destruction)

    def sign(envelope: dict[str, object]) -> AnyResponse:
        destruction_papers.sign(here(), actor(), destruction, signing, dict(envelope))
        return go("destruction", said="facts-signed", device=found.id, destruction=destruction)

    return _signing(
        sign, lambda: destruction_papers.ready_to_sign(here(), actor(), destruction, signing), back,
        (*crumbs_of(found.id, found.asset_tag), (destruction, back)),
        facts=destruction_papers.standing(here(), actor(), destruction).facts, kind="destruction",
    )  # fmt: skip


@form("/devices/<device>/destruction/<destruction>/certificate", Permission.CERTIFICATE_ISSUE)
def certify_destruction(device: str, destruction: str) -> Reply:
    """Issue the certificate, or the report of what it lacks."""
    found = _destroyed(device, destruction)
    typed = received()
    typed.values.setdefault("destination", "undecided")
    known = somebody()
    missing = destruction_papers.missing(here(), actor(), destruction)
    if posted():
        asked = typed.value("requested_by")
        command = destruction_papers.CertifyDestruction(
            destruction=destruction,
            requested_by=asked if asked in {option.value for option in known} else "",
            destination=typed.one_of("destination", _DESTINATIONS, "Choose where the remains go."),
            destination_details=typed.text("destination_details"),
        )
        issue = destruction_papers.report if missing else destruction_papers.certify
        done = perform(typed, lambda: _issued(issue(here(), actor(), command)))
        if done is not None:
            return done
    back = url_for("console.destruction", device=found.id, destruction=destruction)
    return show_sheet(
        Sheet(
            title="Issue a report: something is missing" if missing else "Issue a certificate of destruction",
            submit="Issue the report" if missing else "Issue the certificate",
            crumbs=(*crumbs_of(found.id, found.asset_tag), (destruction, back)),
            back=back,
            warning=bool(missing),
            consequences=missing or ("It is signed, logged and printed. It says whose word every statement is.",),
            fields=(
                Field(kind="select", name="requested_by", label="Requested by", options=known, blank="Nobody", required=False),
                Field(kind="select", name="destination", label="Destination of what is left", options=_DESTINATIONS),
                Field(kind="text", name="destination_details", label="Destination in words", required=False),
            ),
        ),
        typed,
    )  # fmt: skip
