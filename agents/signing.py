"""Signs requests to the service: HTTP Message Signatures (RFC 9421), over the whole request, with a nonce used once.

Covered are method, authority and target URI, and with a body its type and digest (RFC 9530), so that nothing on the
way can change what is asked or of whom. The `tag` keeps these signatures apart from everything else the same key
signs (records are DSSE envelopes).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import MutableMapping
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from http_message_signatures import HTTPMessageSigner, algorithms

from reports.envelope import Signer
from reports.keys import load_public_key

TAG = "sanitrail-agent-1"
COVERED = ("@method", "@authority", "@target-uri")
COVERED_WITH_BODY = (*COVERED, "content-type", "content-digest")
_NONCE_BYTES = 12


class Signable(Protocol):
    """A request as the library reads and writes it; those of HTTP libraries are of this form, too."""

    @property
    def method(self) -> str:
        """In capitals."""

    @property
    def url(self) -> object:
        """Whole; its text counts."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Each name once."""


def sign_request(request: Signable, body: bytes | None, signer: Signer, created: dt.datetime) -> None:
    """Add `Signature-Input` and `Signature` (and `Content-Digest` where there is a body) to the request.

    Args:
        request: Complete but for the signature.
        body: Its content, or None where it has none.
        signer: The agent's key, wherever it lives; its kind decides the algorithm.
        created: This host's time; the service accepts a minute to either side of its own.
    """
    elliptic = isinstance(load_public_key(signer.public_key_der).key, EllipticCurvePublicKey)
    algorithm = algorithms.ECDSA_P256_SHA256 if elliptic else algorithms.ED25519
    rfc9421 = HTTPMessageSigner(signature_algorithm=algorithm)
    prepared = rfc9421.prepare(
        request,
        key_id=signer.key_id,
        created=created,
        nonce=secrets.token_hex(_NONCE_BYTES),
        tag=TAG,
        covered_component_ids=COVERED if body is None else COVERED_WITH_BODY,
        body=body,
    )
    signature = signer.sign(prepared.signature_base)
    if elliptic:  # RFC 9421, 3.3.4: the two numbers side by side, not their DER form
        signature = algorithms.ECDSA_P256_SHA256.signature_from_der(signature)
    rfc9421.apply(request, prepared, signature)
