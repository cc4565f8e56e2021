"""Indexes of the history that hold the order of its lists, too; declarations by the device they turned out to be about.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

COLUMNS = ("tag", "actor", "subject", "device_id", "host_id", "order_id")


def upgrade() -> None:
    for column in COLUMNS:
        op.create_index(f"ix_event_{column}_id", "event", [column, "id"])
        op.drop_index(f"ix_event_{column}", "event")
    condition = sa.text("bound_to IS NOT NULL")
    op.create_index(
        "ix_device_bound_to", "device", ["bound_to"], sqlite_where=condition, postgresql_where=condition
    )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
