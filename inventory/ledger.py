"""The append-only log in SQL: an entry enters in the transaction of the change it is about; a checkpoint is signed with it.

RFC 6962 tree and C2SP formats by `reports.tlog`; tiles, frontier and checkpoints in tables. Nothing is ever signed that
contradicts what was signed before (`log_guard`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.bulk import insert_rows
from inventory.clock import Clock
from inventory.db import after_commit, before_commit
from inventory.errors import LogRefused, SetupError
from inventory.keyring import Keyring
from inventory.log_guard import LogGuard, Position
from inventory.models import LogCheckpoint, LogEntry, LogHead, LogTile
from reports.canonical import to_base64
from reports.tlog import (
    HASH_BYTES,
    TILE_WIDTH,
    Checkpoint,
    Frontier,
    LogKind,
    NoteSigner,
    TileHashes,
    TileWrite,
    consistency_proof,
    extend_tiles,
    inclusion_proof,
    leaf_hash,
    log_entry,
    sign_checkpoint,
    tree_root,
)

_BASE = "log_base"
_EDGE = "log_edge"
_HEAD = "log_head"
_PASSAGES = 256


class TileCache:
    """Full tiles never change; the last few hundred are kept in memory."""

    def __init__(self, limit: int = 512) -> None:
        self._limit = limit
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Session, level: int, number: int) -> bytes:
        """The tile's hashes so far. Raises `LookupError` where there is no such tile."""
        with self._lock:
            found = self._tiles.get((level, number))
        if found is None:
            found = session.scalar(sa.select(LogTile.data).where(LogTile.level == level, LogTile.number == number))
            if found is None:
                raise LookupError(f"there is no tile {level}/{number}")
            # What a writer sees may still be rolled back: only readers' tiles are kept.
            if len(found) == TILE_WIDTH * HASH_BYTES and not session.info.get("writing"):
                with self._lock:
                    self._tiles[level, number] = found
                    while len(self._tiles) > self._limit:
                        self._tiles.popitem(last=False)
        return found


class _SessionTiles:
    """Tiles as one transaction sees them; what one proof has read it does not read again: the tree's edge serves most of it."""

    def __init__(self, session: Session, cache: TileCache) -> None:
        self._session = session
        self._cache = cache
        self._read: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, index: int) -> bytes:
        if self._session.info.get("writing"):
            row = _edge_tile(self._session, level, index)
            if row is None:
                raise LookupError(f"there is no tile {level}/{index}")
            return row.data
        found = self._read.get((level, index))
        if found is None:
            found = self._read[level, index] = self._cache.get(self._session, level, index)
        return found


