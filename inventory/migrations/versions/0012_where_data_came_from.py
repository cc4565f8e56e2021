"""Holdings concluded from attachments, copies of data sets, since when a path holds data, who holds a data set's keys.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SOURCES = "source IN ('declared', 'resolved', 'inherited')"
REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.add_column("data_set", sa.Column("key_holder", sa.String(length=200), nullable=True))
    op.add_column("declared_path", sa.Column("lived_since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "data_set_copy",
        sa.Column("data_set_id", sa.String(length=32), nullable=False),
        sa.Column("source_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("data_set_id <> source_id", name=op.f("ck_data_set_copy_of_another")),
        sa.ForeignKeyConstraint(["data_set_id"], ["data_set.id"], name="fk_data_set_copy_data_set_id_data_set"),
        sa.ForeignKeyConstraint(["source_id"], ["data_set.id"], name="fk_data_set_copy_source_id_data_set"),
        sa.PrimaryKeyConstraint("data_set_id", "source_id", name="pk_data_set_copy"),
    )
    op.create_index("ix_data_set_copy_source_id", "data_set_copy", ["source_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        op.drop_constraint(op.f("ck_holding_source"), "holding", type_="check")
        op.alter_column("holding", "source", type_=sa.String(length=9), existing_nullable=False)
        op.create_check_constraint(op.f("ck_holding_source"), "holding", SOURCES)


def _rebuild() -> None:
    """SQLite changes no constraint in place: the table is copied, and what stood on it is made again."""
    op.drop_index("uq_holding_live_path", "holding")
    op.execute("DROP TRIGGER guard_holding_delete")
    with op.batch_alter_table("holding", recreate="always") as batch:
        batch.drop_constraint(op.f("ck_holding_source"), type_="check")
        batch.alter_column("source", type_=sa.String(length=9), existing_nullable=False)
        batch.create_check_constraint(op.f("ck_holding_source"), SOURCES)
    op.create_index(
        "uq_holding_live_path",
        "holding",
        ["device_id", "path_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL AND path_id IS NOT NULL"),
    )
    op.execute(
        f"CREATE TRIGGER guard_holding_delete BEFORE DELETE ON holding BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
