"""Audit packs: asked for once, made each time they are fetched, while they are sent; who took which away stands in the history.

A pack broken off leaves nothing behind: no file, no entry of the log. Fetched again it is made anew; where nothing has changed
since, it is the same to the byte and has the same entry.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.domain.scopes import Scope
from inventory.errors import Conflict, Forbidden, Invalid, Unavailable
from inventory.events import Tag
from inventory.ledger import encode
from inventory.models import AuditPack, Certificate, LogCheckpoint, LogEntry, Order
from reports.bundle import logged
from reports.envelope import envelope_digest, sign
from reports.pack.contents import Documents, Names, PackSeal, PackStatement, ScopeKind

from . import certificates
from ._anchor import anchor_at, newest_anchored
from ._scope import only
from .context import Actor, Context, authorize
from .kernel import find, load_envelope, next_number, note, optional, store_envelope
from .packs.accounts import UNFINISHED
from .packs.making import PackMaker, drained
from .packs.scope import AskedScope, device_ids, words_of
from .queries._paging import bounded, cut
from .views import Page

log = logging.getLogger("inventory.packs")

_SLOTS: Final = threading.BoundedSemaphore(2)
_REPORTS_AT_ONCE: Final = 50


@dataclass(frozen=True, kw_only=True)
class RequestPack:
    """What the pack is about and how it is told."""

    scope: ScopeKind
    reference: str = ""
    """Number of the lot or of its document, the erasure case or the location."""
    begin: datetime | None = None
    end: datetime | None = None
    """Of a period; not included."""
    names: Names = "pseudonyms"
    documents: Documents = "all"
    word: str = ""
    """Mixed into the sample's seed; best given by the auditor."""


@dataclass(frozen=True, kw_only=True)
class AuditPackView:
    """A pack that was asked for."""

    number: str
    scope: ScopeKind
    reference: str
    words: str
    """The scope in words."""
    begin: datetime | None
    end: datetime | None
    names: Names
    documents: Documents
    word: str
    sites: tuple[str, ...] | None
    """It shows only what was at these sites for whoever asked; None: any."""
    teams: tuple[str, ...] | None
    """The same of teams."""
    log_size: int
    """Size of the log whose state the proofs are against."""
    requested: datetime
    requested_by: str


@dataclass(frozen=True)
class PackStream:
    """A pack on its way."""

    name: str
    parts: Iterator[bytes]
    """Must be read to the end, or closed: then the pack is broken off, and that is noted."""


def request(context: Context, actor: Actor, command: RequestPack) -> AuditPackView:
    """Ask for a pack. Permission `audit.export`; all but a case also need `events.read`, full names `directory.read`.

    Raises:
        Forbidden, NotFound, Invalid.
        EvidencePending: no state of the log has its witnesses yet.
    """
    _may(actor, command.scope, command.names)
    word = optional("word", command.word, most=100)
    with context.writing(actor) as session:
        asked = AskedScope(kind=command.scope, reference=command.reference, begin=command.begin, end=command.end)
        words = (words_of(session, asked) + _part(actor.scope))[:500]
        sites, teams = actor.scope.sites, actor.scope.teams
        row = AuditPack(
            number=next_number(session, "audit_pack", context.now()),
            scope=command.scope,
            reference=command.reference,
            words=words,
            begin=command.begin,
            end=command.end,
            names=command.names,
            documents=command.documents,
            word=word,
            sites=None if sites is None else sorted(sites),
            teams=None if teams is None else sorted(teams),
            size=newest_anchored(session, context, 1),
            requested=context.now(),
            requested_by=actor.ref,
        )
        session.add(row)
        session.flush()
        note(
            session, context, actor, Tag.AUDIT_PACK_REQUESTED, "audit-pack", row.number,
            reason=words, details={"scope": row.scope, "reference": row.reference, "names": row.names},
        )  # fmt: skip
        return _view(row)


