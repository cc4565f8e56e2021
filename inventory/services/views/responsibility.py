"""Who may do what, and who did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.roles import Role

from .overview import EventView
from .people import ApiTokenView, PersonView


@dataclass(frozen=True, kw_only=True)
class GrantView:
    """One kind of act, and the roles that grant it to this person."""

    permission: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, kw_only=True)
class KindOfActView:
    """One kind of act: who may, by role."""

    permission: str
    roles: tuple[Role, ...]
    """That grant it."""
    people: int
    """How many may, who are let in."""


@dataclass(frozen=True, kw_only=True)
class TrustedView:
    """Somebody who may, and by which of their roles."""

    person: PersonView
    by: tuple[Role, ...]


@dataclass(frozen=True, kw_only=True)
class KeyHeldView:
    """A key with which this person signs."""

    key_id: str
    state: str
    in_roster: bool
    """Whether agents believe it now."""


@dataclass(frozen=True, kw_only=True)
class PersonDutiesView:
    """What one person may do, why, and what they did last."""

    person: PersonView
    grants: tuple[GrantView, ...]
    keys: tuple[KeyHeldView, ...]
    tokens: tuple[ApiTokenView, ...]
    """That let somebody act in their name now."""
    sessions: int
    """Browsers signed in now."""
    last: tuple[EventView, ...]
    """Their newest entries in the history, as far as the reader sees them."""


@dataclass(frozen=True, kw_only=True)
class DeedView:
    """What somebody did about an object."""

    deed: str
    person: str
    time: datetime | None


@dataclass(frozen=True, kw_only=True)
class BarredView:
    """Somebody whose role would let them, and whose own deed does not."""

    person: str
    because: str


@dataclass(frozen=True, kw_only=True)
class DutyView:
    """One duty about an object, and for whom it is."""

    duty: str
    words: str
    """After "who may"."""
    permission: str
    may: tuple[str, ...]
    """People whose role grants it, who see the object, and whom nothing bars."""
    barred: tuple[BarredView, ...]


@dataclass(frozen=True, kw_only=True)
class ObjectDutiesView:
    """Who did what about an object, and who may do what next."""

    subject: str
    kind: str
    deeds: tuple[DeedView, ...]
    duties: tuple[DutyView, ...]
    last: tuple[EventView, ...]
    """Its newest entries in the history."""
