"""Answers "who may do what, and who did": for a person, and for an object on which duties are kept apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory import models as m
from inventory.domain.roles import GRANTS, Permission, Role, may, permissions_of, roles_with
from inventory.domain.separation import DUTIES, SAID, TO_DO, Deed, Duty, Subject, bars
from inventory.domain.vocabulary import KeyState
from inventory.errors import NotFound
from inventory.models import Base

from ._mapping import event_view
from ._scope import only, sees
from .context import Actor, Context, authorize, require_person
from .kernel import find
from .people import for_reader, list_people, person_view, scope_of_person
from .roster import approvers_in_force
from .sessions import token_view
from .views import (
    BarredView,
    DeedView,
    DutyView,
    EventView,
    GrantView,
    KeyHeldView,
    KindOfActView,
    ObjectDutiesView,
    PersonDutiesView,
    TrustedView,
)

LAST: Final = 20
"""So many of the newest entries of the history."""


@dataclass(frozen=True)
class _Done:
    """Who did what about an object, and when."""

    deed: Deed
    person: str
    time: datetime | None = None


def of_person(context: Context, actor: Actor, ref: str) -> PersonDutiesView:
    """What one person may do and did. Anybody about themselves; about others permission `events.read`.

    Raises:
        NotFound.
    """
    require_person(actor)
    if ref != actor.ref:
        authorize(actor, Permission.READ_EVENTS)
    now = context.now()
    with context.reading(actor) as session:
        row = find(session, m.Person, ref, "person")
        roles = [Role(role) for role in row.roles]
        believed = approvers_in_force(session)
        keys = session.scalars(
            sa.select(m.ApproverKey).where(m.ApproverKey.person == ref, m.ApproverKey.state != KeyState.REVOKED)
        )
        tokens = session.scalars(
            sa.select(m.ApiToken)
            .where(m.ApiToken.person == ref, m.ApiToken.revoked.is_(None), m.ApiToken.expires > now)
            .order_by(m.ApiToken.id)
        )
        live = sa.select(sa.func.count()).where(
            m.WebSession.person == ref, m.WebSession.ended.is_(None), m.WebSession.expires > now
        )
        return PersonDutiesView(
            person=for_reader(actor, person_view(session, row, directory=True)),
            grants=tuple(
                GrantView(
                    permission=str(permission),
                    roles=tuple(role for role in sorted(roles) if permission in GRANTS[role]),
                )
                for permission in sorted(permissions_of(roles))
            ),
            keys=tuple(
                KeyHeldView(key_id=key.key_id, state=str(key.state), in_roster=key.key_id in believed) for key in keys
            ),
            tokens=tuple(token_view(token) for token in tokens),
            sessions=session.scalar(live) or 0,
            last=_last(session, actor, m.Event.actor == ref),
        )


def acts(context: Context, actor: Actor) -> tuple[KindOfActView, ...]:
    """Every kind of act, the roles that grant it, and how many may who are let in. Permission `events.read`."""
    authorize(actor, Permission.READ_EVENTS)
    everybody = [person for person in list_people(context, actor) if person.enabled]
    return tuple(
        KindOfActView(
            permission=str(permission),
            roles=tuple(sorted(roles_with(permission))),
            people=sum(may(person.roles, permission) for person in everybody),
        )
        for permission in Permission
    )


def trusted(context: Context, actor: Actor, permission: str) -> tuple[TrustedView, ...]:
    """Who may, who are let in, and by which of their roles. Permission `events.read`.

    Raises:
        NotFound: there is no such kind of act.
    """
    authorize(actor, Permission.READ_EVENTS)
    known = next((one for one in Permission if str(one) == permission), None)
    if known is None:
        raise NotFound("kind of act", permission)
    granting = roles_with(known)
    return tuple(
        TrustedView(person=person, by=tuple(sorted(granting & frozenset(person.roles))))
        for person in list_people(context, actor)
        if person.enabled and may(person.roles, known)
    )


def of_object(context: Context, actor: Actor, reference: str) -> ObjectDutiesView:
    """Who did what about an object, and who may do what next. Permission `events.read`.

    The object is an order, a destruction, a waiver, a hand-over, a balance, by number; or an approver's key, by its id.

    Raises:
        NotFound: there is none, or none the reader sees.
    """
    authorize(actor, Permission.READ_EVENTS)
    with context.reading(actor) as session:
        subject, row = _find(session, reference)
        done = _DEEDS[subject](session, row)
        by_deed: dict[Deed, set[str]] = {}
        for one in done:
            by_deed.setdefault(one.deed, set()).add(one.person)
        people = session.scalars(sa.select(m.Person).where(m.Person.enabled).order_by(m.Person.ref)).all()
        return ObjectDutiesView(
            subject=reference,
            kind=str(subject),
            deeds=tuple(DeedView(deed=str(one.deed), person=one.person, time=one.time) for one in done),
            duties=tuple(_duty(session, row, duty, people, by_deed) for duty in DUTIES[subject]),
            last=_last(session, actor, m.Event.subject == reference),
        )


def _duty(
    session: Session, row: Base, duty: Duty, people: Iterable[m.Person], done: Mapping[Deed, set[str]]
) -> DutyView:
    free, barred = [], []
    for person in people:
        roles = frozenset(Role(role) for role in person.roles)
        if not may(roles, duty.permission):
            continue
        deed = bars(duty, person.ref, done)
        if deed is not None:
            barred.append(BarredView(person=person.ref, because=SAID[deed]))
        elif sees(session, Actor(person.ref, "person", roles, scope=scope_of_person(person)), row):
            free.append(person.ref)
    return DutyView(
        duty=str(duty.deed),
        words=TO_DO[duty.deed],
        permission=str(duty.permission),
        may=tuple(free),
        barred=tuple(barred),
    )


def _last(session: Session, actor: Actor, which: sa.ColumnElement[bool]) -> tuple[EventView, ...]:
    statement = sa.select(m.Event).where(which, *only(actor, m.Event)).order_by(m.Event.id.desc()).limit(LAST)
    return tuple(event_view(event) for event in session.scalars(statement))


_BY_NUMBER: Final[Mapping[str, tuple[Subject, type[Base]]]] = {
    "O": (Subject.ORDER, m.Order),
    "DR": (Subject.DESTRUCTION, m.Destruction),
    "W": (Subject.WAIVER, m.Waiver),
    "HV": (Subject.HANDOVER, m.Handover),
    "BL": (Subject.BALANCE, m.Balance),
}


def _find(session: Session, reference: str) -> tuple[Subject, Base]:
    known = _BY_NUMBER.get(reference.partition("-")[0])
    if known is not None:
        return known[0], find(session, known[1], reference, str(known[0]))
    key = session.get(m.ApproverKey, reference)
    if key is None:
        raise NotFound("object on which duties are kept apart", reference)
    return Subject.APPROVER_KEY, key


def _of_order(session: Session, row: Base) -> list[_Done]:
    assert isinstance(row, m.Order)  # noqa: S101 - for the type checker: the table above pairs them
    found = [_Done(Deed.REQUESTED, row.requested_by, row.created)]
    approvals = session.scalars(
        sa.select(m.Approval).where(m.Approval.order_id == row.id).order_by(m.Approval.received)
    )
    found += [_Done(Deed.APPROVED, one.approver, one.received) for one in approvals]
    decided = session.scalars(
        sa.select(m.Validation)
        .join(m.Record, m.Record.sha256 == m.Validation.record_sha256)
        .where(m.Record.order_id == row.id)
        .order_by(m.Validation.log_index)
    )
    found += [_Done(Deed.VALIDATED, one.validator, one.at) for one in decided]
    examined = session.scalars(
        sa.select(m.SampleDevice)
        .join(m.Record, m.Record.sha256 == m.SampleDevice.record_sha256)
        .where(
            m.Record.order_id == row.id, m.SampleDevice.finding.is_not(None), m.SampleDevice.assigned_to.is_not(None)
        )
    )
    return found + [_Done(Deed.EXAMINED, str(one.assigned_to), one.assigned) for one in examined]


def _of_destruction(session: Session, row: Base) -> list[_Done]:
    assert isinstance(row, m.Destruction)  # noqa: S101 - as above
    found = [_Done(Deed.PERFORMED, row.operator, row.recorded)]
    if row.witness is not None:
        found.append(_Done(Deed.WITNESSED, row.witness, row.witnessed))
    signed = session.scalars(
        sa.select(m.PersonalSignature).where(
            m.PersonalSignature.subject == row.id, m.PersonalSignature.role == "countersigner"
        )
    )
    found += [_Done(Deed.COUNTERSIGNED, one.person, one.received) for one in signed]
    if row.validator is not None:
        found.append(_Done(Deed.VALIDATED, row.validator, row.decided))
    return found


def _of_waiver(_session: Session, row: Base) -> list[_Done]:
    assert isinstance(row, m.Waiver)  # noqa: S101 - as above
    found = [_Done(Deed.OPENED, row.opened_by, row.opened)]
    if row.countersigned_by is not None:
        found.append(_Done(Deed.COUNTERSIGNED, row.countersigned_by, row.countersigned))
    return found


def _of_handover(_session: Session, row: Base) -> list[_Done]:
    assert isinstance(row, m.Handover)  # noqa: S101 - as above
    found = [_Done(Deed.OFFERED, row.offered_by, row.offered)]
    if row.answered_by is not None:
        found.append(_Done(Deed.ANSWERED, row.answered_by, row.answered))
    return found


def _of_balance(session: Session, row: Base) -> list[_Done]:
    assert isinstance(row, m.Balance)  # noqa: S101 - as above
    answered = session.execute(
        sa.select(m.ExceptionItem.resolved_by, sa.func.max(m.ExceptionItem.resolved))
        .join(m.BalanceLine, m.BalanceLine.exception_id == m.ExceptionItem.id)
        .where(
            m.BalanceLine.balance_id == row.id,
            m.BalanceLine.counting == row.counting,
            m.ExceptionItem.resolved_by.is_not(None),
        )
        .group_by(m.ExceptionItem.resolved_by)
        .order_by(m.ExceptionItem.resolved_by)
    )
    found = [_Done(Deed.EXPLAINED, str(person), time) for person, time in answered]
    if row.closed_by is not None:
        found.append(_Done(Deed.CLOSED, row.closed_by, row.closed))
    return found


def _of_key(_session: Session, row: Base) -> list[_Done]:
    assert isinstance(row, m.ApproverKey)  # noqa: S101 - as above
    found = [_Done(Deed.REGISTERED, row.person, row.registered)]
    if row.confirmed_by is not None:
        found.append(_Done(Deed.CONFIRMED, row.confirmed_by, row.confirmed))
    return found


_DEEDS: Final[Mapping[Subject, Callable[[Session, Base], list[_Done]]]] = {
    Subject.ORDER: _of_order,
    Subject.DESTRUCTION: _of_destruction,
    Subject.WAIVER: _of_waiver,
    Subject.HANDOVER: _of_handover,
    Subject.BALANCE: _of_balance,
    Subject.APPROVER_KEY: _of_key,
}
