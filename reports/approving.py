"""Which roles must be among the people who approve an order. Pure: the service, the agent and the verifier ask the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def roles_shown(wanted: Sequence[str], people: Mapping[str, Collection[str]]) -> bool:
    """Whether every role wanted is held by another one of these people: nobody stands for two of them."""
    if not wanted:
        return True
    first, *others = wanted
    able = [person for person, roles in people.items() if first in roles]
    return any(roles_shown(others, {one: roles for one, roles in people.items() if one != person}) for person in able)
