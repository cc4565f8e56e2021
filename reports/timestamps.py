"""RFC 3161 time-stamps: what an authority outside of us says was there at a time. Strict, offline, bare install.

A token has one accepted form: what the authority signed is kept to the byte, everything around it is written in the one way
`normal_form` writes it (no unsigned attribute, no revocation list, the certificates of the path and no other, the lower of two
possible ECDSA values). The check builds that form again and compares, so that no byte of a token is free.
What counts as an authority, its anchors and its policy, stands in the trust root. Pure; no clock, no network.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, ParamSpec, TypeVar

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .canonical import from_base64
from .der import FIRST, OCTETS, SEQUENCE, SET, number, set_of, value
from .errors import BadStamp, ReportError
from .timestamp_path import certification_path, load_certificate, may_stamp
from .trust_body import TimeAuthority

MAX_TOKEN: Final = 64 * 1024
"""Largest token read, in bytes; usual ones have 1.5 to 7 KiB."""
HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""The only digests that count, in the imprint, in the signature and in the certificates."""
_ORDERS: Final = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "secp521r1": int(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA"
        "51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}
_LEAST_RSA: Final = 2048
_LEAST_EXACT: Final = 86_400
"""Seconds."""
_PARTS: Final = ("millis", "micros")
_KNOWN_ATTRIBUTES: Final = {
    "content_type",
    "message_digest",
    "signing_certificate_v2",
    "signing_certificate",
    "signing_time",
    "cms_algorithm_protection",
}


_P = ParamSpec("_P")
_R = TypeVar("_R")


def _nothing_else_raised(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Lazy parsers raise what they meet, wherever they meet it: all of it means that this is no good token."""

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except ReportError:
            raise
        except Exception as error:  # ValueError, TypeError, KeyError, IndexError, struct.error, RecursionError, ...
            raise BadStamp("it is not a time-stamp token of exactly one signer.") from error

    return guarded


@dataclass(frozen=True)
class StampTime:
    """What a good stamp says."""

    authority: str
    time: datetime
    """genTime, UTC."""
    accuracy: timedelta
    """How far off the authority says it may be; zero where it says nothing."""
    serial: int

    @property
    def latest(self) -> datetime:
        """The stamped bytes existed by then at the latest."""
        return self.time + self.accuracy

    @property
    def earliest(self) -> datetime:
        """The token itself did not exist before."""
        return self.time - self.accuracy


@dataclass(frozen=True)
class _Token:
    """The parts of a token; everything else follows from them."""

    info: bytes
    """TSTInfo as signed."""
    attributes: tuple[bytes, ...]
    """Signed attributes as signed, in DER order."""
    digest: str
    """Name of the signature's digest."""
    signature: bytes
    certificates: tuple[bytes, ...]


@_nothing_else_raised
def check_stamp(token_der: bytes, message: bytes, authority: TimeAuthority) -> StampTime:
    """Check that an authority stamped exactly this message.

    Args:
        token_der: TimeStampToken, DER, in its one form.
        message: the bytes that were stamped.
        authority: as the trust root names it.

    Raises:
        BadStamp: it did not, or not in the form and with the certificates accepted here.
        MalformedDocument: the authority's own entry cannot be read.
    """
    token, info = _read(token_der)
    imprint = info["message_imprint"]
    if imprint["hashed_message"].native != _hash(_digest_name(imprint["hash_algorithm"]), message):
        raise BadStamp("it is over other bytes.")
    return _check(token_der, token, info, authority)


@_nothing_else_raised
def check_authentic(token_der: bytes, authority: TimeAuthority) -> StampTime:
    """As `check_stamp`, whatever it is over: for a token that itself stands in the log, and so was there before what follows."""
    token, info = _read(token_der)
    return _check(token_der, token, info, authority)


@_nothing_else_raised
def normal_form(token_der: bytes, authority: TimeAuthority) -> bytes:
    """The one form of a token, keeping every signed byte. Raises as `check_stamp`; what it returns is checked by that."""
    token, info = _read(token_der)
    path = _path(token, _gen_time(info), authority)
    return _build(token, path)


@_nothing_else_raised
def path_of(token_der: bytes, authority: TimeAuthority) -> tuple[bytes, ...]:
    """The certificates from the signer's up to the anchor, DER. Raises as `check_stamp`."""
    token, info = _read(token_der)
    moment = _gen_time(info)
    path, anchor = certification_path(_signer(token), token.certificates, _anchors(authority), moment)
    return path if anchor in path else (*path, anchor)


@_nothing_else_raised
def nonce_of(token_der: bytes) -> int | None:
    """The number that the request asked to be repeated (RFC 3161, 2.4.1). Raises `BadStamp`."""
    nonce = _read(token_der)[1]["nonce"].native
    return None if nonce is None else int(nonce)


def _check(token_der: bytes, token: _Token, info: Any, authority: TimeAuthority) -> StampTime:  # noqa: ANN401 - asn1crypto has no types
    moment = _gen_time(info)
    path = _path(token, moment, authority)
    if _build(token, path) != token_der:
        raise BadStamp("it is not in its one accepted form.")
    _check_info(info, authority, path[0])
    _check_attributes(token, path[0])
    _check_signature(token, path[0])
    return StampTime(authority.name, moment, _accuracy(info), int(info["serial_number"].native))


def _read(der: bytes) -> tuple[_Token, Any]:
    """Take a token apart; nothing is believed yet."""
    if len(der) > MAX_TOKEN:
        raise BadStamp(f"it is larger than {MAX_TOKEN} bytes.")
    content = cms.ContentInfo.load(der, strict=True)
    if content["content_type"].native != "signed_data":
        raise BadStamp("it is no CMS SignedData.")
    signed = content["content"]
    wrapped = signed["encap_content_info"]
    if wrapped["content_type"].native != "tst_info":
        raise BadStamp("it holds no TSTInfo (RFC 3161, 2.4.2).")
    octets = bytes(wrapped["content"])
    info = tsp.TSTInfo.load(octets, strict=True)
    (signer,) = list(signed["signer_infos"])
    attributes = tuple(sorted(bytes(one.dump()) for one in signer["signed_attrs"]))
    digest = _digest_name(signer["digest_algorithm"])
    certificates = tuple(bytes(one.chosen.dump()) for one in signed["certificates"])
    return _Token(octets, attributes, digest, bytes(signer["signature"].native), certificates), info


def _digest_name(algorithm: Any) -> str:  # noqa: ANN401 - asn1crypto has no types
    name = algorithm["algorithm"].native
    if name not in HASHES or algorithm["parameters"].native is not None:
        raise BadStamp(f"it rests on {str(name)[:40]}; only SHA-256, SHA-384 and SHA-512 count.")
    return str(name)


def _gen_time(info: Any) -> datetime:  # noqa: ANN401 - asn1crypto has no types
    moment = info["gen_time"].native
    if not isinstance(moment, datetime) or moment.tzinfo is None or not bytes(info["gen_time"].contents).endswith(b"Z"):
        raise BadStamp("its time is not in UTC (RFC 3161, 2.4.2).")
    return moment.astimezone(UTC)


def _accuracy(info: Any) -> timedelta:  # noqa: ANN401 - asn1crypto has no types
    said = {key: int(value or 0) for key, value in (info["accuracy"].native or {}).items()}
    if not 0 <= said.get("seconds", 0) <= _LEAST_EXACT or not all(0 <= said.get(key, 0) < 1000 for key in _PARTS):
        raise BadStamp("it does not know its own time to the day.")
    return timedelta(
        seconds=said.get("seconds", 0), milliseconds=said.get("millis", 0), microseconds=said.get("micros", 0)
    )


def _anchors(authority: TimeAuthority) -> tuple[bytes, ...]:
    return tuple(from_base64(one, f"time authority {authority.name}") for one in authority.certificates)


def _path(token: _Token, moment: datetime, authority: TimeAuthority) -> tuple[bytes, ...]:
    """The certificates that a token in its one form carries: the signer's, then up to the anchor, without it."""
    path, _ = certification_path(_signer(token), token.certificates, _anchors(authority), moment)
    return path


def _signer(token: _Token) -> bytes:
    """The certificate that the signed attributes name (ESSCertIDv2; RFC 5816)."""
    first = _attribute(token, "signing_certificate_v2")["certs"][0]
    digest, wanted = _digest_name(first["hash_algorithm"]), bytes(first["cert_hash"].native)
    found = [one for one in token.certificates if _hash(digest, one) == wanted]
    if len(found) != 1:
        raise BadStamp("it does not carry the certificate that it names as its signer's.")
    named = first["issuer_serial"]
    if named.native is not None:
        parsed = asn1_x509.Certificate.load(found[0])
        names = [name.chosen for name in named["issuer"] if name.name == "directory_name"]
        if named["serial_number"].native != parsed.serial_number or names != [parsed.issuer]:
            raise BadStamp("it names its signer's certificate in two ways that contradict each other.")
    return found[0]


def _hash(name: str, data: bytes) -> bytes:
    return hashlib.new(name, data).digest()


def _attribute(token: _Token, kind: str, *, optional: bool = False) -> Any:  # noqa: ANN401 - asn1crypto has no types
    """The one value of a signed attribute that stands there exactly once."""
    found = []
    for der in token.attributes:
        one = cms.CMSAttribute.load(der)
        if one["type"].native == kind:
            found.append(one)
    if optional and not found:
        return None
    if len(found) != 1 or len(found[0]["values"]) != 1:
        raise BadStamp(f"its signed attribute {kind.replace('_', '-')} is missing or stands there twice.")
    return found[0]["values"][0]


def _check_info(info: Any, authority: TimeAuthority, signer: bytes) -> None:  # noqa: ANN401 - asn1crypto has no types
    _digest_name(info["message_imprint"]["hash_algorithm"])
    if info["version"].native != "v1":
        raise BadStamp("its TSTInfo is not of version 1.")
    if authority.policy and info["policy"].dotted != authority.policy:
        raise BadStamp(f"it was made under the policy {info['policy'].dotted}, not under {authority.policy}.")
    if any(one["critical"].native for one in info["extensions"] or ()):
        raise BadStamp("it has a critical extension, and none is known here.")
    named = info["tsa"]
    if (
        named.native is not None
        and named.name == "directory_name"
        and named.chosen != asn1_x509.Certificate.load(signer).subject
    ):
        raise BadStamp("it names another authority than its signer (RFC 3161, 2.4.2).")


def _check_attributes(token: _Token, signer: bytes) -> None:
    kinds = [cms.CMSAttribute.load(der)["type"].native for der in token.attributes]
    if not set(kinds) <= _KNOWN_ATTRIBUTES or len(set(kinds)) != len(kinds):
        raise BadStamp("it has signed attributes that are not known here, or one twice.")
    if _attribute(token, "content_type").native != "tst_info":
        raise BadStamp("its signature is for another kind of content.")
    if bytes(_attribute(token, "message_digest").native) != _hash(token.digest, token.info):
        raise BadStamp("its signature is over another TSTInfo.")
    older = _attribute(token, "signing_certificate", optional=True)
    sha1 = hashlib.sha1(signer, usedforsecurity=False).digest()
    if older is not None and bytes(older["certs"][0]["cert_hash"].native) != sha1:
        raise BadStamp("it names two certificates as its signer's.")
    protected = _attribute(token, "cms_algorithm_protection", optional=True)
    if protected is not None and (
        protected["digest_algorithm"]["algorithm"].native != token.digest
        or protected["signature_algorithm"].native is None
    ):
        raise BadStamp("its protected algorithms are not those it uses (RFC 6211).")


def _check_signature(token: _Token, signer: bytes) -> None:
    certificate = load_certificate(signer)
    may_stamp(certificate)
    key, chosen = certificate.public_key(), HASHES[token.digest]
    message = core.SetOf(contents=b"".join(token.attributes), spec=cms.CMSAttribute).dump()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _ORDERS:
            key.verify(token.signature, message, ec.ECDSA(chosen))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA:
            key.verify(token.signature, message, padding.PKCS1v15(), chosen)
        else:
            raise BadStamp("its key is neither RSA of 2048 bits or more nor ECDSA on a NIST curve.")
    except (InvalidSignature, ValueError) as error:
        raise BadStamp("its signature does not fit.") from error


def _build(token: _Token, certificates: Sequence[bytes]) -> bytes:
    """The one form (RFC 5652, 5.1 and 5.3), given the certificates it carries, the signer's first."""
    signer = asn1_x509.Certificate.load(certificates[0])
    key = load_certificate(certificates[0]).public_key()
    elliptic = isinstance(key, ec.EllipticCurvePublicKey)
    signature = (
        _low_s(token.signature, key.curve.name) if isinstance(key, ec.EllipticCurvePublicKey) else token.signature
    )
    digest = algos.DigestAlgorithm({"algorithm": token.digest}).dump()
    algorithm = algos.SignedDigestAlgorithm({"algorithm": f"{token.digest}_{'ecdsa' if elliptic else 'rsa'}"})
    sid = value(SEQUENCE, signer.issuer.dump(), core.Integer(signer.serial_number).dump())
    signer_info = value(
        SEQUENCE, number(1), sid, digest, value(FIRST, set_of(*token.attributes)),
        algorithm.dump(), value(OCTETS, signature),
    )  # fmt: skip
    info = value(FIRST, value(OCTETS, token.info))
    signed = value(
        SEQUENCE, number(3), value(SET, digest),
        value(SEQUENCE, cms.ContentType("tst_info").dump(), info),
        value(FIRST, set_of(*certificates)), value(SET, signer_info),
    )  # fmt: skip
    return value(SEQUENCE, cms.ContentType("signed_data").dump(), value(FIRST, signed))


def _low_s(signature: bytes, curve: str) -> bytes:
    """Of the two values that fit an ECDSA signature, the lower."""
    order = _ORDERS.get(curve)
    if order is None:
        raise BadStamp("its key is on a curve that does not count here.")
    try:
        r, s = decode_dss_signature(signature)
    except ValueError as error:
        raise BadStamp("its signature is not in DER.") from error
    return bytes(encode_dss_signature(r, min(s, order - s)))
