"""What agents say again and again while nothing changes: a heartbeat, a run that goes on. Answered without the one writer's turn.

One look at everything that a change could rest on. Where any of it is not as usual, nothing is answered here, and the long way
(`heartbeat`, `leases`), which may act, decides. What is written is a note on which nothing rests; its statement holds the
condition under which it is still true.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.agents import DeclaredPath as Path
from inventory.contract.v1.agents import Heartbeat, HeartbeatReply
from inventory.contract.v1.common import LogPosition
from inventory.contract.v1.orders import Progress, ProgressReply
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.orders import LEASABLE, OPEN, OrderEvent, next_state
from inventory.domain.readings import OPEN as OPEN_READINGS
from inventory.domain.vocabulary import DeviceState, ExceptionState, HostState
from inventory.ledger import encode
from inventory.models import (
    Attachment,
    DataSet,
    DeclaredPath,
    Device,
    ExceptionItem,
    Host,
    HostContact,
    HostHalt,
    Lease,
    LogHead,
    Order,
    Reading,
    Roster,
    RunProgress,
)

from ._lamps import lamps_of
from ._notes import Notes, Told
from ._together import Together
from .context import Actor, Context
from .halts import newest_signed

_WORRIES: Final = (ExceptionCode.HOST_SILENT, ExceptionCode.HOST_CLOCK_OFF, ExceptionCode.LOG_DISAGREEMENT)
_now: Final = sa.bindparam("now", type_=HostContact.last_contact.type)

_worried = sa.exists().where(
    ExceptionItem.subject == Host.id,
    ExceptionItem.code.in_([str(code) for code in _WORRIES]),
    ExceptionItem.state == ExceptionState.OPEN,
)
_leased = sa.exists().where(Lease.order_id == Order.id, Lease.host_id == Order.host_id, Lease.expires > _now)
_ordered = sa.exists().where(
    Order.host_id == Host.id, Order.agent_key == Host.key_id, Order.state.in_(LEASABLE), ~_leased
)
_here = sa.exists().where(
    Attachment.device_id == Reading.device_id, Attachment.host_id == Host.id, Attachment.until.is_(None)
)
_to_read = sa.exists().where(
    Reading.host_id == Host.id,
    Reading.agent_key == Host.key_id,
    Reading.state.in_(OPEN_READINGS),
    Reading.expires > _now,
    sa.or_(Reading.lease_until.is_(None), Reading.lease_until <= _now),
    _here,
)
_lamps = sa.exists().where(
    Attachment.device_id == Device.id,
    Attachment.host_id == Host.id,
    Attachment.until.is_(None),
    Device.state.in_((DeviceState.SANITIZED, DeviceState.FAILED)),
)
_paths = sa.exists().where(DeclaredPath.host_id == Host.id, DeclaredPath.withdrawn.is_(None))
_halts = sa.exists().where(HostHalt.host_id == Host.id)
_roster = sa.select(Roster.version).where(Roster.state == "published").limit(1).scalar_subquery()

_LOOK: Final = (
    sa.select(
        Host.id,
        Host.state,
        Host.key_id,
        Host.until_index,
        Host.agent_version,
        _worried.correlate(Host).label("worried"),
        sa.or_(_ordered.correlate(Host), _to_read.correlate(Host)).label("work"),
        _lamps.correlate(Host).label("lamps"),
        _paths.correlate(Host).label("paths"),
        _halts.correlate(Host).label("halts"),
        sa.func.coalesce(_roster, 0).label("roster"),
        LogHead.origin,
        LogHead.size,
        LogHead.trust,
        LogHead.checkpoint,
    )
    .select_from(Host)
    .join(HostContact, HostContact.host_id == Host.id)
    .join(LogHead, LogHead.id == 1)
    .where(Host.id.in_(sa.bindparam("hosts", expanding=True)))
)


def quiet_beat(context: Context, actor: Actor, message: Heartbeat) -> HeartbeatReply | None:
    """The answer to a heartbeat by which nothing changes but the time of the last contact; None: the long way decides."""
    beat = beat_of(context, actor, message)
    return None if beat is None else _beats.add(context.database, beat)


def beat_of(context: Context, actor: Actor, message: Heartbeat) -> Beat | None:
    """A heartbeat that may be quiet, as far as it shows by itself."""
    now = context.now()
    if actor.kind != "agent" or _off(message, now) > context.settings.clock_tolerance_seconds:
        return None
    return Beat(context, actor, message, now)


@dataclass(frozen=True)
class Beat:
    """A heartbeat of a host, and when it was heard."""

    context: Context
    actor: Actor
    message: Heartbeat
    now: datetime


def answer_beats(session: Session, beats: Sequence[Beat]) -> list[HeartbeatReply | None]:
    """One look at all these hosts; the contacts of those whose beat is quiet, written in one go."""
    names = sorted({beat.actor.ref for beat in beats})
    looked = session.connection().execute(_LOOK, {"hosts": names, "now": max(beat.now for beat in beats)})
    found = {row.id: row for row in looked}
    replies = [_reply(session, found.get(beat.actor.ref), beat) for beat in beats]
    newest: dict[str, Beat] = {}
    for beat, reply in zip(beats, replies, strict=True):
        if reply is not None and (beat.actor.ref not in newest or newest[beat.actor.ref].now <= beat.now):
            newest[beat.actor.ref] = beat
    if newest:
        _CONTACT.write(session, [_contact(newest[host]) for host in sorted(newest)])
    return replies


def _reply(session: Session, found: Any, beat: Beat) -> HeartbeatReply | None:  # noqa: ANN401 - a row of `_LOOK`
    if found is None or not _usual(found, beat.actor, beat.message):
        return None
    proof = _proof(session, beat.context, found, beat.message.checkpoint)
    if proof is None:
        return None
    host = beat.actor.ref
    return HeartbeatReply(
        interval_seconds=beat.context.settings.heartbeat_seconds,
        time=beat.now,
        roster_version=found.roster,
        paths=_paths_of(session, host) if found.paths else (),
        work_waiting=found.work,
        checkpoint=found.checkpoint,
        consistency=proof,
        trust_root_sha256=found.trust,
        lamps=lamps_of(session, session.get_one(Host, host)) if found.lamps else (),
        halt=newest_signed(session, host) if found.halts else None,
    )


_beats: Final = Together(answer_beats)


def _off(message: Heartbeat, now: datetime) -> int:
    return int(abs(message.time - now).total_seconds())


def _usual(found: Any, actor: Actor, message: Heartbeat) -> bool:  # noqa: ANN401 - a row of `_LOOK`
    ended = found.until_index is not None and found.size >= found.until_index
    return (
        found.state is HostState.CONFIRMED
        and found.key_id == actor.key_id
        and not ended
        and found.agent_version == message.agent_version
        and not found.worried
        and found.trust is not None
    )


def _proof(session: Session, context: Context, found: Any, seen: LogPosition | None) -> tuple[str, ...] | None:  # noqa: ANN401 - a row of `_LOOK`
    """What the agent needs to follow the log; None where its checkpoint is not, beyond doubt, of our history."""
    try:
        origin, size, root = found.checkpoint.split("\n")[:3]
        newest = base64.b64decode(root)
        if origin != context.ledger.origin or found.origin != origin or int(size) != found.size:
            return None
        if seen is None:
            return ()
        told = base64.b64decode(seen.root)
        if seen.origin != origin or not 0 < seen.size <= found.size:
            return None
        if seen.size == found.size:
            return () if told == newest else None
        before, proof = context.ledger.passage(session, seen.size, found.size, newest)
    except (ValueError, binascii.Error):
        return None
    return encode(proof) if before == told else None


def _paths_of(session: Session, host: str) -> tuple[Path, ...]:
    rows = session.execute(
        sa.select(DataSet.name, DeclaredPath.path)
        .join(DataSet, DataSet.id == DeclaredPath.data_set_id)
        .where(DeclaredPath.host_id == host, DeclaredPath.withdrawn.is_(None))
        .order_by(DeclaredPath.id)
    )
    return tuple(Path(data_set=name, path=path) for name, path in rows)


def _contact(beat: Beat) -> dict[str, Any]:
    """An older word never goes over a newer one."""
    message = beat.message
    return {
        "this": beat.actor.ref,
        "at": beat.now,
        "boot": message.boot_id,
        "runs": list(message.running),
        "standing": list(message.standing_by),
        "waiting": message.outbox,
        "clock": int((message.time - beat.now).total_seconds()),
        "seen": None if message.checkpoint is None else message.checkpoint.size,
    }


def _contacts(told: Told) -> sa.Update:
    return (
        sa.update(HostContact)
        .where(HostContact.host_id == told["this"], HostContact.last_contact <= told["at"])
        .values(
            last_contact=told["at"],
            boot_id=told["boot"],
            running=told["runs"],
            standing_by=told["standing"],
            outbox=told["waiting"],
            clock_offset_seconds=told["clock"],
            seen_log_size=sa.func.coalesce(told["seen"], HostContact.seen_log_size),
        )
    )


_moment: Final = HostContact.last_contact.type
_CONTACT: Final = Notes(
    {
        "this": sa.String(), "at": _moment, "boot": sa.String(), "runs": sa.JSON(), "standing": sa.JSON(),
        "waiting": sa.BigInteger(), "clock": sa.BigInteger(), "seen": sa.BigInteger(),
    },
    _contacts,
)  # fmt: skip


# -- runs --------------------------------------------------------------------------------------------------------------

REPORTED: Final = (
    "token", "state", "pass_number", "passes", "bytes_done", "bytes_total", "bytes_per_second", "seconds_left", "errors",
    "temperature", "reason_code", "reason",
)  # fmt: skip
"""What is kept of a report."""

EVENTS: Final = {
    "executing": OrderEvent.PROGRESS_EXECUTING,
    "settling": OrderEvent.PROGRESS_SETTLING,
    "verifying": OrderEvent.PROGRESS_VERIFYING,
}
"""What a report says about the order's state."""

