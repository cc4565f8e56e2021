"""Witnesses: others who sign our checkpoints, each only if it extends the one it signed before (c2sp.org/tlog-witness).

Every round sends the newest checkpoint to every witness of the settings that the trust root names, checks what comes back, and
keeps it. Nothing waits for them but the files of documents (`_anchor`). Requests are made outside any transaction.

    200  the lines are checked with the trust root's keys and kept
    409  the witness tells how much it has seen: less, then it is asked again from there; more, then this database is an old one
    422  it has seen another history: an alarm, for a person to settle
    403, 404, anything else, or silence: tried again with growing pauses; a person hears of it after an hour
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory import outward
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.roles import Permission
from inventory.errors import LogRefused
from inventory.models import LogCosignature, LogWitness
from inventory.outward import Reply, Unreached
from inventory.settings import Witness
from reports.errors import ReportError
from reports.tlog import VerifierKey
from reports.tlog.notes import NoteSignature
from reports.tlog.witnessing import ADD_CHECKPOINT, Submission, read_cosignatures, read_size

from ._anchor import opened_roots
from .context import Actor, Context, authorize
from .kernel import raise_exception, settle_exception
from .views import WitnessView

log = logging.getLogger("inventory.witnesses")

Post = Callable[[str, bytes, str], Reply]
"""Sends a body of a media type to a URL; raises `Unreached`."""
_BODY_TYPE: Final = "text/plain; charset=utf-8"
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_PATIENCE: Final = timedelta(hours=1)
"""How long a witness may stay behind before a person hears of it."""


@dataclass(frozen=True)
class _Task:
    """What one witness is to be asked, and from where."""

    witness: Witness
    keys: tuple[VerifierKey, ...]
    old: int
    size: int
    note: str


@dataclass(frozen=True)
class _Outcome:
    """What came of asking: lines, or a problem."""

    seen: int
    """What the witness has seen, as far as we know now."""
    lines: tuple[tuple[str, NoteSignature], ...] = ()
    problem: str = ""
    alarm: ExceptionCode | None = None


def ask_all(context: Context, post: Post = outward.post) -> int:
    """Send the newest checkpoint to every witness that is due. Returns how many cosigned it.

    Args:
        context: of the service.
        post: sends; another one in tests.
    """
    with context.reading() as session:
        tasks = _tasks(session, context)
    count = 0
    for task in tasks:
        outcome = _ask(context, task, post)
        with context.writing() as session:
            _keep(session, context, task, outcome)
        count += bool(outcome.lines)
    return count


def refuse_if_behind(context: Context, post: Post = outward.post) -> None:
    """Ask every witness, before anything is signed, whether it has seen more of our log than this database holds.

    A backup restored together with its guard file looks sound from within; whoever has seen more knows better. One that does not
    answer, or is not in the trust root, says nothing.

    Raises:
        LogRefused: a witness has.
    """
    with context.reading() as session:
        tasks = _tasks(session, context, everybody=True)
    for task in tasks:
        outcome = _ask(context, task, post)
        if outcome.alarm is ExceptionCode.WITNESS_AHEAD:
            raise LogRefused(outcome.problem)


def list_witnesses(context: Context, actor: Actor) -> tuple[WitnessView, ...]:
    """Every witness of the settings or the trust root, and how we stand with it. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    return status(context)


def status(context: Context) -> tuple[WitnessView, ...]:
    """As `list_witnesses`, for the server's own terminal."""
    with context.reading() as session:
        trust = opened_roots(session)[-1]
        newest = context.ledger.checkpoint(session)[0].size
        urls = {witness.name: witness.url for witness in context.settings.witnesses}
        trusted = dict.fromkeys(key.name for key in trust.witness_keys)
        found = []
        for name in dict.fromkeys([*trusted, *urls]):
            row = session.get(LogWitness, name)
            found.append(
                WitnessView(
                    name=name,
                    url=urls.get(name, ""),
                    trusted=name in trusted,
                    size=row.size if row else 0,
                    behind=newest - row.size if row else newest,
                    cosigned=row.answered if row else None,
                    problem=_standing(row, trusted=name in trusted, configured=name in urls),
                )
            )
        return tuple(found)


def _standing(row: LogWitness | None, *, trusted: bool, configured: bool) -> str:
    """What is not in order about a witness, in words; empty where everything is."""
    if not trusted:
        return "The trust root does not name it: it is not asked, and its word would not count."
    if not configured:
        return "The settings have no address for it: it is not asked."
    return "It has not been asked yet." if row is None else row.problem


