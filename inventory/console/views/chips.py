"""The one word, tone, shape and meaning of every state. A tone is never the only sign: each has its own icon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from inventory.console.formatting import sentence_case
from inventory.domain.handovers import HandoverState
from inventory.domain.lots import LotState
from inventory.domain.readings import ReadingState
from inventory.domain.samples import Finding, SampleState
from inventory.domain.vocabulary import (
    CaseState,
    Category,
    DeviceState,
    EscrowState,
    ExceptionState,
    HoldingState,
    HostState,
    KeyState,
    OrderState,
    RecordStanding,
    ValidationDecision,
    Zone,
)

Tone = Literal["ok", "warn", "bad", "busy", "residue", "quiet", "accent"]


@dataclass(frozen=True)
class Chip:
    """A state as a reader sees it."""

    label: str
    tone: Tone
    icon: str
    meaning: str = ""


_DEVICE: Final = {
    DeviceState.DECLARED: Chip("Declared", "quiet", "ring", "Known by somebody's statement; no agent has seen it yet"),
    DeviceState.IN_SERVICE: Chip("In service", "accent", "dot", "In use"),
    DeviceState.RETIRED: Chip("Retired", "warn", "archive", "Out of use, still in place"),
    DeviceState.QUARANTINED: Chip("Quarantined", "warn", "hold", "Out of use and under lock"),
    DeviceState.SANITIZING: Chip("Sanitizing", "busy", "spin", "An order may have written to it"),
    DeviceState.SANITIZED: Chip("Sanitized", "ok", "shield-check", "A validated record covers it"),
    DeviceState.FAILED: Chip("Failed", "bad", "cross", "A run ended badly or its record was rejected"),
    DeviceState.MISSING: Chip("Missing", "bad", "question", "Nobody knows where it is"),
    DeviceState.RELEASED: Chip("Released", "ok", "exit", "Left our control through the gate"),
    DeviceState.DESTROYED: Chip("Destroyed", "quiet", "flame", "Physically destroyed, witnessed and validated"),
    DeviceState.RETURNED_UNSANITIZED_BY_WAIVER: Chip(
        "Returned by waiver", "bad", "exit", "Left unsanitized under a waiver of two named people"
    ),
}
_ORDER: Final = {
    OrderState.REQUESTED: Chip("Waiting for approval", "warn", "clock", "It lacks approvals"),
    OrderState.APPROVED: Chip("Approved", "accent", "check", "Waiting for its agent"),
    OrderState.LEASED: Chip("With the agent", "busy", "host", "The agent is checking it"),
    OrderState.EXECUTING: Chip("Executing", "busy", "spin", "The medium is being written"),
    OrderState.SETTLING: Chip("Settling", "busy", "spin", "The device reports work in progress"),
    OrderState.VERIFYING: Chip("Verifying", "busy", "eye", "What was written is being read back"),
    OrderState.RECORDED: Chip(
        "Waiting for validation", "warn", "inbox", "The record is signed and logged; a person decides"
    ),
    OrderState.VALIDATED: Chip("Validated", "ok", "shield-check", "A validator approved the record"),
    OrderState.REJECTED: Chip("Rejected", "bad", "cross", "A validator rejected the record"),
    OrderState.REFUSED: Chip("Refused by the agent", "bad", "ban", "The agent refused before the first write"),
    OrderState.FAILED: Chip("Failed", "bad", "cross", "The run ended badly"),
    OrderState.INTERRUPTED: Chip("Interrupted", "bad", "half", "The run was cut off"),
    OrderState.CANCELLED: Chip("Cancelled", "quiet", "ban", "Withdrawn by a person"),
    OrderState.EXPIRED: Chip("Expired", "quiet", "clock", "Its time ran out before it started"),
}
_READING: Final = {
    ReadingState.WAITING: Chip("Waiting", "warn", "clock", "Waiting for its agent"),
    ReadingState.LEASED: Chip("Being read", "busy", "eye", "The agent has it"),
    ReadingState.CONFIRMED: Chip("Claim confirmed", "ok", "shield-check", "What was read is what the record claims"),
    ReadingState.CONTRADICTED: Chip(
        "Contradicted", "bad", "cross", "Other content was found; the record counts no more"
    ),
    ReadingState.INCONCLUSIVE: Chip("Inconclusive", "warn", "question", "It shows neither one nor the other"),
    ReadingState.CANCELLED: Chip("Cancelled", "quiet", "ban", "Withdrawn by a person"),
    ReadingState.EXPIRED: Chip("Expired", "quiet", "clock", "Its time ran out"),
}
_SAMPLE: Final = {
    SampleState.OPEN: Chip("Still open", "warn", "clock", "Not every drawn device was examined"),
    SampleState.PASSED: Chip("Passed", "ok", "shield-check", "Each drawn device holds what its record claims"),
    SampleState.FAILED: Chip("Failed", "bad", "cross", "One does not; the lot is open again"),
}
_FINDING: Final = {
    Finding.PASSED: Chip("It holds", "ok", "check", "What was read is what the record claims"),
    Finding.FAILED: Chip("Does not hold", "bad", "cross", "Other content was found"),
}
_HOST: Final = {
    HostState.PENDING: Chip("To be confirmed", "warn", "clock", "Nobody has compared its fingerprint yet"),
    HostState.CONFIRMED: Chip("Confirmed", "ok", "check", "Its key counts"),
    HostState.REJECTED: Chip("Key rejected", "bad", "cross", "Its key never counted"),
    HostState.REVOKED: Chip("Key revoked", "bad", "ban", "Its key counts no more"),
}
_HOLDING: Final = {
    HoldingState.LIVE: Chip("Live", "accent", "dot", "The data is in use on this medium"),
    HoldingState.RESIDUE: Chip(
        "Residue", "residue", "half", "Deleted or moved, but the bytes remain until a validated record"
    ),
    HoldingState.COVERED: Chip("Covered", "ok", "shield-check", "A validated record of a later sanitization covers it"),
}
_CASE: Final = {
    CaseState.OPEN: Chip("Open", "warn", "clock", "Something still holds this customer's data"),
    CaseState.FULFILLED: Chip("Fulfilled", "ok", "check", "Every obligation is closed by evidence"),
    CaseState.CLOSED: Chip("Closed", "quiet", "archive", "The privacy officer closed it"),
}
_KEY: Final = {
    KeyState.REGISTERED: Chip(
        "To be confirmed", "warn", "clock", "An administrator has not confirmed its fingerprint yet"
    ),
    KeyState.CONFIRMED: Chip("Key confirmed", "ok", "check", "It may stand in a roster"),
    KeyState.REVOKED: Chip("Key revoked", "bad", "ban", "It counts no more"),
}
_EXCEPTION: Final = {
    ExceptionState.OPEN: Chip("Still open", "warn", "alert"),
    ExceptionState.RESOLVED: Chip("Resolved", "ok", "check"),
}
_ZONE: Final = {
    Zone.SECURE: Chip("Secure", "ok", "hold", "Under lock and watch"),
    Zone.CONTROLLED: Chip("Controlled", "accent", "shield", "Under our control, fewer locks"),
    Zone.OPEN: Chip("Open", "warn", "exit", "Outside our control"),
}
_CATEGORY: Final = {
    Category.LOW: Chip("Low", "quiet", "ring", "FIPS 199 confidentiality: low"),
    Category.MODERATE: Chip("Moderate", "warn", "half", "FIPS 199 confidentiality: moderate"),
    Category.HIGH: Chip("High", "bad", "dot", "FIPS 199 confidentiality: high"),
}
_STANDING: Final = {
    RecordStanding.CURRENT: Chip("Current", "accent", "file", "The order's record"),
    RecordStanding.EVIDENCE_ONLY: Chip("Evidence only", "warn", "archive", "Kept and logged, without effect"),
}
_DECISION: Final = {
    ValidationDecision.APPROVE: Chip("Approved", "ok", "shield-check"),
    ValidationDecision.REJECT: Chip("Rejected", "bad", "cross"),
    ValidationDecision.ESCALATE: Chip("Escalated", "warn", "upload", "A stronger method is needed"),
}
_ESCROW: Final = {
    EscrowState.HELD: Chip("In custody", "warn", "key", "Kept here, seen by nobody"),
    EscrowState.RELEASED: Chip("Released", "ok", "check", "The agent says that the drive has no password any more"),
    EscrowState.REVEALED: Chip("Revealed", "warn", "eye", "Somebody has seen it"),
}
_LOT: Final = {
    LotState.OPEN: Chip("Open", "accent", "box", "Devices go in and out"),
    LotState.CLOSING: Chip("Being closed", "busy", "hold", "Frozen while it is reconciled"),
    LotState.CLOSED: Chip("Closed", "ok", "check", "Reconciled; the list is signed and logged"),
    LotState.REOPENED: Chip("Re-opened", "warn", "alert", "It was closed, and something turned out otherwise"),
}
_HANDOVER: Final = {
    HandoverState.OFFERED: Chip("Offered", "warn", "clock", "The sender still has everything"),
    HandoverState.ACCEPTED: Chip("Accepted", "ok", "check", "Both counts agree: the receiver has it"),
    HandoverState.DISPUTED: Chip("Disputed", "bad", "alert", "The counts differ; nothing changed hands"),
    HandoverState.WITHDRAWN: Chip("Taken back", "quiet", "ban", "The sender took the offer back"),
}
_OUTCOME: Final = {
    "sanitized": Chip("Sanitized", "ok", "shield-check"),
    "partial": Chip("Partial", "bad", "half"),
    "failed": Chip("Failed", "bad", "cross"),
    "refused": Chip("Refused by the agent", "warn", "ban"),
    "interrupted": Chip("Interrupted", "bad", "half"),
}
_SEVERITY: Final = {
    "critical": Chip("Critical", "bad", "alert"),
    "warning": Chip("Warning", "warn", "alert"),
}
_ROSTER: Final = {
    "proposed": Chip("Proposed", "warn", "clock"),
    "published": Chip("Published", "ok", "check"),
    "superseded": Chip("Superseded version", "quiet", "archive"),
    "withdrawn": Chip("Withdrawn", "quiet", "ban"),
}

_ENUMERATED: Final[Mapping[type[StrEnum], Mapping[Any, Chip]]] = {
    DeviceState: _DEVICE,
    OrderState: _ORDER,
    ReadingState: _READING,
    SampleState: _SAMPLE,
    Finding: _FINDING,
    HostState: _HOST,
    HoldingState: _HOLDING,
    CaseState: _CASE,
    KeyState: _KEY,
    ExceptionState: _EXCEPTION,
    Zone: _ZONE,
    Category: _CATEGORY,
    RecordStanding: _STANDING,
    ValidationDecision: _DECISION,
    EscrowState: _ESCROW,
    LotState: _LOT,
    HandoverState: _HANDOVER,
}
_NAMED: Final = {"outcome": _OUTCOME, "severity": _SEVERITY, "roster": _ROSTER}


def state_chip(state: StrEnum) -> Chip:
    """The chip of an enumerated state; a test walks every member."""
    return _ENUMERATED[type(state)][state]


def word_chip(kind: str, word: str) -> Chip:
    """The chip of a word that is no enumeration (a verdict's outcome, a severity). An unknown word looks like no success."""
    return _NAMED[kind].get(word) or Chip(sentence_case(word) or "Unknown", "bad", "question")
