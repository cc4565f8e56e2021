"""Nobody decides about their own act: for each object, which earlier deeds bar from which later ones (governance, section 5).

One table, so that the page that answers "who may do what" and the guards that refuse can be compared row by row; a test does
that for each of them through the services.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .roles import Permission


class Deed(StrEnum):
    """What somebody did about an object."""

    REQUESTED = "requested"
    APPROVED = "approved"
    VALIDATED = "validated"
    PERFORMED = "performed"
    WITNESSED = "witnessed"
    COUNTERSIGNED = "countersigned"
    OPENED = "opened"
    OFFERED = "offered"
    ANSWERED = "answered"
    REGISTERED = "registered"
    CONFIRMED = "confirmed"
    EXAMINED = "examined"
    """As part of an independent sample."""
    EXPLAINED = "explained"
    CLOSED = "closed"


class Subject(StrEnum):
    """Kinds of objects on which duties are kept apart."""

    ORDER = "order"
    DESTRUCTION = "destruction"
    WAIVER = "waiver"
    HANDOVER = "hand-over"
    APPROVER_KEY = "approver key"
    BALANCE = "balance"


@dataclass(frozen=True)
class Duty:
    """One deed, what it takes, and whose earlier deeds bar from it."""

    deed: Deed
    permission: Permission
    barred: frozenset[Deed]


DUTIES: Final[Mapping[Subject, tuple[Duty, ...]]] = {
    Subject.ORDER: (
        Duty(Deed.APPROVED, Permission.ORDER_APPROVE, frozenset({Deed.REQUESTED})),
        Duty(Deed.VALIDATED, Permission.RECORD_VALIDATE, frozenset({Deed.REQUESTED, Deed.APPROVED})),
        Duty(
            Deed.EXAMINED,
            Permission.READING_REQUEST,
            frozenset({Deed.REQUESTED, Deed.APPROVED, Deed.VALIDATED}),
        ),
    ),
    Subject.DESTRUCTION: (
        Duty(Deed.WITNESSED, Permission.DESTRUCTION_WITNESS, frozenset({Deed.PERFORMED})),
        Duty(Deed.COUNTERSIGNED, Permission.FACTS_SIGN, frozenset({Deed.PERFORMED, Deed.WITNESSED})),
        Duty(Deed.VALIDATED, Permission.RECORD_VALIDATE, frozenset({Deed.PERFORMED, Deed.WITNESSED})),
    ),
    Subject.WAIVER: (Duty(Deed.COUNTERSIGNED, Permission.WAIVER, frozenset({Deed.OPENED})),),
    Subject.HANDOVER: (Duty(Deed.ANSWERED, Permission.HANDOVER, frozenset({Deed.OFFERED})),),
    Subject.APPROVER_KEY: (Duty(Deed.CONFIRMED, Permission.APPROVER_KEY_CONFIRM, frozenset({Deed.REGISTERED})),),
    Subject.BALANCE: (Duty(Deed.CLOSED, Permission.BALANCE_CLOSE, frozenset({Deed.EXPLAINED})),),
}
"""What is kept apart from what."""

SAID: Final[Mapping[Deed, str]] = {
    Deed.REQUESTED: "requested it",
    Deed.APPROVED: "approved it",
    Deed.VALIDATED: "validated it",
    Deed.PERFORMED: "performed it",
    Deed.WITNESSED: "witnessed it",
    Deed.COUNTERSIGNED: "countersigned it",
    Deed.OPENED: "opened it",
    Deed.OFFERED: "offered it",
    Deed.ANSWERED: "answered it",
    Deed.REGISTERED: "registered it",
    Deed.CONFIRMED: "confirmed it",
    Deed.EXAMINED: "examined it for a sample",
    Deed.EXPLAINED: "answered one of its differences",
    Deed.CLOSED: "closed it",
}
"""Each deed in words, after somebody's name."""


TO_DO: Final[Mapping[Deed, str]] = {
    Deed.APPROVED: "approve it",
    Deed.VALIDATED: "validate it",
    Deed.WITNESSED: "witness it",
    Deed.COUNTERSIGNED: "countersign it",
    Deed.ANSWERED: "answer it",
    Deed.CONFIRMED: "confirm it",
    Deed.EXAMINED: "examine it for a sample",
    Deed.CLOSED: "close it",
}
"""Each duty in words, after "who may"."""


def bars(duty: Duty, person: str, done: Mapping[Deed, Collection[str]]) -> Deed | None:
    """Which of this person's deeds about the object bars them from the duty; None where nothing does."""
    for deed in sorted(duty.barred):
        if person in done.get(deed, ()):
            return deed
    return None
