"""Job bundles: work for a host without a network, signed for its agent and carried there by a person.

With the bundle the service answers beforehand what it is asked right before a first write: whether anything forbids it. So
from the moment a bundle is made its media count as being sanitized, as they would after that answer: nobody here can know
whether they are. The newest bundle of a host holds everything that may be done there; what it does not hold any more may not
be begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory import code_sheets
from inventory.contract.v1 import by_hand as messages
from inventory.contract.v1.agents import DeclaredPath, RecordAccepted
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.log import ConsistencyProof
from inventory.contract.v1.orders import Lease as LeaseMessage
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.lifecycle import next_state as next_device_state
from inventory.domain.orders import OrderEvent
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState, OrderState
from inventory.errors import Conflict, Invalid, NotFound, Unavailable
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import DataSet as DataSetRow
from inventory.models import DeclaredPath as PathRow
from inventory.models import (
    Device,
    Host,
    HostContact,
    JobBundle,
    JobBundleOrder,
    Lease,
    Lot,
    LotDevice,
    Order,
    Person,
    Record,
    ReturnBundle,
)
from reports.envelope import Envelope as Signed
from reports.envelope import sign, unverified_body
from reports.errors import RenderingUnavailable, ReportError
from reports.language import Language, speaker
from reports.numbered import parts_of

from . import leases, records, roster
from ._anchor import trust_roots
from ._by_hand import job_bundle_view, newest_bundle
from ._halted import halt_of
from ._holds import holds_on
from ._scope import only
from ._transitions import move_device, move_order
from .approvals import enough_approvals
from .approvers import has_ended
from .context import Actor, Context, authorize
from .kernel import find, load_envelope, next_number, note, stamp, store_envelope
from .people import names_by_ref
from .views.by_hand import JobBundleView, LeftOutView

_REMEMBERED: Final = 16
"""Newest bundles of a host whose states of the log the agent may have stayed at."""


@dataclass(frozen=True, kw_only=True)
class IssueJobBundle:
    """Work to be carried to a host."""

    host: str
    hours: int = 72
    """How long it may be begun there."""
    courier: str | None = None
    """Who carries it, by pseudonym; None: whoever asks."""
    lot: str | None = None
    """Only new orders about devices of this lot."""


@dataclass(frozen=True)
class _Chosen:
    """What goes along and what does not."""

    orders: tuple[Order, ...]
    left_out: tuple[tuple[str, str], ...]


def issue(context: Context, actor: Actor, command: IssueJobBundle) -> JobBundleView:
    """Make a bundle of every approved order of a host, and of those that are out with it and may still be begun.

    Permission `order.request`. A bundle without orders is made, too: it brings the acceptances of records.

    Raises:
        NotFound.
        Invalid: hours outside 1 to 336, or no such courier.
        Conflict: the host is halted, or its key does not count.
    """
    authorize(actor, Permission.ORDER_REQUEST)
    if not 1 <= command.hours <= 336:
        raise Invalid("hours", "A job bundle may be begun for 1 to 336 hours.")
    with context.writing(actor) as session:
        host = find(session, Host, command.host, "host")
        session.refresh(host, with_for_update=True)  # two people at once get two numbers
        _require_working(session, host)
        courier = courier_of(session, actor, command.courier)
        if command.lot is not None:
            find(session, Lot, command.lot, "lot")
        until = context.now() + timedelta(hours=command.hours)
        chosen = _choose(session, context, actor, host, command.lot)
        jobs = tuple(_hand_out(session, context, actor, host, order, until) for order in chosen.orders)
        before = newest_bundle(session, host.id)
        number = 1 if before is None else before.number + 1
        body = _body(session, context, actor, host, number=number, until=until, courier=courier, jobs=jobs)
        row = _keep(session, context, actor, host, body, chosen)
        return job_bundle_view(session, row, host)


def preview(context: Context, actor: Actor, host: str) -> tuple[tuple[str, ...], tuple[LeftOutView, ...]]:
    """Which orders would go along now, and which would not. Permission `order.request`. Raises `NotFound`."""
    authorize(actor, Permission.ORDER_REQUEST, reading=True)
    with context.reading(actor) as session:
        found = _choose(session, context, actor, find(session, Host, host, "host"), None)
        left_out = tuple(LeftOutView(order, reason) for order, reason in found.left_out)
        return tuple(order.id for order in found.orders), left_out


def envelope_of(context: Context, actor: Actor, host: str, number: int) -> Signed:
    """A bundle as signed, to be carried. Permission `order.request`. Raises `NotFound`."""
    authorize(actor, Permission.ORDER_REQUEST, reading=True)
    with context.reading(actor) as session:
        find(session, Host, host, "host")
        row = find(session, JobBundle, (host, number), "job bundle")
        return load_envelope(session, row.envelope_sha256)


def one_bundle(context: Context, actor: Actor, host: str, number: int) -> JobBundleView:
    """One bundle. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        owner = find(session, Host, host, "host")
        return job_bundle_view(session, find(session, JobBundle, (host, number), "job bundle"), owner)


