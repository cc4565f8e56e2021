"""The strict check of a PDF's seal: every byte of the file is covered, or is compared with the only value it may have.

Foreign viewers accept a PDF whose signed part is intact and say little about the rest. This check demands more: one
signature, one byte range that leaves out nothing but its own value, that value in lower-case hexadecimal with zero padding,
and a CMS that equals the one built again from its signature. So any altered, added or removed byte fails. Pure; no PDF is
parsed here.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from . import cms
from .canonical import MAX_BYTES
from .errors import BadSeal, BadStamp, MalformedDocument
from .keys import is_low_s
from .sealkey import issued_by, load
from .times import for_people, format_instant
from .timestamps import StampTime, check_stamp
from .trust_body import TimeAuthority

MAX_PDF = 64 * 1024 * 1024
"""Largest PDF read, in bytes."""
_RANGE = re.compile(rb"/ByteRange \[(\d{1,10}) (\d{1,10}) (\d{1,10}) (\d{1,10})\]")
_HEX = re.compile(rb"[0-9a-f]*")
_EMBEDDED = re.compile(
    rb"/Type /EmbeddedFile[^\x00-\x1f\x80-\xff]{0,400}?/Filter /FlateDecode/Length (\d{1,9})>>\nstream\n"
)
_ANY_EMBEDDED = re.compile(rb"/EmbeddedFile(?!s)")
_STATED = re.compile(rb"/M \(D\\072(\d{14})Z\)")
"""The sealer's own time, as pyHanko writes it (`\\072` is the colon)."""
_EXTENSIONS: Final = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
}


@dataclass(frozen=True)
class FoundSeal:
    """A seal that holds."""

    certificate: bytes
    """DER, the one that sealed."""
    moment: datetime
    """When: by the time-stamp where there is one, by the sealer's own word otherwise. UTC."""
    stamp: StampTime | None
    token: bytes | None
    words: str


def looks_like_pdf(data: bytes) -> bool:
    """Whether the bytes begin as a PDF does."""
    return data[:5] == b"%PDF-"


def check_seal(data: bytes, certificate: bytes) -> str:
    """Check that exactly this file was sealed under exactly this certificate (DER), without a time-stamp.

    Returns:
        What was found, in words.

    Raises:
        BadSeal: anything is missing, left over, altered, or by somebody else.
    """
    covered, der = _split(data)
    _check_value(covered, der, cms.SealParts(certificate, cms.parts_of(der).signature, None))
    return f"One seal over all {len(data):,} bytes, under the pinned certificate."


def check_issued_seal(data: bytes, authority: bytes, time_authorities: Sequence[TimeAuthority]) -> FoundSeal:
    """Check that exactly this file was sealed under a certificate that the pinned authority issued.

    Args:
        data: the PDF.
        authority: certificate of the sealing authority, DER.
        time_authorities: whose signature time-stamps count.

    Raises:
        BadSeal: anything is missing, left over, altered, or by somebody else; or the certificate did not count.
    """
    covered, der = _split(data)
    parts = cms.parts_of(der)
    _check_value(covered, der, parts)
    stamp = None if parts.token is None else _check_token(parts.token, parts.signature, time_authorities)
    moment = _stated_time(data) if stamp is None else stamp.time
    _may_seal(parts.certificate, authority, moment)
    when = for_people(format_instant(moment))
    said = f"stamped {when} by {stamp.authority}" if stamp is not None else f"made {when} by its own word"
    words = f"One seal over all {len(data):,} bytes, under a certificate of the pinned authority; {said}."
    return FoundSeal(parts.certificate, moment, stamp, parts.token, words)


