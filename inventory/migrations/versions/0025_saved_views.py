"""Saved views of lists; and indexes by which the search finds what begins with a text.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BEGINNINGS = (
    ("device", "asset_tag"),
    ("device", "serial"),
    ("device", "declared_serial"),
    ("device", "wwn"),
    ("erasure_case", "reference"),
)


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("list_name", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.String(length=2000), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.ref"], name="fk_saved_view_person_person"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("person", "list_name", "name", name="uq_saved_view_person_list_name_name"),
    )
    for table, column in BEGINNINGS:
        op.create_index(f"ix_{table}_{column}_begins", table, [column], postgresql_ops={column: "varchar_pattern_ops"})


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
