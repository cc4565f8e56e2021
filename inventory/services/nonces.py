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

_ONE: Final = (Nonce.key_id, Nonce.nonce)
_COLUMNS: Final = ("key_id", "nonce", "expires")
_INSERT: Final = (
    postgresql.insert(Nonce)
    .from_select(
        _COLUMNS,
        sa.select(
            sa.func.unnest(
                *(sa.bindparam(name, type_=postgresql.ARRAY(Nonce.__table__.c[name].type)) for name in _COLUMNS)
            )
            .table_valued(*_COLUMNS, name="told")
            .render_derived()
        ),
    )
    .on_conflict_do_nothing()
    .returning(*_ONE)
)
"""All at once, in one statement that is the same however many they are."""
_OWNERS: Final = sa.select(Host.key_id, Host.id, Host.state).where(
    Host.key_id.in_(sa.bindparam("keys", expanding=True))
)

REMEMBERED: Final = timedelta(minutes=10)

Spent = tuple[str, str, datetime]
"""Key, nonce, and until when it is remembered."""
Owner = tuple[str, HostState] | None
"""Whose key it is and how that key stands; None: nobody has it."""


def spend(context: Context, key_id: str, nonce: str, created: datetime) -> Owner:
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
        raise replayed()
    return owner


def replayed() -> Replayed:
    """The refusal of a nonce that was spent before."""
    return Replayed("This signed request was received before.")


def spend_all(session: Session, spent: Sequence[Spent]) -> list[tuple[bool, Owner]]:
    """Which of them are new, and whose keys they are; within somebody's transaction, which must commit before any is answered.

    The table's key decides, whoever else writes; of two alike in one batch the first is new.
    """
    rows: dict[tuple[str, str], datetime] = {}
    for key_id, nonce, expires in spent:
        rows.setdefault((key_id, nonce), expires)
    ordered = [(*one, rows[one]) for one in sorted(rows)]  # in one order: two processes never wait for each other
    if session.get_bind().dialect.name == "sqlite":
        told = [{"key_id": key_id, "nonce": nonce, "expires": expires} for key_id, nonce, expires in ordered]
        statement, given = sqlite.insert(Nonce).values(told).on_conflict_do_nothing().returning(*_ONE), {}
    else:
        statement, given = _INSERT, {name: [one[at] for one in ordered] for at, name in enumerate(_COLUMNS)}
    new = {(key_id, nonce) for key_id, nonce in session.connection().execute(statement, given)}
    owners = {
        key_id: (host, state)
        for key_id, host, state in session.connection().execute(_OWNERS, {"keys": sorted({one[0] for one in spent})})
    }
    found = []
    for key_id, nonce, _ in spent:
        found.append(((key_id, nonce) in new, owners.get(key_id)))
        new.discard((key_id, nonce))
    return found


_together: Final = Together(spend_all)
