"""Verify-only orders in lists, and one of them."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.readings import OPEN, ReadingState
from inventory.domain.roles import Permission
from inventory.models.devices import Device
from inventory.models.evidence import Record
from inventory.models.hosts import Host
from inventory.models.readings import Reading
from inventory.services._mapping import device_label
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import Page
from inventory.services.views.readings import ReadingDetail, ReadingRow

from ._paging import bounded, cut
from .evidence import envelope


@dataclass(frozen=True, kw_only=True)
class ReadingFilter:
    """Which verify-only orders; all given conditions must hold."""

    states: frozenset[ReadingState] = frozenset()
    device: str | None = None
    record: str | None = None
    open: bool | None = None


def list_readings(
    context: Context, actor: Actor, where: ReadingFilter, *, after: str | None = None, limit: int = 50
) -> Page[ReadingRow]:
    """Newest first. Permission `inventory.read`. Raises `Invalid` (limit)."""
    authorize(actor, Permission.READ)
    statement = sa.select(Reading).where(*only(actor, Reading)).order_by(Reading.id.desc()).limit(bounded(limit) + 1)
    if where.states:
        statement = statement.where(Reading.state.in_(where.states))
    if where.device is not None:
        statement = statement.where(Reading.device_id == where.device)
    if where.record is not None:
        statement = statement.where(Reading.record_sha256 == where.record)
    if where.open is not None:
        statement = statement.where(Reading.state.in_(OPEN) if where.open else Reading.state.not_in(OPEN))
    if after is not None:
        statement = statement.where(Reading.id < after)
    with context.reading(actor) as session:
        found, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(items=reading_rows(session, found), next=following)


def reading(context: Context, actor: Actor, number: str) -> ReadingDetail:
    """One verify-only order. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return reading_detail(session, find(session, Reading, number, "reading"))


def reading_rows(session: Session, readings: Sequence[Reading]) -> tuple[ReadingRow, ...]:
    """Verify-only orders as a list shows them, in the order given."""
    devices = {
        row.id: row
        for row in session.scalars(sa.select(Device).where(Device.id.in_({row.device_id for row in readings})))
    }
    hosts = dict(
        session.execute(sa.select(Host.id, Host.name).where(Host.id.in_({row.host_id for row in readings}))).all()
    )
    claims = {row.record_sha256 for row in readings}
    orders = dict(session.execute(sa.select(Record.sha256, Record.order_id).where(Record.sha256.in_(claims))).all())
    return tuple(
        ReadingRow(
            id=row.id,
            state=row.state,
            device=row.device_id,
            device_label=device_label(devices[row.device_id]),
            asset_tag=devices[row.device_id].asset_tag,
            host=row.host_id,
            host_name=hosts[row.host_id],
            record=row.record_sha256,
            order=orders.get(row.record_sha256),
            expected=row.expected,
            verification=row.verification,
            requested_by=row.requested_by,
            reason=row.reason,
            created=row.created,
            expires=row.expires,
            percent=row.bytes_done * 100 // row.bytes_total if row.bytes_total else 0,
            ended=row.ended,
            reasons=tuple(row.reasons),
            version=row.version,
        )
        for row in readings
    )


def reading_detail(session: Session, row: Reading) -> ReadingDetail:
    """Everything about a verify-only order, within a transaction that is under way."""
    (short,) = reading_rows(session, [row])
    fields = {field.name: getattr(short, field.name) for field in dataclasses.fields(ReadingRow)}
    sealed = envelope(session, row.envelope_sha256)
    answer = envelope(session, row.result_sha256) if row.result_sha256 else None
    return ReadingDetail(
        **fields,
        agent_key=row.agent_key,
        sealed=_payload(sealed),
        envelope=sealed,
        sha256=row.payload_sha256,
        reading=None if answer is None else _payload(answer),
        reading_envelope=answer,
        reading_sha256=row.result_sha256,
        log_index=row.log_index,
    )


def _payload(signed: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(signed["payload"]))
    return found
