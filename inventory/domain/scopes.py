"""How far a person sees: sites and teams (governance, section 5). Unknown is outside: what has no site is at none of one's sites.

A scope narrows in two directions at once. Sites say where: what stands there, or was last seen there. Teams say whose: what a
team's hosts and data sets concern. Whoever has both sees what fits both. Nobody sees everything by default: an administrator
says so by name, or the role needs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .roles import Role

NEED_EVERYTHING: Final = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.PRIVACY_OFFICER})
"""Without sites and teams these see everything: whoever runs the service, audits it, or follows data wherever they went.
Everybody else without sites and teams sees nothing, unless they were given everything by name."""

UNLIMITED: Final = frozenset({Role.ADMINISTRATOR})
"""Roles that cannot be limited: whoever gives out scopes could widen their own, so a limit would only pretend."""


@dataclass(frozen=True)
class Scope:
    """Which sites and which teams; None: any. An empty set sees nothing."""

    sites: frozenset[str] | None
    teams: frozenset[str] | None

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.sites is None and self.teams is None

    @property
    def nothing(self) -> bool:
        """Whether everything is hidden."""
        return self.sites == frozenset() or self.teams == frozenset()

    def covers(self, site: str | None, teams: Iterable[str]) -> bool:
        """Whether something at this site, of these teams, is seen; None: its site is not known."""
        return (self.sites is None or site in self.sites) and (
            self.teams is None or not self.teams.isdisjoint(frozenset(teams))
        )

    def within(self, other: Scope) -> Scope:
        """What both see: a token never sees more than its person."""
        return Scope(_meet(self.sites, other.sites), _meet(self.teams, other.teams))


def _meet(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None:
        return other
    return one if other is None else one & other


EVERYTHING: Final = Scope(None, None)
NOTHING: Final = Scope(frozenset(), frozenset())


def scope_of(roles: Iterable[Role], *, everywhere: bool, sites: Iterable[str], teams: Iterable[str]) -> Scope:
    """How far somebody with these roles sees, given what was said about them."""
    held, where, whose = frozenset(roles), frozenset(sites), frozenset(teams)
    if everywhere or held & UNLIMITED:
        return EVERYTHING
    if not where and not whose:
        return EVERYTHING if held & NEED_EVERYTHING else NOTHING
    return Scope(where or None, whose or None)


def narrowed(sites: Iterable[str], teams: Iterable[str]) -> Scope:
    """What a token asks for: nothing named, nothing narrowed."""
    return Scope(frozenset(sites) or None, frozenset(teams) or None)


def explain(roles: Iterable[Role], *, everywhere: bool, sites: Iterable[str], teams: Iterable[str]) -> str:
    """Why somebody sees what they see, in one sentence."""
    held = frozenset(roles)
    found = scope_of(held, everywhere=everywhere, sites=sites, teams=teams)
    if everywhere:
        return "Sees everything, because an administrator said so by name."
    if held & UNLIMITED:
        return "Sees everything, because an administrator gives out the scopes."
    if found.everything:
        needing = ", ".join(sorted(role.replace("_", " ") for role in held & NEED_EVERYTHING))
        return f"Sees everything, because the role {needing} needs it and no site or team narrows it."
    if found.nothing:
        return "Sees nothing: no site and no team was given, and none of the roles needs everything."
    parts = []
    if found.sites is not None:
        parts.append(f"at {', '.join(sorted(found.sites))}")
    if found.teams is not None:
        parts.append(f"of {', '.join(sorted(found.teams))}")
    return f"Sees what is {' and '.join(parts)}."
