"""Lots and containers as other services need them: who is in, in which lot a device is, how they look."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.handovers import HandoverState
from inventory.domain.lots import UNCLOSED, LotState
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import Reason
from inventory.models import Container, ContainerDevice, Device, ExceptionItem, Handover, Lot, LotDevice

from ._counting import differences
from ._mapping import device_label
from .views.devices import ReasonView
from .views.lots import ContainerView, LotDetail, LotMemberView, LotRow


def members(session: Session, lot: str) -> list[Device]:
    """The devices that are in a lot now, by number."""
    statement = (
        sa.select(Device)
        .join(LotDevice, LotDevice.device_id == Device.id)
        .where(LotDevice.lot_id == lot, LotDevice.removed.is_(None))
        .order_by(Device.id)
    )
    return list(session.scalars(statement))


def contained(session: Session, container: str) -> list[Device]:
    """The devices that are in a container now, by number."""
    statement = (
        sa.select(Device)
        .join(ContainerDevice, ContainerDevice.device_id == Device.id)
        .where(ContainerDevice.container_id == container, ContainerDevice.removed.is_(None))
        .order_by(Device.id)
    )
    return list(session.scalars(statement))


def unclosed_lots(session: Session, devices: Collection[str]) -> dict[str, str]:
    """Device -> the lot it is in that is not closed; devices in none are left out."""
    statement = (
        sa.select(LotDevice.device_id, LotDevice.lot_id)
        .join(Lot, Lot.id == LotDevice.lot_id)
        .where(LotDevice.device_id.in_(devices), LotDevice.removed.is_(None), Lot.state.in_(UNCLOSED))
        .order_by(LotDevice.id)
    )
    return dict(session.execute(statement).all())


def containers_of(session: Session, devices: Collection[str]) -> dict[str, str]:
    """Device -> the container it lies in; devices in none are left out."""
    statement = sa.select(ContainerDevice.device_id, ContainerDevice.container_id).where(
        ContainerDevice.device_id.in_(devices), ContainerDevice.removed.is_(None)
    )
    return dict(session.execute(statement).all())


def unsettled(session: Session, lot: Lot) -> tuple[Reason, ...]:
    """Everything that keeps a lot from being closed; empty: each device is accounted for."""
    inside = [device.id for device in members(session, lot.id)]
    if not inside:
        return (Reason("lot-empty", "Nothing is in it."),)
    items = session.scalars(
        sa.select(ExceptionItem)
        .where(ExceptionItem.device_id.in_(inside), ExceptionItem.state == ExceptionState.OPEN)
        .order_by(ExceptionItem.id)
    ).all()
    reasons = [Reason("exception-open", f"{item.id} is open: {item.sentence}") for item in items]
    known = {item.id for item in items}
    books = [Reason(one.code, one.sentence) for one in differences(session, lot.id) if one.exception not in known]
    return (*reasons, *books, *_under_way(session, lot))


def _under_way(session: Session, lot: Lot) -> list[Reason]:
    """Hand-overs of the lot that nobody has answered, and what was disputed about it as a whole."""
    found: list[Reason] = []
    for row in session.scalars(sa.select(Handover).where(Handover.lot_id == lot.id).order_by(Handover.id)):
        if row.state is HandoverState.OFFERED:
            found.append(Reason("handover-open", f"Hand-over {row.id} of it has no answer yet."))
        disputed = sa.select(ExceptionItem).where(
            ExceptionItem.code.in_([str(ExceptionCode.HANDOVER_DISPUTED), str(ExceptionCode.HANDOVER_BLOCKED)]),
            sa.or_(ExceptionItem.subject == row.id, ExceptionItem.subject.startswith(f"{row.id} ")),
            ExceptionItem.device_id.is_(None),
            ExceptionItem.state == ExceptionState.OPEN,
        )
        items = session.scalars(disputed.order_by(ExceptionItem.id))
        found += [Reason("exception-open", f"{item.id} is open: {item.sentence}") for item in items]
    return found


def lot_rows(session: Session, rows: Sequence[Lot]) -> tuple[LotRow, ...]:
    """Lots of a list, with how many devices are in each."""
    counts = dict(
        session.execute(
            sa.select(LotDevice.lot_id, sa.func.count())
            .where(LotDevice.lot_id.in_([row.id for row in rows]), LotDevice.removed.is_(None))
            .group_by(LotDevice.lot_id)
        ).all()
    )
    return tuple(
        LotRow(
            id=row.id,
            name=row.name,
            purpose=row.purpose,
            destination=row.destination,
            party=row.party_id,
            site=row.site_id,
            state=row.state,
            devices=counts.get(row.id, 0),
            opened=row.opened,
            opened_by=row.opened_by,
            closed=row.closed,
            closed_by=row.closed_by,
            closings=row.closings,
            closed_sha256=row.closed_sha256,
            closed_index=row.closed_index,
            note=row.note,
            version=row.version,
        )
        for row in rows
    )


def lot_detail(session: Session, lot: Lot) -> LotDetail:
    """One lot with everything in it."""
    (row,) = lot_rows(session, [lot])
    inside = members(session, lot.id)
    lying = containers_of(session, [device.id for device in inside])
    entries = {
        entry.device_id: entry
        for entry in session.scalars(
            sa.select(LotDevice).where(LotDevice.lot_id == lot.id, LotDevice.removed.is_(None))
        )
    }
    boxes = session.scalars(sa.select(Container).where(Container.lot_id == lot.id).order_by(Container.id)).all()
    open_still = () if lot.state is LotState.CLOSED else unsettled(session, lot)
    return LotDetail(
        **{field.name: getattr(row, field.name) for field in dataclasses.fields(LotRow)},
        members=tuple(
            LotMemberView(
                device=device.id,
                asset_tag=device.asset_tag,
                label=device_label(device),
                state=device.state,
                location=device.location_id,
                container=lying.get(device.id),
                added=entries[device.id].added,
                added_by=entries[device.id].added_by,
            )
            for device in inside
        ),
        containers=container_views(session, boxes),
        unsettled=tuple(ReasonView(code=one.code, sentence=one.sentence) for one in open_still),
    )


def container_views(session: Session, rows: Sequence[Container]) -> tuple[ContainerView, ...]:
    """Containers with what lies in each."""
    inside: dict[str, list[str]] = {}
    statement = sa.select(ContainerDevice.container_id, ContainerDevice.device_id).where(
        ContainerDevice.container_id.in_([row.id for row in rows]), ContainerDevice.removed.is_(None)
    )
    for container, device in session.execute(statement.order_by(ContainerDevice.device_id)):
        inside.setdefault(container, []).append(device)
    return tuple(
        ContainerView(
            id=row.id,
            name=row.name,
            kind=row.kind,
            seals=tuple(row.seals),
            lot=row.lot_id,
            location=row.location_id,
            party=row.party_id,
            devices=tuple(inside.get(row.id, ())),
            created=row.created,
            created_by=row.created_by,
            ended=row.ended,
            version=row.version,
        )
        for row in rows
    )
