"""Who is behind a signed request of an agent."""

from __future__ import annotations

from flask import Request

from inventory.api.problems import ApiError
from inventory.contract.v1.agents import EnrolmentRequest
from inventory.domain.vocabulary import HostState
from inventory.errors import NotSignedIn
from inventory.services import hosts, nonces
from inventory.services.context import Actor, Context
from reports.canonical import from_base64, sha256_hex
from reports.errors import MalformedDocument
from reports.keys import load_public_key

from .signatures import PublicKey, SignatureRefused, SignedMessage, verify
from .web import own_url


def _message(request: Request, body: bytes) -> SignedMessage:
    """The request as the service knows it; its host has been checked against the names the service is known by."""
    return SignedMessage(method=request.method, url=own_url(), headers=dict(request.headers), body=body)


def _public_key(der: bytes) -> PublicKey | None:
    try:
        return load_public_key(der).key
    except MalformedDocument:
        return None


class _EnrolledKeys:
    """Finds enrolled keys, and remembers where it found none: that is another refusal than a bad signature."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.missing = False

    def __call__(self, key_id: str, /) -> PublicKey | None:
        found = hosts.agent_key(self._context, key_id)
        if found is None or found.state is HostState.REVOKED:
            self.missing = True
            return None
        return _public_key(found.public_key_der)


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
    keys = _EnrolledKeys(context)
    try:
        signature = verify(_message(request, body), keys, context.now)
    except SignatureRefused as error:
        if keys.missing:
            raise NotSignedIn("key") from None
        raise ApiError("signature-refused", detail=error.reason) from None
    nonces.spend(context, signature.key_id, signature.nonce, signature.created)
    find = hosts.pending_actor_for_key if pending else hosts.actor_for_key
    return find(context, signature.key_id)


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
