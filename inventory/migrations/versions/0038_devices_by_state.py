"""Devices of one state by their numbers: a count to the cap reads the index alone, and so does the order of a list.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

UNBOUND = sa.text("bound_to IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_device_state_id", "device", ["state", "id"], postgresql_where=UNBOUND, sqlite_where=UNBOUND
    )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
