"""Tables taken away: what a list shows, whole, as CSV, JSON Lines or XLSX. Who took which stands in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.holdings import state_of
from inventory.domain.roles import Permission
from inventory.errors import Invalid, NotFound
from inventory.events import Tag
from inventory.models import (
    Attachment,
    Balance,
    BalanceLine,
    DataSet,
    Device,
    ErasureCase,
    Event,
    ExceptionItem,
    Holding,
    Host,
    Location,
    Obligation,
    Order,
)

from ._mapping import held_of
from ._scope import only
from .context import Actor, Context, authorize
from .kernel import CUSTODY_TAGS, find, note
from .packs.listing import moment
from .packs.tables import Cell, Rows, Table, as_csv, as_json_lines, workbook

Kind = Literal["csv", "jsonl", "xlsx"]
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_AT_ONCE: Final = 500
Chosen = TypeVar("Chosen", bound=sa.Select[*tuple[Any, ...]])


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """Which rows; everything that is given must match."""

    device: str | None = None
    location: str | None = None
    """Devices that are there; only of the table of devices."""
    since: datetime | None = None
    """By the time that begins a row's life: created, raised, opened, happened."""
    until: datetime | None = None
    """Not included."""


@dataclass(frozen=True)
class Export:
    """A table that can be taken away."""

    table: Table
    words: str
    permission: Permission
    rows: Callable[[Session, Actor, Narrowed], Iterator[tuple[Cell, ...]]]


@dataclass(frozen=True)
class Taken:
    """A file on its way."""

    name: str
    media_type: str
    parts: Iterator[bytes]


def take(context: Context, actor: Actor, name: str, kind: Kind, narrowed: Narrowed | None = None) -> Taken:
    """A table as a file, made while it is read. The permission of its table.

    Raises:
        NotFound: there is no such table.
        Invalid: no such kind of file, or a time without an offset.
    """
    export = EXPORTS.get(name)
    if export is None:
        raise NotFound("table", name)
    authorize(actor, export.permission)
    wanted = narrowed or Narrowed()
    if any(one is not None and one.tzinfo is None for one in (wanted.since, wanted.until)):
        raise Invalid("since", "Both times need an offset from UTC.")
    rows = Rows(export.table)
    try:
        with context.reading(actor) as session:
            for cells in export.rows(session, actor, wanted):
                rows.add(*cells)
        return _file(context, actor, f"{name}.{kind}", kind, rows)
    except BaseException:
        rows.close()
        raise


