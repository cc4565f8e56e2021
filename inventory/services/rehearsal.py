"""Doing something without keeping it: the very use case, with every guard and every constraint, rolled back at its end.

What a preview says is then what the act would say, because it is the act. It holds for use cases whose whole effect is one
transaction: no file is written, nothing is sent, and the log does not grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from .context import Actor, Context


class _NotKeptError(Exception):
    """Ends a transaction that is only rehearsed."""


class _Rehearsal(Context):
    """The open inventory, which forgets whatever is written into it."""

    @contextmanager
    def writing(self, actor: Actor | None = None) -> Iterator[Session]:
        """The one transaction of a use case: everything is checked as at its end, and nothing is kept."""
        with super().writing(actor) as session:
            yield session
            session.flush()
            raise _NotKeptError


def rehearse(context: Context, act: Callable[[Context], object]) -> None:
    """Do it in vain. Raises what it would raise."""
    inside = _Rehearsal(
        database=context.database,
        clock=context.clock,
        settings=context.settings,
        secrets=context.secrets,
        ledger=context.ledger,
    )
    try:
        act(inside)
    except _NotKeptError:
        return
