"""Seals a PDF: PAdES B-B by pyHanko, in one revision, covering the whole file. Needs the extra `server`.

pyHanko lays out the signature field and the byte range; what is signed is built by `cms.py`, so that the strict check can
build the same again. The key may be anything that signs like `FileSigner` (PKCS#11 later).
"""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

from . import cms
from .errors import RenderingUnavailable
from .sealkey import SealKey

FIELD = "Seal"
RESERVED_BYTES = 4096
"""Room for the CMS; ours needs about a third."""


def seal(
    pdf: bytes, key: SealKey, moment: dt.datetime, *, reason: str = "Issued as evidence of media sanitization"
) -> bytes:
    """The PDF with a seal over all of it.

    Args:
        pdf: an unsigned PDF/A file.
        key: P-256 key and certificate; the certificate must be the one the trust root pins.
        moment: when, with an offset; stands in the signature as the sealer's own statement.
        reason: shown by PDF viewers.

    Raises:
        RenderingUnavailable: pyHanko cannot be loaded here.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive time is no moment")
    try:
        from asn1crypto import x509 as asn1_x509  # noqa: PLC0415
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415 - absent from a bare verifier
        from pyhanko.sign import signers  # noqa: PLC0415
        from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter  # noqa: PLC0415
        from pyhanko_certvalidator.registry import SimpleCertificateStore  # noqa: PLC0415
    except ImportError as error:
        raise RenderingUnavailable("pyhanko") from error
    certificate = asn1_x509.Certificate.load(key.certificate)
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko leaves its constructor unannotated
    external = signers.ExternalSigner(certificate, store, signature_value=bytes(72))
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        reason=reason,
        subfilter=SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    session = signers.PdfSigner(metadata, external).init_signing_session(writer)
    session.system_time = moment
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=RESERVED_BYTES * 2)
    prepared, output = document.digest_tbs_document()
    return _fill(prepared, output, key)


def _fill(prepared: Any, output: Any, key: SealKey) -> bytes:  # noqa: ANN401 - pyHanko's own types
    """Put the seal's value into the place pyHanko left for it: lower-case hexadecimal, the one form the strict check accepts."""
    signature = key.signer.sign(cms.to_be_signed(key.certificate, prepared.document_digest))
    value = cms.build(key.certificate, prepared.document_digest, signature).hex()
    start, end = prepared.reserved_region_start + 1, prepared.reserved_region_end - 1
    if len(value) > end - start:
        raise ValueError("the certificate is too large for a seal")
    content: bytes = output.getvalue()
    return content[:start] + value.ljust(end - start, "0").encode("ascii") + content[end:]
