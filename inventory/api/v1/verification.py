"""Checking a document, as anybody may: a file in, what holds of it out; nothing is kept."""

from __future__ import annotations

from typing import Annotated

from flask import request
from pydantic import StringConstraints

from inventory.api import uploads
from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, Noun
from inventory.api.problems import ApiError
from inventory.contract.v1.common import Message, Sha256
from inventory.errors import Invalid, TooCostlyToCheck
from inventory.services import verification
from inventory.services.verification import CheckedFile, Standing

noun = Noun("verifications", "Is a document genuine? Anybody may ask; nothing that is sent is kept.")

MEDIA_TYPES = ("application/pdf", "application/json", "application/octet-stream")

Digest = Annotated[str, StringConstraints(max_length=200)]


class Expectation(Message):
    """What a file is checked against."""

    pin: Digest = ""
    """SHA-256 of the trust root; this service's own where none is named."""
    sha256: Digest = ""
    """Digest of the evidence that is expected, as the code on paper names it."""


@noun.post(
    "/verifications",
    "Check a document",
    PUBLIC,
    uploads=MEDIA_TYPES,
    raises=(Invalid, TooCostlyToCheck),
)
def verify_file(call: Call, query: Expectation) -> CheckedFile:
    """The body is the file itself: a PDF, or the evidence attached to it (JSON).

    The answer is what `sanitrail-verify --json` says, and what this service's log knows beyond it. A service of the issuer is
    no independent judge: check offline where it matters.
    """
    settings = call.context.settings
    uploads.admit(request, settings.verifications_per_minute)
    if request.mimetype not in MEDIA_TYPES:
        raise ApiError("unsupported-media-type", detail=f"Send the file itself as {', '.join(MEDIA_TYPES)}.")
    content = uploads.receive(request, settings.verification_bytes)
    with uploads.checking():
        return verification.check(call.context, content, pin=query.pin, expected=query.sha256)


@noun.get("/verifications/{sha256}", "Is a digest known?", PUBLIC)
def get_standing(call: Call, sha256: Sha256) -> Standing:
    """Whether a document of this log has this digest (of its evidence, its PDF or its logged statement), and nothing else."""
    uploads.admit(request, call.context.settings.verifications_per_minute)
    return verification.standing(call.context, sha256)
