"""DSSE v1 envelopes: who said these bytes.

The signature covers the pre-authentication encoding of type and payload (DSSE protocol, v1.0.2). The stored payload
bytes are what is verified; nothing is re-serialized before checking. The algorithm follows from the trusted key,
never from the message, and each place accepts exactly one kind, so that a statement of one kind can never stand for
another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias, get_args

from .canonical import canonical, digest_of, from_base64, is_sha256, parse_strict, sha256_hex, to_base64
from .errors import BadSignature, MalformedDocument, UnknownKey

Kind = Literal[
    "sanitization-record",
    "order",
    "approval",
    "roster",
    "acceptance",
    "validation",
    "certificate",
    "key-event",
    "trust-root",
    "statement",
    "personal-signature",
    "custody",
    "correction",
    "reading-order",
    "reading",
    "hold-answer",
    "halt",
    "job-bundle",
    "return-bundle",
]
"""What an envelope may be; part of the signed bytes."""

KINDS: frozenset[str] = frozenset(get_args(Kind))
MAX_SIGNATURES = 16
MAX_PAYLOAD = 1024 * 1024
"""Largest payload in bytes."""

Envelope: TypeAlias = dict[str, Any]
"""`{"payloadType": str, "payload": base64, "signatures": [{"keyid": sha256 hex, "sig": base64}]}`"""


class Signer(Protocol):
    """Something that signs with one private key, wherever that key lives (file now; TPM and PKCS#11 fit the same shape)."""

    @property
    def key_id(self) -> str:
        """SHA-256, hexadecimal, of the DER SubjectPublicKeyInfo."""

    @property
    def public_key_der(self) -> bytes:
        """DER SubjectPublicKeyInfo."""

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, or ECDSA P-256 with SHA-256 in DER."""


class PublicKey(Protocol):
    """A key that verifies by the one algorithm it is for."""

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's over `message`."""


def payload_type(kind: Kind) -> str:
    """The media type that stands in the envelope and under its signature."""
    if kind not in KINDS:
        raise ValueError(f"no such kind: {kind}")
    return f"application/vnd.sanitrail.{kind}.v1+json"


def pre_authentication_encoding(media_type: str, payload: bytes) -> bytes:
    """PAE of the DSSE protocol: the bytes that are signed."""
    name = media_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sign(kind: Kind, body: Mapping[str, Any], *signers: Signer) -> Envelope:
    """Sign the canonical bytes of `body` with every signer, in the order given."""
    return sign_payload(kind, canonical(dict(body)), *signers)


def sign_payload(kind: Kind, payload: bytes, *signers: Signer) -> Envelope:
    """Sign bytes as they are, for a payload that was serialized before (for example one that others have signed already)."""
    if not signers:
        raise ValueError("an envelope needs a signer")
    message = pre_authentication_encoding(payload_type(kind), payload)
    signatures = [{"keyid": signer.key_id, "sig": to_base64(signer.sign(message))} for signer in signers]
    return {"payloadType": payload_type(kind), "payload": to_base64(payload), "signatures": signatures}


def add_signature(envelope: Mapping[str, Any], kind: Kind, signer: Signer) -> Envelope:
    """The envelope with one more signature over the same payload."""
    more = sign_payload(kind, payload_bytes(envelope, kind), signer)
    return {**more, "signatures": [*_signatures(envelope, kind), *more["signatures"]]}


def open_envelope(
    envelope: Mapping[str, Any], keys: Mapping[str, PublicKey], kind: Kind, *, exact: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Check the signatures and read the payload.

    Args:
        envelope: as received.
        keys: the trusted keys by key id.
        kind: the only kind accepted here.
        exact: refuse signatures by keys that are not in `keys`, instead of leaving them out of account.

    Returns:
        The payload, and the ids of the keys whose signatures are good (at least one, each once).

    Raises:
        MalformedDocument: not an envelope of this kind.
        UnknownKey: no key of `keys` signed it (with `exact`: somebody else signed it too).
        BadSignature: a key of `keys` is named, but its signature does not fit.
    """
    payload = payload_bytes(envelope, kind)
    message = pre_authentication_encoding(payload_type(kind), payload)
    good: list[str] = []
    for entry in _signatures(envelope, kind):
        key_id = entry["keyid"]
        key = keys.get(key_id)
        if key is None:
            if exact:
                raise UnknownKey(key_id)
            continue
        if not key.verify(from_base64(entry["sig"], f"{kind}.sig"), message):
            raise BadSignature(key_id, f"{kind}, key {key_id[:16]}….")
        good.append(key_id)
    if not good:
        raise UnknownKey("", f"No trusted key signed this {kind}.")
    body = parse_strict(payload, kind, max_bytes=MAX_PAYLOAD)
    if not isinstance(body, dict):
        raise MalformedDocument(kind, "the payload is not an object")
    return body, tuple(good)


def payload_bytes(envelope: Mapping[str, Any], kind: Kind | None = None) -> bytes:
    """The payload as signed. Raises `MalformedDocument` when this is not an envelope (of `kind`, where one is given)."""
    where = kind or "envelope"
    if not isinstance(envelope, Mapping) or set(envelope) != {"payloadType", "payload", "signatures"}:
        raise MalformedDocument(where, "not a DSSE envelope of exactly payloadType, payload and signatures")
    found = envelope["payloadType"]
    if kind is not None and found != payload_type(kind):
        raise MalformedDocument(where, f"payloadType is {str(found)[:80]!r}")
    payload = from_base64(envelope["payload"], f"{where}.payload")
    if len(payload) > MAX_PAYLOAD:
        raise MalformedDocument(where, f"payload larger than {MAX_PAYLOAD} bytes")
    return payload


def signer_ids(envelope: Mapping[str, Any]) -> tuple[str, ...]:
    """The key ids the envelope names. A name proves nothing: only `open_envelope` checks."""
    return tuple(entry["keyid"] for entry in _signatures(envelope, "envelope"))


def unverified_body(envelope: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The payload without any check of who signed it: for finding the keys to check it with, and for display of drafts."""
    body = parse_strict(payload_bytes(envelope, kind), kind, max_bytes=MAX_PAYLOAD)
    if not isinstance(body, dict):
        raise MalformedDocument(kind, "the payload is not an object")
    return body


def envelope_digest(envelope: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes of the whole envelope, signatures included: what the log and other statements refer to."""
    payload_bytes(envelope)
    return digest_of(dict(envelope))


def payload_digest(envelope: Mapping[str, Any]) -> str:
    """SHA-256 of the payload bytes: what an approval names, so that it holds whoever else signs the same payload."""
    return sha256_hex(payload_bytes(envelope))


def _signatures(envelope: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    entries = envelope.get("signatures")
    if not isinstance(entries, (list, tuple)) or not 1 <= len(entries) <= MAX_SIGNATURES:
        raise MalformedDocument(where, f"needs between 1 and {MAX_SIGNATURES} signatures")
    seen: set[str] = set()
    for entry in entries:
        if not isinstance(entry, Mapping) or set(entry) != {"keyid", "sig"} or not is_sha256(entry["keyid"]):
            raise MalformedDocument(where, "a signature is exactly keyid and sig")
        if entry["keyid"] in seen:
            raise MalformedDocument(where, "the same key signed twice")
        seen.add(entry["keyid"])
        from_base64(entry["sig"], f"{where}.sig")
    return [dict(entry) for entry in entries]
