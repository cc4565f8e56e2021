"""The temperature a run is told with.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run_progress", sa.Column("temperature", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
