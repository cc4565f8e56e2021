"""Indexes that hold the orders a list can be put in.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

from alembic import op


revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ORDERS = (
    ("sanitization_order", "created", "id"),
    ("sanitization_order", "expires", "id"),
    ("erasure_case", "due", "id"),
    ("exception_item", "raised", "id"),
    ("certificate", "issued", "number"),
)


def upgrade() -> None:
    for table, column, key in ORDERS:
        op.create_index(f"ix_{table}_{column}_{key}", table, [column, key])


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
