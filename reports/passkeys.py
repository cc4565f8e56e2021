"""Approvals by passkey: a key that signs by W3C Web Authentication, and what makes one of its signatures good.

Such a key is a small document of its own: the public key, the domain it is bound to and the addresses it may be used from. Its
key id is the SHA-256 of that document, so whoever pins a roster, or compares a fingerprint, pins domain and addresses with it.

A signature is the authenticator's assertion: the data it signed, what the browser told it, and the signature itself. It is good
over a message only if the challenge the browser passed on is the SHA-256 of that message, the browser was at one of those
addresses, the authenticator meant this domain, and it had verified its user (PIN, finger or face). The counter proves nothing: a
synced passkey has none; it is in the signed data for whoever wants to look.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from .canonical import canonical, from_base64, parse_canonical, parse_strict, sha256_hex, to_base64
from .errors import MalformedDocument
from .keys import VerifyingKey, load_public_key

SCHEMA: Final = "sanitrail/passkey/1"
_PARTS: Final = {"schema", "origins", "rp_id", "spki"}
_SIGNATURE: Final = {"authenticator_data", "client_data", "signature"}
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_ORIGIN = re.compile(r"https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")
_ADDRESS = re.compile(r"[0-9.]+")
_MOST_ORIGINS: Final = 16
_LONGEST: Final = 16_384

_FIXED: Final = 37
"""Bytes of authenticator data before extensions: hash of the domain, flags, counter (Web Authentication, 6.1)."""
_PRESENT, _VERIFIED, _ATTESTED, _EXTENDED = 0x01, 0x04, 0x40, 0x80


@dataclass(frozen=True)
class PasskeyKey:
    """A passkey's public key, bound to a domain and to addresses; verifies assertions and nothing else."""

    document: bytes
    """Its canonical form: what rosters and key events hold in the place of a SubjectPublicKeyInfo."""
    rp_id: str
    origins: tuple[str, ...]
    inner: VerifyingKey
    """The authenticator's key. It never stands alone: its id is nobody's."""

    @property
    def spki(self) -> bytes:
        """What enrols this key: the document."""
        return self.document

    @property
    def key_id(self) -> str:
        """SHA-256, hexadecimal, of the document."""
        return sha256_hex(self.document)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is an assertion of this passkey's over `message`."""
        return self.objection(signature, message) is None

    def objection(self, signature: bytes, message: bytes) -> str | None:
        """Why an assertion does not count; None where it does."""
        try:
            parts = _parts(signature)
            said = parse_strict(parts["client_data"], "client data", max_bytes=_LONGEST)
        except MalformedDocument as error:
            return error.problem
        if not isinstance(said, dict):
            return "the client data is not an object"
        return (
            _wrong_client(said, hashlib.sha256(message).digest(), self.origins)
            or _wrong_authenticator(parts["authenticator_data"], self.rp_id)
            or self._wrong_signature(parts)
        )

    def _wrong_signature(self, parts: dict[str, bytes]) -> str | None:
        signed = parts["authenticator_data"] + hashlib.sha256(parts["client_data"]).digest()
        return None if self.inner.verify(parts["signature"], signed) else "the signature does not fit"


ApproverKey: TypeAlias = VerifyingKey | PasskeyKey
"""A person's key: one that signs the bytes themselves, or a passkey."""


def passkey_document(spki_der: bytes, rp_id: str, origins: tuple[str, ...]) -> bytes:
    """The document that enrols a passkey. Raises `MalformedDocument` where it could not be read back."""
    body = {"schema": SCHEMA, "spki": to_base64(spki_der), "rp_id": rp_id, "origins": sorted(set(origins))}
    document = canonical(body)
    load_approver_key(document)
    return document


