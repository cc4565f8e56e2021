"""The life of a device: one complete table, and the gate (governance, section 2).

A pair that does not stand in the table is impossible. Guards are named beside the events; the services ask them, and the gate is
the guard of everything that takes a medium to a less secure place, to somebody else, or out of the company.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inventory.errors import Reason

from .holdings import Held, category_of, uncovered, worst_of
from .policy import Decision, Policy, PolicyInput, decide, technique_objections, verdict_objections
from .vocabulary import DeviceState as S


class DeviceEvent(StrEnum):
    """What can happen to a device."""

    OBSERVE = "observe"
    """An agent sees a declared device for the first time."""
    PLACE_IN_SERVICE = "place_in_service"
    RELOCATE = "relocate"
    RETIRE = "retire"
    QUARANTINE = "quarantine"
    RETURN_TO_SERVICE = "return_to_service"
    START_RUN = "start_run"
    """The agent was told that it may write."""
    RUN_UNTOUCHED = "run_untouched"
    """The run ended and the medium was not changed."""
    RUN_FAILED = "run_failed"
    """The run ended otherwise than sanitized, and the medium may have been changed."""
    VALIDATION_APPROVED = "validation_approved"
    VALIDATION_REJECTED = "validation_rejected"
    READING_CONTRADICTED = "reading_contradicted"
    """A verify-only order found other content than the standing record claims."""
    RELEASE = "release"
    DESTROY = "destroy"
    REPORT_MISSING = "report_missing"
    FIND = "find"
    RETURN_BY_WAIVER = "return_by_waiver"


E = DeviceEvent

TABLE: Final[Mapping[tuple[S, E], S]] = {
    (S.DECLARED, E.OBSERVE): S.IN_SERVICE,
    (S.DECLARED, E.PLACE_IN_SERVICE): S.IN_SERVICE,
    (S.DECLARED, E.RELOCATE): S.DECLARED,
    (S.DECLARED, E.QUARANTINE): S.QUARANTINED,
    (S.DECLARED, E.RELEASE): S.RELEASED,
    (S.DECLARED, E.REPORT_MISSING): S.MISSING,
    (S.IN_SERVICE, E.RELOCATE): S.IN_SERVICE,
    (S.IN_SERVICE, E.RETIRE): S.RETIRED,
    (S.IN_SERVICE, E.QUARANTINE): S.QUARANTINED,
    (S.IN_SERVICE, E.REPORT_MISSING): S.MISSING,
    (S.RETIRED, E.RELOCATE): S.RETIRED,
    (S.RETIRED, E.QUARANTINE): S.QUARANTINED,
    (S.RETIRED, E.RETURN_TO_SERVICE): S.IN_SERVICE,
    (S.RETIRED, E.START_RUN): S.SANITIZING,
    (S.RETIRED, E.RELEASE): S.RELEASED,
    (S.RETIRED, E.DESTROY): S.DESTROYED,
    (S.RETIRED, E.REPORT_MISSING): S.MISSING,
    (S.RETIRED, E.RETURN_BY_WAIVER): S.RETURNED_UNSANITIZED_BY_WAIVER,
    (S.QUARANTINED, E.RELOCATE): S.QUARANTINED,
    (S.QUARANTINED, E.RETURN_TO_SERVICE): S.IN_SERVICE,
    (S.QUARANTINED, E.START_RUN): S.SANITIZING,
    (S.QUARANTINED, E.RELEASE): S.RELEASED,
    (S.QUARANTINED, E.DESTROY): S.DESTROYED,
    (S.QUARANTINED, E.REPORT_MISSING): S.MISSING,
    (S.QUARANTINED, E.RETURN_BY_WAIVER): S.RETURNED_UNSANITIZED_BY_WAIVER,
    # reported missing during a run, found again, and then its record arrives:
    (S.QUARANTINED, E.RUN_UNTOUCHED): S.QUARANTINED,
    (S.QUARANTINED, E.RUN_FAILED): S.FAILED,
    (S.QUARANTINED, E.VALIDATION_APPROVED): S.SANITIZED,
    (S.QUARANTINED, E.VALIDATION_REJECTED): S.FAILED,
    (S.SANITIZING, E.RUN_UNTOUCHED): S.QUARANTINED,
    (S.SANITIZING, E.RUN_FAILED): S.FAILED,
    (S.SANITIZING, E.VALIDATION_APPROVED): S.SANITIZED,
    (S.SANITIZING, E.VALIDATION_REJECTED): S.FAILED,
    (S.SANITIZING, E.REPORT_MISSING): S.MISSING,
    (S.QUARANTINED, E.READING_CONTRADICTED): S.FAILED,  # sanitized, and locked up again meanwhile
    (S.SANITIZED, E.READING_CONTRADICTED): S.FAILED,
    (S.SANITIZED, E.RELOCATE): S.SANITIZED,
    (S.SANITIZED, E.QUARANTINE): S.QUARANTINED,
    (S.SANITIZED, E.RETURN_TO_SERVICE): S.IN_SERVICE,
    (S.SANITIZED, E.START_RUN): S.SANITIZING,
    (S.SANITIZED, E.RELEASE): S.RELEASED,
    (S.SANITIZED, E.DESTROY): S.DESTROYED,
    (S.SANITIZED, E.REPORT_MISSING): S.MISSING,
    (S.FAILED, E.RELOCATE): S.FAILED,
    (S.FAILED, E.QUARANTINE): S.QUARANTINED,
    (S.FAILED, E.START_RUN): S.SANITIZING,
    (S.FAILED, E.DESTROY): S.DESTROYED,
    (S.FAILED, E.REPORT_MISSING): S.MISSING,
    (S.FAILED, E.RETURN_BY_WAIVER): S.RETURNED_UNSANITIZED_BY_WAIVER,
    (S.MISSING, E.FIND): S.QUARANTINED,
    # a run may end while nobody knows where the device is; that does not bring it back:
    (S.MISSING, E.RUN_UNTOUCHED): S.MISSING,
    (S.MISSING, E.RUN_FAILED): S.MISSING,
    (S.MISSING, E.VALIDATION_APPROVED): S.MISSING,
    (S.MISSING, E.VALIDATION_REJECTED): S.MISSING,
    (S.MISSING, E.READING_CONTRADICTED): S.MISSING,
}
"""(state, event) -> state. What is not here cannot happen."""

FINAL: Final = frozenset({S.RELEASED, S.DESTROYED, S.RETURNED_UNSANITIZED_BY_WAIVER})
"""Not ours any more."""


class Guard(StrEnum):
    """What must hold besides the table."""

    GATE = "gate"
    """The gate opens for the destination."""
    GATE_IF_LESS_SECURE = "gate_if_less_secure"
    """The gate opens, where the new place is less secure or somebody else's."""
    SECURE_PLACE = "secure_place"
    """A place that is named at the same time is a secure zone of ours."""
    GATE_IF_SANITIZED = "gate_if_sanitized"
    """From sanitized, the gate must grant reuse under our control."""
    NO_HOLD = "no_hold"
    SEALED_ORDER = "sealed_order"
    """Approved by the required number of people, leased to the agent that asks."""
    ACCEPTED_RECORD = "accepted_record"
    ACCEPTED_READING = "accepted_reading"
    """Signed by the agent it was ordered from, about the record that stands."""
    VALIDATED_RECORD = "validated_record"
    """Signed by a validator who neither requested nor approved, and the verdict satisfies the policy."""
    WITNESSED_DESTRUCTION = "witnessed_destruction"
    COUNTERSIGNED_WAIVER = "countersigned_waiver"


