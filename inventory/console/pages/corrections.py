"""Voiding or superseding a document; the document itself stays where it is."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.web import actor, go, here, perform, posted, received, show_sheet
from inventory.domain.roles import Permission
from inventory.services import certificates
from inventory.services import corrections as service

_ACTIONS = (
    Option("void", "Void it", "It counts no more, and nothing takes its place."),
    Option("supersede", "Supersede it", "Another certificate takes its place."),
)


@form("/certificates/<certificate>/correct", Permission.DOCUMENT_CORRECT)
def correct_certificate(certificate: str) -> Reply:
    """Say what is wrong with a certificate."""
    found = certificates.certificate(here(), actor(), certificate)
    typed = received()
    if posted():
        action = typed.one_of("action", _ACTIONS, "Choose what becomes of it.")
        why = typed.text("reason", "Say what is wrong with it.")
        if why and len(why) < 10:
            typed.fail("reason", "At least ten characters, please: it stands in the log for good.")
        command = service.Correct(
            document=found.sha256,
            action="supersede" if action == "supersede" else "void",
            reason=why,
            replacement=typed.text("replacement"),
        )

        def deed() -> AnyResponse:
            service.correct(here(), actor(), command)
            return go("certificate", said="document-corrected", certificate=found.number)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(_sheet(found.number), typed)


def _sheet(number: str) -> Sheet:
    page = url_for("console.certificate", certificate=number)
    return Sheet(
        title=f"Correct {number}",
        submit="Sign and log it",
        crumbs=(("Certificates", url_for("console.certificates")), (number, page)),
        back=page,
        tone="danger",
        warning=True,
        consequences=(
            "It cannot be taken back. The document is not deleted: the log says from now on that it counts no more.",
            "Copies that are out there still verify as what they are; whoever asks the log is told.",
            "Record, gate and device stay as they are. If the sanitization itself is in doubt, quarantine the device, too.",
        ),
        fields=(
            Field(kind="choices", name="action", label="What becomes of it", options=_ACTIONS),
            Field(
                kind="text", name="replacement", label="Certificate that takes its place", hint="When superseding: its number.",
                required=False, mono=True,
            ),
            reason("What is wrong with it. No names: it is published with the log."),
        ),
    )  # fmt: skip
