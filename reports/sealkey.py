"""The key that seals PDFs and its certificate: P-256, self-signed, pinned in the trust root.

No certificate authority stands behind it, on purpose: whoever trusts the pin trusts exactly this certificate, and there is no
path, revocation list or expiring intermediate that a reader in ten years would need. A customer who wants a qualified seal
replaces key and certificate; the check stays the same, because it compares bytes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .errors import MalformedDocument
from .keys import FileSigner

VALID_YEARS = 30
"""A seal is judged by the pin and the log, so that the certificate's own end only matters to foreign viewers."""


@dataclass(frozen=True)
class SealKey:
    """A P-256 key and the certificate under which it seals."""

    signer: FileSigner
    certificate: bytes
    """DER."""

    @classmethod
    def check(cls, signer: FileSigner, certificate: bytes) -> Self:
        """Pair them. Raises `MalformedDocument` unless the certificate is for this key and allows sealing."""
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        except (ValueError, x509.ExtensionNotFound) as error:
            raise MalformedDocument("seal certificate", "not an X.509 certificate with a key usage") from error
        spki = parsed.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if spki != signer.public_key_der or not isinstance(signer.private_key, ec.EllipticCurvePrivateKey):
            raise MalformedDocument("seal certificate", "not for this P-256 key")
        if not (usage.digital_signature and usage.content_commitment):
            raise MalformedDocument("seal certificate", "its key usage does not allow sealing")
        return cls(signer, certificate)


def make_certificate(
    signer: FileSigner, organization: str, not_before: dt.datetime, serial: int | None = None
) -> bytes:
    """A self-signed certificate for a P-256 key, as DER.

    Args:
        signer: holds the P-256 key.
        organization: who seals; shown by PDF viewers.
        not_before: start of validity, with an offset; a little before the first seal.
        serial: fixed serial number for tests; random otherwise.
    """
    private = signer.private_key
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise MalformedDocument("seal key", "not a P-256 key")
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64] or "Sanitrail"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Sanitrail document seal"),
        ]
    )
    public = private.public_key()
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,  # PAdES readers expect it; pyHanko refuses to sign without
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .not_valid_before(not_before)
        .not_valid_after(not_before.replace(year=not_before.year + VALID_YEARS, day=min(not_before.day, 28)))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)
