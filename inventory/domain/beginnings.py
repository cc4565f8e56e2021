"""From an empty inventory to the first registered disk, and on to the first order: what is done, and what is next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .roles import Permission

TWO: Final = 2
"""People who approve: nobody's order is decided by one pair of eyes."""


class Beginning(StrEnum):
    """One step. The first three lead to the first registered disk, the others to the first order."""

    ENROL = "enrol"
    CONFIRM = "confirm"
    SEE = "see"
    PEOPLE = "people"
    KEYS = "keys"
    ROSTER = "roster"
    DATA = "data"
    ORDER = "order"


FIRST_DISK: Final = (Beginning.ENROL, Beginning.CONFIRM, Beginning.SEE)
FIRST_ORDER: Final = (Beginning.PEOPLE, Beginning.KEYS, Beginning.ROSTER, Beginning.DATA, Beginning.ORDER)

WHO: Final = {
    Beginning.ENROL: Permission.HOST_MANAGE,
    Beginning.CONFIRM: Permission.HOST_MANAGE,
    Beginning.SEE: Permission.READ,
    Beginning.PEOPLE: Permission.PEOPLE_MANAGE,
    Beginning.KEYS: Permission.APPROVER_KEY_CONFIRM,
    Beginning.ROSTER: Permission.ROSTER_PROPOSE,
    Beginning.DATA: Permission.DATA_SET_MANAGE,
    Beginning.ORDER: Permission.ORDER_REQUEST,
}
"""Whose act each step is."""


class Progress(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NOW = "now"
    LATER = "later"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What there is already."""

    hosts: int = 0
    """Agents that have asked to enrol, whatever became of it."""
    hosts_confirmed: int = 0
    disks_seen: bool = False
    """Whether an agent has reported a disk."""
    approvers: int = 0
    """People who may approve and can sign in."""
    validators: int = 0
    """People who may validate and may not approve."""
    keys_confirmed: int = 0
    """People with a confirmed key of an approver."""
    roster: bool = False
    paths: bool = False
    """Whether a path is said to hold a data set."""
    orders: bool = False


@dataclass(frozen=True)
class Step:
    """A step and where it stands."""

    beginning: Beginning
    progress: Progress


def is_done(step: Beginning, begun: Begun) -> bool:
    """Whether nothing is left to do in this step."""
    return {
        Beginning.ENROL: begun.hosts > 0,
        Beginning.CONFIRM: begun.hosts_confirmed > 0,
        Beginning.SEE: begun.disks_seen,
        Beginning.PEOPLE: begun.approvers >= TWO and begun.validators > 0,
        Beginning.KEYS: begun.keys_confirmed >= TWO,
        Beginning.ROSTER: begun.roster,
        Beginning.DATA: begun.paths,
        Beginning.ORDER: begun.orders,
    }[step]


def steps(path: tuple[Beginning, ...], begun: Begun) -> tuple[Step, ...]:
    """The steps of one path: the first that is not done is the one to do now."""
    found = []
    current: Beginning | None = next((step for step in path if not is_done(step, begun)), None)
    for step in path:
        if is_done(step, begun):
            found.append(Step(step, Progress.DONE))
        else:
            found.append(Step(step, Progress.NOW if step is current else Progress.LATER))
    return tuple(found)


def is_over(begun: Begun) -> bool:
    """Whether the guide has nothing left to say."""
    return all(is_done(step, begun) for step in (*FIRST_DISK, *FIRST_ORDER))
