"""Backup while the service runs, and restore that never lets the log go back behind what was signed (ADR 0034).

A backup is one state of the database, read in one transaction, and the keys that go with it. The note of what was signed last
(`log_guard`) is not part of it, on purpose: brought back with an old database it would agree with it, and the log would fork.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.backup_file import Reader, Writer
from inventory.bulk import insert_rows
from inventory.clock import Clock, rfc3339
from inventory.db import Database, head_revision, upgrade
from inventory.errors import LogRefused, SetupError
from inventory.keyring import Keyring, keys_of, versions
from inventory.ledger import Ledger
from inventory.log_guard import LogGuard, Position
from inventory.models import Base, LogHead
from inventory.secrets_store import SecretStore
from inventory.settings import Settings
from reports.canonical import to_base64
from reports.envelope import envelope_digest
from reports.errors import ReportError
from reports.exported_log import open_exported_log
from reports.keys import write_private_file
from reports.tlog import Checkpoint, open_checkpoint, parse_vkey
from reports.trust import open_chain

from . import log_restore
from .context import Context
from .setup import open_inventory

_STEP: Final = 2000
_GUARD: Final = "log-guard.json"


@dataclass(frozen=True)
class BackupReport:
    """What was written."""

    rows: int
    tables: int
    keys: int
    size: int
    """Entries of the log."""
    root: str


@dataclass(frozen=True)
class RestoreReport:
    """What is there now."""

    rows: int
    size: int
    """Entries of the log, those that came from an exported log included."""
    from_export: int
    """Entries that the backup did not have."""


def write(context: Context, target: IO[bytes], *, with_keys: bool = True) -> BackupReport:
    """Write a backup. The service may go on working meanwhile; what it commits later is not in it.

    Args:
        context: the open inventory.
        target: where to; need not be seekable.
        with_keys: leave the keys out where they are backed up apart, or live in a module.
    """
    writer = Writer(target)
    try:
        return _write(context, writer, with_keys=with_keys)
    except BaseException:
        writer.close()
        raise


def _write(context: Context, writer: Writer, *, with_keys: bool) -> BackupReport:
    rows = 0
    with context.reading() as session:
        checkpoint, note, _ = context.ledger.checkpoint(session)
        tables = Base.metadata.sorted_tables
        for table in tables:
            rows += writer.table(table, _rows(session, table))
    # After the rows: a key is made before anything is signed with it, so that the newer keys are all there, too.
    names = _key_files(context) if with_keys else []
    for name in names:
        writer.file(f"secrets/{name}", (context.secrets.folder / name).read_bytes())
    writer.file("checkpoint", note.encode())
    writer.finish(
        {
            "program": version("sanitrail"),
            "schema": head_revision(),
            "made": rfc3339(context.now()),
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": to_base64(checkpoint.root),
        }
    )
    return BackupReport(rows, len(tables), len(names), checkpoint.size, to_base64(checkpoint.root))


def _key_files(context: Context) -> list[str]:
    """Everything in the folder of keys but the guard's note."""
    found = sorted(path.name for path in context.secrets.folder.iterdir() if path.is_file())
    return [name for name in found if name != _GUARD and not name.startswith(".")]


def _rows(session: Session, table: sa.Table) -> Iterator[Sequence[Any]]:
    # Self-references are checked at the end of a statement, so the order of rows only has to be the same each time.
    statement = sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_STEP)
    yield from session.execute(statement)