def _check_value(covered: bytes, der: bytes, parts: cms.SealParts) -> None:
    digest = hashlib.sha256(covered).digest()
    try:
        built = cms.build(parts.certificate, digest, parts.signature, parts.token)
    except Exception as error:  # asn1crypto raises what it meets in a certificate that is none
        raise BadSeal("its certificate cannot be read.") from error
    if built != der:
        raise BadSeal("the file was altered after it was sealed, or it was sealed under another certificate.")
    if not is_low_s(parts.signature):
        raise BadSeal("its signature is not in its one accepted form.")
    try:
        key = x509.load_der_x509_certificate(parts.certificate).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise BadSeal("its certificate is not for a P-256 key.")
        key.verify(parts.signature, cms.to_be_signed(parts.certificate, digest), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise BadSeal("its signature does not fit the file.") from error


def _check_token(token: bytes, signature: bytes, authorities: Sequence[TimeAuthority]) -> StampTime:
    """The stamp is over the signature's bytes (RFC 3161, appendix A), by any authority of the trust root."""
    problem = "the trust root names no time authority."
    for authority in authorities:
        try:
            return check_stamp(token, signature, authority)
        except BadStamp as error:
            problem = error.problem
    raise BadSeal(f"its time-stamp does not count: {problem}")


def _stated_time(data: bytes) -> datetime:
    found = _STATED.findall(data)
    if len(found) != 1:
        raise BadSeal("it does not state once when it was made.")
    try:
        return datetime.strptime(found[0].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSeal("it states no such moment.") from error


def _may_seal(certificate: bytes, authority: bytes, moment: datetime) -> None:
    try:
        parsed = load(certificate)
        issued_by(parsed, load(authority))
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (MalformedDocument, x509.ExtensionNotFound) as error:
        raise BadSeal(
            "its certificate was not issued, for sealing, by the authority that the trust root pins."
        ) from error
    if constraints.ca or not (usage.digital_signature and usage.content_commitment) or usage.key_cert_sign:
        raise BadSeal("its certificate is not for sealing.")
    if {one.oid for one in parsed.extensions} - _EXTENSIONS:
        raise BadSeal("its certificate has an extension that is not known here.")
    above = load(authority)
    for one in (parsed, above):
        if not one.not_valid_before_utc <= moment <= one.not_valid_after_utc:
            raise BadSeal("its certificate, or its authority's, was not valid when it was made.")


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The bytes a seal covers, and the seal's CMS."""
    if len(data) > MAX_PDF:
        raise BadSeal(f"the file is larger than {MAX_PDF} bytes.")
    found = list(_RANGE.finditer(data))
    if len(found) != 1 or data.count(b"/ByteRange") != 1:
        raise BadSeal("the file has not exactly one seal.")
    start, first, second, rest = (int(number) for number in found[0].groups())
    if start != 0 or not 0 < first < second or second + rest != len(data):
        raise BadSeal("it does not cover the whole file.")
    if any(len(text) > 1 and text.startswith(b"0") for text in found[0].groups()):
        raise BadSeal("its range is not in its one accepted form.")
    if data[first : first + 1] != b"<" or data[second - 1 : second] != b">":
        raise BadSeal("its range leaves out something else than its value.")
    digits = data[first + 1 : second - 1]
    if len(digits) % 2 or not _HEX.fullmatch(digits):
        raise BadSeal("its value is not lower-case hexadecimal.")
    value = bytes.fromhex(digits.decode("ascii"))
    size = cms.der_length(value)
    if size > len(value):
        raise BadSeal("its value is cut off.")
    if value[size:].strip(b"\0"):
        raise BadSeal("something is hidden behind its value.")
    return data[:first] + data[second:], value[:size]


def extract_evidence(data: bytes) -> bytes:
    """The one file embedded in the PDF, found without a PDF parser: hostile input costs linear time and bounded memory.

    What is found here counts for nothing until the seal has been checked under the certificate that it leads to.

    Raises:
        MalformedDocument: not exactly one embedded file, or it cannot be unpacked.
    """
    if len(data) > MAX_PDF:
        raise MalformedDocument("PDF", f"larger than {MAX_PDF} bytes")
    found = list(_EMBEDDED.finditer(data))
    if len(found) != 1 or len(_ANY_EMBEDDED.findall(data)) != 1:
        raise MalformedDocument("PDF", "has not exactly one file attached")
    start, length = found[0].end(), int(found[0][1])
    if data[start + length : start + length + 10] != b"\nendstream":
        raise MalformedDocument("PDF", "the attached file is cut off")
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data[start : start + length], MAX_BYTES + 1)
    except zlib.error as error:
        raise MalformedDocument("PDF", "the attached file cannot be unpacked") from error
    if len(content) > MAX_BYTES or not unpacker.eof or unpacker.unused_data:
        raise MalformedDocument("PDF", "the attached file is too large or does not end where it should")
    return content
