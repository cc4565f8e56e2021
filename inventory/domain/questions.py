"""Changes of status that make a medium less secure raise their question by themselves (governance, section 2). Pure.

event -> question -> exception -> task. A question is answered by facts alone: the gate is open for where the medium goes, it
left through the gate, it was destroyed, it is under lock, its agent has seen it again. Words close none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .lifecycle import FINAL
from .vocabulary import DeviceState


class ChangeKind(StrEnum):
    """What happens to a medium, or is about to."""

    REPAIR = "repair"
    LEASE_RETURN = "lease_return"
    WARRANTY_SWAP = "warranty_swap"
    RESALE = "resale"
    DRIVE_REPLACED = "drive_replaced"
    """Another drive stands in its slot."""
    HOST_DECOMMISSIONED = "host_decommissioned"
    RACK_RELOCATED = "rack_relocated"
    AGENT_SILENT = "agent_silent"


class Settled(StrEnum):
    """By what a question was answered."""

    GATE_OPEN = "gate_open"
    LEFT = "left"
    """Released, destroyed, or returned under a waiver of two people."""
    UNDER_LOCK = "under_lock"
    SEEN_AGAIN = "seen_again"
    MISSING = "missing"
    """Reported missing: the incident goes on in its place."""
    WITHDRAWN = "withdrawn"
    """What had been announced does not happen."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What one kind of change means."""

    said: str
    """What happens, in words that follow the device's number."""
    asked: str
    """The question."""
    leaves: bool
    """Whether the medium leaves our control, so that only the gate for leaving answers."""
    by_person: bool
    """Whether a person announces it; such a one can be withdrawn."""
    of_host: bool = False
    """Whether it concerns everything attached to a host."""
    known_ahead: bool = False
    """Whether its day stands in a contract, years ahead: then the question waits until that day is near."""
    answers: frozenset[Settled]


_AWAY: Final = frozenset({Settled.GATE_OPEN, Settled.LEFT, Settled.MISSING})
_HERE: Final = _AWAY | {Settled.UNDER_LOCK, Settled.SEEN_AGAIN}

RULES: Final[Mapping[ChangeKind, Rule]] = {
    ChangeKind.REPAIR: Rule(
        said="goes to a repair", asked="May it leave as it is?", leaves=True, by_person=True, answers=_AWAY
    ),
    ChangeKind.LEASE_RETURN: Rule(
        said="goes back to its lessor",
        asked="May it leave as it is?",
        leaves=True,
        by_person=True,
        known_ahead=True,
        answers=_AWAY,
    ),
    ChangeKind.WARRANTY_SWAP: Rule(
        said="is swapped under warranty",
        asked="May the old one leave as it is?",
        leaves=True,
        by_person=True,
        known_ahead=True,
        answers=_AWAY,
    ),
    ChangeKind.RESALE: Rule(
        said="is to be sold", asked="May it leave as it is?", leaves=True, by_person=True, answers=_AWAY
    ),
    ChangeKind.DRIVE_REPLACED: Rule(
        said="was replaced: another drive stands in its slot",
        asked="Where is it, and may it be there as it is?",
        leaves=True,
        by_person=False,
        answers=_HERE,
    ),
    ChangeKind.HOST_DECOMMISSIONED: Rule(
        said="belongs to a host that goes out of use",
        asked="What becomes of it?",
        leaves=False,
        by_person=True,
        of_host=True,
        answers=_AWAY | {Settled.UNDER_LOCK, Settled.SEEN_AGAIN},
    ),
    ChangeKind.RACK_RELOCATED: Rule(
        said="moves with its host to another place",
        asked="Has it arrived?",
        leaves=False,
        by_person=True,
        of_host=True,
        answers=_HERE,
    ),
    ChangeKind.AGENT_SILENT: Rule(
        said="is attached to a host that nobody has heard from",
        asked="Where is it?",
        leaves=False,
        by_person=False,
        of_host=True,
        answers=_HERE,
    ),
}
"""Every kind is listed."""

LASTING: Final = timedelta(days=3)
"""How long a question that nobody gave a day may wait."""
AHEAD: Final = timedelta(days=60)
"""So long before its day a change that was known years ahead is asked about: time to sanitize, validate and release."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a device when its question is looked at."""

    state: DeviceState
    gate_open: bool
    """For where it goes: out of our control, or to reuse under it."""
    seen_elsewhere: bool
    """A confirmed agent has it attached on another host than the question's, since the question was raised."""
    seen_here: bool
    """The question's own host has reported it since then, and was not itself given up."""


