"""Which version of the trust root is in force; where its versions stand in the log.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("log_head", sa.Column("trust", sa.String(length=64), nullable=True))
    op.execute(
        "UPDATE log_head SET trust = (SELECT sha256 FROM log_entry WHERE kind = 'trust-root' ORDER BY idx DESC LIMIT 1)"
    )
    op.create_index(
        "ix_log_entry_trust_root",
        "log_entry",
        ["idx"],
        unique=False,
        sqlite_where=sa.text("kind = 'trust-root'"),
        postgresql_where=sa.text("kind = 'trust-root'"),
    )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
