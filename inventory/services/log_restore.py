"""After a disaster: an old backup was restored, its log is behind what was signed, and signs nothing until it holds that again.

The entries come from an exported folder (`log_export`), or a mirror of one, checked as an auditor would: signatures, every tile,
every entry, and that the backup's log is where it began. What the entries were about is lost unless it stands in the folder, too:
the log knows digests only. So trust roots, key events and corrections come back; records, certificates and the rest are known to
have been, and a person must ask those who hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.clock import Clock
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import HostState, KeyState
from inventory.errors import LogRefused
from inventory.events import Tag
from inventory.log_guard import Position
from inventory.models import (
    ApproverKey,
    Correction,
    Counter,
    Host,
    LogCheckpoint,
    LogCosignature,
    LogEntry,
    LogHead,
    LogTile,
)
from inventory.settings import Settings
from reports.canonical import from_base64
from reports.enrolled import read_key_event
from reports.envelope import unverified_body
from reports.errors import ReportError
from reports.exported_log import ExportedLog, open_exported_log
from reports.keys import key_id
from reports.statements import KeyEvent
from reports.tlog import HASH_BYTES, Frontier, extend_tiles, leaf_hash, tree_root
from reports.tlog.folder import PLAIN_KINDS, Entry

from ._anchor import first_pin
from ._revocation import disown_records, end_orders
from .context import SYSTEM, Context
from .kernel import note, raise_exception, store_envelope
from .setup import open_behind

_BATCH = 256
_REVOKED_BEFORE = "The log had revoked it before the database was restored from a backup."
_SPARE_NUMBERS = 1000
"""Numbers left out of every series beyond those the log tells of: orders and the like are not logged one by one."""


@dataclass(frozen=True)
class RestoreReport:
    """What came back."""

    before: int
    size: int
    kinds: dict[str, int]
    """Entries that came back, by kind."""
    lost: int
    """Of these, how many statements are known by their digest alone."""
    revoked: tuple[str, ...]
    """Hosts and people whose key the log had revoked; the backup did not know."""


def bring_up_to_date(settings: Settings, clock: Clock, folder: Path) -> RestoreReport:
    """Append to the database's log what the folder holds beyond it; nothing that is there is changed.

    All in one transaction, with what follows from it: keys the log has revoked meanwhile count no more.

    Args:
        settings: of the installation, whose service is stopped.
        clock: the time.
        folder: an exported log.

    Raises:
        LogRefused: the folder does not hold together, is of another log or another history, or holds less than was signed.
        SetupError: the installation cannot be opened.
    """
    context = open_behind(settings, clock)
    try:
        with context.writing() as session:
            return _append_missing(session, context, folder)
    finally:
        context.database.close()


def _append_missing(session: Session, context: Context, folder: Path) -> RestoreReport:
    head = session.get_one(LogHead, 1, with_for_update=True)
    before = head.size
    frontier = Frontier.from_bytes(head.size, head.peaks)
    try:
        exported = open_exported_log(folder, first_pin(session))
        if exported.checkpoint.origin != context.ledger.origin:
            raise LogRefused(f"{folder} holds the log {exported.checkpoint.origin!r}")
        if exported.checkpoint.size < before:
            raise LogRefused(
                f"{folder} holds {exported.checkpoint.size} entries, the database {before}: export it anew"
            )
        if tree_root(exported.folder.hashes(), before) != frontier.root():
            raise LogRefused(
                f"{folder} holds another history of the {before} entries in the database: one of the two was forked"
            )
        kinds, lost = _append_entries(session, context, exported, frontier)
    except ReportError as error:
        raise LogRefused(f"{folder} cannot be used: {error.summarize()}") from error
    _take_checkpoint(session, context, exported)
    revoked = _revoke(session, context, exported, before)
    _skip_numbers(session, exported.checkpoint.size - before)
    _tell(session, context, before, exported.checkpoint.size, kinds, lost)
    return RestoreReport(before, exported.checkpoint.size, kinds, lost, revoked)


def _append_entries(
    session: Session, context: Context, exported: ExportedLog, frontier: Frontier
) -> tuple[dict[str, int], int]:
    """Leaves, tiles and the tree's edge; statements as far as the folder has them."""
    kinds: dict[str, int] = {}
    lost = 0
    batch: list[Entry] = []
    for entry in exported.folder.entries(frontier.size):
        batch.append(entry)
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
        if entry.kind in PLAIN_KINDS:
            _take_statement(session, context, exported, entry)
        else:
            lost += 1
        if len(batch) == _BATCH:
            frontier, batch = _append(session, frontier, batch, context.now()), []
    frontier = _append(session, frontier, batch, context.now())
    head = session.get_one(LogHead, 1)
    head.size, head.peaks, head.trust = frontier.size, frontier.to_bytes(), exported.roots[-1].pin
    session.flush()
    return kinds, lost


