"""Ends of keys, and from where on a revoked approver's key does not count.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("host", sa.Column("until_index", sa.BigInteger(), nullable=True))
    op.add_column("approver_key", sa.Column("revoked_below", sa.BigInteger(), nullable=True))
    op.add_column("approver_key", sa.Column("until_index", sa.BigInteger(), nullable=True))
    op.execute("UPDATE approver_key SET revoked_below = revoked_index WHERE revoked_index IS NOT NULL")


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
