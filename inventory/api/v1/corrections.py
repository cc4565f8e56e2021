"""Documents that count no more, or that another has replaced."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, Noun, people
from inventory.contract.v1.common import Sha256
from inventory.contract.v1.requests import DocumentCorrect
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound
from inventory.services import corrections
from inventory.services.views import CorrectionView, DocumentView

noun = Noun("corrections", "Documents are never deleted: they are voided or superseded, and the log says so.")

_EVIDENCE = people(Permission.READ_EVIDENCE)


@noun.get("/documents/{number}/corrections", "What became of a document", _EVIDENCE)
def list_corrections(call: Call, number: Key) -> tuple[CorrectionView, ...]:
    """Oldest first; empty while it is in force."""
    return corrections.corrections(call.context, call.actor, number)


@noun.post(
    "/documents/{number}/corrections",
    "Void or supersede a document",
    people(Permission.DOCUMENT_CORRECT, see=Permission.READ_EVIDENCE),
    creates=True,
    raises=(NotFound, Invalid, Conflict),
)
def correct_document(call: Call, number: Key, body: DocumentCorrect) -> CorrectionView:
    """Signed and logged. It is about the document alone: record, gate and device are as they were."""
    command = corrections.Correct(document=number, action=body.action, reason=body.reason, replacement=body.replacement)
    return corrections.correct(call.context, call.actor, command)


@noun.get("/log/documents/{sha256}", "Does a document count?", PUBLIC, raises=(NotFound,))
def get_document_standing(call: Call, sha256: Sha256) -> DocumentView:
    """For whoever holds a document, by the digest of its signed statement (`sanitrail-verify --json` prints it).

    A file cannot know that it was voided later. Each correction comes as it was signed, with its place in the log: check it with
    the keys of the trust root, and its place with `/log/inclusion`.
    """
    return corrections.standing(call.context, sha256)