GUARDS: Final[Mapping[E, tuple[Guard, ...]]] = {
    E.OBSERVE: (),
    E.PLACE_IN_SERVICE: (Guard.GATE_IF_LESS_SECURE,),
    E.RELOCATE: (Guard.GATE_IF_LESS_SECURE,),
    E.RETIRE: (Guard.GATE_IF_LESS_SECURE,),
    E.QUARANTINE: (Guard.SECURE_PLACE,),
    E.RETURN_TO_SERVICE: (Guard.GATE_IF_SANITIZED, Guard.GATE_IF_LESS_SECURE),
    E.START_RUN: (Guard.SEALED_ORDER, Guard.NO_HOLD),
    E.RUN_UNTOUCHED: (Guard.ACCEPTED_RECORD,),
    E.RUN_FAILED: (Guard.ACCEPTED_RECORD,),
    E.VALIDATION_APPROVED: (Guard.VALIDATED_RECORD,),
    E.VALIDATION_REJECTED: (Guard.ACCEPTED_RECORD,),
    E.READING_CONTRADICTED: (Guard.ACCEPTED_READING,),
    E.RELEASE: (Guard.GATE, Guard.NO_HOLD),
    E.DESTROY: (Guard.WITNESSED_DESTRUCTION, Guard.NO_HOLD),
    E.REPORT_MISSING: (),
    E.FIND: (Guard.SECURE_PLACE,),
    E.RETURN_BY_WAIVER: (Guard.COUNTERSIGNED_WAIVER, Guard.NO_HOLD),
}
"""What the services ask before they apply the table. Every event is listed, also those that need nothing."""


def next_state(state: S, event: DeviceEvent) -> S | None:
    """Where the event leads from this state; None: it is impossible there."""
    return TABLE.get((state, event))


def possible(state: S) -> tuple[DeviceEvent, ...]:
    """Events the table allows from a state, in the order of their definition."""
    return tuple(event for event in DeviceEvent if (state, event) in TABLE)


@dataclass(frozen=True, kw_only=True)
class StandingRecord:
    """The newest validated record of a device, as the gate sees it."""

    sha256: str
    outcome: str
    method: str
    coverage: str
    technique: str | None = None
    """How it was done; asked for only where the policy does not allow every technique."""


