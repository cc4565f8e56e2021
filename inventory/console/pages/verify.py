"""The public verification page: a file or a digest in, yes, no or not yet out. No account, no script needed, nothing kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import render_template, request

from inventory.api import uploads
from inventory.console.blueprint import Reply, doors
from inventory.console.forms import Form
from inventory.console.web import form_status, here, posted
from inventory.errors import InventoryError
from inventory.services import transparency, verification
from inventory.services.verification import Answer, CheckedFile, Standing
from reports.verify_steps import KIND_WORDS

_LEADING_WORD: Final = re.compile(r"^(?:YES|NO|NOT YET|NO CERTIFICATE): ")
"""The page says this word larger."""
_FIELDS: Final = ("pin", "sha256")


@dataclass(frozen=True)
class AnswerView:
    """How an answer looks."""

    word: str
    tone: str
    icon: str


NO_CERTIFICATE: Final = AnswerView("No certificate", "warn", "alert")
"""Of a genuine report of an unsuccessful run: never to be taken for a certificate."""
ANSWERS: Final[dict[Answer, AnswerView]] = {
    "yes": AnswerView("Yes", "ok", "shield-check"),
    "not-yet": AnswerView("Not yet", "warn", "alert"),
    "no": AnswerView("No", "bad", "shield-x"),
}
CHECK_MARKS: Final = {"passed": ("ok", "check"), "failed": ("bad", "cross"), "not-reached": ("quiet", "minus")}
CHECK_WORDS: Final = {"passed": "holds", "failed": "fails", "not-reached": "not reached"}


@doors.route("/verify", methods=["GET", "POST"])
def verify() -> Reply:
    """Drop a file or paste a digest."""
    if posted():
        return _answer_file()
    form = Form.starting({name: request.args.get(name, "")[:200] for name in _FIELDS})
    standing: Standing | None = None
    if form.value("sha256").strip():
        uploads.admit(request, here().settings.verifications_per_minute)
        standing = _standing(form)
    return _page(form, standing=standing)


def _standing(form: Form) -> Standing | None:
    try:
        return verification.standing(here(), form.value("sha256"))
    except InventoryError as error:
        form.refused(error)
        return None


def _answer_file() -> Reply:
    settings = here().settings
    uploads.admit(request, settings.verifications_per_minute)
    content = uploads.receive(request, settings.verification_bytes)
    sent = uploads.read_form(request, content)
    del content
    form = Form.starting({name: sent.fields.get(name, "")[:200] for name in _FIELDS})
    if not sent.file:
        form.fail("file", "Choose a file first: a PDF, or the evidence attached to it (JSON).")
        return _page(form)
    try:
        with uploads.checking():
            found = verification.check(here(), sent.file, pin=form.value("pin"), expected=form.value("sha256"))
    except InventoryError as error:
        form.refused(error)
        return _page(form)
    return _page(form, found=found)


def _view(found: CheckedFile) -> AnswerView:
    if found.answer == "not-yet" and found.verification["kind"] == "unsuccessful-run":
        return NO_CERTIFICATE
    return ANSWERS[found.answer]


def _page(form: Form, *, found: CheckedFile | None = None, standing: Standing | None = None) -> Reply:
    trust = transparency.trust(here())
    html = render_template(
        "console/verify.html",
        form=form,
        found=found,
        standing=standing,
        answer=None if found is None else _view(found),
        sentence="" if found is None else _LEADING_WORD.sub("", found.sentence),
        kinds=KIND_WORDS,
        marks=CHECK_MARKS,
        mark_words=CHECK_WORDS,
        pin=trust.pin,
        organisation=here().settings.organisation.name,
        limit=here().settings.verification_bytes,
    )
    return html, form_status(form)
