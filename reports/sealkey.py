"""The key that seals PDFs, its certificate, and the one-tier authority that issues it.

The trust root pins the authority; it issues the sealing certificate directly, for two years at most, and a revocation list.
Nothing stands between the two, on purpose: a path of two certificates needs no intermediate that expires on its own. (A trust
root of the first schema pins a self-signed sealing certificate instead, and is checked as such for ever.)
A customer who wants a qualified seal replaces the keys; the check stays the same, because it compares bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .envelope import Signer
from .errors import MalformedDocument
from .keys import FileSigner

VALID_YEARS: Final = 30
"""Of the authority. A seal is judged by the pin and the log, so that this end only matters to foreign viewers."""
SEAL_DAYS: Final = 730
"""Longest life of a sealing certificate."""
LIST_DAYS: Final = 40
"""How long a revocation list counts."""
_BEHIND: Final = dt.timedelta(hours=1)
_WHAT: Final = "seal certificate"


@dataclass(frozen=True)
class SealKey:
    """A P-256 key, the certificate under which it seals, and what a viewer in ten years needs to believe that."""

    signer: Signer
    certificate: bytes
    """DER."""
    authority: bytes = b""
    """DER of the certificate that issued it; empty where the trust root pins the sealing certificate itself."""
    crl: bytes = b""
    """DER of the authority's newest revocation list; empty as above."""

    @classmethod
    def check(cls, signer: Signer, certificate: bytes, authority: bytes = b"", crl: bytes = b"") -> Self:
        """Put them together.

        Raises:
            MalformedDocument: the certificate is not for this key, does not allow sealing, or is not the authority's; or the list
                is not the authority's, or lists the certificate.
        """
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
            spki = parsed.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        except (ValueError, x509.ExtensionNotFound) as error:
            raise MalformedDocument(_WHAT, "not an X.509 certificate with a key usage") from error
        public = parsed.public_key()
        if (
            spki != signer.public_key_der
            or not isinstance(public, ec.EllipticCurvePublicKey)
            or not isinstance(public.curve, ec.SECP256R1)
        ):
            raise MalformedDocument(_WHAT, "not for this P-256 key")
        if not (usage.digital_signature and usage.content_commitment):
            raise MalformedDocument(_WHAT, "its key usage does not allow sealing")
        if bool(authority) != bool(crl):
            raise MalformedDocument(_WHAT, "an authority comes with its revocation list")
        if authority:
            issued_by(parsed, load(authority))
            not_revoked(parsed, load_list(crl), load(authority))
        return cls(signer, certificate, authority, crl)


def load(der: bytes) -> x509.Certificate:
    """Read a certificate. Raises `MalformedDocument`."""
    try:
        found = x509.load_der_x509_certificate(der)
        _ = found.extensions, found.public_key()
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise MalformedDocument(_WHAT, "not an X.509 certificate") from error
    return found


def load_list(der: bytes) -> x509.CertificateRevocationList:
    """Read a revocation list. Raises `MalformedDocument`."""
    try:
        found = x509.load_der_x509_crl(der)
        _ = found.extensions
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise MalformedDocument("revocation list", "not an X.509 revocation list") from error
    return found


def issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> None:
    """Raise `MalformedDocument` unless the authority, and nobody between, issued this certificate."""
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(authority)
    except Exception as error:  # what the library raises depends on what is wrong
        raise MalformedDocument(_WHAT, "not issued directly by the authority that the trust root pins") from error
    allowed = constraints.ca and usage.key_cert_sign
    if not allowed or not isinstance(certificate.signature_hash_algorithm, hashes.SHA256):
        raise MalformedDocument(_WHAT, "its issuer is no authority, or signed it with another digest than SHA-256")


def not_revoked(
    certificate: x509.Certificate, crl: x509.CertificateRevocationList, authority: x509.Certificate
) -> None:
    """Raise `MalformedDocument` unless this is the authority's list, and the certificate is not on it."""
    key = authority.public_key()
    try:
        valid = isinstance(key, ec.EllipticCurvePublicKey) and crl.is_signature_valid(key)
        listed = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    except (ValueError, TypeError) as error:
        raise MalformedDocument("revocation list", "not readable") from error
    if not valid or crl.issuer != authority.subject:
        raise MalformedDocument("revocation list", "not by the authority that the trust root pins")
    if any(one.critical for one in crl.extensions):
        raise MalformedDocument("revocation list", "has a critical extension, and none is known here")
    if listed is not None:
        raise MalformedDocument("revocation list", "it lists the sealing certificate as revoked")


