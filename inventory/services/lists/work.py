"""The lists of orders, certificates and exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import TITLES
from inventory.domain.orders import OPEN
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ExceptionState, OrderState
from inventory.errors import Invalid
from inventory.models import Certificate, Device, ExceptionItem, Order
from inventory.services._mapping import device_label, exception_view
from inventory.services.queries._paging import number as page_number
from inventory.services.queries.evidence import certificate_select, certificate_view
from inventory.services.queries.orders import order_rows
from inventory.services.views import OrderRow

from .spec import Asking, Choice, Column, Condition, Exact, Facet, Listed, Sort, Walk, one_of, part_of, words

_RUNNING: Final = (OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING)
_SHOWN: Final[dict[str, Condition]] = {
    "open": Order.state.in_(OPEN),
    "to-approve": Order.state == OrderState.REQUESTED,
    "running": Order.state.in_(_RUNNING),
    "to-validate": Order.state == OrderState.RECORDED,
    "ended": Order.state.not_in(OPEN),
}


def _of_device(text: str, column: Any) -> Condition:  # noqa: ANN401 - a column that names a device
    fields = (Device.asset_tag, Device.serial, Device.declared_serial)
    return sa.exists().where(Device.id == column, part_of(text, *fields)).correlate_except(Device)


def _percent(row: OrderRow) -> int | None:
    """How far a run under way is, by its agent's last report."""
    return row.progress.percent if row.progress is not None and row.state in _RUNNING else None