def pack(context: Context, actor: Actor, number: str) -> AuditPackView:
    """One pack that was asked for. As `request`. Raises `NotFound`."""
    authorize(actor, Permission.AUDIT_EXPORT)
    with context.reading(actor) as session:
        return _view(find(session, AuditPack, number, "audit pack"))


def list_packs(context: Context, actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[AuditPackView]:
    """Packs that were asked for, newest first. Permission `audit.export`."""
    authorize(actor, Permission.AUDIT_EXPORT)
    statement = (
        sa.select(AuditPack).where(*only(actor, AuditPack)).order_by(AuditPack.number.desc()).limit(bounded(limit) + 1)
    )
    if after is not None:
        if len(after) > 32:
            raise Invalid("after", "This is no key of a page.")
        statement = statement.where(AuditPack.number < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.number)
        return Page(tuple(_view(row) for row in rows), following)


def stream(context: Context, actor: Actor, number: str) -> PackStream:
    """Make the pack while it is read. As `request`; that it was taken away stands in the history.

    Raises:
        Forbidden: as `request`; or it shows more than the actor sees by now.
        NotFound.
        Unavailable: two packs are being made already.
    """
    view = pack(context, actor, number)
    _may(actor, view.scope, view.names)
    if not _SLOTS.acquire(blocking=False):
        raise Unavailable("Two audit packs are being made already; try again when one of them is finished.")
    try:
        with context.reading(actor) as session:
            row = find(session, AuditPack, number, "audit pack")
        _sees_it_whole(actor, row)
        _report_failures(context, actor, row)
        with context.writing(actor) as session:
            note(session, context, actor, Tag.AUDIT_PACK_BEGUN, "audit-pack", number, reason=row.words)
    except BaseException:
        _SLOTS.release()
        raise
    return PackStream(f"{number}.zip", _Parts(context, actor, row))


class _Parts:
    """The bytes of a pack. Closing it early, or dropping it, breaks the pack off and gives everything back."""

    def __init__(self, context: Context, actor: Actor, row: AuditPack) -> None:
        self._context, self._actor, self._number = context, actor, row.number
        self._maker = PackMaker(context, row)
        # The work must not know this object: dropped unread, it would wait for the collector with a place taken.
        self._work = _work(context, actor, row, self._maker)
        self._open = True

    def __iter__(self) -> _Parts:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._work)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Gives everything back; where the pack was not finished, the history says so."""
        if not self._open:
            return
        self._open = False
        try:
            self._work.close()
            self._maker.close()
            if not self._maker.finished:
                with self._context.writing() as session:
                    note(
                        session, self._context, self._actor, Tag.AUDIT_PACK_BROKEN_OFF, "audit-pack", self._number,
                        details={"bytes": self._maker.sent},
                    )  # fmt: skip
        finally:
            _SLOTS.release()

    def __del__(self) -> None:
        self.close()


def _work(context: Context, actor: Actor, row: AuditPack, maker: PackMaker) -> Generator[bytes, None, None]:
    with context.reading(dataclasses.replace(actor, scope=_scope_of(row))) as session:
        yield from drained(maker, maker.contents(session))
    yield from drained(maker, maker.put_manifest())
    yield from drained(maker, maker.put_seal(_seal(context, actor, row, maker)))
    maker.finished = True
    yield maker.outbox.take()


def _seal(context: Context, actor: Actor, row: AuditPack, maker: PackMaker) -> PackSeal:
    """Sign and log what the pack is, and prove it against the newest state of the log."""
    body = maker.statement()
    with context.writing(actor) as session:
        digest, index = _sign_once(session, context, row, body)
        note(
            session, context, actor, Tag.AUDIT_PACK_EXPORTED, "audit-pack", row.number,
            reason=row.words, details={**maker.sums, "names": row.names}, evidence=[digest, body.manifest_sha256],
        )  # fmt: skip
    with context.reading(actor) as session:
        size = session.scalars(
            sa.select(LogCheckpoint.size).where(LogCheckpoint.size > index).order_by(LogCheckpoint.size.desc()).limit(1)
        ).one()
        old = maker.checkpoint.size
        proof = () if old == size else encode(context.ledger.consistency(session, old, size))
        statement = logged(load_envelope(session, digest), index, context.ledger.inclusion(session, index, size))
        return PackSeal(anchor=anchor_at(session, context, size), consistency=proof, statement=statement)


def _sign_once(session: Session, context: Context, row: AuditPack, body: PackStatement) -> tuple[str, int]:
    """The statement's envelope and its place in the log; the same pack made twice has one entry."""
    envelope = sign("statement", body.to_dict(), context.secrets.signer("acceptance"))
    index = session.scalar(sa.select(LogEntry.idx).where(LogEntry.sha256 == envelope_digest(envelope)))
    digest = store_envelope(session, context, "statement", envelope)
    if index is None:
        index = context.ledger.append(session, "statement", digest, row.number)
    return digest, index