@dataclass(frozen=True, kw_only=True)
class GateQuestion:
    """Everything the gate looks at. It knows no clock and no database, and there is no override."""

    destination: str
    """In words."""
    reuse: bool
    leaves_control: bool
    receiver: str
    """own; undertaking-valid; undertaking-missing; unknown."""
    state: S
    holdings: tuple[Held, ...]
    contents: str
    """known, unknown, never_used (`holdings.contents`)."""
    record: StandingRecord | None
    record_covers_contents: bool
    """Whether the medium was not attached anywhere after the standing record's run: what is unknown is then clean as well."""
    holds: tuple[str, ...]
    """Active holds, in words."""
    open_order: str | None
    unresolved_paths: tuple[str, ...]
    """Paths on its host that could not be followed to a medium: it may lie beneath one of them."""
    damaged: bool = False
    media: str | None = None
    """Kind of medium: decides nothing but which techniques count."""
    sample: str = "not-demanded"
    """Where the medium leaves: whether a sample that covers the record was passed, else whether its policy asked for one.

    passed, missing, not-demanded.
    """
    named: bool = True
    """Whether the destination is somebody or somewhere; a kind of way does not stand in the decision's sentence as a place."""


@dataclass(frozen=True)
class GateAnswer:
    """Open, or every reason why not."""

    reasons: tuple[Reason, ...]
    decision: Decision | None
    """None where nothing was ever held, so that the policy was not asked."""

    @property
    def open(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.reasons


def ask_gate(policy: Policy, question: GateQuestion) -> GateAnswer:
    """Whether a medium may go there. All reasons are gathered, so that a person can mend them in one round."""
    reasons = _obstacles(question)
    if question.contents == "never_used":
        return GateAnswer(tuple(reasons), None)
    decision = decide(
        policy,
        PolicyInput(
            category=category_of(question.holdings),
            reuse=question.reuse,
            leaves_control=question.leaves_control,
            damaged=question.damaged,
            media=question.media,
            data_set=worst_of(question.holdings),
            destination=question.destination if question.named else "",
        ),
    )
    reasons += _residue(question)
    reasons += _record(question, decision)
    reasons += _receiver(question)
    return GateAnswer(tuple(reasons), decision)


def _obstacles(question: GateQuestion) -> list[Reason]:
    reasons = [Reason("held", f"A hold forbids it: {hold}.") for hold in question.holds]
    if question.open_order is not None:
        reasons.append(
            Reason("order-open", f"Order {question.open_order} is open for it; finish or cancel the order first.")
        )
    if question.state in {S.SANITIZING, S.FAILED, S.MISSING}:
        words = {
            S.SANITIZING: "A run may have written to it and no validation has closed the matter.",
            S.FAILED: "Its last sanitization failed or was rejected: sanitize it again or destroy it.",
            S.MISSING: "Nobody knows where it is.",
        }
        reasons.append(Reason(f"state-{question.state}", words[question.state]))
    return reasons


def _residue(question: GateQuestion) -> list[Reason]:
    return [
        Reason(
            "residue-uncovered",
            f"It holds or held {held.data_set} ({held.category}) since {held.since:%Y-%m-%d}, "
            + ("and holds it still" if held.until is None else f"until {held.until:%Y-%m-%d}")
            + "; no validated record covers that. Deleting files does not end it.",
        )
        for held in uncovered(question.holdings)
    ]


def _record(question: GateQuestion, decision: Decision) -> list[Reason]:
    record, method = question.record, decision.method
    if record is None:
        return [
            Reason(
                "no-validated-record", f"There is no validated record; {method} is required for {question.destination}."
            )
        ]
    reasons = list(verdict_objections(method, decision.verification, record.outcome, record.method, record.coverage))
    reasons += technique_objections(decision, record.technique)
    if question.contents == "unknown" and not question.record_covers_contents:
        reasons.append(
            Reason(
                "contents-unknown",
                "It was attached to a host after its last validated record, and nobody has said what it held.",
            )
        )
    # Asked for by the decision the order was sealed with, or by the policy in force for where it goes now.
    asked = question.sample != "not-demanded" or (question.leaves_control and decision.sampling_percent)
    if asked and question.sample != "passed":
        words = "The policy asks for an independent sample of its lot, and none that covers this record has passed."
        reasons.append(Reason("sample-missing", words))
    reasons += [
        Reason("path-unresolved", f"The path {path} could not be followed to its media; it may lie on this one.")
        for path in question.unresolved_paths
    ]
    return reasons


def _receiver(question: GateQuestion) -> list[Reason]:
    if question.receiver == "undertaking-missing":
        return [
            Reason(
                "undertaking-missing",
                "The receiving party has no valid undertaking to keep equal restrictions; file one first.",
            )
        ]
    if question.receiver == "unknown":
        return [
            Reason(
                "receiver-unknown", "The receiver is not in the register; register the party and its undertaking first."
            )
        ]
    return []
