"""Time: authorities outside of us stamp the log's checkpoints (RFC 3161), and each stamp becomes an entry of the log.

A stamp on a checkpoint shows that everything in it was there by that time. Its entry shows the other side: whatever comes later
in the log, such as an order and its record, did not exist before. A newer stamp on a larger checkpoint renews all earlier ones
at once (RFC 4998, 5: the idea), because the larger log contains them.

Every round stamps when a document waits, or when the newest stamp is a day old. Requests are made outside any transaction; an
authority that fails is asked again with growing pauses. Where there is no network, `sanitrail log stamp-request` and
`stamp-import` carry question and answer as files.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory import outward
from inventory.domain.exceptions import ExceptionCode
from inventory.errors import Conflict, NotFound
from inventory.models import LogCheckpoint, LogEntry, Seal, TimeAuthorityState, TimeStamp
from inventory.outward import Reply, Unreached
from reports.canonical import sha256_hex
from reports.errors import BadStamp
from reports.renewals import build_renewals
from reports.sealkey import load
from reports.timestamp_request import CONTENT_TYPE, MAX_RESPONSE, NONCE_BITS, StampRequest, read_response, token_in
from reports.timestamps import check_stamp, normal_form, path_of
from reports.trust import TrustRoot
from reports.trust_body import TimeAuthority

from ._anchor import anchor_at, opened_roots, witnessed_at
from .context import Context
from .kernel import raise_exception, settle_exception

log = logging.getLogger("inventory.time")

Post = Callable[[str, bytes, str], Reply]
"""Sends a body of a media type to a URL; raises `Unreached`."""
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_PATIENCE: Final = timedelta(hours=1)
"""How long an authority may fail before a person hears of it."""
_REMINDER: Final = timedelta(days=30)
_DOCUMENTS: Final = ("certificate", "statement")
"""Kinds of log entries whose files wait for stamps."""
_SUBJECT: Final = "log"
_CHECKPOINT: Final = re.compile(rb'"checkpoint":"[^"\\]{1,255}\\n(\d{1,15})\\n')
"""A checkpoint in an evidence file: the log's name and its size."""


@dataclass(frozen=True)
class Taken:
    """A stamp that was kept, or why there is none."""

    authority: str
    size: int
    stamped: datetime | None
    problem: str = ""


@dataclass(frozen=True)
class _Task:
    authority: TimeAuthority
    url: str
    size: int
    note: str


def take(context: Context, post: Post = outward.post, *, everybody: bool = False) -> tuple[Taken, ...]:
    """Have checkpoints stamped by every authority that is due.

    Args:
        context: of the service.
        post: sends; another one in tests.
        everybody: ask all authorities about the newest checkpoint now, by hand.
    """
    with context.reading() as session:
        tasks = _tasks(session, context, everybody=everybody)
    found = []
    for task in tasks:
        token, problem, wrong = _ask(task, post)
        with context.writing() as session:
            stamped = None
            if token is not None:
                stamped = _keep(session, context, task.authority, task.size, task.note, token)
            _standing(session, context, task.authority.name, problem, wrong=wrong)
        found.append(Taken(task.authority.name, task.size, stamped, problem))
    return tuple(found)


def remind(context: Context) -> bool:
    """Raise the question, or settle it: is the newest stamp so old that the log must be stamped again? Returns whether it is."""
    with context.writing() as session:
        trust = opened_roots(session)[-1]
        due = _renewal_due(session, context, trust)
        if not trust.time_authorities or due is None or context.now() < due - _REMINDER:
            settle_exception(session, context, ExceptionCode.TIME_STAMPS_DUE, _SUBJECT, "The log was stamped again.")
            return False
        sentence = (
            f"The newest time-stamp carries the log until {due:%Y-%m-%d}. Have the newest checkpoint stamped: "
            "`sanitrail log restamp`, or by file with `sanitrail log stamp-request`."
        )
        raise_exception(session, context, ExceptionCode.TIME_STAMPS_DUE, _SUBJECT, sentence)
        return True


def request(context: Context, authority: str) -> tuple[int, bytes]:
    """The question about the newest checkpoint, for a machine that has a network. Returns its size and the DER request.

    Raises:
        NotFound: the trust root names no such authority.
    """
    with context.reading() as session:
        entry = _entry(opened_roots(session)[-1], authority)
        checkpoint, note, _ = context.ledger.checkpoint(session)
        nonce = secrets.randbits(NONCE_BITS)
        return checkpoint.size, StampRequest(note.encode(), nonce, entry.policy).to_der()


