"""Erasure cases, their obligations, and the customer's statement."""

from __future__ import annotations

from typing import Literal

from flask import request

from inventory.api import uploads
from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Paging, Text
from inventory.api.printing import PdfQuery
from inventory.api.problems import ApiError
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.holdings import Attestation, CaseDue, CaseIntake, CaseOpen
from inventory.contract.v1.people import Reason
from inventory.contract.v1.vocabulary import Key
from inventory.domain.exposure import Why
from inventory.domain.intake import MOST_BYTES, IntakeRow
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState
from inventory.errors import Conflict, Duplicate, Invalid, NotFound, StaleVersion, Unavailable
from inventory.services import case_dates, case_intake, cases, incident_papers, queries
from inventory.services.queries.exposure import ExposureFilter
from inventory.services.views import CaseDetail, CaseRow, Page, StatementView
from inventory.services.views.exposure import ExposureBoard, ExposureView, IncidentView, IntakeView
from reports.canonical import sha256_hex

noun = Noun("cases", "A customer's withdrawal, by an opaque reference, followed to every medium.")
exposures = Noun("exposures", "Media that still hold data of customers who withdrew, and what a missing medium means.")
statements = Noun("statements", "What the customer receives: each medium and its proof, or what is open and why.")

_MANAGE = people(Permission.CASE_MANAGE)
_EVIDENCE = people(Permission.READ_EVIDENCE)


class CaseQuery(Paging):
    """Which cases."""

    state: CaseState | None = None
    overdue: bool | None = None


class IntakeQuery(Message):
    """Whether a list is taken in."""

    dry_run: bool = True
    """Only say what would become of each row."""


class ExposureQuery(Message):
    """By what to count."""

    by: Literal["data_set", "case", "place"] = "data_set"


class ExposuresQuery(Paging):
    """Which exposures."""

    data_set: Text | None = None
    case: Text | None = None
    place: Text | None = None
    """A location's number; `none` where no place is known."""
    why: Why | None = None


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


@noun.post("/case-intakes", "Take in many withdrawals", _MANAGE, body_limit=MOST_BYTES, raises=(Invalid, NotFound))
def take_in_cases(call: Call, body: CaseIntake) -> IntakeView:
    """Opens a case for each reference that has none yet. Sent again, it opens nothing twice; `dry_run` changes nothing."""
    rows = tuple(
        IntakeRow(
            row=number,
            reference=one.reference,
            data_sets=one.data_sets,
            withdrawn=one.withdrawn,
            customer_since=one.customer_since,
            due=one.due,
        )
        for number, one in enumerate(body.cases, 1)
    )
    return case_intake.take_in(call.context, call.actor, rows, dry_run=body.dry_run)


@noun.post(
    "/case-intakes/csv", "Take in many withdrawals from CSV", _MANAGE, uploads=("text/csv",), raises=(Invalid, NotFound)
)
def take_in_cases_csv(call: Call, query: IntakeQuery) -> IntakeView:
    """The body is the list, in UTF-8.

    Columns: `reference`, `data_sets` (semicolons between them), `withdrawn`, and where wanted `customer_since` and `due`.
    """
    if request.mimetype != "text/csv":
        raise ApiError("unsupported-media-type", detail="Send the list itself as text/csv.")
    rows = case_intake.rows_of(uploads.receive(request, MOST_BYTES))
    return case_intake.take_in(call.context, call.actor, rows, dry_run=query.dry_run)


@noun.get("/cases/{case}", "One case", READERS)
def get_case(call: Call, case: Key) -> CaseDetail:
    """With its obligations."""
    return queries.case(call.context, call.actor, case)


@noun.put("/cases/{case}/due", "Move a due date", _MANAGE, updates=True, raises=(Conflict, StaleVersion, Invalid))
def move_due(call: Call, case: Key, body: CaseDue) -> Answer[CaseDetail]:
    """With a reason the customer is told, too; three times the ordinary term after the withdrawal at most."""
    command = case_dates.MoveDue(case=case, due=body.due, reason=body.reason, version=call.version)
    found = case_dates.move_due(call.context, call.actor, command)
    return Answer(found, version=found.version)


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


@exposures.get("/exposure", "What is still exposed", READERS)
def get_exposure(call: Call, query: ExposureQuery) -> ExposureBoard:
    """Media that hold data of customers who withdrew: how many, since when, why; by data set, case or place."""
    return queries.exposure(call.context, call.actor, query.by)


@exposures.get("/exposures", "Exposed media", READERS)
def list_exposures(call: Call, query: ExposuresQuery) -> Page[ExposureView]:
    """One line for each medium a case still demands to be sanitized."""
    where = ExposureFilter(data_set=query.data_set, case=query.case, place=query.place, why=query.why)
    return queries.list_exposures(call.context, call.actor, where, after=query.after, limit=query.limit)


@exposures.get("/devices/{device}/incident", "The report of a missing medium", READERS, raises=(Conflict,))
def get_incident(call: Call, device: Key) -> IncidentView:
    """What it held, whose data is exposed, whether it can be read and who held the keys; as things stand."""
    return queries.incident(call.context, call.actor, device)


@exposures.get(
    "/devices/{device}/incident.pdf",
    "The report of a missing medium as PDF",
    READERS,
    media_type="application/pdf",
    raises=(Conflict, Unavailable),
)
def get_incident_paper(call: Call, device: Key) -> File:
    """To hand on: as things stand, and not signed. People are named to readers of the directory, else by reference."""
    found = incident_papers.incident_paper(call.context, call.actor, device)
    return File(found, "application/pdf", f"incident-{device}.pdf")


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
