"""Hand-overs: one side offers, the other counts for itself. Gate and undertaking are asked at the offer and again at the answer.

Within our control acceptance moves the devices; out of it, acceptance releases them. Before the other side has accepted, nothing
has changed hands, whatever was said on the phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.handovers import Counted, Difference, HandoverEvent, HandoverState, compare, next_state
from inventory.domain.roles import Permission
from inventory.errors import Forbidden, GateClosed, IllegalTransition, Invalid, Reason, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Container, Device, Handover, HandoverLink, Location, Party
from reports.custody import HandedSide
from reports.media import MAX_MEDIA

from ._gate import Way
from ._handovers import handed, handover_detail, handover_row, offered, statement_of
from ._scope import only, sees
from ._transitions import move_device
from ._travel import objections, refuse
from .containers import seal_numbers
from .context import Actor, Context, authorize
from .disposal import way_between
from .handover_offers import event_of, note_refusals
from .kernel import (
    check_version,
    find,
    note,
    optional,
    raise_exception,
    required,
    settle_exception,
    sign_and_log,
    stamp,
)
from .queries._paging import bounded, cut
from .views import Page
from .views.handovers import HandoverDetail, HandoverRow

MAX_CODES: Final = 5000
_STRANGE: Final = 50
"""So many strange codes have an exception each; more of them are somebody's whole stock, and one exception."""


@dataclass(frozen=True, kw_only=True)
class AnswerHandover:
    """What the receiver counted. Whether that accepts or disputes follows from it."""

    count: int
    seals: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    """Read from the devices, where they were read one by one."""
    remark: str = ""
    """What is wrong; given, it disputes."""


def answer(context: Context, actor: Actor, handover: str, command: AnswerHandover) -> HandoverDetail:
    """Say what was counted: equal, it is accepted; different, it is disputed. Permission `handover.take_part`.

    Raises:
        SeparationOfDuty: one's own offer.
        Forbidden: it leaves our control (the receiver answers through a link), or one is not at the receiving place.
        GateClosed: the gate has closed since the offer; nothing changed hands, and a critical exception says so.
        IllegalTransition, NotFound, Invalid.
    """
    authorize(actor, Permission.HANDOVER)
    with context.writing(actor) as session:
        row = find(session, Handover, handover, "hand-over")
        if row.offered_by == actor.ref:
            raise SeparationOfDuty("accept a hand-over", "offered it")
        if row.outward:
            raise Forbidden(
                "handover", "This leaves our control: its receiver answers, through a link that you make on its page."
            )
        if not sees(session, actor, session.get_one(Location, row.to_location)):
            raise Forbidden("handover", "Somebody at the receiving place answers; you do not work there.")
        refused = answer_within(session, context, actor, row, command)
        if refused is None:
            return handover_detail(session, row, actor, context.now())
    raise refused


def answer_within(
    session: Session, context: Context, actor: Actor, row: Handover, command: AnswerHandover
) -> GateClosed | None:
    """Take an answer within a transaction that is under way; who may answer has been asked.

    Returns:
        The refusal, where the gate has closed since the offer: to be raised after the transaction, which keeps its traces.
    """
    counted = counted_of(command)
    _possible(row, HandoverEvent.ACCEPT)
    found = compare(offered(session, row), counted)
    if found:
        _close(session, context, actor, row, HandoverEvent.DISPUTE, counted, found)
        _raise_differences(session, context, row, found)
        return None
    place = session.get(Location, row.to_location) if row.to_location else None
    party = session.get(Party, row.to_party) if row.to_party else None
    way = way_between(session, context, place, party, row.destination, reuse=row.reuse)
    devices = [device for _, device in handed(session, row.id)]
    reasons = _moved_since(row, devices)
    reasons += objections(session, devices, way, place, event_of(outward=row.outward))
    if reasons or way.leaves_control is not row.outward:
        return _block(session, context, actor, row, way, reasons)
    for device in devices:
        _pass_on(session, context, actor, row, device)
    for number in row.containers:
        box = session.get_one(Container, number)
        box.location_id, box.party_id = row.to_location, row.to_party
    _close(session, context, actor, row, HandoverEvent.ACCEPT, counted, ())
    settle_exception(session, context, ExceptionCode.HANDOVER_BLOCKED, row.id, "It was accepted.")
    return None