def _order_rows(session: Session, _: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    return order_rows(session, found)


ORDERS: Final = Listed(
    name="orders",
    title="Orders",
    noun="order",
    permission=Permission.READ,
    model=Order,
    key=Order.id,
    walk=Walk(by=(Order.id.desc(),), beyond=lambda key: Order.id < key, key=lambda row: str(row.id)),
    columns=(
        Column(name="order", title="Order", value=lambda row: row.id, opens="order"),
        Column(name="host", title="Host", value=lambda row: row.host_name, below="order"),
        Column(name="state", title="State", value=lambda row: row.state, kind="state"),
        Column(name="progress", title="Progress", value=_percent, kind="progress", below="state"),
        Column(
            name="device",
            title="Device",
            value=lambda row: row.asset_tag or row.device,
            opens="device",
            number=lambda row: row.device,
        ),
        Column(name="label", title="Make and size", value=lambda row: row.device_label, below="device"),
        Column(name="method", title="Method", value=lambda row: row.method, kind="words"),
        Column(name="technique", title="Technique", value=lambda row: row.technique, kind="technique", below="method"),
        Column(name="given", title="Signatures given", value=lambda row: row.approvals_given, kind="number"),
        Column(name="needed", title="Signatures needed", value=lambda row: row.approvals_required, kind="number"),
        Column(name="created", title="Requested", value=lambda row: row.created, kind="time", sort=Sort(Order.created)),
        Column(name="by", title="Requested by", value=lambda row: row.requested_by, kind="person", below="created"),
        Column(
            name="expires",
            title="Good until",
            value=lambda row: row.expires,
            kind="time",
            usual=False,
            sort=Sort(Order.expires),
        ),
        Column(name="verification", title="Read-back", value=lambda row: row.verification, kind="words", usual=False),
        Column(
            name="certificate", title="Certificate", value=lambda row: row.certificate, opens="certificate", usual=False
        ),
    ),
    facets=(
        Facet(
            name="show",
            title="Which orders",
            choices=tuple(
                Choice(*pair)
                for pair in (
                    ("open", "Still open"),
                    ("to-approve", "To approve"),
                    ("running", "Running"),
                    ("to-validate", "To validate"),
                    ("ended", "Already ended"),
                )
            ),
            condition=lambda values, _: sa.or_(sa.false(), *(_SHOWN[value] for value in values)),
            single=True,
        ),
        Facet(
            name="state",
            title="State",
            choices=words(OrderState),
            condition=one_of(Order.state),
            column=Order.state,
            indexed=True,
        ),
    ),
    exacts=(
        Exact(name="device", title="Device", condition=lambda value: Order.device_id == value),
        Exact(name="host", title="Host", condition=lambda value: Order.host_id == value),
        Exact(name="requested_by", title="Requested by", condition=lambda value: Order.requested_by == value),
    ),
    text=lambda _, text: sa.or_(part_of(text, Order.id, Order.reason), _of_device(text, Order.device_id)),
    text_hint="Number, reason, asset tag or serial number, in part or whole",
    time=Order.created,
    rows=_order_rows,
)


def _certificate_rows(session: Session, _: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    numbers = [row.number for row in found]
    views = {
        row[0].number: certificate_view(*row)
        for row in session.execute(certificate_select().where(Certificate.number.in_(numbers)))
    }
    devices = {
        row.id: row for row in session.scalars(sa.select(Device).where(Device.id.in_({row.device_id for row in found})))
    }
    return tuple((views[row.number], devices[row.device_id]) for row in found)


def _log_index(key: str) -> Condition:
    return Certificate.log_index < (page_number(key) or 0)


CERTIFICATES: Final = Listed(
    name="certificates",
    title="Certificates",
    noun="certificate",
    permission=Permission.READ_EVIDENCE,
    model=Certificate,
    key=Certificate.number,
    base=(Certificate.kind == "certificate",),
    walk=Walk(by=(Certificate.log_index.desc(),), beyond=_log_index, key=lambda row: str(row.log_index)),
    columns=(
        Column(name="certificate", title="Certificate", value=lambda row: row[0].number, opens="certificate"),
        Column(
            name="device",
            title="Device",
            value=lambda row: row[1].asset_tag or row[1].id,
            opens="device",
            number=lambda row: row[1].id,
        ),
        Column(name="label", title="Make and size", value=lambda row: device_label(row[1]), below="device"),
        Column(
            name="issued", title="Issued", value=lambda row: row[0].issued, kind="time", sort=Sort(Certificate.issued)
        ),
        Column(name="by", title="Issued by", value=lambda row: row[0].issued_by, kind="person", below="issued"),
        Column(name="order", title="Order", value=lambda row: row[0].order, opens="order"),
        Column(name="index", title="Log index", value=lambda row: row[0].log_index, kind="number", opens="log_entry"),
        Column(name="sealed", title="Sealed", value=lambda row: row[0].sealed, kind="yes"),
        Column(name="record", title="Record", value=lambda row: row[0].record, kind="mono", usual=False),
        Column(name="pdf", title="PDF SHA-256", value=lambda row: row[0].pdf_sha256, kind="mono", usual=False),
    ),
    facets=(),
    exacts=(Exact(name="device", title="Device", condition=lambda value: Certificate.device_id == value),),
    text=lambda _, text: sa.or_(
        part_of(text, Certificate.number, Certificate.order_id), _of_device(text, Certificate.device_id)
    ),
    text_hint="Number, order, asset tag or serial number, in part or whole",
    time=Certificate.issued,
    rows=_certificate_rows,
)


_grave = sa.case((ExceptionItem.severity == "critical", 0), else_=1)


def _after(key: str) -> Condition:
    rank, _, number = key.partition(":")
    if rank not in {"0", "1"} or not number:
        raise Invalid("after", "This is no key of a page.")
    return sa.or_(_grave > int(rank), sa.and_(_grave == int(rank), ExceptionItem.id < number))


def _exception_rows(_: Session, __: Asking, found: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(exception_view(item) for item in found)


def _owner(values: Sequence[str], asking: Asking) -> Condition:
    ways = {"mine": ExceptionItem.owner == asking.actor.ref, "nobody": ExceptionItem.owner.is_(None)}
    return sa.or_(sa.false(), *(ways[value] for value in values))


EXCEPTIONS: Final = Listed(
    name="exceptions",
    title="Exceptions",
    noun="exception",
    permission=Permission.READ,
    model=ExceptionItem,
    key=ExceptionItem.id,
    walk=Walk(
        by=(_grave, ExceptionItem.id.desc()),
        beyond=_after,
        key=lambda row: f"{int(row.severity != 'critical')}:{row.id}",
    ),
    columns=(
        Column(name="exception", title="Exception", value=lambda row: row.title),
        Column(name="number", title="Number", value=lambda row: row.id, kind="mono"),
        Column(name="code", title="Code", value=lambda row: row.code),
        Column(name="severity", title="Severity", value=lambda row: row.severity, kind="severity"),
        Column(name="state", title="State", value=lambda row: row.state, kind="state"),
        Column(name="sentence", title="Sentence", value=lambda row: row.sentence),
        Column(name="device", title="Device", value=lambda row: row.device, opens="device"),
        Column(name="host", title="Host", value=lambda row: row.host, opens="host"),
        Column(name="owner", title="Owner", value=lambda row: row.owner, kind="person"),
        Column(
            name="raised", title="Raised", value=lambda row: row.raised, kind="time", sort=Sort(ExceptionItem.raised)
        ),
        Column(name="resolved", title="Resolved", value=lambda row: row.resolved, kind="time"),
        Column(name="resolution", title="Resolution", value=lambda row: row.resolution),
    ),
    facets=(
        Facet(
            name="state",
            title="State",
            choices=words(ExceptionState),
            condition=one_of(ExceptionItem.state),
            column=ExceptionItem.state,
            indexed=True,
            presumed=("open",),
        ),
        Facet(
            name="severity",
            title="Severity",
            choices=(Choice("critical", "Critical"), Choice("warning", "Warning")),
            condition=one_of(ExceptionItem.severity),
            column=ExceptionItem.severity,
        ),
        Facet(
            name="owner",
            title="Who answers for it",
            choices=(Choice("mine", "I do"), Choice("nobody", "Nobody yet")),
            condition=_owner,
        ),
        Facet(
            name="code",
            title="What it is",
            choices=tuple(Choice(str(code), title) for code, title in TITLES.items()),
            condition=one_of(ExceptionItem.code),
            column=ExceptionItem.code,
        ),
    ),
    exacts=(
        Exact(name="device", title="Device", condition=lambda value: ExceptionItem.device_id == value),
        Exact(name="host", title="Host", condition=lambda value: ExceptionItem.host_id == value),
    ),
    text=lambda _, text: part_of(text, ExceptionItem.id, ExceptionItem.subject, ExceptionItem.sentence),
    text_hint="Number, subject or words of the sentence",
    time=ExceptionItem.raised,
    rows=_exception_rows,
)
