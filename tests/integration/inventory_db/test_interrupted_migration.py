"""A migration that is killed anywhere leaves the database as it was, and is simply run again."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from inventory.db import MIGRATIONS, _make_engine, head_revision, revision, upgrade

BEFORE = "0009"
"""A schema with tables that later ones rebuild, and with rows in them."""

CHILD = """
import os, signal, sys
import sqlalchemy as sa
from inventory.db import upgrade
left = [int(sys.argv[2])]
def count(*_):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(sa.Engine, "before_cursor_execute", count)
upgrade(sys.argv[1])
"""


def older(url: str) -> None:
    """A database of an earlier version, with somebody's data in it."""
    from alembic import command  # noqa: PLC0415 - as `inventory.db` loads it
    from alembic.config import Config  # noqa: PLC0415

    engine = _make_engine(url, migrating=True)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        party = {"id": "PA-0001", "name": "Recycler", "kind": "vendor", "contact": "?"}
        connection.execute(sa.text("INSERT INTO party VALUES (:id, :name, :kind, :contact)"), party)
        event = (
            "INSERT INTO event (at, tag, actor, actor_kind, subject_kind, subject, reason, details, evidence)"
            " VALUES (:at, 'party.created', 'p-x', 'person', 'party', 'PA-0001', '', '{}', '[]')"
        )
        connection.execute(sa.text(event), {"at": datetime(2026, 1, 1, tzinfo=UTC)})
    engine.dispose()


def state(url: str) -> tuple[str | None, int, int, set[str]]:
    """Revision, rows, tables."""
    engine = _make_engine(url)
    try:
        with engine.connect() as connection:
            rows = [connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in ("party", "event")]  # noqa: S608
            return (
                revision(connection),
                int(rows[0] or 0),
                int(rows[1] or 0),
                set(sa.inspect(connection).get_table_names()),
            )
    finally:
        engine.dispose()


@pytest.mark.parametrize("statements", [25, 90])
def test_a_killed_migration_changes_nothing_and_can_be_run_again(database_url: str, statements: int) -> None:
    older(database_url)
    before = state(database_url)
    assert before[:3] == (before[0], 1, 1)
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, database_url, str(statements)],
        cwd=Path(__file__).resolve().parents[3],
        check=False,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, "it must still have been at work"
    assert state(database_url) == before
    upgrade(database_url)
    after = state(database_url)
    assert after[:3] == (head_revision(), 1, 1)
