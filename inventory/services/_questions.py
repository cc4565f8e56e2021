"""Questions within a transaction: raised by events, compared with the facts, answered by them, and never by words alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import FINAL
from inventory.domain.questions import LASTING, RULES, ChangeKind, Facts, Settled, begins, question_words, settled_by
from inventory.domain.vocabulary import HostState
from inventory.events import Tag
from inventory.models import Attachment, Device, Host, Party, Question, Undertaking

from ._gate import REUSE_INSIDE, Receiver, Way, gate_view, policy_in_force
from ._mapping import device_label
from .context import SYSTEM, Actor, Context
from .kernel import next_number, note, raise_exception, settle_exception
from .views import GateView

_ANSWERS = {
    Settled.GATE_OPEN: "The gate is open for where it goes.",
    Settled.LEFT: "It left: released, destroyed, or returned under a waiver.",
    Settled.UNDER_LOCK: "It is under lock.",
    Settled.SEEN_AGAIN: "An agent has seen it attached since.",
    Settled.MISSING: "It was reported missing; the incident goes on in its place.",
}


def raise_question(  # noqa: PLR0913 - a question has these sides, all but five named
    session: Session,
    context: Context,
    actor: Actor,
    kind: ChangeKind,
    device: Device,
    *,
    reason: str,
    host: str | None = None,
    party: str | None = None,
    due: datetime | None = None,
) -> Question | None:
    """Ask, unless it is asked already or the device is not ours any more; answered at once where the facts answer it."""
    if device.state in FINAL or open_question(session, device.id, kind) is not None:
        return None
    now = context.now()
    row = Question(
        id=next_number(session, "question"),
        kind=kind,
        device_id=device.id,
        host_id=host,
        party_id=party,
        raised=now,
        raised_by=actor.ref,
        reason=reason[:500],
        due=due or now + LASTING,
        looked=now,
    )
    session.add(row)
    session.flush()
    note(
        session, context, actor, Tag.QUESTION_RAISED, "question", row.id,
        device=device.id, host=host, reason=reason, details={"kind": str(kind), "due": row.due.isoformat()},
    )  # fmt: skip
    look(session, context, row)
    return row


def raise_for_host(
    session: Session,
    context: Context,
    actor: Actor,
    kind: ChangeKind,
    host: Host,
    *,
    reason: str,
    due: datetime | None = None,
) -> tuple[Question, ...]:
    """Ask about everything that is attached to a host."""
    attached = session.scalars(
        sa.select(Device)
        .join(Attachment, Attachment.device_id == Device.id)
        .where(Attachment.host_id == host.id, Attachment.until.is_(None))
        .order_by(Device.id)
    ).all()
    raised = [
        raise_question(session, context, actor, kind, device, reason=reason, host=host.id, due=due)
        for device in attached
    ]
    return tuple(row for row in raised if row is not None)


def raise_replaced(session: Session, context: Context, host: Host, gone: Sequence[tuple[Attachment, Device]]) -> None:
    """Drives that vanished while another one took their slot: swapped, and somebody has the old one."""
    slots = {attachment.slot for attachment, _ in gone if attachment.slot}
    if not slots:
        return
    rows = session.execute(
        sa.select(Attachment.slot, Attachment.device_id).where(
            Attachment.host_id == host.id, Attachment.until.is_(None), Attachment.slot.in_(slots)
        )
    )
    taken = {row.slot: row.device_id for row in rows}
    for attachment, device in gone:
        newer = taken.get(attachment.slot)
        if newer is not None and newer != device.id:
            words = f"{newer} stands in {attachment.slot} of {host.name} now."
            raise_question(session, context, SYSTEM, ChangeKind.DRIVE_REPLACED, device, reason=words, host=host.id)


def open_question(session: Session, device: str, kind: ChangeKind) -> Question | None:
    """The one open question of this kind about a device."""
    return session.scalar(
        sa.select(Question).where(Question.device_id == device, Question.kind == kind, Question.answered.is_(None))
    )


def look(session: Session, context: Context, row: Question) -> Settled | None:
    """Compare an open question with the facts: answer it, or see to it that its exception is open."""
    device = session.get_one(Device, row.device_id)
    if waits(row, context.now()) and device.state not in FINAL:
        row.looked = context.now()
        return None
    gate = gate_of(session, context, row, device)
    answer = settled_by(row.kind, _facts(session, row, device, gate))
    row.looked = context.now()
    if answer is not None:
        settle(session, context, SYSTEM, row, answer, _ANSWERS[answer])
        return answer
    host = session.get(Host, row.host_id) if row.host_id else None
    party = session.get(Party, row.party_id) if row.party_id else None
    sentence = question_words(
        row.kind,
        f"{device.id} ({device_label(device)})",
        host=host.name if host else None,
        to=party.name if party else None,
        due=row.due,
        closed=gate.reasons[0].sentence if RULES[row.kind].leaves and gate.reasons else "",
    )
    code = ExceptionCode.STATUS_CHANGE
    raise_exception(session, context, code, subject_of(row), sentence, device=device.id, host=row.host_id)
    if is_overdue(row, context.now()):
        late = ExceptionCode.STATUS_CHANGE_OVERDUE
        words = f"{row.id} has waited since {row.raised:%Y-%m-%d}: {sentence}"
        raise_exception(session, context, late, subject_of(row), words, device=device.id, host=row.host_id)
    return None


def settle(session: Session, context: Context, actor: Actor, row: Question, answer: Settled, said: str) -> None:
    """Write the answer down; its exceptions end with it."""
    row.answered, row.answer, row.answered_by, row.answer_words = context.now(), answer, actor.ref, said[:500]
    session.flush()
    tag = Tag.QUESTION_WITHDRAWN if answer is Settled.WITHDRAWN else Tag.QUESTION_ANSWERED
    note(
        session, context, actor, tag, "question", row.id,
        device=row.device_id, host=row.host_id, reason=said, details={"kind": str(row.kind), "answer": str(answer)},
    )  # fmt: skip
    for code in (ExceptionCode.STATUS_CHANGE, ExceptionCode.STATUS_CHANGE_OVERDUE):
        settle_exception(session, context, code, subject_of(row), said)


def subject_of(row: Question) -> str:
    """What its exceptions are about."""
    return f"{row.device_id} {row.kind}"


def waits(row: Question, now: datetime) -> bool:
    """Whether its day is so far ahead that nobody is asked yet."""
    return row.answered is None and now < begins(row.kind, row.raised, row.due)


def is_overdue(row: Question, now: datetime) -> bool:
    """Whether its day has passed; a move is seen to have ended only some days after it."""
    until = row.due + LASTING if row.kind is ChangeKind.RACK_RELOCATED else row.due
    return row.answered is None and until < now


def gate_of(session: Session, context: Context, row: Question, device: Device) -> GateView:
    """The gate's answer for where the medium goes. Whoever receives it and is not known opens nothing."""
    way = _way(session, context, row) if RULES[row.kind].leaves else REUSE_INSIDE
    return gate_view(session, policy_in_force(session), device, way)


