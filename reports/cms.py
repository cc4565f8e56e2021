"""The one form of a seal's CMS: built by the sealer, and built again by the checker to compare byte for byte.

PAdES B-B (ETSI EN 319 142-1): SignedData over a detached message, signed attributes content-type, message-digest and signing-
certificate-v2, one certificate, one signer, ECDSA P-256 with SHA-256. Nothing in it is left to choice except the signature,
so that no byte of it can be altered without being seen. Pure.
"""

from __future__ import annotations

import hashlib

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .errors import BadSeal

_ECDSA_SHA256 = {"algorithm": "sha256_ecdsa"}
_SHA256 = {"algorithm": "sha256"}


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


def build(certificate: bytes, message_sha256: bytes, signature: bytes) -> bytes:
    """The DER ContentInfo of a seal.

    Args:
        certificate: the signer's, DER.
        message_sha256: digest of everything the seal covers.
        signature: ECDSA signature in DER over `to_be_signed`.
    """
    parsed = asn1_x509.Certificate.load(certificate)
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": parsed.issuer, "serial_number": parsed.serial_number}
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm(_SHA256),
            "signed_attrs": signed_attributes(certificate, message_sha256),
            "signature_algorithm": algos.SignedDigestAlgorithm(_ECDSA_SHA256),
            "signature": signature,
        }
    )
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm(_SHA256)],
            "encap_content_info": {"content_type": "data"},
            "certificates": [parsed],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def signature_of(der: bytes) -> bytes:
    """The signature inside a seal's CMS, in its one DER encoding; everything else is compared, not read.

    Raises:
        BadSeal: not a CMS SignedData with one signer.
    """
    try:
        content = cms.ContentInfo.load(der, strict=True)
        kind = content["content_type"].native
        signers = content["content"]["signer_infos"] if kind == "signed_data" else ()
        found = [bytes(signer["signature"].native) for signer in signers]
        numbers = [decode_dss_signature(signature) for signature in found]
    except (
        Exception
    ) as error:  # asn1crypto raises what its parsers meet: ValueError, TypeError, KeyError, struct.error, ...
        raise BadSeal("it is not a CMS signature.") from error
    if len(numbers) != 1:
        raise BadSeal("it is not a CMS signature of exactly one signer.")
    return bytes(encode_dss_signature(*numbers[0]))


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