def counted_of(command: AnswerHandover) -> Counted:
    """What the receiver found, cleaned. Raises `Invalid`."""
    if not 0 <= command.count <= 10 * MAX_MEDIA:
        raise Invalid("count", f"The count is a number from 0 to {10 * MAX_MEDIA}.")
    codes = tuple(required("codes", one, most=256) for one in command.codes if one.strip())
    if len(codes) > MAX_CODES:
        raise Invalid("codes", f"At most {MAX_CODES} codes.")
    seals = frozenset(seal_numbers("seals", command.seals))
    return Counted(count=command.count, seals=seals, codes=codes, remark=optional("remark", command.remark))


def _moved_since(row: Handover, devices: Sequence[Device]) -> list[Reason]:
    return [
        Reason("moved-since", f"{device.id}: it is not where it was offered any more.")
        for device in devices
        if device.location_id != row.from_location or device.party_id != row.from_party
    ]


def _block(
    session: Session, context: Context, actor: Actor, row: Handover, way: Way, reasons: Sequence[Reason]
) -> GateClosed:
    """The gate closed between the two acts: nothing changes hands, and somebody must say where the devices are."""
    shown = list(reasons) or [Reason("destination-changed", "The destination means something else than at the offer.")]
    details = {"reasons": sorted({one.code for one in shown})}
    note(session, context, actor, Tag.HANDOVER_REFUSED, "handover", row.id, details=details)
    note_refusals(session, context, actor, reasons, way)
    sentence = (
        f"Hand-over {row.id} to {row.destination} was answered, and the gate has closed since it was offered:"
        f" {shown[0].sentence} In the register nothing changed hands. Where are the devices?"
    )
    raise_exception(session, context, ExceptionCode.HANDOVER_BLOCKED, row.id, sentence)
    try:
        refuse(f"What hand-over {row.id} offers", way, shown)
    except GateClosed as refused:
        return refused
    raise AssertionError("unreachable")


def _pass_on(session: Session, context: Context, actor: Actor, row: Handover, device: Device) -> None:
    """The device is the receiver's from now on. In the log it stands with its new place."""
    device.location_id, device.party_id = row.to_location, row.to_party
    details = {"handover": row.id, "destination": row.destination, "location": row.to_location, "party": row.to_party}
    evidence: list[str] = []
    if row.outward:
        device.destination = row.destination
        evidence = [device.standing_record] if device.standing_record else []
    move_device(
        session, context, actor, device, event_of(outward=row.outward),
        reason=f"Hand-over {row.id} was accepted.", details=details, evidence=evidence,
    )  # fmt: skip


def _close(
    session: Session,
    context: Context,
    actor: Actor,
    row: Handover,
    event: HandoverEvent,
    counted: Counted,
    found: Sequence[Difference],
) -> None:
    now = context.now()
    after = next_state(row.state, event)
    assert after is not None  # noqa: S101 - `_possible` has asked
    side = HandedSide(actor=actor.ref, time=stamp(now), count=counted.count, seals=tuple(sorted(counted.seals)))
    statement = statement_of(session, row, side, found)
    digest, index = sign_and_log(session, context, "custody", statement.to_dict(), "acceptance", row.id)
    row.state, row.answered, row.answered_by = after, now, actor.ref
    row.counted, row.counted_seals = counted.count, sorted(counted.seals)
    row.differences = [{"kind": one.kind, "subject": one.subject, "sentence": one.sentence} for one in found]
    row.sha256, row.log_index = digest, index
    release_devices(session, context, row, "It was answered.")
    tag = Tag.HANDOVER_DISPUTED if found else Tag.HANDOVER_ACCEPTED
    details = {"count": counted.count, "differences": len(found)}
    note(session, context, actor, tag, "handover", row.id, reason=counted.remark, details=details, evidence=[digest])


