"""How far a new organisation has come: the facts behind the first-run guide."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.beginnings import Begun
from inventory.domain.roles import Permission, Role, may
from inventory.domain.vocabulary import HostState, KeyState
from inventory.models import ApproverKey, DeclaredPath, Device, Host, Order, Person, Roster
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize


def beginnings(context: Context, actor: Actor) -> Begun:
    """What there is already, as far as the reader sees it. Permission `inventory.read`.

    Each question ends at the first row it finds, or counts what is few in any organisation.
    """
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        roles = [frozenset(Role(role) for role in found) for found in _roles(session)]
        hosts = sa.select(sa.func.count(Host.id)).where(*only(actor, Host))
        keys = sa.select(sa.func.count(sa.distinct(ApproverKey.person))).where(ApproverKey.state == KeyState.CONFIRMED)
        paths = sa.select(DeclaredPath.id).where(*only(actor, DeclaredPath))
        orders = sa.select(Order.id).where(*only(actor, Order))
        seen = sa.select(Device.id).where(Device.observed_at.is_not(None), *only(actor, Device))
        return Begun(
            hosts=session.scalar(hosts) or 0,
            hosts_confirmed=session.scalar(hosts.where(Host.state == HostState.CONFIRMED)) or 0,
            disks_seen=_any(session, seen),
            approvers=sum(may(held, Permission.ORDER_APPROVE) for held in roles),
            validators=sum(
                may(held, Permission.RECORD_VALIDATE) and not may(held, Permission.ORDER_APPROVE) for held in roles
            ),
            keys_confirmed=session.scalar(keys) or 0,
            roster=_any(session, sa.select(Roster.sha256).where(Roster.state == "published")),
            paths=_any(session, paths),
            orders=_any(session, orders),
        )


def _roles(session: Session) -> list[list[str]]:
    return list(session.scalars(sa.select(Person.roles).where(Person.enabled)))


def _any(session: Session, statement: sa.Select[Any]) -> bool:
    return session.scalar(statement.limit(1)) is not None
