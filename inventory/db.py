"""One way to the database: SQLite by default, PostgreSQL by URL, the same rules on both (ADR 0009).

One writer at a time, on purpose: the services check and then act, and with a single writer nothing can change in between.
SQLite takes a process-wide lock and `BEGIN IMMEDIATE`; PostgreSQL an advisory lock held to the end of the transaction, which
works across processes. Readers see one consistent state and are refused every write by the database itself. Notes on which
nothing rests are written beside the writer (ADR 0044).
"""

from __future__ import annotations

import json
import logging
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from inventory.errors import ConstraintRefused, SetupError, StaleVersion, StorageFailed

log = logging.getLogger("inventory.db")

ADVISORY_LOCK: Final = 0x5A17_7A11
"""PostgreSQL advisory lock of the one writer."""
BUSY_TIMEOUT_MS: Final = 5000
ASK_AFTER_SECONDS: Final = 5.0
"""A connection to PostgreSQL that lay idle for so long is asked whether it lives before it is used."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"

BeforeCommit = Callable[[Session], None]
AfterCommit = Callable[[], None]


class Database:
    """An engine with its rules. Shared by all threads of a process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = threading.RLock()
        self._readers = self.engine.execution_options(sanitrail_reader=True)
        if not self.is_sqlite:
            self._readers = self._readers.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session over one consistent state; the database refuses it every write."""
        try:
            with Session(self._readers, autoflush=False, expire_on_commit=False) as session:
                yield session
        except (OperationalError, PoolTimeout) as error:
            raise StorageFailed(type(error).__name__) from error

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """The only way to change anything: one transaction, committed on leaving, rolled back on any exception.

        `before_commit(session, ...)` and `after_commit(session, ...)` add what must happen last within, and first after it.

        Raises:
            StorageFailed: the database did not commit; nothing took effect.
        """
        with self._writer if self.is_sqlite else nullcontext():
            try:
                with Session(self.engine, expire_on_commit=False) as session:
                    session.info["writing"] = True
                    if not self.is_sqlite:
                        session.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
                    yield session
                    session.flush()
                    for last in session.info.get("before_commit", ()):
                        last(session)
                    session.commit()
            except (OperationalError, PoolTimeout) as error:
                raise StorageFailed(_cause(error)) from error
            except StaleDataError as error:
                raise StaleVersion("It", None) from error
            except IntegrityError as error:
                raise ConstraintRefused(_cause(error)) from error
        for first in session.info.get("after_commit", ()):
            try:
                first()
            except Exception:
                # The change is committed; what follows is repaired by the next call, and must not look like a failure.
                log.exception("after commit")

    @contextmanager
    def beside(self) -> Iterator[Session]:
        """A transaction beside the one writer, for notes on which nothing else rests: a nonce, a contact, how far a run is.

        Nothing may be looked up here to decide about it: whatever a note depends on stands as a condition in its statement.
        SQLite has one writer whatever it is for.

        Raises:
            StorageFailed: the database did not commit; nothing took effect.
        """
        with self._writer if self.is_sqlite else nullcontext():
            try:
                with Session(self.engine, autoflush=False, expire_on_commit=False) as session:
                    yield session
                    session.commit()
            except (OperationalError, PoolTimeout) as error:
                raise StorageFailed(_cause(error)) from error
            except IntegrityError as error:
                raise ConstraintRefused(_cause(error)) from error


def before_commit(session: Session, action: BeforeCommit) -> None:
    """Do this last within the transaction; once for each distinct action."""
    actions = session.info.setdefault("before_commit", [])
    if action not in actions:
        actions.append(action)


def after_commit(session: Session, action: AfterCommit) -> None:
    """Do this once the transaction is durable. It must be repairable: a crash may come first."""
    session.info.setdefault("after_commit", []).append(action)


def _cause(error: Exception) -> str:
    origin = error.orig if isinstance(error, DBAPIError) else None
    return f"{type(error).__name__}: {origin or error}"[:300]


def upgrade(url: str) -> None:
    """Bring the schema up to date, whole or not at all; several processes may try at once.

    Raises:
        StorageFailed: nothing was changed.
        SetupError: the database is of a newer version than this program.
    """
    engine = _make_engine(url, migrating=True)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
            _alembic(connection, "upgrade")
            if connection.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise SetupError(f"The upgrade would break {len(broken)} references; nothing was changed.")
    except OperationalError as error:
        raise StorageFailed(_cause(error)) from error
    finally:
        engine.dispose()


def revision(connection: sa.Connection) -> str | None:
    """The schema's revision; None for an empty database."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - most processes never migrate

    return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """The revision this program expects."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - most processes never migrate

    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if head is None:
        raise RuntimeError("the program has no migrations")
    return head


def _alembic(connection: sa.Connection, verb: str) -> None:
    from alembic import command  # noqa: PLC0415 - most processes never migrate
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        if verb == "upgrade":
            command.upgrade(config, "head")
        else:
            command.downgrade(config, "base")
    except CommandError as error:
        raise SetupError(f"The database's schema is not one this program knows: {error}.") from error


def _make_engine(url: str, *, migrating: bool = False) -> sa.Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise SetupError("SQLite needs a file: evidence does not live in memory.")
        engine = sa.create_engine(
            parsed,
            connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
            pool_size=8,
            max_overflow=24,
        )
        sa.event.listen(engine, "connect", _connect_for_migrations if migrating else _connect)
        sa.event.listen(engine, "begin", _on_sqlite_begin)
        return engine
    if parsed.get_backend_name() == "postgresql":
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            connect_args={"cursor_factory": _cursor_factory()},
            pool_size=8,
            max_overflow=24,
            json_deserializer=_from_json,
        )
        sa.event.listen(engine, "checkin", _on_checkin)
        sa.event.listen(engine, "checkout", _on_checkout)
        return engine
    raise SetupError(f"The database {parsed.get_backend_name()!r} is neither SQLite nor PostgreSQL.")


def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    _prepare(connection, foreign_keys="ON")


def _connect_for_migrations(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # Tables are rebuilt by copying; references are checked as a whole afterwards.
    _prepare(connection, foreign_keys="OFF")


def _prepare(connection: Any, *, foreign_keys: str) -> None:  # noqa: ANN401 - the driver's own connection
    connection.isolation_level = None  # the driver's implicit BEGIN loses rollbacks to a savepoint
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"foreign_keys={foreign_keys}",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


_read_json: Final = json.JSONDecoder().decode


def _from_json(text: bytes | str) -> Any:  # noqa: ANN401 - whatever a column holds
    """The database writes UTF-8, so that nobody need find out what it is: a page reads hundreds of these."""
    return _read_json(text if isinstance(text, str) else text.decode())


def _cursor_factory() -> type[Any]:
    """Cursors that describe a column by its name and type alone, which is all that is ever asked of it.

    The driver makes an object of each column of each answer, with a look in its register of types: a page has hundreds.
    """
    from psycopg import Cursor  # noqa: PLC0415 - only where the database is PostgreSQL

    class PlainCursor(Cursor[Any]):
        @property
        def description(self) -> Any:  # noqa: ANN401 - the driver promises objects; what reads them takes these, too
            answer = self.pgresult
            if answer is None or not answer.nfields:
                return super().description
            return [((answer.fname(at) or b"").decode(), answer.ftype(at), *_UNSAID) for at in range(answer.nfields)]

    return PlainCursor


_UNSAID: Final = (None, None, None, None, None)
"""What else a description may hold."""


def _on_checkin(connection: Any, record: Any) -> None:  # noqa: ANN401, ARG001 - the pool's own objects
    record.info["idle_since"] = time.monotonic()


def _on_checkout(connection: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401 - the pool's own objects
    """A connection that lay for a while, or has something to say, is asked whether it lives; most were used just now."""
    since = record.info.get("idle_since")
    if since is None or (time.monotonic() - since < ASK_AFTER_SECONDS and not _has_something_to_say(connection)):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError("the database closed the connection meanwhile") from error


def _has_something_to_say(connection: Any) -> bool:  # noqa: ANN401 - the driver's own connection
    """Whether something came although nothing was asked: a database that goes down says so, and ends the connection.

    It costs no round trip, so that a request right after a restart of the database does not pay for the connection's death.
    """
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _on_sqlite_begin(connection: sa.Connection) -> None:
    reader = bool(connection.get_execution_options().get("sanitrail_reader"))
    connection.exec_driver_sql(f"PRAGMA query_only={int(reader)}")
    connection.exec_driver_sql("BEGIN" if reader else "BEGIN IMMEDIATE")
