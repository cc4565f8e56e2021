"""Which roles must be among the people who approve an order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from .roles import Role


def roles_shown(wanted: Sequence[Role], people: Mapping[str, Collection[Role]]) -> bool:
    """Whether every role wanted is held by another one of these people: nobody stands for two of them."""
    if not wanted:
        return True
    first, *others = wanted
    able = [person for person, roles in people.items() if first in roles]
    return any(roles_shown(others, {one: roles for one, roles in people.items() if one != person}) for person in able)
