"""One set of migrations makes on both databases exactly the tables the models describe, checks and triggers included."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from inventory.db import Database, head_revision, revision, upgrade
from inventory.errors import SetupError
from inventory.models import Base, guards
from inventory.models.guards import GROWING, IMMUTABLE, KEPT

PARTS = {"ix_device_parts", "ix_host_name_parts"}
"""PostgreSQL's own, over an expression: no model describes it."""


def differs(*told: Any) -> bool | None:  # noqa: ANN401 - what Alembic tells of a column
    """PostgreSQL compares no JSON: there the defaults' texts are compared; elsewhere Alembic does."""
    _context, inspected, _column, present, _default, wanted = told
    if not isinstance(inspected.type, sa.JSON) or present is None or wanted is None:
        return None
    return str(present).removesuffix("::json").strip("'") != str(wanted).strip("'")


@pytest.fixture
def database(database_url: str) -> Any:  # noqa: ANN401 - a generator of a database
    upgrade(database_url)
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.mark.filterwarnings(r"ignore:[A-Za-z -]+ (of|metadata-specified) expression-based index")  # SQLite tells none
def test_the_migrated_schema_is_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True, "compare_server_default": differs, "target_metadata": Base.metadata,
                "include_object": lambda _, name, *__: name not in PARTS,
            },
        )  # fmt: skip
        assert compare_metadata(context, Base.metadata) == []
        assert revision(connection) == head_revision()


def test_every_check_constraint_of_the_models_is_in_the_database(database: Database) -> None:
    """Alembic's comparison does not look at them."""
    inspector = sa.inspect(database.engine)
    wanted = {
        (table.name, str(constraint.name))
        for table in Base.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    found = {
        (table, str(constraint["name"]))
        for table in inspector.get_table_names()
        for constraint in inspector.get_check_constraints(table)
    }
    assert wanted == found
    assert len(wanted) > 20


def test_an_enumeration_accepts_its_words_and_no_other(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO location (id, name, zone, address, version) VALUES ('L-1', 'x', 'nowhere', '', 1)")
        )


def test_partial_unique_indexes_are_partial_on_both(database: Database) -> None:
    """Alembic compares no conditions; a lost one would let two orders run on one device, or forbid a second one for ever."""
    indexes = {
        index.name: index
        for table in Base.metadata.sorted_tables
        for index in table.indexes
        if index.dialect_options["postgresql"].get("where") is not None
    }
    query = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%% WHERE %%'",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%% WHERE %%'",
    }[database.engine.dialect.name]
    with database.engine.connect() as connection:
        found = {name: "UNIQUE" in text for name, text in connection.exec_driver_sql(query)}
    assert found == {name: index.unique for name, index in indexes.items()}
    assert len(found) > 8


def test_the_guards_of_the_migration_are_the_guards_of_the_models(database: Database) -> None:
    query = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }[database.engine.dialect.name]
    with database.engine.connect() as connection:
        found = {str(row[0]) for row in connection.exec_driver_sql(query)}
    if database.is_sqlite:
        assert found == set(guards.sqlite_statements())
    else:
        wanted = {text.split()[2] for text in guards.postgresql_statements() if text.startswith("CREATE TRIGGER")}
        assert found == wanted
    assert not set(IMMUTABLE) & set(KEPT)
    assert set(GROWING) <= set(KEPT)


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    upgrade(database.url)
    with database.engine.connect() as connection:
        assert revision(connection) == head_revision()


def test_a_schema_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError):
        upgrade(database.url)


def test_tables_of_evidence_are_guarded() -> None:
    assert set(IMMUTABLE) >= {
        "event",
        "record",
        "envelope",
        "log_entry",
        "log_checkpoint",
        "approval",
        "validation",
        "certificate",
    }
    assert set(KEPT) >= {"holding", "obligation", "log_tile", "log_head"}