def settled_by(kind: ChangeKind, facts: Facts) -> Settled | None:
    """What answers the question now; None: nothing does, and it stays."""
    rule = RULES[kind]
    found: tuple[tuple[Settled, bool], ...] = (
        (Settled.LEFT, facts.state in FINAL),
        (Settled.MISSING, facts.state is DeviceState.MISSING),
        (Settled.UNDER_LOCK, facts.state is DeviceState.QUARANTINED),
        (Settled.SEEN_AGAIN, facts.seen_elsewhere or (facts.seen_here and kind is not ChangeKind.HOST_DECOMMISSIONED)),
        (Settled.GATE_OPEN, facts.gate_open),
    )
    return next((answer for answer, holds in found if holds and answer in rule.answers), None)


def begins(kind: ChangeKind, raised: datetime, due: datetime) -> datetime:
    """From when on it is asked. What the facts say years before the day says nothing about the day."""
    return max(raised, due - AHEAD) if RULES[kind].known_ahead else raised


def may_withdraw(kind: ChangeKind) -> bool:
    """Whether a person may say that it does not happen: only what a person had said."""
    return RULES[kind].by_person


def question_words(
    kind: ChangeKind, device: str, *, host: str | None, to: str | None, due: datetime, closed: str
) -> str:
    """The exception's sentence.

    Args:
        kind: what happens.
        device: the device's number and label.
        host: name of the host it belongs to.
        to: who receives it, in words.
        due: until when it waits.
        closed: the gate's first reason, in its own sentence; empty where the gate says nothing against it.
    """
    rule = RULES[kind]
    where = f" ({host})" if host else ""
    whom = f", to {to}" if to else ""
    now = f" Not now: {closed}" if closed else ""
    return f"{device} {rule.said}{where}{whom}. {rule.asked}{now} Answer by {due:%Y-%m-%d}."


class Step(StrEnum):
    """What a person can do next."""

    RETIRE = "retire"
    SANITIZE = "sanitize"
    VALIDATE = "validate"
    DESTROY = "destroy"
    QUARANTINE = "quarantine"
    UNDERTAKING = "undertaking"
    DESCRIBE = "describe"
    """Say what it held."""
    RELEASE = "release"
    REPORT_MISSING = "report_missing"
    LOOK = "look"
    """Go and see whether host and device are where they should be."""
    FINISH_ORDER = "finish_order"
    LIFT_HOLD = "lift_hold"


STEP_WORDS: Final[Mapping[Step, str]] = {
    Step.RETIRE: "Take it out of service",
    Step.SANITIZE: "Order its sanitization",
    Step.VALIDATE: "Have the record of its run decided",
    Step.DESTROY: "Have it destroyed",
    Step.QUARANTINE: "Bring it under lock",
    Step.UNDERTAKING: "File the receiver's undertaking",
    Step.DESCRIBE: "Say what it held",
    Step.RELEASE: "Release it through the gate",
    Step.REPORT_MISSING: "Report it missing, if it is not there",
    Step.LOOK: "Go and see: are host and device where they should be?",
    Step.FINISH_ORDER: "Wait for the open order, or cancel it",
    Step.LIFT_HOLD: "Ask the privacy officer about the hold",
}


def steps(kind: ChangeKind, state: DeviceState, reasons: frozenset[str]) -> tuple[Step, ...]:
    """The task: what to do next, first things first.

    Args:
        kind: what happens.
        state: where the device stands in its life.
        reasons: codes of the gate's reasons; empty: it is open.
    """
    found: list[Step] = []
    if kind in {ChangeKind.AGENT_SILENT, ChangeKind.RACK_RELOCATED, ChangeKind.DRIVE_REPLACED}:
        found += [Step.LOOK, Step.QUARANTINE, Step.REPORT_MISSING]
    if "held" in reasons:
        return (*found, Step.LIFT_HOLD)
    if state is DeviceState.SANITIZING:
        return (*found, Step.VALIDATE)
    if "order-open" in reasons:
        return (*found, Step.FINISH_ORDER)
    if reasons & {"receiver-unknown", "undertaking-missing"}:
        found.append(Step.UNDERTAKING)
    if reasons & _UNCLEAN:
        found += [Step.RETIRE] if state in {DeviceState.IN_SERVICE, DeviceState.DECLARED} else []
        found += [Step.SANITIZE, Step.DESTROY]
    if "contents-unknown" in reasons:
        found.append(Step.DESCRIBE)
    if not reasons and RULES[kind].leaves:
        found.append(Step.RELEASE)
    return tuple(found)


_UNCLEAN: Final = frozenset(
    {
        "residue-uncovered",
        "no-validated-record",
        "not-sanitized",
        "method-insufficient",
        "verification-insufficient",
        "technique-not-allowed",
        "technique-unknown",
        "state-failed",
        "contents-unknown",
    }
)
