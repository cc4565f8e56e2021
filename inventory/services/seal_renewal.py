"""The sealing certificate is replaced before it ends, by the service itself where the authority's key is at hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from inventory.domain.exceptions import ExceptionCode
from inventory.errors import SetupError
from reports.errors import ReportError
from reports.sealkey import load

from . import _seal_keys
from .context import Context
from .kernel import raise_exception, settle_exception
from .keys import rotate_seal

BEFORE: Final = timedelta(days=60)
"""So long before its end a certificate is replaced: a PDF sealed on its last day would soon look old."""
_SUBJECT: Final = "seal"


def renew_if_due(context: Context) -> str | None:
    """Make the next sealing key and certificate when the present one ends soon; ask for a person where that fails.

    Returns:
        The new key's name; None where nothing was due, or nothing could be done.
    """
    with context.reading() as session:
        trust = context.ledger.keyring.require(session).trust
    if not trust.seal_authority:
        return None  # the trust root pins the certificate itself: a new one is a new trust root
    try:
        key = _seal_keys.seal_key(context.secrets, trust, context.now())
        if load(key.certificate).not_valid_after_utc - context.now() >= BEFORE:
            _settle(context)
            return None
    except (SetupError, ReportError):  # none counts any more, or the list has run out
        pass
    try:
        name = rotate_seal(context)
    except (SetupError, ReportError) as error:
        sentence = (
            f"The sealing certificate ends soon or has ended, and no next one could be made: {error} "
            "Bring the authority's key back and run `sanitrail keys rotate seal`."
        )
        with context.writing() as session:
            raise_exception(session, context, ExceptionCode.SEAL_CERTIFICATE_DUE, _SUBJECT, sentence)
        return None
    _settle(context)
    return name


def _settle(context: Context) -> None:
    with context.writing() as session:
        settle_exception(session, context, ExceptionCode.SEAL_CERTIFICATE_DUE, _SUBJECT, "A new certificate seals.")
