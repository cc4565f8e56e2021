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

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from . import cms
from .canonical import MAX_BYTES
from .errors import BadSeal, MalformedDocument
from .keys import is_low_s

MAX_PDF = 64 * 1024 * 1024
"""Largest PDF read, in bytes."""
_RANGE = re.compile(rb"/ByteRange \[(\d{1,10}) (\d{1,10}) (\d{1,10}) (\d{1,10})\]")
_HEX = re.compile(rb"[0-9a-f]*")
_EMBEDDED = re.compile(
    rb"/Type /EmbeddedFile[^\x00-\x1f\x80-\xff]{0,400}?/Filter /FlateDecode/Length (\d{1,9})>>\nstream\n"
)
_ANY_EMBEDDED = re.compile(rb"/EmbeddedFile(?!s)")


def looks_like_pdf(data: bytes) -> bool:
    """Whether the bytes begin as a PDF does."""
    return data[:5] == b"%PDF-"


def check_seal(data: bytes, certificate: bytes) -> str:
    """Check that exactly this file was sealed under exactly this certificate (DER).

    Returns:
        What was found, in words.

    Raises:
        BadSeal: anything is missing, left over, altered, or by somebody else.
    """
    covered, value = _split(data)
    size = cms.der_length(value)
    if size > len(value):
        raise BadSeal("its value is cut off.")
    der, padding = value[:size], value[size:]
    if padding.strip(b"\0"):
        raise BadSeal("something is hidden behind its value.")
    signature = cms.signature_of(der)
    digest = hashlib.sha256(covered).digest()
    if cms.build(certificate, digest, signature) != der:
        raise BadSeal("the file was altered after it was sealed, or it was sealed under another certificate.")
    if not is_low_s(signature):
        raise BadSeal("its signature is not in its one accepted form.")
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise BadSeal("the pinned certificate is not for a P-256 key.")
        key.verify(signature, cms.to_be_signed(certificate, digest), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError) as error:
        raise BadSeal("its signature does not fit the file.") from error
    return f"One seal over all {len(data):,} bytes, under the pinned certificate."


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The bytes a seal covers, and the seal's value."""
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
    return data[:first] + data[second:], bytes.fromhex(digits.decode("ascii"))


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
