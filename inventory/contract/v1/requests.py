"""Requesting orders, issuing certificates, importing policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .common import Message
from .orders import PlanRequest
from .vocabulary import Key, OptionalLine, Prose


class OrderPurpose(Message):
    """What shall become of the device afterwards: the policy's input."""

    reuse: bool = True
    leaves_control: bool = False
    damaged: bool = False
    description: OptionalLine = ""
    """Where it goes, in words; the decision explains itself with them."""


class OrderCreate(Message):
    """Sanitize one device on the host where it is attached."""

    device: Key
    plan: PlanRequest
    purpose: OrderPurpose = OrderPurpose()
    reason: Prose
    lifetime_seconds: Annotated[int, Field(ge=300, le=30 * 86_400)] = 86_400


class CertificateIssue(Message):
    """Where the device goes, as the certificate shall say."""

    destination: OptionalLine = ""


class PolicyDocument(Message):
    """A policy table, to look at before it is taken: the document, or its file's text. Exactly one of the two."""

    document: dict[str, Any] | None = None
    file: Annotated[str, Field(max_length=64_000)] | None = None
    """TOML, or the document's JSON."""


class PolicyImport(PolicyDocument):
    """A new version of the policy table, put in force."""

    reason: Prose


class DocumentCorrect(Message):
    """A certificate or statement counts no more, or another takes its place."""

    action: Literal["void", "supersede"]
    reason: Prose
    replacement: OptionalLine = ""
    """Of `supersede`: number of the other document, or the digest of its signed statement."""
