"""Changes of status that make a medium less secure: announced by people, noticed by the service, answered by facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.lifecycle import FINAL
from inventory.domain.questions import AHEAD, RULES, ChangeKind, Settled, may_withdraw
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.errors import Conflict, Duplicate, Invalid
from inventory.models import Attachment, Device, Host, HostContact, Party, Question

from ._gate import policy_in_force
from ._questions import look, open_question, raise_for_host, raise_question, settle
from .context import SYSTEM, Actor, Context, authorize
from .kernel import check_version, find, moment, required
from .queries.devices import find_device
from .queries.questions import question_views
from .views.questions import QuestionView

AT_ONCE: Final = 500
"""So many questions are looked at, and so many raised, in one round of upkeep."""
_LONGEST: Final = timedelta(days=366)
_LONGEST_KNOWN: Final = timedelta(days=3660)
"""Of what stands in a contract: the end of a lease, of a warranty."""
_A_YEAR: Final = "The day lies ahead, within a year."
_TEN_YEARS: Final = "The day lies ahead, within ten years."
_KNOWN_AHEAD: Final = tuple(kind for kind, rule in RULES.items() if rule.known_ahead)


@dataclass(frozen=True, kw_only=True)
class AnnounceChange:
    """What happens to a device, or is about to."""

    device: str
    kind: ChangeKind
    reason: str
    party: str | None = None
    """Who receives it."""
    due: datetime | None = None
    """The day it happens; None: three days from now. The end of a lease or a warranty may lie years ahead: its question waits."""


@dataclass(frozen=True, kw_only=True)
class AnnounceHostChange:
    """What happens to a host with everything attached to it."""

    host: str
    kind: ChangeKind
    reason: str
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class WithdrawQuestion:
    """It does not happen."""

    question: str
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class Attended:
    """What one round did."""

    raised: int
    answered: int


def announce(context: Context, actor: Actor, command: AnnounceChange) -> QuestionView:
    """Announce what happens to a device: its question is raised. Permission `device.move`.

    Raises:
        Invalid: a kind that is noticed and not announced, or that concerns a host; a day that has passed.
        Duplicate: the same is asked already.
        Conflict: the device is not ours any more.
        NotFound.
    """
    authorize(actor, Permission.DEVICE_MOVE)
    reason = required("reason", command.reason, least=3)
    rule = RULES[command.kind]
    if not rule.by_person or rule.of_host:
        kinds = ", ".join(kind for kind, one in RULES.items() if one.by_person and not one.of_host)
        raise Invalid("kind", f"What is announced of one device is one of {kinds}.")
    due = _day(context, command.due, known_ahead=rule.known_ahead)
    with context.writing(actor) as session:
        device = find_device(session, command.device)
        party = find(session, Party, command.party, "party") if command.party else None
        if device.state in FINAL:
            raise Conflict(f"Device {device.id} is {device.state.replace('_', ' ')}; it is not ours any more.")
        known = open_question(session, device.id, command.kind)
        if known is not None:
            raise Duplicate("open question", "device and kind", known.id)
        row = raise_question(
            session, context, actor, command.kind, device, reason=reason, due=due,
            party=party.id if party else None, host=_host_of(session, device),
        )  # fmt: skip
        if row is None:
            raise RuntimeError("a question that nothing stood against was not raised")
        return question_views(session, context, [row])[0]


def announce_for_host(context: Context, actor: Actor, command: AnnounceHostChange) -> tuple[QuestionView, ...]:
    """Announce what happens to a host: a question for every device attached to it. Permission `device.move`.

    Raises:
        Invalid: a kind that concerns no host; a move without its day; a day that has passed.
        NotFound.
    """
    authorize(actor, Permission.DEVICE_MOVE)
    reason = required("reason", command.reason, least=3)
    rule = RULES[command.kind]
    if not (rule.by_person and rule.of_host):
        kinds = ", ".join(kind for kind, one in RULES.items() if one.by_person and one.of_host)
        raise Invalid("kind", f"What is announced of a host is one of {kinds}.")
    if command.kind is ChangeKind.RACK_RELOCATED and command.due is None:
        raise Invalid("due", "Say the day of the move: what is seen afterwards has arrived.")
    due = _day(context, command.due)
    with context.writing(actor) as session:
        host = find(session, Host, command.host, "host")
        rows = raise_for_host(session, context, actor, command.kind, host, reason=reason, due=due)
        return question_views(session, context, rows)


def withdraw(context: Context, actor: Actor, command: WithdrawQuestion) -> QuestionView:
    """What was announced does not happen. Permission `device.move`.

    Raises:
        Conflict: answered already, or nobody announced it: what the service noticed is answered by facts alone.
        StaleVersion, NotFound, Invalid.
    """
    authorize(actor, Permission.DEVICE_MOVE)
    reason = required("reason", command.reason, least=10)
    with context.writing(actor) as session:
        row = find(session, Question, command.question, "question")
        check_version(f"Question {row.id}", row.version, command.version)
        if row.answered is not None:
            raise Conflict(f"Question {row.id} is answered already: {row.answer_words}")
        if row.raised_by == SYSTEM.ref or not may_withdraw(row.kind):
            raise Conflict(f"Nobody announced what {row.id} asks about; it is answered by facts, never by words.")
        settle(session, context, actor, row, Settled.WITHDRAWN, reason)
        return question_views(session, context, [row])[0]


def attend(context: Context) -> Attended:
    """Raise what time has brought about, and compare what is open with the facts. Upkeep calls it."""
    with context.writing() as session:
        raised = _silent_agents(session, context)
        now = context.now()
        near = sa.or_(Question.kind.not_in(_KNOWN_AHEAD), Question.due <= now + AHEAD)
        waiting = sa.select(Question).where(Question.answered.is_(None), Question.looked < now, near)
        rows = session.scalars(waiting.order_by(Question.looked, Question.id).limit(AT_ONCE)).all()
        answered = sum(look(session, context, row) is not None for row in rows)
    return Attended(raised, answered)


def _silent_agents(session: Session, context: Context) -> int:
    """Devices of agents that nobody has heard for as many days as the policy says."""
    days = policy_in_force(session).agent_silent_days
    heard = sa.func.coalesce(HostContact.last_contact, Host.enrolled)
    asked = sa.exists().where(
        Question.device_id == Device.id, Question.kind == ChangeKind.AGENT_SILENT, Question.answered.is_(None)
    )
    rows = session.execute(
        sa.select(Device, Host, heard)
        .join(Attachment, Attachment.device_id == Device.id)
        .join(Host, Host.id == Attachment.host_id)
        .outerjoin(HostContact, HostContact.host_id == Host.id)
        .where(
            Attachment.until.is_(None),
            Host.state == HostState.CONFIRMED,
            heard < context.now() - timedelta(days=days),
            Device.state.not_in(FINAL),
            ~asked,
            ~_answered_since(heard),
        )
        .order_by(Device.id)
        .limit(AT_ONCE)
    ).all()
    for device, host, last in rows:
        words = (
            f"The agent on {host.name} has not been heard since {last:%Y-%m-%d %H:%M} UTC, for more than {days} days."
        )
        raise_question(session, context, SYSTEM, ChangeKind.AGENT_SILENT, device, reason=words, host=host.id)
    return len(rows)


def _answered_since(heard: sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
    """That the same silence was asked about and answered: by a device under lock, reported missing, or clean."""
    return sa.exists().where(
        Question.device_id == Device.id, Question.kind == ChangeKind.AGENT_SILENT, Question.answered > heard
    )


def _host_of(session: Session, device: Device) -> str | None:
    return session.scalar(
        sa.select(Attachment.host_id).where(Attachment.device_id == device.id, Attachment.until.is_(None))
    )


def _day(context: Context, due: datetime | None, *, known_ahead: bool = False) -> datetime | None:
    if due is None:
        return None
    when = moment("due", due)
    if not context.now() < when <= context.now() + (_LONGEST_KNOWN if known_ahead else _LONGEST):
        raise Invalid("due", _TEN_YEARS if known_ahead else _A_YEAR)
    return when
