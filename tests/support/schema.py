"""Empty databases whose tables stand, without the migrations' second for every test: they run once a process, and are copied.

What migrations do is proved where they are the subject: `test_schema.py`, `test_interrupted_migration.py`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import sqlalchemy as sa

from inventory.db import upgrade
from inventory.settings import Settings


def lay(settings: Settings) -> None:
    """Puts the tables where this inventory is about to be made; what is there already is left to the program itself."""
    url = sa.make_url(settings.url)
    if url.get_backend_name() == "sqlite":
        _lay_file(Path(str(url.database)))
    else:
        _lay_postgres(url.set(drivername="postgresql+psycopg"))


@cache
def _migrated_file() -> Path:
    """The SQLite file every other is a copy of; one file, nothing beside it."""
    folder = mkdtemp(prefix="sanitrail-schema-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "schema.db"
    upgrade(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def _lay_file(file: Path) -> None:
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(_migrated_file(), file)


@cache
def _migrated_database(server: sa.URL) -> str:
    """The name of the database that others of this server are made from; nobody stays connected to it."""
    name = f"schema_{os.getpid()}"
    _tell(server, f"CREATE DATABASE {name}")
    upgrade(server.set(drivername="postgresql", database=name).render_as_string(hide_password=False))
    return name


def _lay_postgres(url: sa.URL) -> None:
    engine = sa.create_engine(url)
    try:
        if sa.inspect(engine).get_table_names():
            return
    finally:
        engine.dispose()
    server = url.set(database="postgres")
    template = _migrated_database(server)
    _tell(server, f"DROP DATABASE {url.database} WITH (FORCE)", f"CREATE DATABASE {url.database} TEMPLATE {template}")


def _tell(server: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
    finally:
        engine.dispose()
