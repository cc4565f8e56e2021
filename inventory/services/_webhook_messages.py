"""What a webhook's message says and how it is signed (Standard Webhooks 1.0).

The signature is over `id.timestamp.body`. A receiver checks it, refuses a timestamp more than five minutes off, and remembers ids
it has seen: a message may come twice, and later than one about a later event.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from inventory.clock import rfc3339
from inventory.domain.webhooks import Algorithm
from inventory.models import Event, Webhook
from reports.envelope import Signer

from .context import Context

SIGNER = "webhook"
"""Name of the service's own key for webhooks."""
PREFIX = "whsec_"
_RAW_PUBLIC_BYTES = 32


def new_secret() -> tuple[str, bytes]:
    """256 random bits, as the receiver is shown them and as they sign."""
    raw = secrets.token_bytes(32)
    return PREFIX + base64.b64encode(raw).decode(), raw


def secret_id(raw: bytes) -> str:
    """Names a secret without telling it."""
    return hashlib.sha256(b"sanitrail webhook secret\x00" + raw).hexdigest()


def own_signer(context: Context) -> Signer:
    """The service's own Ed25519 key for webhooks, made when it is first wanted."""
    return context.secrets.create_signer(SIGNER)


def public_key(signer: Signer) -> str:
    """The 32 bytes a receiver needs, base64. The DER form ends with them (RFC 8410)."""
    return base64.b64encode(signer.public_key_der[-_RAW_PUBLIC_BYTES:]).decode()


def message_id(webhook: str, event: int) -> str:
    """The same for every attempt at telling one webhook of one event."""
    return f"msg_{webhook}_{event}"


def body_of(webhook: Webhook, event: Event) -> bytes:
    """What is told. People are pseudonyms; reason and details only where the webhook asks for them."""
    said: dict[str, object] = {
        "schema": "sanitrail/webhook/1",
        "type": event.tag,
        "timestamp": rfc3339(event.at),
        "event": event.id,
        "subject": {"kind": event.subject_kind, "id": event.subject},
        "device": event.device_id,
        "host": event.host_id,
        "order": event.order_id,
        "actor": event.actor,
        "evidence": list(event.evidence),
    }
    if webhook.full:
        said |= {"reason": event.reason, "details": event.details}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def keys_of(session: Session, context: Context, webhook: Webhook) -> tuple[bytes, ...]:
    """The secrets that sign now, the newest first; none where the service's own key does."""
    del session
    if webhook.secret is None:
        return ()
    box = context.secrets.webhooks
    found = [box.open(webhook.secret, webhook.id)]
    if webhook.old_secret is not None and webhook.old_until is not None and context.now() < webhook.old_until:
        found.append(box.open(webhook.old_secret, f"{webhook.id} before"))
    return tuple(found)


def headers(
    algorithm: Algorithm,
    key_id: str,
    message: str,
    now: datetime,
    body: bytes,
    keys: Sequence[bytes],
    signer: Signer | None,
) -> dict[str, str]:
    """What stands beside the body."""
    stamp = str(int(now.timestamp()))
    signed = b".".join((message.encode(), stamp.encode(), body))
    if algorithm is Algorithm.ED25519:
        if signer is None:
            raise RuntimeError("a message that the service signs needs its key")
        signatures = ["v1a," + base64.b64encode(signer.sign(signed)).decode()]
    else:
        signatures = ["v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "Content-Type": "application/json",
        "User-Agent": "sanitrail-webhook/1",
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
        "webhook-key-id": key_id,
    }