def sheet(context: Context, actor: Actor, host: str, number: int, language: Language | None = None) -> bytes:
    """A bundle as codes on paper (PDF), in a language or in that of documents. Permission `order.request`.

    Raises:
        NotFound.
        Invalid: it is too large for codes.
        Unavailable: nothing can be printed here.
    """
    texts = texts_of(context, actor, host, number)
    view = one_bundle(context, actor, host, number)
    voice = speaker(language or context.settings.documents.language)
    until, made = voice.moment(stamp(view.until)), voice.moment(stamp(view.made))
    lines = (
        voice.count("bundle.whom", len(view.orders), host=view.host_name, id=view.host, moment=until),
        voice.say("bundle.made", moment=made, courier=names_by_ref(context, actor)[view.courier].name),
    )
    title = voice.say("bundle.title", number=view.number, host=view.host_name)
    try:
        return code_sheets.sheet(title, lines, texts, voice.language)
    except RenderingUnavailable as error:
        raise Unavailable("Codes cannot be printed here: the libraries that print documents are missing.") from error


def texts_of(context: Context, actor: Actor, host: str, number: int) -> tuple[str, ...]:
    """The texts of a bundle's codes. Permission `order.request`. Raises `NotFound`, `Invalid` (too large for codes)."""
    try:
        return parts_of(envelope_of(context, actor, host, number))
    except ReportError as error:
        raise Invalid(
            "bundle", f"This bundle is too large for codes; carry it as a file. {error.summarize()}"
        ) from error


def numbered(text: str) -> int:
    """A bundle's number as addresses hold it. Raises `NotFound`."""
    if not text.isdecimal() or len(text) > 9:
        raise NotFound("job bundle", text)
    return int(text)


