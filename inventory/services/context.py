"""What every use case is given: the open inventory, and who is acting."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.clock import Clock
from inventory.db import Database
from inventory.domain.roles import Permission, Role, may, roles_with
from inventory.domain.scopes import NOTHING, Scope
from inventory.domain.signin import DANGEROUS, Standing
from inventory.errors import ConfirmationNeeded, Forbidden, SecondFactorNeeded
from inventory.ledger import Ledger
from inventory.secrets_store import SecretStore
from inventory.settings import Settings

T = TypeVar("T")

ActorKind = Literal["person", "agent", "system", "link"]
"""Who acts; `link` is somebody without an account, through the link of one hand-over."""


@dataclass(frozen=True)
class Actor:
    """Who acts. Made by `sessions.actor_for_session`, `sessions.actor_for_token`, `hosts.actor_for_key`, or `SYSTEM`."""

    ref: str
    """A person's pseudonym, a host's number, or `system`."""
    kind: ActorKind
    roles: frozenset[Role] = frozenset()
    key_id: str | None = None
    """The agent key that signed the request."""
    session_id: str | None = None
    """The browser session a person acts through."""
    standing: Standing = Standing.FULL
    """What that session is worth at present."""
    recent: bool = True
    """Whether the person has lately shown who they are. A token cannot: it has its own roles and end instead."""
    scope: Scope = NOTHING
    """How far a person sees; agents and the system are bound by other rules."""

    def may(self, permission: Permission) -> bool:
        """Whether one of the actor's roles grants it; agents and the system have no roles and are granted nothing by this."""
        return self.kind == "person" and self.standing is Standing.FULL and may(self.roles, permission)


SYSTEM = Actor("system", "system")
"""The service itself: upkeep and consequences. Never accepted where a person must decide."""


_VIEW: ContextVar[Session | None] = ContextVar("view", default=None)
"""What `together` opened."""


@dataclass(frozen=True)
class Context:
    """The open inventory. Made by `setup.open_inventory`; shared by all threads."""

    database: Database
    clock: Clock
    settings: Settings
    secrets: SecretStore
    ledger: Ledger

    def now(self) -> datetime:
        """The service's time, UTC."""
        return self.clock.now()

    @contextmanager
    def reading(self, actor: Actor | None = None) -> Iterator[Session]:
        """A consistent view that cannot write; for an actor, `kernel.find` finds only what they see."""
        open_view = _VIEW.get()
        if open_view is not None and open_view.info["context"] is self and open_view.info["actor"] == actor:
            yield open_view
            return
        with self.database.reading() as session:
            session.info["actor"] = actor
            yield session

    @contextmanager
    def together(self, actor: Actor) -> Iterator[None]:
        """Everything this actor reads within, in this thread, is one consistent view: the parts of a page agree.

        It saves a transaction for each part, and what was read once is known. Nothing is to be written within.
        """
        with self.reading(actor) as session:
            if "known" not in session.info:
                session.info["context"], session.info["known"] = self, {}
                # A session forgets what nobody holds: the next part would read the same rows again.
                seen: list[object] = []
                sa.event.listen(session, "loaded_as_persistent", lambda _, row: seen.append(row))
            before = _VIEW.set(session)
            try:
                yield
            finally:
                _VIEW.reset(before)

    @contextmanager
    def writing(self, actor: Actor | None = None) -> Iterator[Session]:
        """The one transaction of a use case: commits on leaving, rolls back on any exception; signs the log where it grew.

        For an actor, `kernel.find` finds only what they see.
        It signs with the keys of the trust root in force, also where another process has published a version meanwhile.
        """
        if _VIEW.get() is not None:
            raise RuntimeError("what is written would not be seen by the view that is open")
        with self.database.writing() as session:
            self.ledger.keyring.follow(session)
            session.info["actor"] = actor
            yield session


def once(session: Session, key: Hashable, find: Callable[[], T]) -> T:
    """What a view found before by this key, or what is found now.

    A view (`Context.together`) is one state of the database for one actor, so that the same question has the same answer.
    Elsewhere, and above all where something is written, it is asked each time.
    """
    known: dict[Hashable, T] | None = session.info.get("known")
    if known is None:
        return find()
    if key not in known:
        known[key] = find()
    return known[key]


def authorize(actor: Actor, permission: Permission, *, reading: bool = False) -> None:
    """Let the actor pass, or raise.

    Args:
        actor: who acts.
        permission: what for.
        reading: nothing is changed, so the person need not show again who they are.

    Raises:
        SecondFactorNeeded: the session is half signed in.
        Forbidden: none of the actor's roles grants the permission.
        ConfirmationNeeded: a dangerous act, and the person has not shown lately who they are.
    """
    require_full(actor)
    if not actor.may(permission):
        holders = ", ".join(sorted(str(role).replace("_", " ") for role in roles_with(permission))) or "nobody"
        raise Forbidden(str(permission), f"This needs the role {holders}; you do not hold it.")
    if not reading and permission in DANGEROUS:
        require_recent(actor)


def require_person(actor: Actor, *, setup: bool = False) -> None:
    """For acts on oneself that need no role, only a person.

    Args:
        actor: who acts.
        setup: also for a session that is there to set up a second factor.

    Raises:
        Forbidden: an agent or the system asked.
        SecondFactorNeeded: the session is half signed in.
    """
    if actor.kind != "person":
        raise Forbidden("self", "Only a person may do this.")
    if not (setup and actor.standing is Standing.SETUP):
        require_full(actor)


def require_session(actor: Actor) -> str:
    """The session somebody acts through. Raises `Forbidden` for a token, which changes nothing about how its owner signs in."""
    if actor.session_id is None:
        raise Forbidden("self", "Only in a session: a token changes nothing about how its owner signs in.")
    return actor.session_id


def require_full(actor: Actor) -> None:
    """Raise `SecondFactorNeeded` where the session is half signed in."""
    if actor.standing is not Standing.FULL:
        raise SecondFactorNeeded("code" if actor.standing is Standing.CODE else "setup")


def require_recent(actor: Actor) -> None:
    """Raise `ConfirmationNeeded` where the person has not shown lately who they are."""
    if not actor.recent:
        raise ConfirmationNeeded