def make_certificate(
    signer: FileSigner, organization: str, not_before: dt.datetime, serial: int | None = None
) -> bytes:
    """A self-signed sealing certificate, as a trust root of the first schema pins it. Raises `MalformedDocument`.

    Args:
        signer: holds the P-256 key.
        organization: who seals; shown by PDF viewers.
        not_before: start of validity, with an offset; a little before the first seal.
        serial: fixed serial number for tests; random otherwise.
    """
    name = _name(organization, "Sanitrail document seal")
    end = _years_after(not_before, VALID_YEARS)
    builder = _begun(_public(signer), name, name, not_before, end, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(seals=True), critical=True)
    return _finished(builder, signer, with_issuer=False)


def make_authority(signer: FileSigner, organization: str, not_before: dt.datetime, serial: int | None = None) -> bytes:
    """The certificate of the authority that the trust root pins: self-signed, 30 years, issues end certificates only."""
    name = _name(organization, "Sanitrail seal authority")
    end = _years_after(not_before, VALID_YEARS)
    builder = _begun(_public(signer), name, name, not_before, end, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(seals=False), critical=True)
    return _finished(builder, signer, with_issuer=False)


def issue_certificate(
    issuer: FileSigner,
    authority: bytes,
    spki: bytes,
    organization: str,
    not_before: dt.datetime,
    *,
    days: int = SEAL_DAYS,
    serial: int | None = None,
) -> bytes:
    """A sealing certificate.

    Args:
        issuer: the authority's key.
        authority: the authority's certificate, DER.
        spki: the sealing key, DER SubjectPublicKeyInfo of a P-256 key.
        organization: who seals; shown by PDF viewers.
        not_before: start of validity, with an offset.
        days: life, at most two years; never longer than the authority's.
        serial: fixed serial number for tests; random otherwise.

    Raises:
        MalformedDocument: the authority's key and certificate do not fit, or the key is of another kind.
    """
    if not 1 <= days <= SEAL_DAYS:
        raise ValueError(f"a sealing certificate lives 1 to {SEAL_DAYS} days")
    above = load(authority)
    if _spki(_public(issuer)) != _spki(above.public_key()):
        raise MalformedDocument("seal authority", "its certificate is not for its key")
    try:
        public = serialization.load_der_public_key(spki)
    except ValueError as error:
        raise MalformedDocument("seal key", "not a public key") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise MalformedDocument("seal key", "not a P-256 key")
    end = min(not_before + dt.timedelta(days=days), above.not_valid_after_utc)
    name = _name(organization, "Sanitrail document seal")
    builder = _begun(public, name, above.subject, not_before, end, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(seals=True), critical=True)
    return _finished(builder, issuer, with_issuer=True)


def make_list(
    issuer: FileSigner, authority: bytes, revoked: Mapping[int, dt.datetime], number: int, moment: dt.datetime
) -> bytes:
    """The authority's revocation list.

    Args:
        issuer: the authority's key.
        authority: its certificate, DER.
        revoked: serial number and time of every certificate ever revoked.
        number: grows with each list (RFC 5280, 5.2.3).
        moment: now, with an offset. The list counts from a little before: a time authority's clock may be behind.
    """
    above = load(authority)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(above.subject)
        .last_update(moment - _BEHIND)
        .next_update(moment + dt.timedelta(days=LIST_DAYS))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_identifier(above), critical=False)
    )
    for serial, since in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(_private(issuer), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _begun(
    public: ec.EllipticCurvePublicKey,
    subject: x509.Name,
    issuer: x509.Name,
    start: dt.datetime,
    end: dt.datetime,
    serial: int | None,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number() if serial is None else serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _finished(builder: x509.CertificateBuilder, issuer: FileSigner, *, with_issuer: bool) -> bytes:
    if with_issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(issuer))
        builder = builder.add_extension(identifier, critical=False)
    return builder.sign(_private(issuer), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _identifier(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _usage(*, seals: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=seals,
        content_commitment=seals,  # PAdES readers expect it; pyHanko refuses to sign without
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not seals,
        crl_sign=not seals,
        encipher_only=False,
        decipher_only=False,
    )


def _name(organization: str, purpose: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:64] or "Sanitrail"),
            x509.NameAttribute(NameOID.COMMON_NAME, purpose),
        ]
    )


def _years_after(moment: dt.datetime, years: int) -> dt.datetime:
    return moment.replace(year=moment.year + years, day=min(moment.day, 28))


def _private(signer: FileSigner) -> ec.EllipticCurvePrivateKey:
    private = signer.private_key
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise MalformedDocument("seal key", "not a P-256 key")
    return private


def _public(signer: FileSigner) -> ec.EllipticCurvePublicKey:
    return _private(signer).public_key()


def _spki(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise MalformedDocument("seal authority", "not a P-256 key")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
