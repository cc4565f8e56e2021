"""What agents ask and hand over about verify-only orders. A reading can take a record's standing away; it never gives any."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.common import Envelope
from inventory.contract.v1.readings import (
    ReadingLease,
    ReadingLeaseReply,
    ReadingProgress,
    ReadingProgressReply,
    ReadingReceived,
    ReadingSubmission,
)
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.readings import EVENT_OF, OPEN, ReadingEvent, ReadingState, next_state
from inventory.domain.samples import Finding
from inventory.errors import Conflict, EvidenceRefused, NotFound
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import Attachment, Host, Reading, Record
from reports.envelope import envelope_digest, open_envelope, unverified_body
from reports.errors import ReportError
from reports.keys import load_public_key
from reports.reading import Judgement, ReadingAccepted, ReadingOrder, judge_reading
from reports.reading import Reading as Body

from . import samples
from ._attached import attached_path
from ._revocation import contradict
from .context import SYSTEM, Actor, Context
from .hosts import trusted_host
from .kernel import load_envelope, note, raise_exception, settle_exception, sign_and_log, stamp, store_envelope


def acquire(context: Context, actor: Actor) -> ReadingLeaseReply:
    """Lease the oldest verify-only order of this agent that nobody works on; an empty reply when there is none.

    Raises:
        AgentNotTrusted.
    """
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        row = _next(session, context, host)
        if row is None:
            return ReadingLeaseReply(lease=None)
        row.state = ReadingState.LEASED
        row.token += 1
        row.lease_until = _until(context)
        session.flush()
        note(
            session, context, actor, Tag.READING_LEASED, "reading", row.id,
            device=row.device_id, host=host.id, details={"token": row.token},
        )  # fmt: skip
        lease = ReadingLease(
            id=row.id,
            token=row.token,
            expires=row.lease_until,
            order=Envelope.model_validate(load_envelope(session, row.envelope_sha256)),
            path_hint=attached_path(session, row.device_id),
        )
        return ReadingLeaseReply(lease=lease)


def waiting(session: Session, context: Context, host: Host) -> bool:
    """Whether this agent would be leased a verify-only order."""
    return _next(session, context, host) is not None


def _until(context: Context) -> datetime:
    return context.now() + timedelta(seconds=context.settings.lease_seconds)


def _next(session: Session, context: Context, host: Host) -> Reading | None:
    now = context.now()
    here = sa.exists().where(
        Attachment.device_id == Reading.device_id, Attachment.host_id == host.id, Attachment.until.is_(None)
    )
    return session.scalar(
        sa.select(Reading)
        .where(
            Reading.host_id == host.id,
            Reading.agent_key == host.key_id,
            Reading.state.in_(OPEN),
            Reading.expires > now,
            sa.or_(Reading.lease_until.is_(None), Reading.lease_until <= now),
            here,
        )
        .order_by(Reading.id)
        .limit(1)
    )


def report_progress(context: Context, actor: Actor, number: str, message: ReadingProgress) -> ReadingProgressReply:
    """Take in how far a reading is and prolong its lease; an old token is told that it is not current.

    Raises:
        NotFound: not this agent's.
    """
    with context.writing(actor) as session:
        row = _own(session, trusted_host(session, actor), number)
        if row.state not in OPEN or message.token != row.token:
            return ReadingProgressReply(current=False, stop_requested=row.state not in OPEN)
        row.bytes_done, row.bytes_total = message.bytes_done, message.bytes_total
        row.reported = context.now()
        row.lease_until = _until(context)
        session.flush()
        return ReadingProgressReply(current=True, stop_requested=False)


def take_in(context: Context, actor: Actor, number: str, message: ReadingSubmission) -> ReadingReceived:
    """Judge, keep and log a signed reading; the same one again gets the same answer.

    One that contradicts the claim counts whenever it comes; any other only under the newest token of an order that waits for it.

    Raises:
        EvidenceRefused: not signed by this agent's key, or no reading.
        Conflict: the order was answered by another reading.
        NotFound: not this agent's.
    """
    envelope = message.reading.model_dump(mode="json")
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        row = _own(session, host, number)
        body = _open(host, envelope)
        digest = envelope_digest(envelope)
        if row.result_sha256 is None:
            _keep(session, context, row, body, envelope, current=message.token == row.token)
        elif row.result_sha256 != digest:
            raise Conflict(f"Reading {row.id} was answered by another reading ({row.result_sha256[:16]}…).")
    with context.reading(actor) as session:
        return _received(session, context, number)


def _own(session: Session, host: Host, number: str) -> Reading:
    row = session.get(Reading, number)
    if row is None or row.host_id != host.id:
        raise NotFound("reading", number)
    return row


def _open(host: Host, envelope: dict[str, object]) -> Body:
    key = load_public_key(host.spki)
    try:
        found, _ = open_envelope(envelope, {key.key_id: key}, "reading", exact=True)
        body = Body.from_dict(found, "reading")
    except ReportError as error:
        raise EvidenceRefused("reading", f"The reading does not hold: {error}"[:500]) from error
    if body.host.agent_key != host.key_id:
        raise EvidenceRefused("reading", "The reading names another agent than the one that signed it.")
    return body


def _keep(
    session: Session, context: Context, row: Reading, body: Body, envelope: dict[str, object], *, current: bool
) -> None:
    sealed = load_envelope(session, row.envelope_sha256)
    order = ReadingOrder.from_dict(unverified_body(sealed, "reading-order"), "reading-order")
    judgement = judge_reading(order, row.payload_sha256, body)
    digest = store_envelope(session, context, "reading", envelope)
    statement = ReadingAccepted(
        order_id=row.id,
        order_sha256=row.envelope_sha256,
        reading_sha256=digest,
        record_sha256=row.record_sha256,
        device=order.device,
        agent_key=row.agent_key,
        finding=judgement.finding,
        received=stamp(context.now()),
    )
    accepted, index = sign_and_log(session, context, "statement", statement.to_dict(), "acceptance", row.id)
    row.result_sha256, row.accepted_sha256, row.log_index = digest, accepted, index
    event = EVENT_OF[judgement.finding]
    after = next_state(row.state, event) if current or event is ReadingEvent.CONTRADICT else None
    if after is None:
        session.flush()
        note(
            session, context, SYSTEM, Tag.READING_KEPT_AS_EVIDENCE, "reading", row.id,
            device=row.device_id, host=row.host_id, reason="Nobody waited for it any more.", evidence=[digest],
        )  # fmt: skip
        return
    row.state = after
    row.ended = context.now()
    row.reasons = list(judgement.reasons)
    session.flush()
    _conclude(session, context, row, event, judgement, digest)


def _conclude(
    session: Session, context: Context, row: Reading, event: ReadingEvent, judgement: Judgement, digest: str
) -> None:
    tags = {
        ReadingEvent.CONFIRM: Tag.READING_CONFIRMED,
        ReadingEvent.CONTRADICT: Tag.READING_CONTRADICTED,
        ReadingEvent.DOUBT: Tag.READING_INCONCLUSIVE,
    }
    why = " ".join(judgement.reasons)[:1000]
    note(
        session, context, Actor(row.host_id, "agent"), tags[event], "reading", row.id,
        device=row.device_id, host=row.host_id, reason=why, evidence=[digest],
    )  # fmt: skip
    if event is ReadingEvent.CONTRADICT:
        record = session.get_one(Record, row.record_sha256)
        words = f"reading {row.id} found other content on the medium. {why}"
        contradict(session, context, record, words, evidence=[digest])
    elif event is ReadingEvent.DOUBT:
        sentence = f"Reading {row.id} of device {row.device_id} shows neither that its record holds nor that it does not: {why}"
        raise_exception(
            session, context, ExceptionCode.READING_INCONCLUSIVE, row.device_id, sentence,
            device=row.device_id, host=row.host_id,
        )  # fmt: skip
    else:
        code, words = ExceptionCode.READING_INCONCLUSIVE, f"Reading {row.id} confirmed the record."
        settle_exception(session, context, code, row.device_id, words)
    if event is not ReadingEvent.DOUBT:
        finding = Finding.PASSED if event is ReadingEvent.CONFIRM else Finding.FAILED
        samples.reading_ended(session, context, row, finding)


def _received(session: Session, context: Context, number: str) -> ReadingReceived:
    row = session.get_one(Reading, number)
    checkpoint, signed, _ = context.ledger.checkpoint(session)
    index = int(row.log_index or 0)
    return ReadingReceived(
        reading_sha256=str(row.result_sha256),
        accepted=Envelope.model_validate(load_envelope(session, str(row.accepted_sha256))),
        index=index,
        proof=encode(context.ledger.inclusion(session, index, checkpoint.size)),
        checkpoint=signed,
    )
