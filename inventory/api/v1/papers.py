"""Documents about lots, processors' statements and destructions: issued, signed by people, read and checked."""

from __future__ import annotations

from typing import Any, Literal

from inventory.api.dispatch import Call
from inventory.api.endpoint import Answer, File, Noun, people
from inventory.api.paging import Paging
from inventory.api.printing import PdfQuery
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.papers import DestructionCertify, FactsSigned, LotIssue, ProcessorPrepare, SignerRoleName
from inventory.contract.v1.people import SignedEnvelope
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Duplicate, EvidenceRefused, Forbidden, Invalid, NotFound, SeparationOfDuty
from inventory.services import destruction_papers, lots, papers, processors
from inventory.services.views import DestructionStanding, FactsToSign, Page, PaperView
from reports.canonical import sha256_hex

noun = Noun("documents", "Lots, processors' statements and certified destructions: signed, logged, printed.")

_EVIDENCE = people(Permission.READ_EVIDENCE)
_ISSUE = people(Permission.CERTIFICATE_ISSUE)
_SIGN = people(Permission.FACTS_SIGN)


class PaperQuery(Paging):
    """Which documents."""

    kind: Literal["lot", "processor", "destruction"] | None = None


class SigningQuery(Paging):
    """In which role."""

    role: SignerRoleName


@noun.get("/documents", "Documents", _EVIDENCE)
def list_documents(call: Call, query: PaperQuery) -> Page[PaperView]:
    """Newest first; those that wait for a signature, too."""
    return papers.list_papers(call.context, call.actor, kind=query.kind, after=query.after, limit=query.limit)


@noun.get("/documents/{number}", "One document", _EVIDENCE)
def get_document(call: Call, number: Key) -> PaperView:
    """What it says, and where it stands in the log."""
    return papers.paper(call.context, call.actor, number)


@noun.get(
    "/documents/{number}/document.pdf", "A document as PDF", _EVIDENCE, media_type="application/pdf", raises=(Conflict,)
)
def get_document_pdf(call: Call, number: Key, query: PdfQuery) -> File:
    """Sealed, with its evidence attached; in a further language printed and sealed when it is first asked for."""
    content = papers.pdf(call.context, call.actor, number, query.language)
    return File(content, "application/pdf", f"{number}.pdf", etag=sha256_hex(content))


@noun.get("/documents/{number}/document.json", "A document's evidence", _EVIDENCE, raises=(Conflict,))
def get_document_file(call: Call, number: Key) -> File:
    """Everything a verifier needs, in one canonical file; for a large lot, but for the evidence of its media."""
    view = papers.paper(call.context, call.actor, number)
    content = papers.file(call.context, call.actor, number)
    return File(content, "application/json", f"{view.number}.json", etag=view.bundle_sha256)


@noun.get(
    "/documents/{number}/folder.zip",
    "A document with the evidence of each medium",
    _EVIDENCE,
    media_type="application/zip",
    raises=(Conflict,),
)
def get_document_folder(call: Call, number: Key) -> File:
    """The PDF, its evidence, and a file for each of its media: `sanitrail-verify` checks the folder together."""
    view = papers.paper(call.context, call.actor, number)
    return File(papers.folder(call.context, call.actor, number), "application/zip", f"{view.number}.zip")


@noun.post(
    "/lot-certificates", "Issue a certificate of a lot", _ISSUE, creates=True, raises=(Invalid, NotFound, Conflict)
)
def issue_lot(call: Call, body: LotIssue) -> Answer[PaperView]:
    """Of a named list of devices as they stand now; a report where one of them is not proven."""
    fields = body.model_dump() | {"requested_by": body.requested_by or ""}
    return _created(lots.issue(call.context, call.actor, lots.IssueLot(**fields)))