_action = (
    sa.select(HostHalt.action)
    .where(HostHalt.host_id == Host.id)
    .order_by(HostHalt.number.desc())
    .limit(1)
    .correlate(Host)
    .scalar_subquery()
)
_RUN: Final = (
    sa.select(
        Lease.id.label("lease"),
        Lease.host_id,
        Host.state.label("trusted"),
        Host.key_id,
        Host.until_index,
        LogHead.size,
        Lease.token.label("leased"),
        Order.id,
        Order.token,
        Order.state,
        Order.stop_requested,
        _action.label("halt"),
    )
    .select_from(Lease)
    .join(Order, Order.id == Lease.order_id)
    .join(RunProgress, RunProgress.order_id == Order.id)
    .join(Host, Host.id == Lease.host_id)
    .join(LogHead, LogHead.id == 1)
    .where(Lease.id.in_(sa.bindparam("leases", expanding=True)))
)


def quiet_progress(context: Context, actor: Actor, lease: str, progress: Progress) -> ProgressReply | None:
    """The answer to a report by which nothing changes but how far the run is; None: the long way decides."""
    report = report_of(context, actor, lease, progress)
    return None if report is None else _reports.add(context.database, report)


def report_of(context: Context, actor: Actor, lease: str, progress: Progress) -> Report | None:
    """A report that may be quiet, as far as it shows by itself."""
    if actor.kind != "agent" or progress.state == "refused":
        return None
    return Report(context, actor, lease, progress, context.now())


