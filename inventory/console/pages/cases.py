"""Erasure cases: one customer's withdrawal, followed to every medium."""

from __future__ import annotations

from io import BytesIO

from flask import send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import day, words
from inventory.console.printing import asked_language
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.map import picture
from inventory.console.web import actor, form_status, go, here, may, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ObligationKind
from inventory.services import case_dates, corrections, data, queries
from inventory.services import cases as service

_ATTESTABLE = {ObligationKind.LOGICAL_DELETION, ObligationKind.BACKUP_GONE}


@page("/cases/<case>")
def case(case: str) -> Reply:
    """One case: what is owed, what is open and why, and its statements."""
    return _show_case(case, Form.starting())


def _show_case(case_id: str, typed: Form) -> Reply:
    found = queries.case(here(), actor(), case_id)
    names = {row.id: row.name for row in data.list_data_sets(here(), actor())}
    statements = queries.list_statements(here(), actor(), case=found.id).items if may(Permission.READ_EVIDENCE) else ()
    lies = queries.case_map(here(), actor(), found.id)
    attestable = [item for item in found.obligations if item.open and item.kind in _ATTESTABLE]
    return show(
        "case.html", form_status(typed), case=found, form=typed, names=names, statements=statements,
        attestable=attestable, done=found.obligations_total - found.obligations_open,
        corrections={one.number: corrections.corrections(here(), actor(), one.number) for one in statements},
        map=lies, drawn=picture(lies),
    )  # fmt: skip


@form("/cases/new", Permission.CASE_MANAGE)
def new_case() -> Reply:
    """A customer withdraws."""
    sets = tuple(
        Option(row.id, row.name, f"{row.category} confidentiality") for row in data.list_data_sets(here(), actor())
    )
    typed = received()
    if posted():
        reference = typed.text("reference", "Give the customer's opaque reference.", limit=128)
        withdrawn = typed.day("withdrawn", "On which day did they withdraw? Write YYYY-MM-DD.")
        since, due = typed.day("customer_since"), typed.day("due", end=True)
        chosen = tuple(
            value for value in typed.values.getlist("data_sets") if value in {option.value for option in sets}
        )
        if not chosen:
            typed.fail("data_sets", "Choose at least one data set that held their data.")
        if withdrawn is not None:
            command = service.OpenCase(
                reference=reference, data_sets=chosen, withdrawn=withdrawn, customer_since=since, due=due
            )
            done = perform(
                typed, lambda: go("case", said="case-opened", case=service.open_case(here(), actor(), command).id)
            )
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title="Open an erasure case",
            submit="Open the case",
            lead="A customer withdrew. Every medium that held their data while they were a customer now owes something.",
            crumbs=(("Erasure cases", url_for("console.cases")),),
            back=url_for("console.cases"),
            fields=(
                Field(
                    kind="text",
                    name="reference",
                    label="Reference",
                    hint="Opaque: a ticket or customer number. Never a name, never an address.",
                    mono=True,
                    limit=128,
                ),
                Field(kind="ticks", name="data_sets", label="Data sets that held their data", options=sets),
                Field(kind="day", name="withdrawn", label="Withdrew on"),
                Field(
                    kind="day",
                    name="customer_since",
                    label="Customer since",
                    hint="Not known: every holding before counts.",
                    required=False,
                ),
                Field(
                    kind="day",
                    name="due",
                    label="Due",
                    hint="Left empty: 30 days after the withdrawal.",
                    required=False,
                ),
            ),
        ),
        typed,
    )


@act("/cases/<case>/attest", Permission.CASE_MANAGE)
def attest(case: str) -> Reply:
    """State in one's own name that rows were deleted or a backup expired."""
    typed = received()
    chosen = tuple(typed.values.getlist("obligations"))
    if not chosen:
        typed.fail("obligations", "Choose at least one obligation.")
    statement = typed.text("statement", "Say what was done and how it was checked.")
    digest = (
        typed.digest("evidence", "A SHA-256 has 64 hexadecimal digits.") if typed.value("evidence").strip() else None
    )
    command = service.Attest(case=case, obligations=chosen, statement=statement, evidence_sha256=digest)
    done = perform(
        typed, lambda: go("case", said="obligations-attested", case=service.attest(here(), actor(), command).id)
    )
    return done or _show_case(case, typed)


@form("/cases/<case>/close", Permission.CASE_MANAGE)
def close_case(case: str) -> Reply:
    """Every obligation is closed by evidence."""
    found = queries.case(here(), actor(), case)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why it may be closed.")
        done = perform(
            typed, lambda: go("case", said="case-closed", case=service.close_case(here(), actor(), found.id, why).id)
        )
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title=f"Close case {found.reference}",
            submit="Close the case",
            crumbs=(
                ("Erasure cases", url_for("console.cases")),
                (found.reference, url_for("console.case", case=found.id)),
            ),
            back=url_for("console.case", case=found.id),
            consequences=("Only a case whose every obligation is closed by evidence can be closed.",),
            fields=(reason(),),
        ),
        typed,
    )


@form("/cases/<case>/due", Permission.CASE_MANAGE)
def move_due(case: str) -> Reply:
    """Put a case off, with a reason the customer is told, too."""
    found = queries.case(here(), actor(), case)
    typed = received()
    typed.values.setdefault("version", str(found.version))
    if posted():
        due = typed.day("due", "On which day is it due? Write YYYY-MM-DD.", end=True)
        why = typed.text("reason", "Say why, in at least ten characters.")
        version = typed.number("version", "Load the page again.", low=0, high=10**9)
        if due is not None:
            command = case_dates.MoveDue(case=found.id, due=due, reason=why, version=version)
            done = perform(
                typed,
                lambda: go("case", said="case-due-moved", case=case_dates.move_due(here(), actor(), command).id),
            )
            if done is not None:
                return done
    return show_sheet(
        Sheet(
            title=f"Move the due date of {found.reference}",
            submit="Move the due date",
            lead=words("It is due on {due}.", due=day(found.due)),
            crumbs=(
                ("Erasure cases", url_for("console.cases")),
                (found.reference, url_for("console.case", case=found.id)),
            ),
            back=url_for("console.case", case=found.id),
            consequences=(
                "A case can be put off to three times the ordinary term after the withdrawal, and no further.",
                "The customer has to be told of it, with the reason, within the ordinary term (GDPR, Article 12 (3)).",
            ),
            fields=(
                Field(kind="day", name="due", label="Due"),
                reason(),
                Field(kind="hidden", name="version", label=""),
            ),
        ),
        typed,
    )


@act("/cases/<case>/statement", Permission.CASE_MANAGE)
def issue_statement(case: str) -> Reply:
    """What the customer receives, as things stand."""
    typed = received()

    def deed() -> AnyResponse:
        service.issue_statement(here(), actor(), case)
        return go("case", said="statement-issued", case=case)

    return perform(typed, deed) or _show_case(case, typed)


@page("/statements/<statement>.pdf", Permission.READ_EVIDENCE)
def statement_pdf(statement: str) -> Reply:
    """A statement as PDF."""
    content = service.statement_pdf(here(), actor(), statement, asked_language())
    return send_file(
        BytesIO(content), "application/pdf", as_attachment=True, download_name=f"statement-{statement}.pdf"
    )