def _way(session: Session, context: Context, row: Question) -> Way:
    party = session.get(Party, row.party_id) if row.party_id else None
    receiver: Receiver = "unknown"
    if party is not None:
        now = context.now()
        bound = sa.select(Undertaking.id).where(
            Undertaking.party_id == party.id, Undertaking.valid_from <= now, Undertaking.valid_until > now
        )
        receiver = "undertaking-missing" if session.scalar(bound.limit(1)) is None else "undertaking-valid"
    return Way(party.name if party else "whoever receives it", reuse=True, leaves_control=True, receiver=receiver)


def _facts(session: Session, row: Question, device: Device, gate: GateView) -> Facts:
    # Until the day of a move its host reports as ever: only what is seen afterwards has arrived.
    since = row.due if row.kind is ChangeKind.RACK_RELOCATED else row.raised
    seen = session.execute(
        sa.select(Attachment.host_id, Attachment.last_seen)
        .join(Host, Host.id == Attachment.host_id)
        .where(Attachment.device_id == device.id, Attachment.until.is_(None), Host.state == HostState.CONFIRMED)
    ).one_or_none()
    later = seen is not None and seen.last_seen > since
    here = seen is not None and seen.host_id == row.host_id
    return Facts(state=device.state, gate_open=gate.open, seen_elsewhere=later and not here, seen_here=later and here)
