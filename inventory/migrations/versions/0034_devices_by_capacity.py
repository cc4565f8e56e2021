"""Devices in the order of their capacity: as observed, else as declared.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_device_capacity", "device", [sa.text("coalesce(capacity_bytes, declared_capacity)"), "id"])


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
