"""Requests signed by agents: HTTP Message Signatures (RFC 9421) over the whole request, Ed25519 or, from a TPM, P-256.

What a signature must cover, how old it may be and which tag it must carry are decided here and nowhere else. A valid
signature says which key sent these bytes to this address; whether that key may do so, and whether the nonce is fresh,
is for `inventory.auth.agents`.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature as DoesNotFit
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException

TAG = "sanitrail-agent-1"
"""Separates these signatures from every other use of an agent's key (RFC 9421, 2.3 `tag`)."""

SKEW = dt.timedelta(seconds=60)
"""How far `created` may lie from the service's clock, in either direction."""

COVERED = ("@method", "@authority", "@target-uri")
COVERED_WITH_BODY = (*COVERED, "content-type", "content-digest")

_NONCE = re.compile(r"[A-Za-z0-9+/=_-]{16,64}")
"""At least 96 bits, in hexadecimal or base64."""


class SignatureRefused(Exception):
    """The request's signature was not accepted.

    Attributes:
        reason: One of the fixed sentences below; never bytes of the request.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class SignedMessage:
    """The parts of a request a signature may cover, as this service sees them.

    `url` is the address the service is known by, so that a message made for another service fails here.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class VerifiedSignature:
    """What a valid signature proves: this key, this nonce, created then."""

    key_id: str
    nonce: str
    created: dt.datetime


PublicKey = Ed25519PublicKey | EllipticCurvePublicKey
_ALGORITHMS: tuple[tuple[type[algorithms.HTTPSignatureAlgorithm], type[PublicKey]], ...] = (
    (algorithms.ED25519, Ed25519PublicKey),
    (algorithms.ECDSA_P256_SHA256, EllipticCurvePublicKey),
)
"""Which algorithm a kind of key verifies by: the key decides, and what the message says must agree."""


class KeyLookup(Protocol):
    """Finds an agent's public key by its id (SHA-256 of the DER SubjectPublicKeyInfo)."""

    def __call__(self, key_id: str, /) -> PublicKey | None:
        """The key, or None where no such key may sign."""


