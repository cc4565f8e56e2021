"""Alembic's entry: runs the revisions over the connection that `inventory.db` hands in."""

from __future__ import annotations

from alembic import context

from inventory.models import Base


def run() -> None:
    """Run within the caller's transaction, so that a failed upgrade leaves nothing behind (DDL is transactional on both)."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


run()
