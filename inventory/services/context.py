"""What every use case is given: the open inventory, and who is acting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from inventory.clock import Clock
from inventory.db import Database
from inventory.domain.roles import Permission, Role, may, roles_with
from inventory.domain.scopes import NOTHING, Scope
from inventory.errors import Forbidden
from inventory.ledger import Ledger
from inventory.secrets_store import SecretStore
from inventory.settings import Settings

ActorKind = Literal["person", "agent", "system"]


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
    scope: Scope = NOTHING
    """How far a person sees; agents and the system are bound by other rules."""

    def may(self, permission: Permission) -> bool:
        """Whether one of the actor's roles grants it; agents and the system have no roles and are granted nothing by this."""
        return self.kind == "person" and may(self.roles, permission)


SYSTEM = Actor("system", "system")
"""The service itself: upkeep and consequences. Never accepted where a person must decide."""


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
        with self.database.reading() as session:
            session.info["actor"] = actor
            yield session

    @contextmanager
    def writing(self, actor: Actor | None = None) -> Iterator[Session]:
        """The one transaction of a use case: commits on leaving, rolls back on any exception; signs the log where it grew.

        For an actor, `kernel.find` finds only what they see.
        It signs with the keys of the trust root in force, also where another process has published a version meanwhile.
        """
        with self.database.writing() as session:
            self.ledger.keyring.follow(session)
            session.info["actor"] = actor
            yield session


def authorize(actor: Actor, permission: Permission) -> None:
    """Let the actor pass, or raise.

    Raises:
        Forbidden: none of the actor's roles grants the permission.
    """
    if not actor.may(permission):
        holders = ", ".join(sorted(str(role).replace("_", " ") for role in roles_with(permission))) or "nobody"
        raise Forbidden(str(permission), f"This needs the role {holders}; you do not hold it.")


def require_person(actor: Actor) -> None:
    """For acts on oneself that need no role, only a person.

    Raises:
        Forbidden: an agent or the system asked.
    """
    if actor.kind != "person":
        raise Forbidden("self", "Only a person may do this.")