def restore(
    settings: Settings, clock: Clock, file: Path, *, log: Path | None = None, checkpoint: str | None = None
) -> RestoreReport:
    """Bring a backup back into an empty database; of either kind, whichever it was made of.

    Somebody must know what the log signed last, for a log that goes on from an older state is a second history: the guard file of
    this machine where it survived, an exported log, or the newest signed checkpoint anybody keeps (an agent, a witness, whoever
    publishes it).

    Args:
        settings: of the installation; its service is stopped.
        clock: the time.
        file: the backup.
        log: an exported log; what it holds beyond the backup is taken in (`log_restore`).
        checkpoint: the text of a signed checkpoint.

    Raises:
        LogRefused: the backup is behind what was signed, of another history, or nobody says what was signed.
        SetupError: no backup, damaged, of another schema, the database is not empty, or other keys are in place.
    """
    reader = Reader(file)
    try:
        reader.check()
        _refuse_other_schema(reader)
        secrets = _keys_into_place(settings, reader)
        guard = LogGuard(secrets.guard_file, str(reader.facts["origin"]))
        upgrade(settings.url)
        database = Database(settings.url)
        try:
            with database.writing() as session:
                _refuse_filled(session)
                rows = _fill(session, reader)
                known = _Known(session, settings, clock, secrets, guard)
                latest = known.latest(log, checkpoint)
                guard_id = session.get_one(LogHead, 1).guard_id
                if not guard.file.exists():
                    guard.adopt(guard_id, latest)
        finally:
            database.close()
    finally:
        reader.close()
    came = 0
    if log is not None and latest.size > known.here.size:
        came = log_restore.bring_up_to_date(settings, clock, log).size - known.here.size
    context = open_inventory(settings, clock)
    try:
        with context.reading() as session:
            return RestoreReport(rows, context.ledger.size(session), came)
    finally:
        context.database.close()


def _refuse_other_schema(reader: Reader) -> None:
    found, wanted = str(reader.facts.get("schema")), head_revision()
    if found != wanted:
        raise SetupError(
            f"The backup's schema is {found}, this program's is {wanted}: restore it with the version that made it"
            f" ({str(reader.facts.get('program'))[:40]}), then upgrade with `sanitrail migrate`."
        )


def _keys_into_place(settings: Settings, reader: Reader) -> SecretStore:
    """The backup's keys where there are none; where there are, they must be the same."""
    SecretStore(settings.data_dir).prepare()
    secrets = SecretStore(settings.data_dir / "secrets", settings.key_sources)
    secrets.prepare()
    for name in reader.secrets():
        if "/" in name or name.startswith(".") or name == _GUARD:
            raise SetupError(f"The backup names a key file {name[:60]!r} that no backup has.")
        path, content = secrets.folder / name, reader.file(f"secrets/{name}")
        if not path.exists():
            write_private_file(path, content)
        elif path.read_bytes() != content and name != "cookie.key":
            raise SetupError(f"{path} is another key than the backup's: restore into a data directory of its own.")
    return secrets


def _refuse_filled(session: Session) -> None:
    for table in Base.metadata.sorted_tables:
        if session.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is not None:
            raise SetupError(
                f"The database is not empty (there are rows in {table.name}). A backup is brought back into a new one only:"
                " name an empty database in the settings, and keep the other until all is well."
            )


def _fill(session: Session, reader: Reader) -> int:
    count, there = 0, set(reader.tables())
    for table in Base.metadata.sorted_tables:
        if table.name not in there:
            raise SetupError(f"The backup has no table {table.name}.")
        batch: list[dict[str, Any]] = []
        for row in reader.rows(table):
            batch.append(row)
            count += 1
            if len(batch) == _STEP:
                insert_rows(session, table, batch)
                batch = []
        insert_rows(session, table, batch)
        _go_on_counting(session, table)
    return count


def _go_on_counting(session: Session, table: sa.Table) -> None:
    """PostgreSQL numbers rows from a sequence of its own, which rows that bring their number leave behind."""
    column = table.autoincrement_column
    if column is None or session.get_bind().dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', column.name)
    highest = session.scalar(sa.select(sa.func.max(column)))
    if highest is not None and session.scalar(sa.select(sequence)) is not None:
        session.execute(sa.select(sa.func.setval(sequence, highest)))


