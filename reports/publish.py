"""Evidence to a finished PDF, in one step that lets nothing doubtful out.

The evidence is verified before a word is printed, and the sealed PDF is verified as a stranger would verify it before anybody
gets it.
"""

from __future__ import annotations

import datetime as dt

from .bundle import (
    ATTACHMENT_NAMES,
    DESTRUCTION_BUNDLE,
    ERASURE_STATEMENT_FILE,
    UNSUCCESSFUL_RUN_BUNDLE,
    EvidenceFile,
)
from .envelope import envelope_digest
from .errors import BrokenChain
from .pdf import render
from .seal import seal
from .sealkey import SealKey
from .verify import verify

_REASONS = {
    ATTACHMENT_NAMES[DESTRUCTION_BUNDLE]: "Certificate of sanitization",
    ATTACHMENT_NAMES[UNSUCCESSFUL_RUN_BUNDLE]: "Report of an unsuccessful sanitization",
    ATTACHMENT_NAMES[ERASURE_STATEMENT_FILE]: "Statement of erasure",
}


def publish(file: EvidenceFile, key: SealKey, moment: dt.datetime) -> bytes:
    """Print and seal a document.

    Args:
        file: a destruction bundle, a report of an unsuccessful run, or a customer's statement.
        key: seals; its certificate must be the one the file's trust root pins.
        moment: now, with an offset.

    Raises:
        BrokenChain: the evidence, or the finished PDF, does not verify.
        RenderingUnavailable: this installation cannot print or seal.
    """
    pin = envelope_digest(file.anchor.trust_roots[0])
    _demand_genuine(file.to_bytes(), pin, "evidence")
    sealed = seal(render(file), key, moment, reason=_REASONS[ATTACHMENT_NAMES[file.format]])
    _demand_genuine(sealed, pin, "finished PDF")
    return sealed


def _demand_genuine(data: bytes, pin: str, what: str) -> None:
    found = verify(data, pin)
    if not found.genuine:
        raise BrokenChain(what, found.conclusion)
