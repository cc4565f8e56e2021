"""Request nonces: each is good once for its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from inventory.domain.vocabulary import HostState
from inventory.errors import Replayed
from inventory.models import Host, Nonce

from ._together import Together
from .context import Context

REMEMBERED: Final = timedelta(minutes=10)

_Spent = tuple[str, str, datetime]


def spend(context: Context, key_id: str, nonce: str, created: datetime) -> tuple[str, HostState] | None:
    """Spend a nonce of a verified request signature. Committed, with those of other requests, before anything is done.

    Args:
        context: the open inventory.
        key_id: the key that signed.
        nonce: as signed.
        created: as signed; the nonce is remembered for ten minutes beyond it, longer than any signature is accepted.

    Returns:
        The host whose key it is, and how that key stands at this moment; None where nobody has it.

    Raises:
        Replayed: it was spent before.
    """
    new, owner = _together.add(context.database, (key_id, nonce, created + REMEMBERED))
    if not new:
        raise Replayed("This signed request was received before.")
    return owner


def _write(session: Session, spent: Sequence[_Spent]) -> list[tuple[bool, tuple[str, HostState] | None]]:
    """Which of them are new, and whose keys they are.

    The table's key decides, whoever else writes; of two alike in one batch the first is new.
    """
    rows: dict[tuple[str, str], datetime] = {}
    for key_id, nonce, expires in spent:
        rows.setdefault((key_id, nonce), expires)
    kind = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = [
        {"key_id": key_id, "nonce": nonce, "expires": expires}
        for (key_id, nonce), expires in sorted(rows.items())  # in one order: two processes never wait for each other
    ]
    statement = kind.insert(Nonce).values(values).on_conflict_do_nothing().returning(Nonce.key_id, Nonce.nonce)
    new = {(key_id, nonce) for key_id, nonce in session.execute(statement)}
    owners = {
        key_id: (host, state)
        for key_id, host, state in session.execute(
            sa.select(Host.key_id, Host.id, Host.state).where(Host.key_id.in_(sorted({one[0] for one in spent})))
        )
    }
    found = []
    for key_id, nonce, _ in spent:
        found.append(((key_id, nonce) in new, owners.get(key_id)))
        new.discard((key_id, nonce))
    return found


_together: Final = Together(_write)
