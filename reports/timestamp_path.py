"""From the certificate that signed a time-stamp up to an authority's anchor (RFC 5280, 6.1, and RFC 3161, 2.3). Pure.

Few rules, all of them strict: every certificate was valid at the stamped time, every issuer is a certificate authority and may
sign certificates, nothing critical is left unread. Revocation is not asked: whoever no longer believes an authority takes it
out of the next version of the trust root.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from .errors import BadStamp

MOST: Final = 6
"""Longest path, anchor included."""
_UNDERSTOOD: Final = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}
_DIGESTS: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def load_certificate(der: bytes) -> x509.Certificate:
    """Read a certificate. Raises `BadStamp`."""
    try:
        found = x509.load_der_x509_certificate(der)
        _ = found.extensions, found.public_key()
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        x509.UnsupportedGeneralNameType,
        x509.DuplicateExtension,
    ) as error:
        raise BadStamp("one of its certificates cannot be read.") from error
    return found


def certification_path(
    signer: bytes, offered: Sequence[bytes], anchors: Sequence[bytes], moment: datetime
) -> tuple[tuple[bytes, ...], bytes]:
    """The path that leads to an anchor.

    Args:
        signer: the certificate that signed, DER.
        offered: what the token carries.
        anchors: the authority's, DER.
        moment: the stamped time; every certificate must have been valid then.

    Returns:
        The signer's certificate and those above it, without the anchor (unless the signer's is one); and the anchor.

    Raises:
        BadStamp: no such path.
    """
    path = [signer]
    while len(path) < MOST:
        current = load_certificate(path[-1])
        _valid_at(current, moment)
        if path[-1] in anchors:
            return (signer,) if len(path) == 1 else tuple(path[:-1]), path[-1]
        found = next((der for der in anchors if _issued(der, current, len(path) - 1)), None)
        if found is not None:
            _valid_at(load_certificate(found), moment)
            return tuple(path), found
        above = next((der for der in offered if der not in path and _issued(der, current, len(path) - 1)), None)
        if above is None:
            break
        path.append(above)
    raise BadStamp("its certificate does not stand under an anchor that the trust root names for this authority.")


def may_stamp(certificate: x509.Certificate) -> None:
    """Raise `BadStamp` unless this certificate is for time-stamping and nothing else (RFC 3161, 2.3)."""
    extensions = certificate.extensions
    try:
        purpose = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise BadStamp("its certificate is not for time-stamping.") from error
    if list(purpose.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not purpose.critical:
        raise BadStamp("its certificate is not for time-stamping alone, or does not say so critically (RFC 3161, 2.3).")
    for extension in extensions:
        if isinstance(extension.value, x509.KeyUsage):
            usage = extension.value
            if not (usage.digital_signature or usage.content_commitment) or usage.key_cert_sign or usage.crl_sign:
                raise BadStamp("its certificate's key usage does not allow signing stamps, or allows more.")
        if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            raise BadStamp("its certificate is that of a certificate authority.")


def _valid_at(certificate: x509.Certificate, moment: datetime) -> None:
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        raise BadStamp("one of its certificates was not valid at the stamped time.")
    if any(one.critical and one.oid not in _UNDERSTOOD for one in certificate.extensions):
        raise BadStamp("one of its certificates has a critical extension that is not known here.")


def _issued(issuer: bytes, certificate: x509.Certificate, below: int) -> bool:
    """Whether `issuer` is a certificate authority that issued this one, with `below` authorities between it and the signer."""
    above = load_certificate(issuer)
    if not isinstance(certificate.signature_hash_algorithm, _DIGESTS):
        return False
    try:
        constraints = above.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = above.extensions.get_extension_for_class(x509.KeyUsage).value
        if not constraints.ca or not usage.key_cert_sign:
            return False
        if constraints.path_length is not None and below > constraints.path_length:
            return False
        certificate.verify_directly_issued_by(above)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