def import_answer(context: Context, answer: bytes) -> Taken:
    """Keep the answer to an earlier `request`, whichever checkpoint and authority it is about.

    Raises:
        Conflict: it is no stamp of an authority of the trust root over a checkpoint of this log, or is here already.
    """
    with context.writing() as session:
        trust = opened_roots(session)[-1]
        try:
            token = token_in(answer)
        except BadStamp as error:
            raise Conflict(str(error)) from error
        problem = "The trust root names no time-stamp authority."
        for authority in trust.time_authorities:
            try:
                normal = normal_form(token, authority)
            except BadStamp as error:
                problem = str(error)
                continue
            size, note = _stamped_checkpoint(session, normal, authority)
            if session.get(TimeStamp, sha256_hex(normal)) is not None:
                raise Conflict("This time-stamp is here already.")
            return Taken(authority.name, size, _keep(session, context, authority, size, note, normal))
        raise Conflict(problem)


def newest(session: Session, authority: str | None = None) -> TimeStamp | None:
    """The newest stamp, of one authority or of any."""
    statement = sa.select(TimeStamp).order_by(TimeStamp.size.desc(), TimeStamp.stamped.desc()).limit(1)
    if authority is not None:
        statement = statement.where(TimeStamp.authority == authority)
    return session.scalar(statement)


def _tasks(session: Session, context: Context, *, everybody: bool) -> list[_Task]:
    urls = {one.name: one.url for one in context.settings.time_authorities}
    authorities = [one for one in opened_roots(session)[-1].time_authorities if one.name in urls] if urls else []
    tasks = []
    for authority in authorities:
        size = _newest_size(session, context) if everybody else _wanted(session, context, authority.name)
        row = session.get(LogCheckpoint, size) if size is not None else None
        if row is not None:
            tasks.append(_Task(authority, urls[authority.name], row.size, row.note))
    return tasks


def _newest_size(session: Session, context: Context) -> int:
    return context.ledger.checkpoint(session)[0].size


def _wanted(session: Session, context: Context, name: str) -> int | None:
    """The size of the checkpoint that an authority should stamp now; None where it should not be asked."""
    state = session.get(TimeAuthorityState, name)
    now = context.now()
    if state is not None and state.due > now:
        return None
    last = newest(session, name)
    waiting = session.scalar(sa.select(sa.func.max(LogEntry.idx)).where(LogEntry.kind.in_(_DOCUMENTS)))
    if waiting is not None and (last is None or last.size <= waiting):
        return _common(session, name, waiting) or witnessed_at(session, context, waiting + 1)
    if last is None or now - last.taken >= timedelta(seconds=context.settings.time_stamp_every_seconds):
        size = _newest_size(session, context)
        return None if last is not None and last.size == size and not _is_old(context, last) else size
    return None


def _is_old(context: Context, stamp: TimeStamp) -> bool:
    """Whether a stamp should be renewed even though nothing was logged since."""
    return context.now() - stamp.taken >= timedelta(days=context.settings.restamp_days) - _REMINDER


def _common(session: Session, name: str, above: int) -> int | None:
    """A checkpoint that another authority has stamped already: the files of documents rest on one that all have stamped."""
    return session.scalar(
        sa.select(TimeStamp.size)
        .where(TimeStamp.authority != name, TimeStamp.size > above)
        .order_by(TimeStamp.size.desc())
    )


def _ask(task: _Task, post: Post) -> tuple[bytes | None, str, bool]:
    """A good token; or none, why, and whether the authority answered with something wrong."""
    try:
        return ask(task.authority, task.url, task.note.encode(), post), "", False
    except Unreached as error:
        return None, f"It cannot be reached: {error}", False
    except BadStamp as error:
        return None, f"Its answer is no good: {error.problem}", True


def ask(authority: TimeAuthority, url: str, message: bytes, post: Post = outward.post) -> bytes:
    """A stamp over a message, in its one form, checked.

    Raises:
        Unreached: no answer, or one that says that it has none.
        BadStamp: an answer that is not a good stamp.
    """
    asked = StampRequest(message, secrets.randbits(NONCE_BITS), authority.policy)
    reply = post(url, asked.to_der(), CONTENT_TYPE)
    if reply.status != 200:
        raise Unreached(f"HTTP status {reply.status}")
    return read_response(reply.body[: MAX_RESPONSE + 1], asked, authority)


def _keep(session: Session, context: Context, authority: TimeAuthority, size: int, note: str, token: bytes) -> datetime:
    """Keep a stamp and log its digest: what is logged later is younger than it."""
    said = check_stamp(token, note.encode(), authority)
    digest = sha256_hex(token)
    index = context.ledger.append(session, "time-stamp", digest, authority.name)
    session.add(
        TimeStamp(
            sha256=digest,
            size=size,
            authority=authority.name,
            token=token,
            stamped=said.time,
            taken=context.now(),
            log_index=index,
        )
    )
    session.flush()
    return said.time


