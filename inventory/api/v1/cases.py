"""Erasure cases, their obligations, and the customer's statement."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Paging, Text
from inventory.api.printing import PdfQuery
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.holdings import Attestation, CaseOpen
from inventory.contract.v1.people import Reason
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState
from inventory.errors import Conflict, Duplicate, Invalid, NotFound
from inventory.services import cases, queries
from inventory.services.views import CaseDetail, CaseRow, Page, StatementView
from reports.canonical import sha256_hex

noun = Noun("cases", "A customer's withdrawal, by an opaque reference, followed to every medium.")
statements = Noun("statements", "What the customer receives: each medium and its proof, or what is open and why.")

_MANAGE = people(Permission.CASE_MANAGE)
_EVIDENCE = people(Permission.READ_EVIDENCE)


class CaseQuery(Paging):
    """Which cases."""

    state: CaseState | None = None
    overdue: bool | None = None


class StatementQuery(Paging):
    """Which statements."""

    case: Text | None = None


@noun.get("/cases", "Erasure cases", READERS)
def list_cases(call: Call, query: CaseQuery) -> Page[CaseRow]:
    """Newest first."""
    return queries.list_cases(
        call.context, call.actor, state=query.state, overdue=query.overdue, after=query.after, limit=query.limit
    )


@noun.post("/cases", "Open a case", _MANAGE, creates=True, raises=(Invalid, Duplicate, NotFound))
def open_case(call: Call, body: CaseOpen) -> Answer[CaseDetail]:
    """One obligation is derived for each thing each holding demands."""
    case = cases.open_case(call.context, call.actor, cases.OpenCase(**body.model_dump()))
    return Answer(case, version=case.version, location=f"{PREFIX}/cases/{case.id}")


@noun.get("/cases/{case}", "One case", READERS)
def get_case(call: Call, case: Key) -> CaseDetail:
    """With its obligations."""
    return queries.case(call.context, call.actor, case)


@noun.post("/cases/{case}/attestations", "Attest obligations", _MANAGE, raises=(Conflict, NotFound, Invalid))
def attest(call: Call, case: Key, body: Attestation) -> CaseDetail:
    """Rows were deleted, or a backup expired; a medium can never be attested."""
    return cases.attest(call.context, call.actor, cases.Attest(case=case, **body.model_dump()))


@noun.post("/cases/{case}/closure", "Close a case", _MANAGE, raises=(Conflict,))
def close_case(call: Call, case: Key, body: Reason) -> CaseDetail:
    """Only when evidence closes every obligation."""
    return cases.close_case(call.context, call.actor, case, body.reason)


@noun.post("/cases/{case}/statements", "Issue a statement", _MANAGE, creates=True, raises=(Conflict,))
def issue_statement(call: Call, case: Key) -> Answer[StatementView]:
    """As things stand; an interim one says so in its title. Signed and logged."""
    statement = cases.issue_statement(call.context, call.actor, case)
    return Answer(statement, location=f"{PREFIX}/statements/{statement.number}")


@statements.get("/statements", "Statements", _EVIDENCE)
def list_statements(call: Call, query: StatementQuery) -> Page[StatementView]:
    """Newest first."""
    return queries.list_statements(call.context, call.actor, case=query.case, after=query.after, limit=query.limit)


@statements.get("/statements/{number}", "One statement", _EVIDENCE)
def get_statement(call: Call, number: Key) -> StatementView:
    """What it says, and where it stands in the log."""
    return cases.statement(call.context, call.actor, number)


@statements.get(
    "/statements/{number}/statement.pdf",
    "A statement as PDF",
    _EVIDENCE,
    media_type="application/pdf",
    raises=(Conflict,),
)
def get_statement_pdf(call: Call, number: Key, query: PdfQuery) -> File:
    """Sealed, with its evidence attached; in a further language printed and sealed when it is first asked for."""
    content = cases.statement_pdf(call.context, call.actor, number, query.language)
    return File(content, "application/pdf", f"statement-{number}.pdf", etag=sha256_hex(content))


@statements.get("/statements/{number}/statement.json", "A statement with its evidence", _EVIDENCE, raises=(Conflict,))
def get_statement_file(call: Call, number: Key) -> File:
    """Everything a verifier needs, in one canonical file."""
    view = cases.statement(call.context, call.actor, number)
    content = cases.statement_file(call.context, call.actor, number)
    return File(content, "application/json", f"statement-{view.number}.json")
