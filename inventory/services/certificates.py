"""Certificates: a number, a signed and logged statement, one bundle, one sealed PDF. Only for validated records."""

from __future__ import annotations

from .context import Actor, Context
from .views import CertificateView


def issue(context: Context, actor: Actor, order: str, *, destination: str = "") -> CertificateView:
    """Issue the certificate of a validated order; asking again returns the same one. Permission `certificate.issue`.

    The statement is signed and logged first; bundle and PDF follow. A crash in between is mended by asking again, or by upkeep.

    Raises:
        Conflict: not validated: there is a failure report instead.
        NotFound.
    """
    raise NotImplementedError


def certificate(context: Context, actor: Actor, number: str) -> CertificateView:
    """One certificate. Permission `evidence.read`. Raises `NotFound`."""
    raise NotImplementedError


def bundle(context: Context, actor: Actor, number: str) -> bytes:
    """The destruction bundle, canonical JSON. Permission `evidence.read`. Raises `NotFound`, `Conflict` (not sealed yet)."""
    raise NotImplementedError


def pdf(context: Context, actor: Actor, number: str) -> bytes:
    """The sealed PDF. Permission `evidence.read`. Raises `NotFound`, `Conflict` (not sealed yet)."""
    raise NotImplementedError


def failure_report(context: Context, actor: Actor, order: str) -> bytes:
    """What happened to a run that earns no certificate, as PDF. Permission `evidence.read`.

    Raises:
        Conflict: the order has no record, or its record is validated.
    """
    raise NotImplementedError