def list_bundles(context: Context, actor: Actor, host: str | None = None) -> tuple[JobBundleView, ...]:
    """The newest hundred, newest first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        statement = sa.select(JobBundle, Host).join(Host, Host.id == JobBundle.host_id).where(*only(actor, JobBundle))
        if host is not None:
            statement = statement.where(JobBundle.host_id == find(session, Host, host, "host").id)
        newest = statement.order_by(JobBundle.made.desc(), JobBundle.number.desc()).limit(100)
        return tuple(job_bundle_view(session, row, owner) for row, owner in session.execute(newest))


def courier_of(session: Session, actor: Actor, courier: str | None) -> str:
    """Who carries a bundle. Raises `Invalid` where there is no such person."""
    if not courier:
        return actor.ref
    person = session.get(Person, courier)
    if person is None or not person.enabled:
        raise Invalid("courier", "There is no such person; give the pseudonym of somebody with an account.")
    return person.ref


def _require_working(session: Session, host: Host) -> None:
    if host.state is not HostState.CONFIRMED or has_ended(session, host.until_index):
        raise Conflict(f"The key of {host.id} is {host.state} or has ended: it works on nothing.")
    if (halt := halt_of(session, host.id)) is not None:
        raise Conflict(f"{host.id} is halted by {halt.by}: {halt.reason}")


def _choose(session: Session, context: Context, actor: Actor, host: Host, lot: str | None) -> _Chosen:
    """Orders that are out first, then new ones, oldest first."""
    chosen: list[Order] = []
    left_out: list[tuple[str, str]] = []
    for order in (*_out(session, host), *_approved(session, actor, host, lot)):
        objection = _objection(session, context, host, order)
        if objection is None and len(chosen) == messages.MOST_JOBS:
            objection = f"A bundle holds {messages.MOST_JOBS} orders; make another one when these are done."
        if objection is None:
            chosen.append(order)
        else:
            left_out.append((order.id, objection))
    return _Chosen(tuple(chosen), tuple(left_out))


def _out(session: Session, host: Host) -> Sequence[Order]:
    """Orders whose newest lease went out with a bundle, and whose record is awaited."""
    carried = sa.exists().where(
        JobBundleOrder.lease_id == Lease.id, Lease.order_id == Order.id, Lease.token == Order.token
    )
    running = (OrderState.LEASED, OrderState.EXECUTING, OrderState.SETTLING, OrderState.VERIFYING)
    statement = sa.select(Order).where(
        Order.host_id == host.id, Order.agent_key == host.key_id, Order.state.in_(running), carried
    )
    return session.scalars(statement.order_by(Order.id)).all()


def _approved(session: Session, actor: Actor, host: Host, lot: str | None) -> Sequence[Order]:
    statement = sa.select(Order).where(
        Order.host_id == host.id,
        Order.agent_key == host.key_id,
        Order.state == OrderState.APPROVED,
        *only(actor, Order),
    )
    if lot is not None:
        inside = sa.select(LotDevice.device_id).where(LotDevice.lot_id == lot, LotDevice.removed.is_(None))
        statement = statement.where(Order.device_id.in_(inside))
    return session.scalars(statement.order_by(Order.id)).all()


def _objection(session: Session, context: Context, host: Host, order: Order) -> str | None:
    """Why an order may not go along now; None where it may."""
    if order.stop_requested:
        return "A stop was requested."
    held = holds_on(session, [order.device_id]).get(order.device_id, [])
    if held:
        return f"Hold {held[0].reference}: {held[0].reason}"
    if order.expires <= context.now():
        return "The order has expired."
    return None if order.started is not None else _objection_to_new(session, context, host, order)


def _objection_to_new(session: Session, context: Context, host: Host, order: Order) -> str | None:
    """As the service would answer right before a first write."""
    if not enough_approvals(session, context, order):
        return "The approvals do not suffice any more."
    if not leases.attached(session, order, host):
        return f"Its device was not seen in {host.id} when that host was last heard of."
    device = session.get_one(Device, order.device_id)
    if next_device_state(device.state, DeviceEvent.START_RUN) is None:
        return f"The device is {device.state.replace('_', ' ')}; a run cannot begin from there."
    return None


def _hand_out(
    session: Session, context: Context, actor: Actor, host: Host, order: Order, until: datetime
) -> LeaseMessage:
    """The order's lease: a new one, or the one that is out, prolonged. From now on the medium may be written to."""
    if order.state is OrderState.APPROVED:
        order.token += 1
        lease = Lease(
            id=next_number(session, "lease"),
            order_id=order.id,
            host_id=host.id,
            token=order.token,
            acquired=context.now(),
            expires=until,
        )
        session.add(lease)
        details = {"lease": lease.id, "token": lease.token}
        move_order(session, context, actor, order, OrderEvent.LEASE, details=details)
    else:
        lease = session.scalars(sa.select(Lease).where(Lease.order_id == order.id, Lease.token == order.token)).one()
        lease.expires = until
    if order.started is None:
        order.started = context.now()
        device = session.get_one(Device, order.device_id)
        move_device(session, context, actor, device, DeviceEvent.START_RUN, order=order.id)
        move_order(session, context, actor, order, OrderEvent.START, details={"token": lease.token})
    session.flush()
    return leases.message_of(session, order, lease)


