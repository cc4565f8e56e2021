"""Withdrawals from a list: checked first, shown row by row, then all of them taken in or none."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Form
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain.intake import MOST_BYTES, MOST_ROWS
from inventory.domain.roles import Permission
from inventory.errors import Invalid
from inventory.services import case_intake
from inventory.services.views.exposure import IntakeView

_SHOWN = 500
"""Rows a page shows; the numbers above them count all."""


@form("/cases/intake", Permission.CASE_MANAGE)
def take_in_cases() -> Reply:
    """A list, as a file or pasted."""
    typed = received()
    checked: IntakeView | None = None
    if posted():
        content = _list(typed)
        if typed.ok and typed.value("step") == "open":

            def deed() -> AnyResponse:
                case_intake.take_in(here(), actor(), case_intake.rows_of(content), dry_run=False)
                return go("cases", said="cases-taken-in")

            done = perform(typed, deed)
            if done is not None:
                return done
        if typed.ok or typed.status:
            checked = _check(typed, content)
    rows = () if checked is None else sorted(checked.rows, key=lambda row: (not row.problems, row.row))[:_SHOWN]
    return show(
        "case-intake.html", form_status(typed), form=typed, checked=checked, rows=rows, most=MOST_ROWS, shown=_SHOWN
    )


def _list(typed: Form) -> bytes:
    """The file where one was chosen, else what stands in the field; the field holds it from then on."""
    file = request.files.get("file")
    content = b"" if file is None else file.stream.read(MOST_BYTES + 1)
    if content:
        typed.values["list"] = content.decode("utf-8-sig", "replace")
        return content
    pasted = typed.value("list").strip()
    if not pasted:
        typed.fail("list", "Choose a file, or paste the list.")
    return pasted.encode()


def _check(typed: Form, content: bytes) -> IntakeView | None:
    try:
        return case_intake.take_in(here(), actor(), case_intake.rows_of(content), dry_run=True)
    except Invalid as error:
        if typed.ok:
            typed.fail("list", error.sentence)
        return None
