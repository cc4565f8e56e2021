"""One order as a reader sees it: where in its life it stands, what the verdict says, who has signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from inventory.console.formatting import initials, sentence_case
from inventory.console.forms import Option
from inventory.console.language.speaking import words
from inventory.domain.vocabulary import OrderState
from inventory.services.views import Known, OrderDetail, RecordView

from .chips import Tone

PATTERNS: Final = (
    Option(
        "keyed-stream",
        "Keyed random stream, one pass",
        "Recommended: every block is different, so that a drive that lies about writing is caught.",
    ),
    Option("zeros", "Zeros, one pass", "The plainest overwrite; fast on every drive."),
    Option("ones", "Ones, one pass"),
    Option(
        "keyed-stream-then-zeros",
        "Keyed random stream, then zeros",
        "Two passes; the medium reads as empty afterwards.",
    ),
    Option(
        "dod-short-nwipe",
        "DoD short as nwipe does it, three passes",
        "A legacy pattern set. More passes never reach above clear.",
    ),
    Option(
        "dod-5220-22-m-nwipe",
        "DoD 5220.22-M as nwipe does it, seven passes",
        "A legacy pattern set. More passes never reach above clear.",
    ),
    Option(
        "hmg-is5-enhanced-eraser",
        "HMG IS5 enhanced as Eraser does it, three passes",
        "A legacy pattern set. More passes never reach above clear.",
    ),
    Option(
        "vsitr-eraser",
        "German VSITR as Eraser does it, seven passes",
        "A legacy pattern set. More passes never reach above clear.",
    ),
)
"""The pattern sets this console offers; a contract test finds each among the engine's own."""

RUNNING: Final = frozenset({OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING})
_ENDED_BADLY: Final = frozenset(
    {
        OrderState.REJECTED,
        OrderState.REFUSED,
        OrderState.FAILED,
        OrderState.INTERRUPTED,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
    }
)

StepState = Literal["done", "now", "todo", "bad"]


@dataclass(frozen=True)
class Step:
    """One stage of an order's life."""

    label: str
    state: StepState


_STAGES: Final = ("Requested", "Approved", "Executed", "Verified", "Validated")
_REACHED: Final[dict[OrderState, int]] = {
    OrderState.REQUESTED: 1,
    OrderState.APPROVED: 2,
    OrderState.LEASED: 2,
    OrderState.EXECUTING: 2,
    OrderState.SETTLING: 2,
    OrderState.VERIFYING: 3,
    OrderState.RECORDED: 4,
    OrderState.VALIDATED: 5,
    OrderState.REJECTED: 4,
    OrderState.REFUSED: 2,
    OrderState.FAILED: 2,
    OrderState.INTERRUPTED: 2,
}


def steps_of(order: OrderDetail) -> tuple[Step, ...]:
    """The stages; the one under way is marked, a bad end shows where it came."""
    if order.state in {OrderState.CANCELLED, OrderState.EXPIRED}:
        reached = 2 if order.approvals_given >= order.approvals_required else 1
    else:
        reached = _REACHED[order.state]
    bad = order.state in _ENDED_BADLY

    def state(position: int) -> StepState:
        if position < reached:
            return "done"
        if position > reached:
            return "todo"
        return "bad" if bad else "now"

    return tuple(Step(label, state(position)) for position, label in enumerate(_STAGES))


@dataclass(frozen=True)
class VerdictView:
    """The one sentence of a record's verdict."""

    word: str
    why: str
    tone: Tone
    icon: str


def verdict_of(record: RecordView) -> VerdictView:
    """The record's three axes in words. Only a full, sufficient success is green."""
    if record.outcome == "sanitized" and record.method != "none":
        coverage = {"full": "every block was read back", "representative": "a representative sample was read back"}.get(
            record.coverage, "nothing was read back"
        )
        enough = (
            "It satisfies what the policy demanded."
            if record.satisfies_policy
            else "It does not satisfy what the policy demanded."
        )
        word = f"Sanitized by {record.method}"
        tone: Tone = "ok" if record.satisfies_policy else "warn"
        return VerdictView(
            word,
            f"{coverage[:1].upper()}{coverage[1:]}. {enough}",
            tone,
            "shield-check" if record.satisfies_policy else "alert",
        )
    reasons = " ".join(record.reasons) or "The evidence does not show that the medium was sanitized."
    return VerdictView(sentence_case(record.outcome), reasons, "bad", "shield-x")


@dataclass(frozen=True)
class Seat:
    """A place among the approvers, taken or empty."""

    initials: str
    text: str
    taken: bool
    digest: str = ""
    login: str = ""
    """Under the name, so that nobody is taken for somebody else."""


def seats_of(order: OrderDetail, known: Callable[[str], Known]) -> tuple[Seat, ...]:
    """Who has signed, and how many signatures are still wanted."""
    signed = [(known(approval.approver), approval.sha256) for approval in order.approvals]
    taken = [Seat(initials(one.name), one.name, taken=True, digest=digest, login=one.login) for one, digest in signed]
    empty = max(0, order.approvals_required - len(taken))
    return (*taken, *(Seat("?", words("Another approver, not the requester"), taken=False) for _ in range(empty)))