def release_devices(session: Session, context: Context, row: Handover, words: str) -> None:
    """The offer binds its devices no more."""
    for entry, _ in handed(session, row.id):
        entry.open = False
    for link in session.scalars(sa.select(HandoverLink).where(HandoverLink.handover_id == row.id)):
        if link.used is None and link.revoked is None:
            link.revoked = context.now()
    session.flush()
    settle_exception(session, context, ExceptionCode.HANDOVER_OVERDUE, row.id, words)


def _raise_differences(session: Session, context: Context, row: Handover, found: Sequence[Difference]) -> None:
    strange = [one for one in found if one.kind == "device-unexpected"]
    if len(strange) > _STRANGE:
        words = f"{len(strange)} codes are on things that were not handed over; the hand-over's page names them."
        found = [one for one in found if one.kind != "device-unexpected"] + [Difference("device-unexpected", "", words)]
    for one in found:
        device = one.subject if one.kind in {"device-absent", "code-twice"} else None
        sentence = f"Hand-over {row.id} to {row.destination}: {one.sentence}"
        subject = f"{row.id} {one.kind} {one.subject}".strip()
        raise_exception(session, context, ExceptionCode.HANDOVER_DISPUTED, subject, sentence, device=device)


def withdraw(context: Context, actor: Actor, handover: str, reason: str, version: int | None = None) -> HandoverDetail:
    """Take an offer back, at the sending side. Permission `handover.take_part`. Raises `IllegalTransition`, `Forbidden`."""
    authorize(actor, Permission.HANDOVER)
    with context.writing(actor) as session:
        row = find(session, Handover, handover, "hand-over")
        check_version(f"Hand-over {row.id}", row.version, version)
        if row.offered_by != actor.ref and not sees(session, actor, session.get_one(Location, row.from_location)):
            raise Forbidden("handover", "The sending side takes an offer back; the receiving side disputes.")
        _possible(row, HandoverEvent.WITHDRAW)
        row.state = HandoverState.WITHDRAWN
        row.withdraw_reason = required("reason", reason, least=3)
        release_devices(session, context, row, "It was taken back.")
        settle_exception(session, context, ExceptionCode.HANDOVER_BLOCKED, row.id, f"Taken back: {reason}")
        note(session, context, actor, Tag.HANDOVER_WITHDRAWN, "handover", row.id, reason=row.withdraw_reason)
        return handover_detail(session, row, actor, context.now())


def _possible(row: Handover, event: HandoverEvent) -> None:
    if next_state(row.state, event) is None:
        raise IllegalTransition(f"Hand-over {row.id}", str(row.state), str(event))


def handover(context: Context, actor: Actor, number: str) -> HandoverDetail:
    """One hand-over. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return handover_detail(session, find(session, Handover, number, "hand-over"), actor, context.now())


def list_handovers(
    context: Context, actor: Actor, *, state: HandoverState | None = None, after: str | None = None, limit: int = 50
) -> Page[HandoverRow]:
    """Hand-overs, newest first. Permission `inventory.read`. Raises `Invalid`."""
    authorize(actor, Permission.READ)
    statement = sa.select(Handover).where(*only(actor, Handover)).order_by(Handover.id.desc())
    if state is not None:
        statement = statement.where(Handover.state == state)
    if after is not None:
        statement = statement.where(Handover.id < after)
    now = context.now()
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement.limit(bounded(limit) + 1)).all(), limit, lambda row: row.id)
        return Page(tuple(handover_row(row, actor, now) for row in rows), following)


def remind(session: Session, context: Context, now: datetime) -> int:
    """Offers nobody has answered in time: each is an exception until it is answered or taken back. Returns how many there are."""
    late = sa.select(Handover).where(Handover.state == HandoverState.OFFERED, Handover.answer_by < now)
    count = 0
    for row in session.scalars(late.order_by(Handover.id)):
        count += 1
        sentence = (
            f"Hand-over {row.id} to {row.destination} (devices: {row.count}) was to be answered by"
            f" {row.answer_by:%Y-%m-%d %H:%M} UTC. Who has them?"
        )
        raise_exception(session, context, ExceptionCode.HANDOVER_OVERDUE, row.id, sentence)
    return count
