"""Guesses are limited by rows in the database, so that all processes share one count; keys are digests, soon forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import TooManyAttempts
from inventory.models import SignInAttempt

from .context import Context
from .kernel import digest_of_secret

WINDOW: Final = timedelta(minutes=5)
CODE_WINDOW: Final = timedelta(minutes=15)
CODES_IN_WINDOW: Final = 5
"""A code has six digits and three of them count at any time: 480 guesses a day find it once in two years."""


def key(kind: str, value: str) -> str:
    """How a login name, an address or a person stands in the count."""
    return digest_of_secret(f"{kind}\x00{value}")


def limit(session: Session, context: Context, keys: Iterable[str], most: int, window: timedelta = WINDOW) -> None:
    """Raise `TooManyAttempts` where one of the keys has used up its window. Old attempts are forgotten on the way."""
    now = context.now()
    session.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now - max(WINDOW, CODE_WINDOW)))
    for one in keys:
        counted = (SignInAttempt.key_sha256 == one, SignInAttempt.at >= now - window)
        times = session.scalars(sa.select(SignInAttempt.at).where(*counted)).all()
        if len(times) >= most:
            wait = min(times) + window - now
            raise TooManyAttempts(max(1, int(wait.total_seconds())))


def count(session: Session, context: Context, keys: Iterable[str]) -> list[int]:
    """Note an attempt under each key. Returns the rows, for `forgive`."""
    rows = [SignInAttempt(key_sha256=one, at=context.now()) for one in keys]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def forgive(session: Session, forgotten: str, rows: Iterable[int] = ()) -> None:
    """It was the right person: forget every attempt under a key, and these rows."""
    session.execute(
        sa.delete(SignInAttempt).where(sa.or_(SignInAttempt.key_sha256 == forgotten, SignInAttempt.id.in_(list(rows))))
    )
