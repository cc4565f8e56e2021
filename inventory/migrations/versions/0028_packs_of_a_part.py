"""Audit packs of what somebody sees who sees a part only.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_pack", sa.Column("sites", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("audit_pack", sa.Column("teams", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
