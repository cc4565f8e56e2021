"""Return bundles: what an agent without a network had carried back, merged as if it had said it itself.

What counts is the agent's signature, not who carried it. Each part goes the way it would have gone over the network, one by one:
what was here already changes nothing, an older picture does not replace a newer one, and what contradicts our books is kept
as evidence and raises an exception with an owner. So twice is once, and bundles may come in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from inventory.contract.v1 import by_hand as messages
from inventory.contract.v1.agents import RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.orders import Progress
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.lifecycle import next_state as next_device_state
from inventory.domain.orders import OPEN, OrderEvent, next_state
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import RecordStanding
from inventory.errors import EvidenceRefused, Invalid, InventoryError
from inventory.events import Tag
from inventory.models import Device, Host, HostContact, Lease, Order, Record, ReturnBundle
from reports.canonical import from_base64
from reports.envelope import Envelope as Signed
from reports.envelope import envelope_digest, open_envelope, payload_bytes, signer_ids, unverified_body
from reports.errors import ReportError
from reports.keys import load_public_key
from reports.numbered import gather

from . import heartbeat, hosts, leases, observation, records
from ._anchor import trust_roots
from ._by_hand import newest_bundle, return_bundle_view, settle_overdue, still_out
from ._holds import holds_on
from ._scope import only
from ._transitions import move_device, move_order
from .context import Actor, Context, authorize
from .job_bundles import courier_of
from .kernel import find, note, raise_exception, stamp, store_envelope
from .views.by_hand import MergedPartView, ReturnBundleView

_TOLERANCE: Final = timedelta(minutes=5)
What = Literal["record", "refusal", "observation"]
Outcome = Literal["taken-in", "known", "evidence-only", "refused", "older"]


@dataclass(frozen=True, kw_only=True)
class ReceiveReturnBundle:
    """A bundle that was brought: as envelope, or as the texts of its codes in any order."""

    envelope: Signed | None = None
    parts: tuple[str, ...] = ()
    courier: str | None = None
    """Who carried it, by pseudonym; None: whoever hands it over."""


@dataclass(frozen=True)
class _Brought:
    envelope: Signed
    sha256: str
    body: messages.ReturnBundle
    agent: Actor


def receive(context: Context, actor: Actor, command: ReceiveReturnBundle) -> ReturnBundleView:
    """Take in a return bundle. Permission `device.move`. Handing it in again answers what became of it, and changes nothing.

    Raises:
        Invalid: parts are missing or damaged, or no such courier.
        EvidenceRefused: not signed by an agent of ours.
        AgentNotTrusted: that agent's key does not count (any more).
    """
    authorize(actor, Permission.DEVICE_MOVE)
    brought = _open(context, _envelope(command))
    with context.writing(actor) as session:
        courier = courier_of(session, actor, command.courier)
        host = find(session, Host, brought.agent.ref, "host")
        known = session.get(ReturnBundle, brought.sha256)
        if known is not None:
            return return_bundle_view(known, host, new=False)
        store_envelope(session, context, "return-bundle", brought.envelope)
    parts = tuple(_merge(context, brought))
    with context.writing(actor) as session:
        return _keep(session, context, actor, brought, courier, parts)


def list_bundles(context: Context, actor: Actor, host: str | None = None) -> tuple[ReturnBundleView, ...]:
    """The newest hundred, newest first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        statement = sa.select(ReturnBundle, Host).join(Host, Host.id == ReturnBundle.host_id)
        statement = statement.where(*only(actor, ReturnBundle))
        if host is not None:
            statement = statement.where(ReturnBundle.host_id == find(session, Host, host, "host").id)
        newest = statement.order_by(ReturnBundle.received.desc(), ReturnBundle.number.desc()).limit(100)
        return tuple(return_bundle_view(row, owner, new=False) for row, owner in session.execute(newest))