@noun.post(
    "/processor-statements",
    "Prepare a processor's statement",
    people(Permission.CASE_MANAGE),
    creates=True,
    raises=(Invalid, NotFound, Conflict),
)
def prepare_statement(call: Call, body: ProcessorPrepare) -> Answer[PaperView]:
    """Under Article 28(3)(g) GDPR, as things stand; it waits for the responsible person's signature."""
    fields: dict[str, Any] = body.model_dump()
    fields["done"] = tuple(processors.DoneInput(**_plain(one, "receipt_sha256")) for one in fields["done"])
    fields["retained"] = tuple(processors.RetainedInput(**one) for one in fields["retained"])
    fields["sub_processors"] = tuple(
        processors.SubProcessorInput(**_plain(one, "evidence_sha256")) for one in fields["sub_processors"]
    )
    return _created(processors.prepare(call.context, call.actor, processors.PrepareStatement(**fields)))


@noun.get(
    "/processor-statements/{number}/signing", "What the responsible person signs", _SIGN, raises=(Conflict, Forbidden)
)
def get_statement_signing(call: Call, number: Key) -> FactsToSign:
    """`payload` is exactly what the signature names by digest."""
    return processors.ready_to_sign(call.context, call.actor, number)


@noun.post(
    "/processor-statements/{number}/signature",
    "Sign a processor's statement",
    _SIGN,
    raises=(EvidenceRefused, Conflict, Forbidden, Duplicate),
)
def sign_statement(call: Call, number: Key, body: SignedEnvelope) -> PaperView:
    """A DSSE envelope of kind `personal-signature`; the statement is issued and logged at once."""
    return processors.sign(call.context, call.actor, number, body.envelope.model_dump(mode="json"))


@noun.get("/destructions/{destruction_id}/standing", "What a certificate of destruction lacks", _EVIDENCE)
def get_destruction_standing(call: Call, destruction_id: Key) -> DestructionStanding:
    """The facts people sign, who has signed, what is missing, and what was issued."""
    return destruction_papers.standing(call.context, call.actor, destruction_id)


@noun.get(
    "/destructions/{destruction_id}/signing",
    "What a witness or second person signs",
    _SIGN,
    raises=(SeparationOfDuty, Conflict, Forbidden, Duplicate),
)
def get_destruction_signing(call: Call, destruction_id: Key, query: SigningQuery) -> FactsToSign:
    """`payload` is exactly what the signature names by digest."""
    return destruction_papers.ready_to_sign(call.context, call.actor, destruction_id, query.role)


@noun.post(
    "/destructions/{destruction_id}/signatures",
    "Sign the facts of a destruction",
    _SIGN,
    raises=(EvidenceRefused, SeparationOfDuty, Conflict, Forbidden, Duplicate),
)
def sign_destruction(call: Call, destruction_id: Key, body: FactsSigned) -> None:
    """As witness, or as second person; with one's own key, never as the operator."""
    envelope = body.envelope.model_dump(mode="json")
    destruction_papers.sign(call.context, call.actor, destruction_id, body.role, envelope)


@noun.post(
    "/destructions/{destruction_id}/certificate",
    "Issue a certificate of destruction",
    _ISSUE,
    creates=True,
    raises=(Conflict, Invalid, NotFound),
)
def certify_destruction(call: Call, destruction_id: Key, body: DestructionCertify) -> Answer[PaperView]:
    """Refused with everything that is missing; asking again returns the same one."""
    return _created(destruction_papers.certify(call.context, call.actor, _certify(destruction_id, body)))


@noun.post(
    "/destructions/{destruction_id}/report",
    "Issue a report of a destruction without a certificate",
    _ISSUE,
    creates=True,
    raises=(Conflict, Invalid, NotFound),
)
def report_destruction(call: Call, destruction_id: Key, body: DestructionCertify) -> Answer[PaperView]:
    """What is missing for a certificate, as things stand."""
    return _created(destruction_papers.report(call.context, call.actor, _certify(destruction_id, body)))


def _certify(number: str, body: DestructionCertify) -> destruction_papers.CertifyDestruction:
    fields = body.model_dump() | {"requested_by": body.requested_by or ""}
    return destruction_papers.CertifyDestruction(destruction=number, **fields)


def _created(view: PaperView) -> Answer[PaperView]:
    return Answer(view, location=f"{PREFIX}/documents/{view.number}")


def _plain(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """A digest that was not given is the empty text."""
    return {**fields, name: fields[name] or ""}
