"""The one form of a seal's CMS: built by the sealer, and built again by the checker to compare byte for byte.

PAdES B-B, and B-T with a signature time-stamp (ETSI EN 319 142-1, 6.3): SignedData over a detached message, signed attributes
content-type, message-digest and signing-certificate-v2, one certificate, one signer, ECDSA P-256 with SHA-256; the time-stamp is
the one unsigned attribute there may be. Nothing in it is left to choice except the signature and the time-stamp, and the time-
stamp has one form of its own (`timestamps.py`), so that no byte can be altered without being seen. Pure.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .der import FIRST, OCTETS, SECOND, SEQUENCE, SET, number, value
from .errors import BadSeal

_ECDSA_SHA256 = {"algorithm": "sha256_ecdsa"}
_SHA256 = {"algorithm": "sha256"}
_STAMP = "signature_time_stamp_token"


@dataclass(frozen=True)
class SealParts:
    """What a seal's CMS is built from, besides the message."""

    certificate: bytes
    """DER, the signer's."""
    signature: bytes
    """ECDSA, in its one DER encoding."""
    token: bytes | None
    """TimeStampToken over the signature's bytes (RFC 3161, appendix A)."""


def signed_attributes(certificate: bytes, message_sha256: bytes) -> cms.CMSAttributes:
    """The attributes that are signed, in DER order."""
    signing_certificate = tsp.SigningCertificateV2(
        {"certs": [tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})]}
    )
    attributes = [
        cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
        cms.CMSAttribute({"type": "message_digest", "values": [message_sha256]}),
        cms.CMSAttribute({"type": "signing_certificate_v2", "values": [signing_certificate]}),
    ]
    return cms.CMSAttributes(sorted(attributes, key=lambda attribute: bytes(attribute.dump())))


def to_be_signed(certificate: bytes, message_sha256: bytes) -> bytes:
    """What the seal's key signs: the DER SET OF signed attributes (RFC 5652, 5.4)."""
    return bytes(signed_attributes(certificate, message_sha256).dump())


def build(certificate: bytes, message_sha256: bytes, signature: bytes, token: bytes | None = None) -> bytes:
    """The DER ContentInfo of a seal.

    Args:
        certificate: the signer's, DER.
        message_sha256: digest of everything the seal covers.
        signature: ECDSA signature in DER over `to_be_signed`.
        token: time-stamp over `signature`, in its one form; None where there is none.
    """
    parsed = asn1_x509.Certificate.load(certificate)
    sid = value(SEQUENCE, parsed.issuer.dump(), core.Integer(parsed.serial_number).dump())
    digest_algorithm = algos.DigestAlgorithm(_SHA256).dump()
    signed_attrs = signed_attributes(certificate, message_sha256).contents
    unsigned = b""
    if token is not None:
        stamp = value(SEQUENCE, cms.CMSAttributeType(_STAMP).dump(), value(SET, token))
        unsigned = value(SECOND, stamp)
    signer = value(
        SEQUENCE, number(1), sid, digest_algorithm, value(FIRST, signed_attrs),
        algos.SignedDigestAlgorithm(_ECDSA_SHA256).dump(), value(OCTETS, signature), unsigned,
    )  # fmt: skip
    signed = value(
        SEQUENCE, number(1), value(SET, digest_algorithm), value(SEQUENCE, cms.ContentType("data").dump()),
        value(FIRST, certificate), value(SET, signer),
    )  # fmt: skip
    return value(SEQUENCE, cms.ContentType("signed_data").dump(), value(FIRST, signed))


def parts_of(der: bytes) -> SealParts:
    """Certificate, signature and time-stamp inside a seal's CMS; everything else is compared, not read.

    Raises:
        BadSeal: not a CMS SignedData with one signer and one certificate.
    """
    try:
        content = cms.ContentInfo.load(der, strict=True)
        if content["content_type"].native != "signed_data":
            raise BadSeal("it is not a CMS signature.")  # noqa: TRY301 - said as what it is
        signed = content["content"]
        (signer,) = list(signed["signer_infos"])
        numbers = decode_dss_signature(bytes(signer["signature"].native))
        (certificate,) = [bytes(one.chosen.dump()) for one in signed["certificates"]]
        unsigned = signer["unsigned_attrs"]
        tokens = [] if isinstance(unsigned, core.Void) else [_token(one) for one in unsigned]
        (token,) = tokens or (None,)
    except BadSeal:
        raise
    except Exception as error:  # asn1crypto raises what its parsers meet: ValueError, TypeError, KeyError, ...
        raise BadSeal("it is not a CMS signature of exactly one signer.") from error
    return SealParts(certificate, bytes(encode_dss_signature(*numbers)), token)


def _token(attribute: cms.CMSAttribute) -> bytes:
    if attribute["type"].native != _STAMP or len(attribute["values"]) != 1:
        raise BadSeal("something stands in it that is neither signed nor one time-stamp.")
    return bytes(attribute["values"][0].dump())


def der_length(data: bytes) -> int:
    """Length of the DER value that `data` starts with, header included. Raises `BadSeal`."""
    if len(data) < 4 or data[0] != core.Sequence.tag + 0x20:
        raise BadSeal("it is not a CMS signature.")
    first = data[1]
    if first < 0x80:
        return 2 + first
    count = first & 0x7F
    if not 1 <= count <= 3:
        raise BadSeal("it is not a CMS signature.")
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")
