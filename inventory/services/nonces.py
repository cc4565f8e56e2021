"""Request nonces: each is good once for its key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from inventory.errors import Replayed
from inventory.models import Nonce

from .context import Context

REMEMBERED: Final = timedelta(minutes=10)


def spend(context: Context, key_id: str, nonce: str, created: datetime) -> None:
    """Spend a nonce of a verified request signature.

    Args:
        context: the open inventory.
        key_id: the key that signed.
        nonce: as signed.
        created: as signed; the nonce is remembered for ten minutes beyond it, longer than any signature is accepted.

    Raises:
        Replayed: it was spent before.
    """
    with context.writing() as session:
        if session.get(Nonce, (key_id, nonce)) is not None:
            raise Replayed("This signed request was received before.")
        session.add(Nonce(key_id=key_id, nonce=nonce, expires=created + REMEMBERED))
