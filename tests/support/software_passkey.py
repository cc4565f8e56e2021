"""An authenticator in software: makes credentials and answers challenges as a real one does, or wrongly in one chosen way."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.webauthn import AttestedCredentialData

from reports.canonical import from_base64, sha256_hex, to_base64
from reports.passkeys import assertion_bytes, passkey_document

UP, UV, BE, AT = 0x01, 0x04, 0x08, 0x40
_Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def _web(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SoftwarePasskey:
    """One credential of one authenticator."""

    rp_id: str
    origin: str
    key: _Private = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 0
    """0: it keeps none."""

    def make(self, options: dict[str, Any], **wrong: Any) -> dict[str, str]:  # noqa: ANN401 - what to do wrong
        """What `navigator.credentials.create` gives."""
        public = self.key.public_key()
        cose: CoseKey = CoseKey.for_alg(self.algorithm).from_cryptography_key(public)
        credential = AttestedCredentialData.create(bytes(16), self.credential_id, cose)
        data = self._authenticator_data(wrong, AT, bytes(credential))
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", options["challenge"], wrong)
        return {"client_data": to_base64(client), "attestation": to_base64(attestation)}

    def ask(self, options: dict[str, Any], **wrong: Any) -> dict[str, str]:  # noqa: ANN401 - what to do wrong
        """What `navigator.credentials.get` gives."""
        if self.counter:
            self.counter += 1
        data = self._authenticator_data(wrong, 0, b"")
        client = self._client_data("webauthn.get", options["challenge"], wrong)
        return {
            "credential_id": to_base64(wrong.get("credential_id", self.credential_id)),
            "client_data": to_base64(client),
            "authenticator_data": to_base64(data),
            "signature": to_base64(self.sign(data + hashlib.sha256(client).digest())),
        }

    @property
    def algorithm(self) -> int:
        """The COSE number."""
        kinds: dict[type, Any] = {
            ec.EllipticCurvePrivateKey: ES256,
            ed25519.Ed25519PrivateKey: EdDSA,
            rsa.RSAPrivateKey: RS256,
        }
        found: int = next(cose.ALGORITHM for kind, cose in kinds.items() if isinstance(self.key, kind))
        return found

    def sign(self, message: bytes) -> bytes:
        """By the key's own algorithm."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(message)

    def _authenticator_data(self, wrong: dict[str, Any], more: int, tail: bytes) -> bytes:
        flags = wrong.get("flags", UP | UV | BE) | more
        counter = wrong.get("counter", self.counter)
        rp_id = str(wrong.get("rp_id", self.rp_id))
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + int(counter).to_bytes(4, "big") + tail

    def _client_data(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("type", kind),
            "challenge": _web(wrong.get("challenge", from_base64(challenge))),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
            **wrong.get("said", {}),
        }
        return json.dumps(said).encode()


@dataclass
class PasskeySigner:
    """A passkey in the place of a key file: signs envelopes, or in one chosen way wrongly."""

    passkey: SoftwarePasskey = field(
        default_factory=lambda: SoftwarePasskey("sanitrail.example.org", "https://sanitrail.example.org")
    )
    wrong: dict[str, Any] = field(default_factory=dict)

    @property
    def key_id(self) -> str:
        """Of the document."""
        return sha256_hex(self.public_key_der)

    @property
    def public_key_der(self) -> bytes:
        """The document that enrols it."""
        spki = self.passkey.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return passkey_document(spki, self.passkey.rp_id, (self.passkey.origin,))

    def sign(self, message: bytes) -> bytes:
        """An assertion whose challenge is the message's digest."""
        options = {"challenge": to_base64(hashlib.sha256(message).digest())}
        answer = self.passkey.ask(options, **self.wrong)
        parts = (from_base64(answer[name]) for name in ("authenticator_data", "client_data", "signature"))
        return assertion_bytes(*parts)