class _Known:
    """What is known of the log that was restored, before anything is committed."""

    def __init__(
        self, session: Session, settings: Settings, clock: Clock, secrets: SecretStore, guard: LogGuard
    ) -> None:
        """Raises `SetupError`, `LogRefused`: keys are missing, the log's name is another, or tree and edge contradict."""
        if guard.origin != settings.log_origin:
            raise SetupError(f"The backup is of the log {guard.origin}, the settings say {settings.log_origin}.")
        envelopes = [envelope for _, envelope in versions(session)]
        try:
            roots = open_chain(envelopes, envelope_digest(envelopes[0]))
        except ReportError as error:
            raise SetupError(f"The trust root in the backup does not hold: {error.summarize()}") from error
        keys_of(secrets, roots)
        self._session = session
        self._guard = guard
        self._pin = envelope_digest(envelopes[0])
        self._vkeys = roots[-1].body.log.vkeys
        self._ledger = Ledger(settings.log_origin, Keyring(secrets), guard, clock)
        signed, note, _ = self._ledger.checkpoint(session)
        self.here = Position(signed.size, signed.root)
        if self._opened(note) != signed or self._ledger.root(session, signed.size) != signed.root:
            raise LogRefused("the log in the backup does not hash to its signed checkpoint")

    def latest(self, log: Path | None, checkpoint: str | None) -> Position:
        """The newest state anybody names, of this very history. Raises `LogRefused` where the backup is behind it."""
        named: list[Position] = []
        if checkpoint is not None:
            named.append(self._of_checkpoint(checkpoint))
        exported = None if log is None else self._of_export(log)
        named += [] if exported is None else [exported]
        if not self._guard.file.exists() and not named:
            raise LogRefused(
                f"nothing here says what the log signed after the backup's {self.here.size} entries: the guard file of the"
                " machine is gone. Name an exported log (--log) or the newest signed checkpoint that an agent"
                " (sanitrail-agent log show), a witness or your publication holds (--checkpoint)"
            )
        newest = max([self.here, *named], key=lambda one: one.size)
        if newest.size > self.here.size and (exported is None or exported.size < newest.size):
            raise LogRefused(
                f"the backup holds {self.here.size} entries, and {newest.size} were signed: going on from it would be a second"
                " history. Use a newer backup, or name an exported log that holds them all (--log)"
            )
        if self._guard.file.exists():
            self._ask_guard(log)
        return newest

    def _ask_guard(self, log: Path | None) -> None:
        """The note of this machine, where it survived; an exported log is held against it when it is taken in."""
        if log is not None:
            return
        head = self._session.get_one(LogHead, 1)
        try:
            self._guard.check(head.guard_id, self.here, lambda size: self._ledger.root(self._session, size))
        except LogRefused as error:
            raise LogRefused(
                f"{error.problem}. Use a newer backup, or name an exported log that holds everything (--log)"
            ) from error

    def _of_checkpoint(self, note: str) -> Position:
        found = self._opened(note)
        if found.size <= self.here.size and self._ledger.root(self._session, found.size) != found.root:
            raise LogRefused(f"the checkpoint of {found.size} entries is of another history than the backup")
        return Position(found.size, found.root)

    def _of_export(self, folder: Path) -> Position:
        try:
            found = open_exported_log(folder, self._pin).checkpoint
        except ReportError as error:
            raise LogRefused(f"{folder} cannot be used: {error.summarize()}") from error
        if found.size < self.here.size:
            raise LogRefused(f"{folder} holds {found.size} entries, the backup {self.here.size}: export it anew")
        return Position(found.size, found.root)

    def _opened(self, note: str) -> Checkpoint:
        try:
            return open_checkpoint(note, [parse_vkey(vkey) for vkey in self._vkeys])
        except ReportError as error:
            raise LogRefused(f"the checkpoint is not signed by this log's keys: {error.summarize()}") from error


def read_facts(file: Path) -> dict[str, Any]:
    """What a backup says of itself. Raises `SetupError`."""
    reader = Reader(file)
    try:
        return {name: value for name, value in reader.facts.items() if name != "members"}
    finally:
        reader.close()


def private_file(path: Path) -> IO[bytes]:
    """A new file that nobody else reads. Raises `SetupError` where there is one already."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError as error:
        raise SetupError(f"{path} exists; a backup never overwrites another one.") from error
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}.") from error
