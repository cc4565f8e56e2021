"""Records, certificates, statements."""

from __future__ import annotations

from typing import Any

from inventory.services.context import Actor, Context
from inventory.services.views import CertificateView, Page, RecordView, StatementView


def record(context: Context, actor: Actor, sha256: str) -> RecordView:
    """One record by its envelope's digest. Permission `evidence.read`. Raises `NotFound`."""
    raise NotImplementedError


def record_envelope(context: Context, actor: Actor, sha256: str) -> dict[str, Any]:
    """The record as it was signed. Permission `evidence.read`. Raises `NotFound`."""
    raise NotImplementedError


def list_certificates(
    context: Context, actor: Actor, *, device: str | None = None, after: str | None = None, limit: int = 50
) -> Page[CertificateView]:
    """Certificates, newest first. Permission `evidence.read`."""
    raise NotImplementedError


def list_statements(
    context: Context, actor: Actor, *, case: str | None = None, after: str | None = None, limit: int = 50
) -> Page[StatementView]:
    """Statements, newest first. Permission `evidence.read`."""
    raise NotImplementedError