def _tasks(session: Session, context: Context, *, everybody: bool = False) -> list[_Task]:
    """Whom to ask now: who is behind and due, or everybody."""
    configured = context.settings.witnesses
    if not configured:
        return []
    trust = opened_roots(session)[-1]
    checkpoint, note, _ = context.ledger.checkpoint(session)
    tasks = []
    for witness in configured:
        keys = tuple(key for key in trust.witness_keys if key.name == witness.name)
        row = session.get(LogWitness, witness.name)
        known = row.size if row else 0
        waits = row is not None and row.due > context.now()
        if keys and (everybody or (known != checkpoint.size and not waits)):
            tasks.append(_Task(witness, keys, min(known, checkpoint.size), checkpoint.size, note))
    return tasks


def _ask(context: Context, task: _Task, post: Post) -> _Outcome:
    """Ask once, and once more where the witness tells another size than we believed."""
    url = f"{task.witness.url.rstrip('/')}/{ADD_CHECKPOINT}"
    old = task.old
    for _ in range(2):
        with context.reading() as session:
            proof = context.ledger.consistency(session, old, task.size)
        try:
            reply = post(url, Submission(old, proof, task.note).to_bytes(), _BODY_TYPE)
        except Unreached as error:
            return _Outcome(task.old, problem=f"It cannot be reached: {error}")
        size = read_size(reply.body) if reply.status == 409 else None
        if size is None:
            return _answered(task, old, reply)
        if size > task.size:
            words = (
                f"the witness {task.witness.name} has cosigned {size} entries of this log, the database holds {task.size}: "
                "an old backup was restored"
            )
            return _Outcome(task.old, problem=words, alarm=ExceptionCode.WITNESS_AHEAD)
        old = size
    return _Outcome(old, problem="It names another size each time it is asked.")


def _answered(task: _Task, old: int, reply: Reply) -> _Outcome:
    """What an answer means that does not only tell a size."""
    if reply.status == 200:
        try:
            return _Outcome(task.size, lines=read_cosignatures(reply.body, task.note, task.keys))
        except ReportError as error:
            return _Outcome(old, problem=f"Its answer is no cosignature: {error.summarize()}")
    said = " ".join(reply.body.decode("utf-8", "replace").split())
    words = "".join(char if char.isprintable() else "?" for char in said)[:200]
    if reply.status == 422:
        problem = (
            f"It has seen another history of this log than the one sent from {old} to {task.size} entries: {words}"
        )
        return _Outcome(old, problem=problem, alarm=ExceptionCode.WITNESS_REFUSED)
    meaning = {403: "It does not accept the log's signature", 404: "It does not know this log"}
    return _Outcome(old, problem=f"{meaning.get(reply.status, f'HTTP status {reply.status}')}: {words}")


def _keep(session: Session, context: Context, task: _Task, outcome: _Outcome) -> None:
    now, name = context.now(), task.witness.name
    row = session.get(LogWitness, name)
    if row is None:
        row = LogWitness(name=name, size=0, asked=None, answered=None, failures=0, problem="", due=now)
        session.add(row)
    row.asked = now if row.asked is None or not row.failures else row.asked  # since when it is waited for
    row.size, row.problem = outcome.seen, outcome.problem[:500]
    if outcome.lines:
        _store(session, task, outcome, now)
        row.answered, row.failures, row.due = now, 0, now
        for code in (ExceptionCode.WITNESS_REFUSED, ExceptionCode.WITNESS_AHEAD, ExceptionCode.WITNESS_SILENT):
            settle_exception(session, context, code, name, "It has cosigned the newest checkpoint.")
        return
    log.warning("witness %s: %s", name, outcome.problem)
    row.due = now + min(_FIRST_PAUSE * 2 ** min(row.failures, 16), _LONGEST_PAUSE)
    row.failures += 1
    if outcome.alarm is ExceptionCode.WITNESS_AHEAD:
        context.ledger.halt(outcome.problem)
    if outcome.alarm is not None:
        raise_exception(session, context, outcome.alarm, name, f"Witness {name}: {outcome.problem}")
    elif now - row.asked >= _PATIENCE:
        raise_exception(
            session, context, ExceptionCode.WITNESS_SILENT, name,
            f"Witness {name} has not signed since {row.asked:%Y-%m-%d %H:%M} UTC. {outcome.problem}",
        )  # fmt: skip


def _store(session: Session, task: _Task, outcome: _Outcome, now: datetime) -> None:
    """Keep the lines; one that is there already stays."""
    there = set(
        session.scalars(
            sa.select(LogCosignature.key_hash).where(
                LogCosignature.size == task.size, LogCosignature.witness == task.witness.name
            )
        )
    )
    for line, signature in outcome.lines:
        key_hash = signature.key.key_hash.hex()
        if key_hash not in there:
            at = datetime.fromtimestamp(signature.time or 0, UTC)
            session.add(
                LogCosignature(
                    size=task.size, witness=signature.key.name, key_hash=key_hash, line=line, at=at, received=now
                )
            )