@dataclass(frozen=True)
class Report:
    """How far a run is, and when that was heard."""

    context: Context
    actor: Actor
    lease: str
    progress: Progress
    now: datetime


def answer_reports(session: Session, reports: Sequence[Report]) -> list[ProgressReply | None]:
    """One look at all these runs; how far they are, in one go, each only while its order is open and the token its newest."""
    leases = sorted({report.lease for report in reports})
    found = {row.lease: row for row in session.connection().execute(_RUN, {"leases": leases})}
    replies: list[ProgressReply | None] = []
    newest: dict[str, Report] = {}
    for report in reports:
        run = found.get(report.lease)
        if run is None or not _goes_on(run, report):
            replies.append(None)
            continue
        replies.append(ProgressReply(current=True, stop_requested=run.stop_requested, halted=run.halt == "halt"))
        if report.lease not in newest or newest[report.lease].now <= report.now:
            newest[report.lease] = report
    if newest:
        rows = [_progress_row(found[lease], newest[lease]) for lease in sorted(newest)]
        _PROLONG.write(session, rows)
        _KEEP.write(session, rows)
    return replies


def _progress_row(run: Any, report: Report) -> dict[str, Any]:  # noqa: ANN401 - a row of `_RUN`
    until = report.now + timedelta(seconds=report.context.settings.lease_seconds)
    told = {field: getattr(report.progress, field) for field in REPORTED}
    return {**told, "this": run.id, "lease": report.lease, "at": report.now, "until": until}


def _goes_on(found: Any, report: Report) -> bool:  # noqa: ANN401 - a row of `_RUN`
    ended = found.until_index is not None and found.size >= found.until_index
    event = EVENTS.get(report.progress.state)
    stays = event is None or next_state(found.state, event) in {None, found.state}
    return (
        found.host_id == report.actor.ref
        and found.trusted is HostState.CONFIRMED
        and found.key_id == report.actor.key_id
        and not ended
        and report.progress.token == found.token == found.leased
        and found.state in OPEN
        and stays
    )


def _current(told: Told) -> sa.ColumnElement[bool]:
    still_open = sa.or_(
        *(Order.state == state for state in sorted(OPEN))
    )  # a list would be another statement each time
    return sa.exists().where(Order.id == told["this"], Order.token == told["token"], still_open)


def _leases(told: Told) -> sa.Update:
    held = (Lease.id == told["lease"], Lease.token == told["token"], Lease.expires < told["until"])
    return sa.update(Lease).where(*held, _current(told)).values(expires=told["until"])


def _kept(told: Told) -> sa.Update:
    return (
        sa.update(RunProgress)
        .where(RunProgress.order_id == told["this"], RunProgress.reported <= told["at"], _current(told))
        .values({**{field: told[field] for field in REPORTED}, "reported": told["at"]})
    )


_PROLONG: Final = Notes(
    {"this": sa.String(), "lease": sa.String(), "token": sa.BigInteger(), "until": _moment}, _leases
)
_KEEP: Final = Notes(
    {"this": sa.String(), "at": _moment, **{field: RunProgress.__table__.c[field].type for field in REPORTED}}, _kept
)


_reports: Final = Together(answer_reports)