def _standing(session: Session, context: Context, name: str, problem: str, *, wrong: bool) -> None:
    """Note how an authority answered; back off from one that fails, and say so after a while (at once where it is wrong)."""
    now = context.now()
    row = session.get(TimeAuthorityState, name)
    if row is None:
        row = TimeAuthorityState(name=name, failures=0, since=None, problem="", due=now)
        session.add(row)
    if not problem:
        row.failures, row.since, row.problem, row.due = 0, None, "", now
        for code in (ExceptionCode.TIME_AUTHORITY_WRONG, ExceptionCode.TIME_AUTHORITY_SILENT):
            settle_exception(session, context, code, name, "It has stamped a checkpoint.")
        return
    log.warning("time authority %s: %s", name, problem)
    row.due = now + min(_FIRST_PAUSE * 2 ** min(row.failures, 16), _LONGEST_PAUSE)
    row.failures += 1
    row.since = row.since or now
    row.problem = problem[:500]
    sentence = f"Time-stamp authority {name}: {problem}"
    if wrong:
        raise_exception(session, context, ExceptionCode.TIME_AUTHORITY_WRONG, name, sentence)
    elif now - row.since >= _PATIENCE:
        sentence = f"{sentence} Since {row.since:%Y-%m-%d %H:%M} UTC."
        raise_exception(session, context, ExceptionCode.TIME_AUTHORITY_SILENT, name, sentence)


def _renewal_due(session: Session, context: Context, trust: TrustRoot) -> datetime | None:
    """Until when the newest stamp carries the log: a year, or its certificate's end. From the beginning where there is none."""
    last = newest(session)
    if last is None:
        first = session.scalar(sa.select(LogCheckpoint.at).order_by(LogCheckpoint.size).limit(1))
        return None if first is None else first + _REMINDER
    due = last.taken + timedelta(days=context.settings.restamp_days)
    for authority in trust.time_authorities:
        if authority.name == last.authority:
            return min(due, load(path_of(last.token, authority)[0]).not_valid_after_utc)
    return due


def _entry(trust: TrustRoot, name: str) -> TimeAuthority:
    for authority in trust.time_authorities:
        if authority.name == name:
            return authority
    raise NotFound("time-stamp authority of the trust root", name)


def _stamped_checkpoint(session: Session, token: bytes, authority: TimeAuthority) -> tuple[int, str]:
    """The checkpoint that a token is over, newest first. Raises `Conflict`."""
    problem = "there is no checkpoint"
    for size, note in session.execute(
        sa.select(LogCheckpoint.size, LogCheckpoint.note).order_by(LogCheckpoint.size.desc())
    ):
        try:
            check_stamp(token, note.encode(), authority)
        except BadStamp as error:
            problem = error.problem
            if "other bytes" not in problem:
                break
        else:
            return size, note
    raise Conflict(f"It is over no checkpoint of this log: {problem}")


def renewals(context: Context) -> bytes:
    """The file that carries every document ever made: the newest stamped checkpoint, and the ways to it. Canonical JSON.

    Raises:
        Conflict: no checkpoint has been stamped yet.
    """
    with context.reading() as session:
        last = newest(session)
        if last is None:
            raise Conflict("No time-stamp has been taken yet; take one with `sanitrail log stamp`.")
        anchor = anchor_at(session, context, last.size)
        if not anchor.stamps:
            raise Conflict("The authority that stamped last is in the trust root no more; stamp again first.")
        sizes = {size for size in _sizes_in_use(session) if size < last.size}
        proofs = {size: context.ledger.consistency(session, size, last.size) for size in sizes}
        return build_renewals(anchor, proofs).to_bytes()


def _sizes_in_use(session: Session) -> set[int]:
    """Sizes of the checkpoints on which documents rest, and of those that somebody stamped. One file in memory at a time."""
    found = set(session.scalars(sa.select(TimeStamp.size).distinct()))
    for bundle in session.scalars(sa.select(Seal.bundle).execution_options(yield_per=20)):
        found |= {int(digits) for digits in _CHECKPOINT.findall(bundle)}
    return found


@dataclass(frozen=True)
class AuthorityStanding:
    """How we stand with one authority."""

    name: str
    url: str
    """Empty: the settings have none; question and answer travel as files."""
    trusted: bool
    size: int | None
    """Of the newest checkpoint that it stamped."""
    stamped: datetime | None
    problem: str


def standing(context: Context) -> tuple[AuthorityStanding, ...]:
    """Every authority of the trust root or the settings, for the server's own terminal."""
    with context.reading() as session:
        urls = {one.name: one.url for one in context.settings.time_authorities}
        trusted = [one.name for one in opened_roots(session)[-1].time_authorities]
        found = []
        for name in dict.fromkeys([*trusted, *urls]):
            last, state = newest(session, name), session.get(TimeAuthorityState, name)
            problem = "" if state is None else state.problem
            if name not in trusted:
                problem = "The trust root does not name it: it is not asked, and its word would not count."
            found.append(
                AuthorityStanding(
                    name,
                    urls.get(name, ""),
                    name in trusted,
                    None if last is None else last.size,
                    None if last is None else last.stamped,
                    problem,
                )
            )
        return tuple(found)
