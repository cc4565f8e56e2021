"""Who is behind a signed request of an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Request

from inventory.api.problems import ApiError
from inventory.contract.v1.agents import EnrolmentRequest
from inventory.domain.vocabulary import HostState
from inventory.errors import AgentNotTrusted, NotSignedIn
from inventory.services import hosts, nonces
from inventory.services.context import Actor, Context
from reports.canonical import from_base64, sha256_hex
from reports.errors import MalformedDocument
from reports.keys import load_public_key

from .signatures import PublicKey, SignatureRefused, SignedMessage, VerifiedSignature, verify
from .web import own_url


def _message(request: Request, body: bytes) -> SignedMessage:
    """The request as the service knows it; its host has been checked against the names the service is known by."""
    return SignedMessage(method=request.method, url=own_url(), headers=dict(request.headers), body=body)


def _public_key(der: bytes) -> PublicKey | None:
    try:
        return load_public_key(der).key
    except MalformedDocument:
        return None


_KEYS_KEPT: Final = 50_000


class _KnownKeys:
    """Keys by their digest, read once: an agent asks again and again. What a key may do is never kept. Thread-safe."""

    def __init__(self) -> None:
        self._keys: dict[str, PublicKey] = {}

    def get(self, key_id: str) -> PublicKey | None:
        """A key that was read before."""
        return self._keys.get(key_id)

    def read(self, key_id: str, der: bytes) -> PublicKey | None:
        """Read a key; it is kept only under the digest of its own bytes, so that it can stand for no other."""
        key = _public_key(der)
        if key is not None and sha256_hex(der) == key_id:
            if len(self._keys) >= _KEYS_KEPT:
                self._keys = {}
            self._keys[key_id] = key
        return key


_known: Final = _KnownKeys()


class _EnrolledKeys:
    """Finds enrolled keys, and remembers where it found none: that is another refusal than a bad signature."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._asked = ""
        self.missing = False

    def __call__(self, key_id: str, /) -> PublicKey | None:
        self._asked = key_id
        return _known.get(key_id) or self._look_up(key_id)

    def are_gone(self) -> bool:
        """Whether nobody may sign with the key that was asked for."""
        if self._asked and not self.missing:
            self._look_up(self._asked)
        return self.missing

    def _look_up(self, key_id: str) -> PublicKey | None:
        found = hosts.agent_key(self._context, key_id)
        if found is None or found.state is HostState.REVOKED:
            self.missing = True
            return None
        return _known.read(key_id, found.public_key_der)


ADMITTED: Final = "sanitrail.admitted"
"""Where the server's environment of a request holds its `Admitted`; no header can be called so."""


@dataclass(frozen=True)
class Admitted:
    """A request whose signature was verified and whose nonce was spent before it came here (`api.quick`)."""

    signature: VerifiedSignature
    owner: nonces.Owner


def known_key(key_id: str) -> PublicKey | None:
    """A key that was read before; whether it counts is asked each time."""
    return _known.get(key_id)


def authenticate(context: Context, request: Request, body: bytes, *, pending: bool = False) -> Actor:
    """The agent behind this request; its nonce is spent whatever happens afterwards.

    Args:
        context: The open inventory.
        request: The request.
        body: Its whole body.
        pending: Whether an agent whose key nobody has confirmed yet may pass.

    Raises:
        NotSignedIn: No key with this id, or a revoked one.
        ApiError: `signature-refused`.
        Replayed: This very request was received before.
        AgentNotTrusted: The key is pending or rejected.
    """
    admitted = request.environ.get(ADMITTED) or _admit(context, request, body)
    signature, owner = admitted.signature, admitted.owner
    if owner is None or owner[1] is HostState.REVOKED:
        raise NotSignedIn("key")
    host, state = owner
    if state is not HostState.CONFIRMED and not pending:
        raise AgentNotTrusted(signature.key_id, str(state))
    return Actor(host, "agent", key_id=signature.key_id)


def _admit(context: Context, request: Request, body: bytes) -> Admitted:
    keys = _EnrolledKeys(context)
    try:
        signature = verify(_message(request, body), keys, context.now)
    except SignatureRefused as error:
        if keys.are_gone():
            raise NotSignedIn("key") from None
        raise ApiError("signature-refused", detail=error.reason) from None
    return Admitted(signature, nonces.spend(context, signature.key_id, signature.nonce, signature.created))


def authenticate_newcomer(context: Context, request: Request, body: bytes, message: EnrolmentRequest) -> str:
    """The key id of an agent that introduces itself: the request must be signed by the key it carries.

    Raises:
        ApiError: `signature-refused`.
        Replayed: This very request was received before.
    """
    try:
        der = from_base64(message.public_key)
    except MalformedDocument:
        raise ApiError("signature-refused", detail="The key in the message is not standard base64.") from None
    key = _public_key(der)
    if key is None:
        raise ApiError(
            "signature-refused", detail="The key in the message is neither an Ed25519 nor a P-256 public key."
        )
    try:
        signature = verify(_message(request, body), {sha256_hex(der): key}.get, context.now)
    except SignatureRefused as error:
        raise ApiError("signature-refused", detail=error.reason) from None
    nonces.spend(context, signature.key_id, signature.nonce, signature.created)
    return signature.key_id
