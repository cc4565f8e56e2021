"""The public verification page: a file or a digest in, yes, no or not yet out. No account, no script needed, nothing kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import render_template, request

from inventory.api import uploads
from inventory.console.blueprint import Reply, doors
from inventory.console.forms import Form
from inventory.console.language.speaking import evidence, words
from inventory.console.web import form_status, here, posted
from inventory.errors import InventoryError
from inventory.services import transparency, verification
from inventory.services.verification import Answer, CheckedFile, Standing
from reports.verify_steps import KIND_WORDS

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
_THEIRS: Final = frozenset(
    {
        "Asset tag", "Case", "Controller", "Equipment", "Host", "Issued by", "Lot", "Manufacturer", "Model", "Operator",
        "Organization", "Place", "Reference", "Responsible", "Second person", "Serial number", "Witness",
    }
)  # fmt: skip
"""Facts that somebody wrote; the words of ours where nobody did are `_NOBODY_S`."""
_NOBODY_S: Final = frozenset({"nobody", "none", "not reported", "not stated"})
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


def _without_word(sentence: str) -> str:
    """The answer without the word in capitals that it begins with; the page says it larger."""
    word, colon, rest = sentence.partition(": ")
    return rest if colon and word.isupper() else sentence


def _facts(found: CheckedFile | None) -> list[tuple[str, str]]:
    """Label and value; what people wrote stands as they wrote it."""
    facts = {} if found is None else found.verification["facts"]
    return [
        (words(label), value if label in _THEIRS and value not in _NOBODY_S else evidence(value))
        for label, value in facts.items()
    ]


def _page(form: Form, *, found: CheckedFile | None = None, standing: Standing | None = None) -> Reply:
    trust = transparency.trust(here())
    html = render_template(
        "console/verify.html",
        form=form,
        found=found,
        standing=standing,
        answer=None if found is None else _view(found),
        sentence="" if found is None else _without_word(evidence(found.sentence)),
        facts=_facts(found),
        kinds=KIND_WORDS,
        marks=CHECK_MARKS,
        mark_words=CHECK_WORDS,
        pin=trust.pin,
        organisation=here().settings.organisation.name,
        limit=here().settings.verification_bytes,
    )
    return html, form_status(form)