def take_balance(context: Context, actor: Actor, reference: str, kind: Kind) -> Taken:
    """A balance sheet as a file: its numbers, then what does not agree. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    rows = Rows(_BALANCE)
    try:
        with context.reading(actor) as session:
            row = find(session, Balance, reference, "balance")
            for name, devices in sorted(row.counts.items()):
                rows.add(row.id, row.words, "number", name, devices, None, None, None, None)
            lines = sa.select(BalanceLine).where(BalanceLine.balance_id == row.id, BalanceLine.counting == row.counting)
            for line in session.scalars(lines.order_by(BalanceLine.id).execution_options(yield_per=_AT_ONCE)):
                answered = "yes" if line.answered else "no"
                rows.add(
                    row.id, line.sentence, "difference", line.code, None, line.device, line.exception_id, line.owner, answered
                )  # fmt: skip
        return _file(context, actor, f"{row.id}.{kind}", kind, rows)
    except BaseException:
        rows.close()
        raise


def _file(context: Context, actor: Actor, name: str, kind: Kind, rows: Rows) -> Taken:
    if kind not in MEDIA_TYPES:
        raise Invalid("kind", f"A table is taken away as {', '.join(MEDIA_TYPES)}.")
    with context.writing(actor) as session:
        note(
            session, context, actor, Tag.EXPORT_TAKEN, "table", rows.table.name,
            details={"file": name, "rows": rows.count},
        )  # fmt: skip
    return as_file(name, kind, rows)


def as_file(name: str, kind: Kind, rows: Rows) -> Taken:
    """Rows as a file; they are gone once it is sent. Raises `Invalid` where there is no such kind of file."""
    if kind not in MEDIA_TYPES:
        raise Invalid("kind", f"A table is taken away as {', '.join(MEDIA_TYPES)}.")
    return Taken(name, MEDIA_TYPES[kind], _parts(rows, kind))


def _parts(rows: Rows, kind: Kind) -> Iterator[bytes]:
    try:
        if kind == "csv":
            yield from as_csv(rows)
        elif kind == "jsonl":
            yield from as_json_lines(rows)
        else:
            yield from (part for part in workbook([rows], title=rows.table.title) if part)
    finally:
        rows.close()


# -- the tables --------------------------------------------------------------------------------------------------------


def _within(
    statement: Chosen, wanted: Narrowed, time: InstrumentedAttribute[Any], device: InstrumentedAttribute[Any] | None
) -> Chosen:
    if wanted.since is not None:
        statement = statement.where(time >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(time < wanted.until)
    if wanted.device is not None:
        statement = statement.where(sa.false() if device is None else device == wanted.device)
    return statement.execution_options(yield_per=_AT_ONCE)


def _devices(session: Session, actor: Actor, wanted: Narrowed) -> Iterator[tuple[Cell, ...]]:
    statement = (
        sa.select(Device, Location.name, Host.name, Attachment.path)
        .outerjoin(Location, Location.id == Device.location_id)
        .outerjoin(Attachment, sa.and_(Attachment.device_id == Device.id, Attachment.until.is_(None)))
        .outerjoin(Host, Host.id == Attachment.host_id)
        .where(Device.bound_to.is_(None), *only(actor, Device))
        .order_by(Device.id)
    )
    if wanted.location is not None:
        statement = statement.where(Device.location_id == wanted.location)
    for device, place, host, path in session.execute(_within(statement, wanted, Device.created, Device.id)):
        yield (
            device.id, device.asset_tag, str(device.state), device.vendor or device.declared_vendor,
            device.model or device.declared_model, device.serial or device.declared_serial,
            device.media or device.declared_media,
            device.capacity_bytes if device.capacity_bytes is not None else device.declared_capacity,
            device.firmware, device.location_id, place, host, path, device.party_id, device.destination, device.source,
            moment(device.declared_at), moment(device.observed_at), device.fingerprint, device.standing_record,
        )  # fmt: skip


def _holdings(session: Session, actor: Actor, wanted: Narrowed) -> Iterator[tuple[Cell, ...]]:
    statement = (
        sa.select(Holding, DataSet, Device.asset_tag)
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .join(Device, Device.id == Holding.device_id)
        .where(*only(actor, Holding))
        .order_by(Holding.id)
    )
    for holding, data_set, tag in session.execute(_within(statement, wanted, Holding.since, Holding.device_id)):
        yield (
            holding.id, holding.device_id, tag, data_set.id, data_set.name, str(data_set.category), str(holding.kind),
            str(holding.source), str(state_of(held_of(holding, data_set))), moment(holding.since), moment(holding.until),
            moment(holding.covered_at), holding.covered_by,
        )  # fmt: skip


def _orders(session: Session, actor: Actor, wanted: Narrowed) -> Iterator[tuple[Cell, ...]]:
    statement = (
        sa.select(Order, Device.asset_tag)
        .join(Device, Device.id == Order.device_id)
        .where(*only(actor, Order))
        .order_by(Order.created, Order.id)
    )
    for order, tag in session.execute(_within(statement, wanted, Order.created, Order.device_id)):
        yield (
            order.id, str(order.state), order.device_id, tag, order.host_id, str(order.plan.get("method", "")),
            str(order.plan.get("technique", "")), order.requested_by, order.reason, moment(order.created),
            moment(order.expires), order.approvals_required, order.payload_sha256, order.record_sha256,
            order.outcome_reason,
        )  # fmt: skip


def _exceptions(session: Session, actor: Actor, wanted: Narrowed) -> Iterator[tuple[Cell, ...]]:
    statement = sa.select(ExceptionItem).where(*only(actor, ExceptionItem)).order_by(ExceptionItem.id)
    for item in session.scalars(_within(statement, wanted, ExceptionItem.raised, ExceptionItem.device_id)):
        yield (
            item.id, item.code, item.severity, str(item.state), item.sentence, item.subject, item.device_id, item.host_id,
            item.owner, moment(item.raised), moment(item.resolved), item.resolved_by, item.resolution,
        )  # fmt: skip


def _custody(session: Session, actor: Actor, wanted: Narrowed) -> Iterator[tuple[Cell, ...]]:
    statement = (
        sa.select(Event, Device.asset_tag)
        .join(Device, Device.id == Event.device_id)
        .where(Event.tag.in_([str(tag) for tag in CUSTODY_TAGS]), Event.subject_kind == "device", *only(actor, Event))
        .order_by(Event.id)
    )
    for event, tag in session.execute(_within(statement, wanted, Event.at, Event.device_id)):
        yield (
            event.id, moment(event.at), event.device_id, tag, event.tag, event.actor, event.details.get("location"),
            event.order_id, event.reason, event.details.get("custody"),
        )  # fmt: skip


def _cases(session: Session, actor: Actor, wanted: Narrowed) -> Iterator[tuple[Cell, ...]]:
    total = sa.select(sa.func.count()).where(Obligation.case_id == ErasureCase.id).scalar_subquery()
    left = (
        sa.select(sa.func.count())
        .where(Obligation.case_id == ErasureCase.id, Obligation.closed.is_(None))
        .scalar_subquery()
    )
    statement = sa.select(ErasureCase, total, left).where(*only(actor, ErasureCase)).order_by(ErasureCase.id)
    for case, owed, still in session.execute(_within(statement, wanted, ErasureCase.opened, None)):
        yield (
            case.id, case.reference, str(case.state), moment(case.customer_since), moment(case.withdrawn),
            moment(case.due), moment(case.opened), case.opened_by, owed, still, moment(case.closed), case.closed_by,
        )  # fmt: skip


_BALANCE: Final = Table(
    "balance",
    "Balance",
    ("Balance", "Words", "Kind", "Name", "Devices", "Device", "Exception", "Owner", "Answered"),
)
EXPORTS: Final[Mapping[str, Export]] = {
    export.table.name: export
    for export in (
        Export(
            Table(
                "devices",
                "Devices",
                (
                    "Device", "Asset tag", "State", "Manufacturer", "Model", "Serial number", "Media", "Capacity bytes",
                    "Firmware", "Place", "Place name", "Host", "Path", "Party", "Destination", "Source", "Declared",
                    "Observed", "Fingerprint", "Standing record",
                ),
            ),
            "Every device with what was declared and observed, where it is and what stands behind it.",
            Permission.READ,
            _devices,
        ),
        Export(
            Table(
                "holdings",
                "Holdings",
                (
                    "Holding", "Device", "Asset tag", "Data set", "Data set name", "Category", "Kind", "How known", "State",
                    "Since", "Until", "Covered", "Covered by",
                ),
            ),
            "Which data lies or lay on which medium; residue until a validated record covers it.",
            Permission.READ,
            _holdings,
        ),
        Export(
            Table(
                "orders",
                "Orders",
                (
                    "Order", "State", "Device", "Asset tag", "Host", "Method", "Technique", "Requested by", "Reason",
                    "Created", "Expires", "Approvals required", "Sealed digest", "Record", "Outcome",
                ),
            ),
            "Every order and how it ended.",
            Permission.READ,
            _orders,
        ),
        Export(
            Table(
                "exceptions",
                "Exceptions",
                (
                    "Exception", "Code", "Severity", "State", "Sentence", "Subject", "Device", "Host", "Owner", "Raised",
                    "Resolved", "Resolved by", "Resolution",
                ),
            ),
            "Whatever was or is unaccounted, with owner and end.",
            Permission.READ,
            _exceptions,
        ),
        Export(
            Table(
                "custody",
                "Custody",
                (
                    "Event", "Time", "Device", "Asset tag", "What", "By", "Place", "Order", "Reason", "Statement SHA-256",
                ),
            ),
            "Who had which device, where and in what state: every change, with the digest of its signed statement.",
            Permission.READ_EVIDENCE,
            _custody,
        ),
        Export(
            Table(
                "cases",
                "Erasure cases",
                (
                    "Case", "Reference", "State", "Customer since", "Withdrawn", "Due", "Opened", "Opened by", "Obligations",
                    "Open obligations", "Closed", "Closed by",
                ),
            ),
            "Every withdrawal and what is still owed.",
            Permission.READ,
            _cases,
        ),
    )
}  # fmt: skip
"""In the order of the page."""