class _Resolver(HTTPSignatureKeyResolver):
    def __init__(self, lookup: KeyLookup, kind: type[PublicKey]) -> None:
        self._lookup = lookup
        self._kind = kind

    def resolve_public_key(self, key_id: str) -> PublicKey | None:
        key = self._lookup(key_id)
        return key if isinstance(key, self._kind) else None


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with the service's own clock: its own reads the machine's."""

    def __init__(
        self,
        algorithm: type[algorithms.HTTPSignatureAlgorithm],
        resolver: _Resolver,
        now: dt.datetime,
    ) -> None:
        super().__init__(signature_algorithm=algorithm, key_resolver=resolver)
        self._now = now

    def validate_created_and_expires(self, sig_input: Any, max_age: dt.timedelta | None = None) -> None:  # noqa: ANN401, ARG002 - the library's signature
        """Replaces the base class's check: refuses what lies outside the window around the service's clock."""
        if abs(_moment(sig_input.params.get("created")) - self._now) > SKEW:
            raise InvalidSignature("created lies outside the accepted window")
        if "expires" in sig_input.params and _moment(sig_input.params["expires"]) < self._now:
            raise InvalidSignature("expired")


def _moment(parameter: object) -> dt.datetime:
    """A structured-field integer of seconds as UTC; anything else is no time."""
    if type(parameter) is not int:
        raise InvalidSignature("a time must be an integer")
    try:
        return dt.datetime.fromtimestamp(parameter, tz=dt.UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidSignature("a time out of range") from error


def verify(message: SignedMessage, lookup: KeyLookup, now: Callable[[], dt.datetime]) -> VerifiedSignature:
    """Checks a request's signature.

    Args:
        message: The request. A message with a body, or with any content header, must cover `content-type` and
            `content-digest` too.
        lookup: Finds the key; asked with attacker-chosen text.
        now: The service's clock, UTC.

    Returns:
        The key and nonce; the caller still has to spend the nonce.

    Raises:
        SignatureRefused: Missing, malformed, stale, too early, wrong tag, too little covered, unknown key or a
            signature that does not fit these bytes.
    """
    names = {name.lower() for name in message.headers}
    if not {"signature", "signature-input"} <= names:
        raise SignatureRefused("The request carries no signature.")
    has_content = bool(message.body) or bool(names & {"content-type", "content-digest"})
    required = COVERED_WITH_BODY if has_content else COVERED
    verified = None
    for algorithm, kind in _ALGORITHMS:
        try:
            verified = _Verifier(algorithm, _Resolver(lookup, kind), now()).verify(
                message, expect_tag=TAG, require_components=required, body=message.body if has_content else None
            )
            break
        except HTTPMessageSignaturesException as error:
            problem = error
    if verified is None:
        raise SignatureRefused(
            "The request's signature is not valid for this request, this service and this time."
        ) from problem
    if len(verified) != 1:
        raise SignatureRefused("The request must carry exactly one signature with this service's tag.")
    parameters = verified[0].parameters
    nonce = parameters.get("nonce")
    if not isinstance(nonce, str) or _NONCE.fullmatch(nonce) is None:
        raise SignatureRefused("The signature carries no single-use nonce of at least 96 bits.")
    return VerifiedSignature(key_id=str(parameters["keyid"]), nonce=nonce, created=_moment(parameters["created"]))


_USUAL = re.compile(
    r"(?P<label>[a-z][a-z0-9]{0,31})="
    r'(?P<parameters>\("@method" "@authority" "@target-uri" "content-type" "content-digest"\)'
    r';created=(?P<created>[0-9]{10});keyid="(?P<key>[0-9a-f]{64})"(?:;alg="(?P<alg>[a-z0-9-]{1,32})")?'
    r';nonce="(?P<nonce>[A-Za-z0-9+/=_-]{16,64})";tag="' + TAG + '")'
)
"""How our agents write Signature-Input for a request with a body: parameters in one order, nothing else."""


@dataclass(frozen=True)
class UsualForm:
    """The signature headers of a request, each as it was sent."""

    signature_input: str
    signature: str
    content_digest: str


def verify_usual(
    form: UsualForm, authority: str, url: str, body: bytes, known: Callable[[str], PublicKey | None], now: dt.datetime
) -> VerifiedSignature | None:
    """As `verify`, without a library, for a POST of JSON that is signed exactly as our agents write it.

    Args:
        form: its signature headers.
        authority: of `url`.
        url: the address of ours it was made to.
        body: what was sent.
        known: finds a key that was read before.
        now: the service's time.

    Returns:
        What `verify` would; None for everything that is not, beyond doubt, as usual. `verify` then decides.
    """
    found = _USUAL.fullmatch(form.signature_input)
    if found is None:
        return None
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    before, after = f"{found['label']}=:", ":"
    key = known(found["key"])
    if (
        key is None
        or form.content_digest != digest
        or not (form.signature.startswith(before) and form.signature.endswith(after))
    ):
        return None
    algorithm = next(made for made, kind in _ALGORITHMS if isinstance(key, kind))
    created = dt.datetime.fromtimestamp(int(found["created"]), tz=dt.UTC)
    if found["alg"] not in {None, algorithm.algorithm_id} or abs(created - now) > SKEW:
        return None
    signed = (
        f'"@method": POST\n"@authority": {authority}\n"@target-uri": {url}\n"content-type": application/json\n'
        f'"content-digest": {digest}\n"@signature-params": {found["parameters"]}'
    )
    try:
        signature = binascii.a2b_base64(form.signature[len(before) : -len(after)], strict_mode=True)
        algorithm(public_key=key).verify(signature=signature, message=signed.encode())
    except (DoesNotFit, ValueError, HTTPMessageSignaturesException):
        return None
    return VerifiedSignature(key_id=found["key"], nonce=found["nonce"], created=created)