def _body(
    session: Session,
    context: Context,
    actor: Actor,
    host: Host,
    *,
    number: int,
    until: datetime,
    courier: str,
    jobs: tuple[LeaseMessage, ...],
) -> messages.JobBundle:
    checkpoint, signed, _ = context.ledger.checkpoint(session)
    afters = [int(unverified_body(job.order.model_dump(), "order")["after"]["size"]) for job in jobs]
    newest = sa.select(sa.func.max(ReturnBundle.number)).where(ReturnBundle.host_id == host.id)
    return messages.JobBundle(
        number=number,
        host=host.id,
        agent_key=host.key_id,
        made=context.now(),
        until=until,
        issued_by=actor.ref,
        courier=courier,
        jobs=jobs,
        paths=_paths(session, host),
        trust_roots=tuple(Envelope.model_validate(envelope) for _, envelope in trust_roots(session)),
        rosters=tuple(Envelope.model_validate(envelope) for envelope in roster.chain(session, 0)),
        checkpoint=signed,
        proofs=tuple(
            ConsistencyProof(
                old=old, new=checkpoint.size, hashes=encode(context.ledger.consistency(session, old, checkpoint.size))
            )
            for old in sorted({*_seen_sizes(session, host), *afters})
            if 0 < old < checkpoint.size
        ),
        returned=session.scalar(newest) or 0,
        accepted=_accepted(session, context, host, checkpoint.size),
    )


def _paths(session: Session, host: Host) -> tuple[DeclaredPath, ...]:
    rows = session.execute(
        sa.select(DataSetRow.name, PathRow.path)
        .join(DataSetRow, DataSetRow.id == PathRow.data_set_id)
        .where(PathRow.host_id == host.id, PathRow.withdrawn.is_(None))
        .order_by(PathRow.id)
    )
    return tuple(DeclaredPath(data_set=name, path=path) for name, path in rows)


def _seen_sizes(session: Session, host: Host) -> set[int]:
    """How far the agent may have seen the log: what it said, and what it was brought."""
    contact = session.get(HostContact, host.id)
    said = [] if contact is None or contact.seen_log_size is None else [contact.seen_log_size]
    statement = sa.select(JobBundle.log_size).where(JobBundle.host_id == host.id).order_by(JobBundle.number.desc())
    return {*said, *session.scalars(statement.limit(_REMEMBERED))}


def _accepted(session: Session, context: Context, host: Host, size: int) -> tuple[RecordAccepted, ...]:
    """Acceptances of what this agent had carried back since its bundle before the last: it may hold these records still."""
    since = session.scalar(
        sa.select(JobBundle.made)
        .where(JobBundle.host_id == host.id)
        .order_by(JobBundle.number.desc())
        .offset(1)
        .limit(1)
    )
    statement = sa.select(Record.sha256).where(Record.host_id == host.id, Record.log_index < size)
    if since is not None:
        statement = statement.where(Record.received >= since)
    newest = statement.order_by(Record.log_index.desc()).limit(2 * messages.MOST_RECORDS)
    return tuple(records.accepted_again(session, context, sha256) for sha256 in reversed(session.scalars(newest).all()))


def _keep(
    session: Session, context: Context, actor: Actor, host: Host, body: messages.JobBundle, chosen: _Chosen
) -> JobBundle:
    document = body.model_dump(mode="json", by_alias=True)
    signed = sign("job-bundle", document, context.secrets.signer("acceptance"))
    digest = store_envelope(session, context, "job-bundle", signed)
    row = JobBundle(
        host_id=host.id,
        number=body.number,
        made=body.made,
        made_by=actor.ref,
        courier=body.courier,
        until=body.until,
        log_size=context.ledger.checkpoint(session)[0].size,
        left_out=[{"order": order, "reason": reason} for order, reason in chosen.left_out],
        envelope_sha256=digest,
    )
    session.add(row)
    session.flush()
    for order, job in zip(chosen.orders, body.jobs, strict=True):
        session.add(JobBundleOrder(host_id=host.id, number=body.number, order_id=order.id, lease_id=job.id))
    session.flush()
    note(
        session, context, actor, Tag.JOB_BUNDLE_MADE, "host", host.id, host=host.id, evidence=[digest],
        details={"number": body.number, "orders": [one.id for one in chosen.orders], "courier": body.courier},
    )  # fmt: skip
    return row