def one_bundle(context: Context, actor: Actor, sha256: str) -> ReturnBundleView:
    """One bundle. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        row = find(session, ReturnBundle, sha256, "return bundle")
        return return_bundle_view(row, session.get_one(Host, row.host_id), new=False)


def introduce(context: Context, actor: Actor, envelope: Signed) -> messages.Introduced:
    """Take in the introduction of a host without a network; the answer is carried back to it. Permission `host.manage`.

    The host stays pending until its fingerprint is confirmed, as ever. Repeating it is harmless.

    Raises:
        EvidenceRefused: not signed by the key it brings.
        NotSignedIn: its token is unknown, expired or used up.
        Duplicate: the key is known already.
    """
    authorize(actor, Permission.HOST_MANAGE)
    try:
        read = messages.Introduction.model_validate_json(payload_bytes(envelope, "return-bundle"))
        key = load_public_key(from_base64(read.request.public_key, "public_key"))
        open_envelope(envelope, {key.key_id: key}, "return-bundle", exact=True)
    except (ReportError, ValidationError) as error:
        raise EvidenceRefused("introduction", "This is no introduction signed by the key it brings.") from error
    reply = hosts.enrol(context, read.request, key.key_id)
    with context.writing(actor) as session:
        host = find(session, Host, reply.host, "host")
        contact = heartbeat.contact_of(session, context, host)
        size = int(reply.checkpoint.splitlines()[1])
        contact.seen_log_size = max(size, contact.seen_log_size or 0)
        roots = tuple(Envelope.model_validate(one) for _, one in trust_roots(session))
    return messages.Introduced(reply=reply, trust_roots=roots)


def _envelope(command: ReceiveReturnBundle) -> Signed:
    if (command.envelope is None) == (not command.parts):
        raise Invalid("envelope", "Give the bundle as a file, or the texts of its codes.")
    if command.envelope is not None:
        return command.envelope
    try:
        return gather(command.parts).envelope()
    except ReportError as error:
        raise Invalid("parts", f"{error.summarize()}"[:500]) from error


def _open(context: Context, envelope: Signed) -> _Brought:
    """Whose it is, and whether it is theirs."""
    try:
        claimed = unverified_body(envelope, "return-bundle").get("agent_key")
        signers = signer_ids(envelope)
        key = hosts.agent_key(context, signers[0]) if signers == (claimed,) else None
        if key is None:
            raise EvidenceRefused("bundle", "No agent of ours signed this bundle.")
        public = load_public_key(key.public_key_der)
        open_envelope(envelope, {public.key_id: public}, "return-bundle", exact=True)
        body = messages.ReturnBundle.model_validate_json(payload_bytes(envelope, "return-bundle"))
    except ReportError as error:
        raise EvidenceRefused("bundle", f"The bundle does not hold: {error.summarize()}"[:500]) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise EvidenceRefused("bundle", f"The bundle is not of a form known here: {where}: {first['msg']}") from error
    return _Brought(envelope, envelope_digest(envelope), body, hosts.actor_for_key(context, public.key_id))


# --- merging: one part after the other, each in a transaction of its own ---------------------------------------------


def _merge(context: Context, brought: _Brought) -> Iterator[MergedPartView]:
    _note_contact(context, brought)
    if brought.body.observation is not None:
        yield _observation(context, brought)
    for submission in brought.body.records:
        yield _record(context, brought, submission)
    for told in brought.body.told:
        yield _told(context, brought, told)


def _note_contact(context: Context, brought: _Brought) -> None:
    """The agent was heard, by hand: what it had seen of the log is held against ours."""
    with context.writing(brought.agent) as session:
        host = hosts.trusted_host(session, brought.agent)
        newest = session.scalar(sa.select(sa.func.max(ReturnBundle.number)).where(ReturnBundle.host_id == host.id))
        if newest is not None and newest >= brought.body.number:
            return
        contact = heartbeat.contact_of(session, context, host)
        contact.last_contact = context.now()
        contact.boot_id = brought.body.boot_id
        contact.running = list(brought.body.running)
        contact.outbox = len(brought.body.records) + brought.body.left_out
        size = context.ledger.checkpoint(session)[0].size
        heartbeat.compare_logs(session, context, host, brought.body.checkpoint, size)
        if brought.body.checkpoint.size <= size:
            contact.seen_log_size = brought.body.checkpoint.size
        host.agent_version = brought.body.agent_version
        if brought.body.made > context.now() + _TOLERANCE:
            words = f"The clock of {host.name} is ahead: it dated what was carried here {stamp(brought.body.made)}."
            raise_exception(session, context, ExceptionCode.HOST_CLOCK_OFF, host.id, words, host=host.id)


def _observation(context: Context, brought: _Brought) -> MergedPartView:
    seen = brought.body.observation
    if seen is None:
        raise RuntimeError("no observation")
    taken = datetime.fromisoformat(seen.taken)
    with context.reading(brought.agent) as session:
        newest = session.scalar(
            sa.select(sa.func.max(ReturnBundle.observed)).where(ReturnBundle.host_id == brought.agent.ref)
        )
        over_network = session.scalar(sa.select(HostContact.observed).where(HostContact.host_id == brought.agent.ref))
    if newest is not None and taken <= newest:
        return _part("observation", "", "older", "A newer picture of this host was here already.")
    if newest is None and over_network is not None and taken <= over_network:
        return _part("observation", "", "older", "This host was seen over the network later.")
    try:
        found = observation.observe(context, brought.agent, seen)
    except InventoryError as error:
        return _part("observation", "", "refused", error.summarize())
    return _part("observation", "", "taken-in", f"{len(found.devices)} devices are attached.")


def _record(context: Context, brought: _Brought, submission: RecordSubmission) -> MergedPartView:
    order = _order_named(submission)
    try:
        accepted = records.ingest(context, brought.agent, submission)
    except InventoryError as error:
        _conflict(context, brought, order, error.summarize())
        return _part("record", order, "refused", error.summarize())
    with context.writing(brought.agent) as session:
        row = session.get_one(Record, accepted.record_sha256)
        if not accepted.new:
            return _part("record", order, "known", "It had arrived before.")
        _look_at_holds(session, context, row)
        if row.standing is RecordStanding.CURRENT:
            return _part("record", order, "taken-in", f"{row.outcome}; medium touched: {row.touched}.")
        return _part("record", order, "evidence-only", "It is kept, without effect; an exception says why.")


def _look_at_holds(session: Session, context: Context, row: Record) -> None:
    """A hold that came after the bundle was made could not stop what was carried out already."""
    if row.device_id is None or row.touched == "no":
        return
    lease = session.get(Lease, row.lease_id or "")
    for hold in holds_on(session, [row.device_id]).get(row.device_id, []):
        if lease is None or hold.placed < lease.acquired:
            continue
        sentence = (
            f"Hold {hold.reference} was placed {stamp(hold.placed)} on device {row.device_id}, after its order had been "
            f"carried to the host. The medium was touched: {row.touched}."
        )
        raise_exception(
            session, context, ExceptionCode.CARRIED_PAST_A_HOLD, row.sha256, sentence,
            device=row.device_id, host=row.host_id,
        )  # fmt: skip


def _told(context: Context, brought: _Brought, told: messages.ToldProgress) -> MergedPartView:
    with context.writing(brought.agent) as session:
        host = hosts.trusted_host(session, brought.agent)
        lease = session.get(Lease, told.lease)
        if lease is None or lease.host_id != host.id:
            return _part("refusal", told.lease, "refused", "This host never had such a lease.")
        order = session.get_one(Order, lease.order_id)
        if order.state not in OPEN or (lease.token, told.said.token) != (order.token, order.token):
            return _part("refusal", order.id, "known", f"The order is {order.state.replace('_', ' ')} already.")
        if told.said.state == "refused" and next_state(order.state, OrderEvent.AGENT_REFUSED) is not None:
            _refuse(session, context, brought.agent, order, told.said)
            return _part("refusal", order.id, "taken-in", order.outcome_reason or "")
    leases.report_progress(context, brought.agent, told.lease, told.said)
    return _part("refusal", order.id, "taken-in", told.said.reason or "It could not go on.")


def _refuse(session: Session, context: Context, agent: Actor, order: Order, said: Progress) -> None:
    """The agent declined and wrote nothing: the order is over, the medium goes back to where it was."""
    order.outcome_reason = said.reason or said.reason_code or "The agent refused."
    move_order(
        session, context, agent, order, OrderEvent.AGENT_REFUSED,
        reason=order.outcome_reason, details={"code": said.reason_code},
    )  # fmt: skip
    device = session.get_one(Device, order.device_id)
    if next_device_state(device.state, DeviceEvent.RUN_UNTOUCHED) is not None:
        move_device(
            session, context, agent, device, DeviceEvent.RUN_UNTOUCHED, reason=order.outcome_reason, order=order.id
        )
    session.flush()


def _conflict(context: Context, brought: _Brought, order: str, why: str) -> None:
    """What was carried here as a record and is none of ours must not be lost in an answer somebody closes."""
    with context.writing(brought.agent) as session:
        host = session.get_one(Host, brought.agent.ref)
        bundle = f"Return bundle {brought.body.number} of {host.name}"
        sentence = f"{bundle} holds a record of order {order} that was not taken in: {why}"
        code = ExceptionCode.RECORD_WITHOUT_EFFECT
        raise_exception(session, context, code, f"{brought.sha256}:{order}", sentence[:1000], host=host.id)


def _keep(
    session: Session,
    context: Context,
    actor: Actor,
    brought: _Brought,
    courier: str,
    parts: tuple[MergedPartView, ...],
) -> ReturnBundleView:
    host = find(session, Host, brought.agent.ref, "host")
    known = session.get(ReturnBundle, brought.sha256)
    if known is not None:  # two people handed it in at once
        return return_bundle_view(known, host, new=False)
    seen = brought.body.observation
    row = ReturnBundle(
        sha256=brought.sha256,
        host_id=host.id,
        number=brought.body.number,
        made=brought.body.made,
        observed=None if seen is None else datetime.fromisoformat(seen.taken),
        job_bundle=brought.body.job_bundle,
        received=context.now(),
        received_by=actor.ref,
        courier=courier,
        parts=[asdict(part) for part in parts],
    )
    session.add(row)
    session.flush()
    note(
        session, context, actor, Tag.RETURN_BUNDLE_RECEIVED, "host", host.id, host=host.id, evidence=[brought.sha256],
        details={"number": row.number, "courier": courier, "parts": len(parts)},
    )  # fmt: skip
    newest = newest_bundle(session, host.id)
    if newest is None or not still_out(session, newest):
        settle_overdue(session, context, host.id)
    return return_bundle_view(row, host, new=True)


def _order_named(submission: RecordSubmission) -> str:
    try:
        body: dict[str, Any] = unverified_body(submission.record.model_dump(), "sanitization-record")
        return str(body["order"]["id"])[:64]
    except (ReportError, KeyError, TypeError):
        return "unknown"


def _part(what: What, subject: str, outcome: Outcome, said: str) -> MergedPartView:
    return MergedPartView(what, subject, outcome, said[:500])
