"""How fast an import goes on.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import inventory.models.base

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import") as table:
        table.add_column(sa.Column("stepped", inventory.models.base.UtcTime(), nullable=True))
        table.add_column(sa.Column("pace", sa.Float(), nullable=True))


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
