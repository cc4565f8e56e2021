"""What a person's row says of what they may do and see, worked out once for the many people who have the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import sqlalchemy as sa

from inventory.domain.roles import Role
from inventory.domain.scopes import Scope, explain, scope_of
from inventory.models import Person


@dataclass(frozen=True)
class Reach:
    """What somebody may do and see, as their row says it."""

    roles: frozenset[Role]
    sites: tuple[str, ...]
    teams: tuple[str, ...]
    scope: Scope
    sees: str
    """Why, in one sentence."""


REACH: Final = (
    sa.cast(Person.roles, sa.Text).label("roles"),
    Person.everywhere,
    sa.cast(Person.sites, sa.Text).label("sites"),
    sa.cast(Person.teams, sa.Text).label("teams"),
)
"""What `reach_of` takes, as the database holds it."""


@lru_cache(maxsize=4096)
def reach_of(roles: str, everywhere: bool, sites: str, teams: str) -> Reach:
    """Made of these texts alone, so that it is worked out once for the many people who have the same."""
    held = frozenset(Role(role) for role in json.loads(roles))
    here, theirs = tuple(json.loads(sites)), tuple(json.loads(teams))
    return Reach(
        roles=held,
        sites=here,
        teams=theirs,
        scope=scope_of(held, everywhere=everywhere, sites=here, teams=theirs),
        sees=explain(held, everywhere=everywhere, sites=here, teams=theirs),
    )
