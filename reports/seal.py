"""Seals a PDF by pyHanko, in one revision, covering the whole file: PAdES B-LT where a time authority is at hand, B-B otherwise.

pyHanko lays out the signature field, the byte range and the document security store; what is signed is built by `cms.py`, so
that the strict check can build the same again. The store is written together with the signature (no validation-related entry for
it: that would need a second revision). The key may be anything that signs like `FileSigner`. Needs the extra `server`.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import Any, Final, Protocol

from . import cms
from .errors import RenderingUnavailable
from .sealkey import SealKey

FIELD = "Seal"
RESERVED_BYTES: Final = 4096
"""Room for the CMS without a time-stamp; ours needs about a third."""
RESERVED_STAMP: Final = 2048
"""Room for a time-stamp, besides its certificates."""


@dataclass(frozen=True)
class StampMaterial:
    """What the store must hold for a time-stamp that is still to be made."""

    certificates: tuple[bytes, ...]
    """From the stamping certificate up to the anchor, DER."""
    lists: tuple[bytes, ...] = ()
    """Their revocation lists, DER, as far as there are any."""


class Stamper(Protocol):
    """Somebody who gets time-stamps over the bytes of signatures."""

    def material(self) -> StampMaterial:
        """What the next stamp will need."""

    def stamp(self, message: bytes) -> bytes:
        """A token over the message, in its one form, with exactly that material. Raises `BadStamp`."""


def seal(
    pdf: bytes,
    key: SealKey,
    moment: dt.datetime,
    *,
    reason: str = "Issued as evidence of media sanitization",
    stamper: Stamper | None = None,
) -> bytes:
    """The PDF with a seal over all of it.

    Args:
        pdf: an unsigned PDF/A file.
        key: P-256 key and certificate, its authority and revocation list; the trust root must pin one of the two certificates.
        moment: when, with an offset; stands in the signature as the sealer's own statement.
        reason: shown by PDF viewers.
        stamper: gets the time-stamp over the signature; None: no time-stamp.

    Raises:
        RenderingUnavailable: pyHanko cannot be loaded here.
        BadStamp: the time-stamp could not be had.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive time is no moment")
    if stamper is not None and not key.authority:
        raise ValueError("a seal under a certificate that the trust root pins itself has no time-stamp")
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
    material = StampMaterial(()) if stamper is None else stamper.material()
    if key.authority:
        _write_store(writer, key, material)
    session = signers.PdfSigner(metadata, external).init_signing_session(writer)
    session.system_time = moment.astimezone(dt.UTC)
    stamp_bytes = 0 if stamper is None else RESERVED_STAMP + sum(map(len, material.certificates))
    reserved = RESERVED_BYTES + stamp_bytes
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=reserved * 2)
    prepared, output = document.digest_tbs_document()
    return _fill(prepared, output, key, stamper)


def _write_store(writer: Any, key: SealKey, material: StampMaterial) -> None:  # noqa: ANN401 - pyHanko's own type
    from asn1crypto import crl as asn1_crl  # noqa: PLC0415
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415
    from pyhanko.sign.validation.dss import DocumentSecurityStore  # noqa: PLC0415

    certificates = dict.fromkeys((key.certificate, key.authority, *material.certificates))
    lists = dict.fromkeys((key.crl, *material.lists))
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        None,
        certs=[asn1_x509.Certificate.load(der) for der in certificates],
        crls=[asn1_crl.CertificateList.load(der) for der in lists],
    )


def _fill(prepared: Any, output: Any, key: SealKey, stamper: Stamper | None) -> bytes:  # noqa: ANN401 - pyHanko's own types
    """Put the seal's value into the place pyHanko left for it: lower-case hexadecimal, the one form the strict check accepts."""
    signature = key.signer.sign(cms.to_be_signed(key.certificate, prepared.document_digest))
    token = None if stamper is None else stamper.stamp(signature)
    value = cms.build(key.certificate, prepared.document_digest, signature, token).hex()
    start, end = prepared.reserved_region_start + 1, prepared.reserved_region_end - 1
    if len(value) > end - start:
        raise ValueError("the certificate or the time-stamp is too large for a seal")
    content: bytes = output.getvalue()
    return content[:start] + value.ljust(end - start, "0").encode("ascii") + content[end:]
