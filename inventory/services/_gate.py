"""The gate's question about one device, put together from what the database knows. The rules are `domain.lifecycle`'s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.holdings import Held, contents
from inventory.domain.lifecycle import GateAnswer, GateQuestion, StandingRecord, ask_gate
from inventory.domain.policy import Policy, parse
from inventory.errors import NotFound
from inventory.models.data import DataSet, DeclaredPath, Hold, Holding
from inventory.models.devices import Attachment, Device
from inventory.models.evidence import Record
from inventory.models.history import PolicyVersion
from inventory.models.orders import OPEN_STATES, Order
from inventory.models.readings import OPEN_READINGS, Reading
from reports.envelope import unverified_body

from ._holds import holds_on
from ._mapping import held_of
from ._samples import sample_passed
from .kernel import load_envelope
from .views import GateView, ReasonView

Receiver = Literal["own", "undertaking-valid", "undertaking-missing", "unknown"]


@dataclass(frozen=True)
class Way:
    """Where a device would go, as far as the rules care."""

    words: str
    reuse: bool
    leaves_control: bool
    receiver: Receiver
    named: bool = True
    """Whether the words are somebody's or a place's name."""


REUSE_INSIDE = Way("reuse under our own control", reuse=True, leaves_control=False, receiver="own", named=False)
LEAVE = Way(
    "reuse by a party with a valid undertaking",
    reuse=True,
    leaves_control=True,
    receiver="undertaking-valid",
    named=False,
)


def policy_in_force(session: Session) -> Policy:
    """The one policy that decides now. Raises `NotFound` where there is none: nothing is then granted."""
    row = session.scalar(sa.select(PolicyVersion).where(PolicyVersion.in_force))
    if row is None:
        raise NotFound("policy", "in force")
    return parse(row.document)


@dataclass(frozen=True)
class Known:
    """What a page that shows a device has read of it already, in the same view."""

    holdings: tuple[Held, ...]
    """Everything it holds or held."""
    holds: Sequence[Hold]
    """Those it is under now."""
    order: str | None
    """Its open order."""


def known_of(session: Session, device: Device) -> Known:
    """What the gate looks at and pages show, too."""
    holdings = (
        sa.select(Holding, DataSet)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .where(Holding.device_id == device.id)
        .order_by(Holding.id)
    )
    return Known(
        holdings=tuple(held_of(holding, data_set) for holding, data_set in session.execute(holdings)),
        holds=holds_on(session, [device.id]).get(device.id, []),
        order=session.scalar(sa.select(Order.id).where(Order.device_id == device.id, sa.text(OPEN_STATES))),
    )


def gate_question(
    session: Session, device: Device, way: Way, *, technique: bool = False, known: Known | None = None
) -> GateQuestion:
    """Everything the gate looks at.

    Args:
        session: the transaction.
        device: which one.
        way: where it would go.
        technique: the standing record's technique, too: the record must be read for it.
        known: what was read of it already in this view; read here where nothing is given.
    """
    known = known or known_of(session, device)
    holdings = known.holdings
    record = session.get(Record, device.standing_record) if device.standing_record else None
    return GateQuestion(
        destination=way.words,
        named=way.named,
        reuse=way.reuse,
        leaves_control=way.leaves_control,
        receiver=way.receiver,
        state=device.state,
        holdings=holdings,
        contents=contents(holdings, ever_attached=device.ever_attached),
        record=None
        if record is None
        else StandingRecord(
            sha256=record.sha256,
            outcome=record.outcome,
            method=record.method,
            coverage=record.coverage,
            technique=technique_of(session, record.sha256) if technique else None,
        ),
        record_covers_contents=record is not None and _untouched_since(session, device, record),
        holds=tuple(f"{hold.reference} ({hold.reason.rstrip('.')})" for hold in known.holds),
        open_order=known.order or _open_reading(session, device),
        unresolved_paths=_unresolved_paths(session, device),
        media=device.media or device.declared_media,
        sample="not-demanded" if record is None or not way.leaves_control else sample_passed(session, record),
    )


def gate_view(session: Session, policy: Policy, device: Device, way: Way) -> GateView:
    """The gate's answer for one way out."""
    return answer_view(ask_gate(policy, gate_question(session, device, way, technique=policy.restricts)), way)


def gate_views(session: Session, policy: Policy, device: Device, known: Known, *ways: Way) -> tuple[GateView, ...]:
    """The gate's answers for several ways out: what it looks at is read once."""
    first = gate_question(session, device, ways[0], technique=policy.restricts, known=known)
    record = session.get(Record, device.standing_record) if device.standing_record else None
    found = []
    for way in ways:
        question = replace(
            first,
            destination=way.words,
            named=way.named,
            reuse=way.reuse,
            leaves_control=way.leaves_control,
            receiver=way.receiver,
            sample="not-demanded" if record is None or not way.leaves_control else sample_passed(session, record),
        )
        found.append(answer_view(ask_gate(policy, question), way))
    return tuple(found)


def answer_view(answer: GateAnswer, way: Way) -> GateView:
    """An answer as people see it."""
    decision = answer.decision
    return GateView(
        open=answer.open,
        destination=way.words,
        required_method=decision.method if decision else None,
        required_verification=decision.verification if decision else None,
        reasons=tuple(ReasonView(code=reason.code, sentence=reason.sentence) for reason in answer.reasons),
        explanation=decision.explanation if decision else "It was never used, so that the policy demands nothing.",
    )


def technique_of(session: Session, record: str) -> str | None:
    """By which technique a medium was sanitized, as the record of this digest says."""
    body = unverified_body(load_envelope(session, record), "sanitization-record")
    technique = body.get("method", {}).get("technique")
    return technique if isinstance(technique, str) else None


def _untouched_since(session: Session, device: Device, record: Record) -> bool:
    """Whether the device was attached to nothing new after the run of its standing record was allowed to write."""
    started = session.scalar(sa.select(Order.started).where(Order.id == record.order_id))
    if started is None:
        return False
    later = sa.select(sa.exists().where(Attachment.device_id == device.id, Attachment.since > started))
    return not session.scalar(later)


def _open_reading(session: Session, device: Device) -> str | None:
    """The open verify-only order of a device: what is being read again waits for what is found."""
    return session.scalar(sa.select(Reading.id).where(Reading.device_id == device.id, sa.text(OPEN_READINGS)))


def _unresolved_paths(session: Session, device: Device) -> tuple[str, ...]:
    """Live declared paths nobody could follow, on hosts that had this device while they were declared."""
    statement = (
        sa.select(DeclaredPath)
        .join(Attachment, Attachment.host_id == DeclaredPath.host_id)
        .where(
            Attachment.device_id == device.id,
            DeclaredPath.withdrawn.is_(None),
            Attachment.last_seen >= DeclaredPath.declared,
        )
        .order_by(DeclaredPath.id)
    )
    seen: dict[str, str] = {}
    for path in session.scalars(statement):
        if path.unresolved:
            seen.setdefault(path.id, path.path)
    return tuple(seen.values())