class Ledger:
    """One log: its name, its keys, its guard."""

    def __init__(self, origin: str, keyring: Keyring, guard: LogGuard, clock: Clock) -> None:
        self.origin = origin
        self.guard = guard
        self.keyring = keyring
        self._clock = clock
        self._cache = TileCache()
        self._passages: OrderedDict[tuple[int, int, bytes], tuple[bytes, tuple[bytes, ...]]] = OrderedDict()
        self._lock = threading.Lock()
        self._halted = ""

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Verifier keys of `signers`."""
        return tuple(signer.vkey for signer in self.signers)

    @property
    def signers(self) -> tuple[NoteSigner, ...]:
        """The log's keys as this process last saw them in the trust root in force."""
        return self.keyring.log

    def begin(self, session: Session) -> None:
        """Start an empty log. Raises `LogRefused` where a guard file exists: then its database is somewhere else."""
        guard_id = self.guard.create()
        session.add(LogHead(id=1, origin=self.origin, guard_id=guard_id, size=0, peaks=b"", checkpoint=""))

    def check(self, session: Session) -> None:
        """Whether database and guard file agree. Raises `LogRefused`."""
        head = _head(session)
        if head.origin != self.origin:
            raise LogRefused(f"the database's log is {head.origin!r}, the settings say {self.origin!r}")
        base = Position(head.size, _frontier(head).root())
        self.guard.check(head.guard_id, base, self._root_at(session))

    def adopt_head(self, session: Session, size: int, root: bytes) -> None:
        """Sign on after the guard file was lost: the administrator names size and root as agents saw them.

        Raises:
            LogRefused: the database's log is another one.
        """
        head = _head(session)
        base = Position(head.size, _frontier(head).root())
        if base.size < size or self._root_at(session)(size) != root:
            raise LogRefused(f"the database's log does not contain the {size} entries you name")
        self.guard.adopt(head.guard_id, base)

    def halt(self, problem: str) -> None:
        """Sign nothing more in this process: somebody has seen a longer log than this one."""
        self._halted = problem

    def append(self, session: Session, kind: LogKind, sha256: str, subject: str) -> int:
        """Append an envelope's digest; one checkpoint is signed when the transaction commits.

        Returns:
            The entry's index.

        Raises:
            LogRefused: the database's log is not the one that was signed last.
        """
        if self._halted:
            raise LogRefused(self._halted)
        head = _head(session, writing=True)
        frontier = _frontier(head)
        if _BASE not in session.info:
            base = Position(head.size, frontier.root())
            self.guard.check(head.guard_id, base, self._root_at(session))
            session.info[_BASE] = base
        entry = log_entry(kind, sha256)
        leaf = leaf_hash(entry)
        index = head.size
        session.add(
            LogEntry(
                idx=index, kind=kind, sha256=sha256, subject=subject[:128], entry=entry, leaf=leaf, at=self._clock.now()
            )
        )
        grown, writes = extend_tiles(frontier, [leaf])
        for write in writes:
            _write_tile(session, write)
        head.size, head.peaks = grown.size, grown.to_bytes()
        if kind == "trust-root":  # in force from its own entry on: this transaction's checkpoint is signed by its keys
            head.trust = sha256
        session.flush()
        before_commit(session, self._sign)
        return index

    def append_many(self, session: Session, entries: Sequence[tuple[LogKind, str, str]]) -> int:
        """As `append`, for entries in number (kind, digest, subject); none of them a trust root.

        Returns:
            The first one's index; the others follow it in order.

        Raises:
            LogRefused: as `append`.
        """
        kind, sha256, subject = entries[0]
        first = self.append(session, kind, sha256, subject)  # asks the guard, and leaves the note to be signed
        head, now = _head(session, writing=True), self._clock.now()
        raw = [log_entry(kind, sha256) for kind, sha256, _ in entries[1:]]
        leaves = [leaf_hash(one) for one in raw]
        insert_rows(
            session,
            sa.inspect(LogEntry).local_table,  # type: ignore[arg-type]  # a mapped class's table is typed wider
            [
                {"idx": head.size + n, "kind": kind, "sha256": sha256, "subject": subject[:128], "entry": raw[n],
                 "leaf": leaves[n], "at": now}
                for n, (kind, sha256, subject) in enumerate(entries[1:])
            ],
        )  # fmt: skip
        grown, writes = extend_tiles(_frontier(head), leaves)
        for write in writes:
            _write_tile(session, write)
        head.size, head.peaks = grown.size, grown.to_bytes()
        session.flush()
        return first

    def size(self, session: Session) -> int:
        """How many entries there are, those of this transaction included."""
        return _head(session).size

    def checkpoint(self, session: Session) -> tuple[Checkpoint, str, datetime]:
        """The newest signed checkpoint, its note, and when it was signed."""
        row = session.scalar(sa.select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1))
        if row is None:
            raise SetupError("The log has no entries yet: initialise the inventory first.")
        return Checkpoint(self.origin, row.size, row.root), row.note, row.at

    def inclusion(self, session: Session, index: int, size: int) -> tuple[bytes, ...]:
        """Proof that entry `index` is in the tree of `size`. Raises `ValueError`."""
        return inclusion_proof(self._hashes(session), index, size)

    def consistency(self, session: Session, old: int, new: int) -> tuple[bytes, ...]:
        """Proof that the tree of `new` entries extends that of `old`. Raises `ValueError`."""
        return consistency_proof(self._hashes(session), old, new)

    def root(self, session: Session, size: int) -> bytes:
        """The root hash at an earlier size, from the tiles."""
        return tree_root(self._hashes(session), size)

    def passage(self, session: Session, old: int, new: int, root: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        """The root at `old` entries, and the proof that the tree of `new` with this `root` extends it.

        For readers, who ask for the same few again and again: thousands of agents have seen the same checkpoint. What is kept
        belongs to this root, so that it says nothing about any other history.
        """
        key = (old, new, root)
        with self._lock:
            found = self._passages.get(key)
        if found is None:
            found = (self.root(session, old), self.consistency(session, old, new))
            if not session.info.get("writing"):
                with self._lock:
                    self._passages[key] = found
                    while len(self._passages) > _PASSAGES:
                        self._passages.popitem(last=False)
        return found

    def tile(self, session: Session, level: int, number: int) -> bytes:
        """A tile's hashes so far. Raises `LookupError`."""
        return self._cache.get(session, level, number)

    def _hashes(self, session: Session) -> TileHashes:
        return TileHashes(_SessionTiles(session, self._cache))

    def _root_at(self, session: Session) -> Callable[[int], bytes]:
        def root_at(size: int) -> bytes:
            try:
                return self.root(session, size)
            except LookupError as error:
                raise LogRefused("a part of the log's tree is missing in the database") from error

        return root_at

    def _sign(self, session: Session) -> None:
        head = _head(session, writing=True)
        frontier = _frontier(head)
        position = Position(frontier.size, frontier.root())
        if self.root(session, position.size) != position.root:
            raise LogRefused("the stored tiles and the tree's edge contradict each other")
        self.guard.prepare(head.guard_id, session.info[_BASE], position, self._root_at(session))
        now = self._clock.now()
        checkpoint = Checkpoint(self.origin, position.size, position.root)
        note = sign_checkpoint(checkpoint, self.keyring.require(session, head.trust).log, int(now.timestamp()))
        head.checkpoint = note
        session.add(LogCheckpoint(size=position.size, root=position.root, note=note, at=now))
        session.flush()
        after_commit(session, lambda: self.guard.confirm(position))


def encode(proof: Sequence[bytes]) -> tuple[str, ...]:
    """A proof's hashes in base64."""
    return tuple(to_base64(one) for one in proof)


def _write_tile(session: Session, write: TileWrite) -> None:
    """New hashes at the tree's edge. Raises `LogRefused` where they do not continue what is stored."""
    tile = _edge_tile(session, write.level, write.index) if write.offset else None
    if write.offset and (tile is None or len(tile.data) != write.offset * HASH_BYTES):
        raise LogRefused(f"tile {write.level}/{write.index} does not fit the tree")
    if tile is None:
        session.add(LogTile(level=write.level, number=write.index, data=write.data))
    else:
        tile.data += write.data


def _edge_tile(session: Session, level: int, number: int) -> LogTile | None:
    """A tile as this transaction has it; kept, for the same few are read again and again until it commits."""
    kept: dict[tuple[int, int], LogTile | None] = session.info.setdefault(_EDGE, {})
    if kept.get((level, number)) is None:
        kept[level, number] = session.get(LogTile, (level, number))
    return kept[level, number]


def _head(session: Session, *, writing: bool = False) -> LogHead:
    """The log's head; locked by a writer with its first look, and from then on as this transaction has it."""
    held: LogHead | None = session.info.get(_HEAD)
    if held is not None:
        return held
    head = session.get(LogHead, 1, with_for_update=True if writing else None)
    if head is None:
        raise SetupError("The database has no log: initialise the inventory first.")
    if writing:
        session.info[_HEAD] = head
    return head


def _frontier(head: LogHead) -> Frontier:
    try:
        return Frontier.from_bytes(head.size, head.peaks)
    except ValueError as error:
        raise LogRefused("the tree's edge in the database does not fit its size") from error
