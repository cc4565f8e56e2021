"""How a drive was by its own account, before and after its newest run."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.models.evidence import Record
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import load_envelope
from inventory.services.views.health import HealthView
from reports.envelope import unverified_body
from reports.errors import MalformedDocument
from reports.health import HealthReading
from reports.record import SanitizationRecord
from reports.times import parse_instant

from .devices import find_device, rows_of

_PREDICTIONS: dict[str, Literal["passed", "failing", "unknown"]] = {"passed": "passed", "failing": "failing"}
_LOOKED_AT = 8
"""Newest records in which a reading is looked for: a refused run asks no drive."""


def device_health(context: Context, actor: Actor, device_id: str) -> tuple[HealthView, ...]:
    """The readings of the newest record that has any, oldest first. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        known = find_device(session, device_id).id
        newest = (
            sa.select(Record.sha256)
            .where(Record.device_id.in_(rows_of(session, known)))
            .order_by(Record.received.desc(), Record.log_index.desc())
            .limit(_LOOKED_AT)
        )
        for sha256 in session.scalars(newest):
            found = _readings(session, sha256)
            if found:
                return tuple(_view(sha256, reading) for reading in found)
        return ()


def _readings(session: Session, sha256: str) -> tuple[HealthReading, ...]:
    body = unverified_body(load_envelope(session, sha256), "sanitization-record")
    return SanitizationRecord.from_dict(body).health if "health" in body else ()


def _moment(text: str) -> datetime | None:
    try:
        return parse_instant(text)
    except MalformedDocument:
        return None


def _view(sha256: str, reading: HealthReading) -> HealthView:
    return HealthView(
        record=sha256,
        moment="before" if reading.moment == "before" else "after",
        taken=_moment(reading.taken),
        source=reading.source,
        prediction=_PREDICTIONS.get(reading.prediction, "unknown"),
        temperature=reading.temperature,
        power_on_hours=reading.power_on_hours,
        reallocated=reading.reallocated,
        pending=reading.pending,
        uncorrectable=reading.uncorrectable,
        used_percent=reading.used_percent,
        spare_percent=reading.spare_percent,
        problem=reading.problem,
    )
