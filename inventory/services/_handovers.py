"""Hand-overs as other services need them: how they look, and what two sides compare."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.handovers import Difference, HandoverState, Offered
from inventory.domain.roles import Permission
from inventory.models import Device, Handover, HandoverDevice, HandoverLink
from reports.custody import HandedDevice, HandedSide, HandOver

from ._mapping import device_label
from .context import Actor
from .kernel import stamp
from .views.devices import ReasonView
from .views.handovers import HandedDeviceView, HandoverDetail, HandoverLinkView, HandoverRow


def handed(session: Session, handover: str) -> list[tuple[HandoverDevice, Device]]:
    """The devices of a hand-over, by number."""
    statement = (
        sa.select(HandoverDevice, Device)
        .join(Device, Device.id == HandoverDevice.device_id)
        .where(HandoverDevice.handover_id == handover)
        .order_by(Device.id)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def offered(session: Session, row: Handover) -> Offered:
    """What the sender hands over, with every code by which a device may be known."""
    codes: dict[str, frozenset[str]] = {}
    for _, device in handed(session, row.id):
        known = (device.id, device.asset_tag, device.serial, device.declared_serial, device.wwn)
        codes[device.id] = frozenset(code for code in known if code)
    return Offered(devices=codes, seals=frozenset(row.seals))


def is_blind(actor: Actor, row: Handover) -> bool:
    """Whether the count is hidden: two counts that know of each other are one count."""
    may_answer = actor.may(Permission.HANDOVER) and actor.ref != row.offered_by
    return row.state is HandoverState.OFFERED and may_answer


def handover_row(row: Handover, actor: Actor, now: datetime) -> HandoverRow:
    """A hand-over in a list."""
    return HandoverRow(
        id=row.id,
        state=row.state,
        lot=row.lot_id,
        from_party=row.from_party,
        from_location=row.from_location,
        to_party=row.to_party,
        to_location=row.to_location,
        outward=row.outward,
        destination=row.destination,
        containers=tuple(row.containers),
        offered=row.offered,
        offered_by=row.offered_by,
        answer_by=row.answer_by,
        answered=row.answered,
        answered_by=row.answered_by,
        count=None if is_blind(actor, row) else row.count,
        overdue=row.state is HandoverState.OFFERED and row.answer_by < now,
        version=row.version,
    )


def handover_detail(session: Session, row: Handover, actor: Actor, now: datetime) -> HandoverDetail:
    """One hand-over as this reader may see it."""
    blind = is_blind(actor, row)
    base = handover_row(row, actor, now)
    links = session.scalars(
        sa.select(HandoverLink).where(HandoverLink.handover_id == row.id).order_by(HandoverLink.id.desc())
    )
    return HandoverDetail(
        **{field.name: getattr(base, field.name) for field in dataclasses.fields(HandoverRow)},
        reuse=row.reuse,
        note=row.note,
        seals=None if blind else tuple(row.seals),
        devices=None if blind else _device_views(session, row),
        counted=row.counted,
        counted_seals=None if row.counted_seals is None else tuple(row.counted_seals),
        differences=tuple(ReasonView(code=one["kind"], sentence=one["sentence"]) for one in row.differences),
        withdraw_reason=row.withdraw_reason,
        links=tuple(link_view(link) for link in links),
        sha256=row.sha256,
        log_index=row.log_index,
    )


def _device_views(session: Session, row: Handover) -> tuple[HandedDeviceView, ...]:
    return tuple(
        HandedDeviceView(
            device=device.id, asset_tag=device.asset_tag, label=device_label(device), container=entry.container_id
        )
        for entry, device in handed(session, row.id)
    )


def link_view(link: HandoverLink) -> HandoverLinkView:
    """A link, without its secret."""
    return HandoverLinkView(
        id=link.id,
        handover=link.handover_id,
        created=link.created,
        created_by=link.created_by,
        expires=link.expires,
        revoked=link.revoked,
        used=link.used,
        receiver=link.receiver,
    )


def statement_of(session: Session, row: Handover, receiver: HandedSide, found: Sequence[Difference]) -> HandOver:
    """What is signed about both sides."""
    return HandOver(
        number=row.id,
        answer="disputed" if found else "accepted",
        lot=row.lot_id or "",
        from_party=row.from_party or "",
        from_location=row.from_location,
        to_party=row.to_party or "",
        to_location=row.to_location or "",
        outward=row.outward,
        containers=tuple(row.containers),
        devices=tuple(
            HandedDevice(
                device=device.id,
                asset_tag=device.asset_tag or "",
                fingerprint=device.fingerprint or "",
                container=entry.container_id or "",
            )
            for entry, device in handed(session, row.id)
        ),
        sender=HandedSide(actor=row.offered_by, time=stamp(row.offered), count=row.count, seals=tuple(row.seals)),
        receiver=receiver,
        differences=summed_up([one.sentence for one in found]),
    )


def summed_up(sentences: Sequence[str], most: int = 1000) -> tuple[str, ...]:
    """Sentences that fit into a signed statement; how many further ones there are stands at the end."""
    if len(sentences) <= most:
        return tuple(sentences)
    return (*sentences[:most], f"And {len(sentences) - most} further differences.")
