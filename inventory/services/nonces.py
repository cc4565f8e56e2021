"""Request nonces: each is good once for its key."""

from __future__ import annotations

from datetime import datetime

from .context import Context


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
    raise NotImplementedError