@lru_cache(maxsize=1024)
def load_approver_key(data: bytes) -> ApproverKey:
    """Read a person's public key: a DER SubjectPublicKeyInfo, or a passkey's document.

    Raises:
        MalformedDocument: neither, or not in its one form.
    """
    if data[:1] != b"{":
        return load_public_key(data)
    body = parse_canonical(data, "passkey", max_bytes=_LONGEST)
    if not isinstance(body, dict) or set(body) != _PARTS or body["schema"] != SCHEMA:
        raise MalformedDocument("passkey", "not exactly schema, spki, rp_id and origins")
    rp_id, origins = body["rp_id"], body["origins"]
    if not isinstance(rp_id, str) or not _DOMAIN.fullmatch(rp_id) or _ADDRESS.fullmatch(rp_id):
        raise MalformedDocument("passkey.rp_id", "not a domain in small letters")
    if not isinstance(origins, list) or not 1 <= len(origins) <= _MOST_ORIGINS:
        raise MalformedDocument("passkey.origins", f"needs 1 to {_MOST_ORIGINS} addresses")
    if not all(isinstance(one, str) and _belongs(one, rp_id) for one in origins) or origins != sorted(set(origins)):
        raise MalformedDocument("passkey.origins", "not addresses of the domain, sorted, each once")
    inner = load_public_key(from_base64(body["spki"], "passkey.spki"))
    return PasskeyKey(data, rp_id, tuple(origins), inner)


def approver_keys(*blobs: bytes) -> dict[str, ApproverKey]:
    """People's public keys by key id, as `open_envelope` wants them."""
    keys = [load_approver_key(blob) for blob in blobs]
    return {key.key_id: key for key in keys}


def assertion_bytes(authenticator_data: bytes, client_data: bytes, signature: bytes) -> bytes:
    """An assertion as the signature of an envelope holds it."""
    return canonical(
        {
            "authenticator_data": to_base64(authenticator_data),
            "client_data": to_base64(client_data),
            "signature": to_base64(signature),
        }
    )


def counter_of(signature: bytes) -> int:
    """The counter an authenticator put into an assertion; recorded, never judged. Raises `MalformedDocument`."""
    data = _parts(signature)["authenticator_data"]
    if len(data) < _FIXED:
        raise MalformedDocument("assertion", "the authenticator's data is too short")
    return int.from_bytes(data[33:_FIXED], "big")


def _belongs(origin: str, rp_id: str) -> bool:
    """Whether an address is the domain's own or beneath it; without TLS only where a browser needs none (`localhost`)."""
    if not _ORIGIN.fullmatch(origin):
        return False
    host = origin.partition("://")[2].partition(":")[0]
    local = host == "localhost" or host.endswith(".localhost")
    return (host == rp_id or host.endswith(f".{rp_id}")) and (origin.startswith("https://") or local)


def _parts(signature: bytes) -> dict[str, bytes]:
    body = parse_canonical(signature, "assertion", max_bytes=2 * _LONGEST)
    if not isinstance(body, dict) or set(body) != _SIGNATURE:
        raise MalformedDocument("assertion", "not exactly authenticator_data, client_data and signature")
    return {name: from_base64(body[name], f"assertion.{name}") for name in _SIGNATURE}


def _wrong_client(said: dict[str, Any], challenge: bytes, origins: tuple[str, ...]) -> str | None:
    """What the browser said of itself (Web Authentication, 5.8.1); it may say more than we know of."""
    expected = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode("ascii")
    if said.get("type") != "webauthn.get":
        return "it was not made to sign something"
    if said.get("challenge") != expected:
        return "it signs something else"
    if said.get("origin") not in origins:
        return "it was made at an address that is not ours"
    if said.get("crossOrigin", False) is not False or "topOrigin" in said:
        return "it was made inside another site's page"
    return None


def _wrong_authenticator(data: bytes, rp_id: str) -> str | None:
    """What the authenticator said (Web Authentication, 6.1)."""
    if len(data) < _FIXED or data[:32] != hashlib.sha256(rp_id.encode("ascii")).digest():
        return "it was made for another domain"
    flags = data[32]
    if not flags & _PRESENT or not flags & _VERIFIED:
        return "the authenticator had not verified its user"
    if flags & _ATTESTED or bool(flags & _EXTENDED) != (len(data) > _FIXED):
        return "the authenticator's data has a shape of its own"
    return None