def _append(session: Session, frontier: Frontier, batch: list[Entry], now: datetime) -> Frontier:
    leaves = [leaf_hash(entry.raw) for entry in batch]
    for entry, leaf in zip(batch, leaves, strict=True):
        session.add(
            LogEntry(
                idx=entry.index, kind=entry.kind, sha256=entry.sha256, subject="restored from an export",
                entry=entry.raw, leaf=leaf, at=now,
            )
        )  # fmt: skip
    grown, writes = extend_tiles(frontier, leaves)
    for write in writes:
        tile = session.get(LogTile, (write.level, write.index)) if write.offset else None
        if write.offset and (tile is None or len(tile.data) != write.offset * HASH_BYTES):
            raise LogRefused(f"tile {write.level}/{write.index} does not fit the tree")
        if tile is None:
            session.add(LogTile(level=write.level, number=write.index, data=write.data))
        else:
            tile.data += write.data
    session.flush()
    return grown


def _take_statement(session: Session, context: Context, exported: ExportedLog, entry: Entry) -> None:
    envelope = exported.folder.statement(entry)
    if entry.kind == "trust-root":
        store_envelope(session, context, "trust-root", envelope)
    elif entry.kind == "key-event":
        store_envelope(session, context, "key-event", envelope)
    else:
        digest = store_envelope(session, context, "correction", envelope)
        body = next(one.body for one in exported.corrections if one.index == entry.index)
        session.add(
            Correction(
                sha256=digest, action=body.action, document=body.document, document_sha256=body.document_sha256,
                replacement=body.replacement or None, reason=body.reason, by=body.corrected_by, at=context.now(),
                log_index=entry.index,
            )
        )  # fmt: skip


def _take_checkpoint(session: Session, context: Context, exported: ExportedLog) -> None:
    """The signed state becomes ours, once the guard agrees that it is what was signed last, or more."""
    size, root = exported.checkpoint.size, exported.checkpoint.root
    head = session.get_one(LogHead, 1)
    note_, lines = _split(exported)
    if session.get(LogCheckpoint, size) is None:
        session.add(LogCheckpoint(size=size, root=root, note=note_, at=context.now()))
        session.flush()
    head.checkpoint = note_
    for key, line, time in lines:
        if session.get(LogCosignature, (size, key[0], key[1])) is None:
            session.add(
                LogCosignature(size=size, witness=key[0], key_hash=key[1], line=line, at=time, received=context.now())
            )
    session.flush()
    position = Position(size, root)
    context.ledger.guard.check(head.guard_id, position, lambda at: context.ledger.root(session, at))


def _split(exported: ExportedLog) -> tuple[str, list[tuple[tuple[str, str], str, datetime]]]:
    """The note as the log signed it, and the witnesses' lines."""
    whole = exported.folder.note(exported.folder.root)
    text, separator, block = whole.rpartition("\n\n")
    lines = block.splitlines(keepends=True)
    trust = exported.roots[-1]
    own = [line for line in lines if line[2:].startswith(f"{trust.body.log.origin} ")]
    found = []
    for signature in exported.cosignatures:
        key = signature.key
        line = next(one for one in lines if _names(one, key.name, key.key_hash))
        found.append(((key.name, key.key_hash.hex()), line, datetime.fromtimestamp(signature.time or 0, UTC)))
    return f"{text}{separator}{''.join(own)}", found


def _names(line: str, name: str, key_hash: bytes) -> bool:
    parts = line.strip().split(" ")
    return len(parts) == 3 and parts[1] == name and from_base64(parts[2])[:4] == key_hash


def _revoke(session: Session, context: Context, exported: ExportedLog, before: int) -> tuple[str, ...]:
    """Keys that the log revoked after the backup was made must not count again, nor what they signed since."""
    found = []
    for entry in exported.folder.entries(before):
        if entry.kind != "key-event":
            continue
        event = read_key_event(unverified_body(exported.folder.statement(entry), "key-event"))
        if not isinstance(event, KeyEvent) or event.event != "revoke":
            continue
        digest = key_id(from_base64(event.spki))
        host = session.scalar(sa.select(Host).where(Host.key_id == digest))
        if host is not None:
            below = entry.index if event.valid_below is None else event.valid_below
            host.state, host.revoked, host.revoked_below = HostState.REVOKED, context.now(), below
            host.revoked_index = entry.index
            session.flush()
            end_orders(session, context, SYSTEM, host, _REVOKED_BEFORE)
            disown_records(session, context, host, below)
            found.append(host.id)
        key = session.get(ApproverKey, digest)
        if key is not None:
            key.state, key.revoked, key.revoked_index = KeyState.REVOKED, context.now(), entry.index
            found.append(key.person)
    session.flush()
    return tuple(found)


def _skip_numbers(session: Session, missing: int) -> None:
    """No number that a lost document bears is given to another one."""
    if missing:
        session.execute(sa.update(Counter).values(last=Counter.last + missing + _SPARE_NUMBERS))


def _tell(session: Session, context: Context, before: int, size: int, kinds: dict[str, int], lost: int) -> None:
    if size == before:
        return
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    words = (
        f"The log was brought up to date from an export: entries {before} to {size - 1} came back ({counted}). Of {lost} only "
        "the digest is known: ask agents for their records, and holders for their documents, and reconcile."
    )
    note(session, context, SYSTEM, Tag.LOG_RESTORED, "log", context.ledger.origin, reason=words)
    raise_exception(session, context, ExceptionCode.LOG_RESTORED, f"{before}-{size}", words)
