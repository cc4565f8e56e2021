"""Evidence to a finished PDF, in one step that lets nothing doubtful out.

The evidence is verified before a word is printed, and the sealed PDF is verified as a stranger would verify it before anybody
gets it.
"""

from __future__ import annotations

import datetime as dt

from .brand import PLAIN, Brand
from .bundle import DESTRUCTION_BUNDLE, ERASURE_STATEMENT_FILE, UNSUCCESSFUL_RUN_BUNDLE
from .envelope import envelope_digest
from .errors import BrokenChain
from .files import ATTACHMENT_NAMES, DESTRUCTION_FILE, LOT_FILE, PROCESSOR_FILE, EvidenceFile
from .press import press
from .seal import Stamper, seal
from .sealkey import SealKey
from .verify import verify

_REASONS = {
    ATTACHMENT_NAMES[DESTRUCTION_BUNDLE]: "Certificate of sanitization",
    ATTACHMENT_NAMES[UNSUCCESSFUL_RUN_BUNDLE]: "Report of an unsuccessful sanitization",
    ATTACHMENT_NAMES[ERASURE_STATEMENT_FILE]: "Statement of erasure",
    ATTACHMENT_NAMES[LOT_FILE]: "Certificate of a lot",
    ATTACHMENT_NAMES[PROCESSOR_FILE]: "Statement of a processor",
    ATTACHMENT_NAMES[DESTRUCTION_FILE]: "Certificate of physical destruction",
}


def publish(
    file: EvidenceFile,
    key: SealKey,
    moment: dt.datetime,
    *,
    stamper: Stamper | None = None,
    language: str = "en",
    brand: Brand = PLAIN,
) -> bytes:
    """Print and seal a document.

    Args:
        file: the evidence of any document.
        key: seals; the file's trust root must pin its certificate, or the authority that issued it.
        moment: now, with an offset.
        stamper: gets the time-stamp over the seal; None: no time-stamp.
        language: of the pages.
        brand: the organisation's additions.

    Raises:
        BrokenChain: the evidence, or the finished PDF, does not verify.
        BadStamp: the time-stamp could not be had.
        RenderingUnavailable: this installation cannot print or seal.
        PrintingFailed: the printing process ended; the evidence is as it was.
    """
    pin = envelope_digest(file.anchor.trust_roots[0])
    _demand_genuine(file.to_bytes(), pin, "evidence")
    printed = press().render(file, language=language, brand=brand)
    sealed = seal(printed, key, moment, reason=_REASONS[ATTACHMENT_NAMES[file.format]], stamper=stamper)
    _demand_genuine(sealed, pin, "finished PDF")
    return sealed


def _demand_genuine(data: bytes, pin: str, what: str) -> None:
    found = verify(data, pin)
    if not found.genuine:
        raise BrokenChain(what, found.conclusion)