def _may(actor: Actor, scope: ScopeKind, names: Names) -> None:
    authorize(actor, Permission.AUDIT_EXPORT)
    if scope != "case" and not actor.may(Permission.READ_EVENTS):
        raise Forbidden(str(Permission.READ_EVENTS), "A pack about more than one erasure case needs the role auditor.")
    if names == "full" and not actor.may(Permission.READ_DIRECTORY):
        raise Forbidden(str(Permission.READ_DIRECTORY), "A pack with people's names needs the role auditor.")


def _scope_of(row: AuditPack) -> Scope:
    """As far as whoever asked for the pack saw then: the same pack for everybody who fetches it."""
    return Scope(
        None if row.sites is None else frozenset(row.sites), None if row.teams is None else frozenset(row.teams)
    )


def _part(scope: Scope) -> str:
    """What the scope in words ends with, where somebody sees a part only."""
    found = [f"at {', '.join(sorted(scope.sites))}"] if scope.sites is not None else []
    if scope.teams is not None:
        found.append(f"of {', '.join(sorted(scope.teams))}")
    return f"; only what is {' and '.join(found)}" if found else ""


def _sees_it_whole(actor: Actor, row: AuditPack) -> None:
    asked = _scope_of(row)
    if asked.within(actor.scope) != asked:
        raise Forbidden("scope", "This pack shows more than you see by now; ask for a new one.")


def _report_failures(context: Context, actor: Actor, row: AuditPack) -> None:
    """Make the reports of failed runs that nobody asked for yet; the pack names those that cannot be made."""
    while True:
        with context.reading(dataclasses.replace(actor, scope=_scope_of(row))) as session:
            reported = sa.select(Certificate.order_id)
            orders = list(
                session.scalars(
                    sa.select(Order.id)
                    .where(
                        Order.device_id.in_(device_ids(session, row)),
                        Order.state.in_(UNFINISHED),
                        Order.record_sha256.is_not(None),
                        Order.id.not_in(reported),
                    )
                    .order_by(Order.id)
                    .limit(_REPORTS_AT_ONCE)
                )
            )
        made = 0
        for order in orders:
            try:
                certificates.failure_report(context, actor, order)
            except (Conflict, Unavailable) as refused:
                log.info("no report about order %s for pack %s: %s", order, row.number, refused.code)
            else:
                made += 1
        if not made:
            return


def _view(row: AuditPack) -> AuditPackView:
    return AuditPackView(
        number=row.number,
        scope=row.scope,  # type: ignore[arg-type]  # a CHECK constraint holds the words
        reference=row.reference,
        words=row.words,
        begin=row.begin,
        end=row.end,
        names=row.names,  # type: ignore[arg-type]  # as above
        documents=row.documents,  # type: ignore[arg-type]  # as above
        word=row.word,
        sites=None if row.sites is None else tuple(row.sites),
        teams=None if row.teams is None else tuple(row.teams),
        log_size=row.size,
        requested=row.requested,
        requested_by=row.requested_by,
    )
