"""Requests signed as an agent signs them, and every way of getting that wrong."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from inventory.auth.signatures import COVERED, COVERED_WITH_BODY, TAG
from reports.keys import key_id


@dataclass
class Outgoing:
    """A request on its way."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class AgentKey:
    """An agent's key that signs requests."""

    def __init__(self) -> None:
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.public_der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key_id = key_id(self.public_der)

    def sign(
        self,
        request: Outgoing,
        *,
        created: dt.datetime,
        nonce: str | None = None,
        tag: str | None = TAG,
        covered: Sequence[str] | None = None,
        expires: dt.datetime | None = None,
        name: str | None = None,
    ) -> Outgoing:
        """Signs in place; whatever is given replaces what an honest agent would say."""
        has_body = bool(request.body) or "content-type" in request.headers
        names = covered if covered is not None else COVERED_WITH_BODY if has_body else COVERED
        key = name or self.key_id
        signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519,
            key_resolver=MappingKeyResolver(public_keys={}, private_keys={key: self.private}),
        )
        extra: dict[str, Any] = {} if tag is None else {"tag": tag}
        if "content-digest" in names:
            extra["body"] = request.body
        signer.sign(
            request,
            key_id=key,
            created=created,
            expires=expires,
            nonce=secrets.token_hex(12) if nonce is None else nonce,
            covered_component_ids=tuple(names),
            **extra,
        )
        return request


Clock = Callable[[], dt.datetime]
