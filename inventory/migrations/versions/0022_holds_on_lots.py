"""Holds on whole lots.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ONE = (
    "CASE WHEN device_id IS NULL THEN 0 ELSE 1 END + CASE WHEN data_set_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN lot_id IS NULL THEN 0 ELSE 1 END = 1"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("hold", recreate="always") as batch:
            batch.add_column(sa.Column("lot_id", sa.String(length=32), nullable=True))
            batch.create_foreign_key("fk_hold_lot_id_lot", "lot", ["lot_id"], ["id"])
            batch.drop_constraint(op.f("ck_hold_one_subject"), type_="check")
            batch.create_check_constraint(op.f("ck_hold_one_subject"), ONE)
    else:
        op.add_column("hold", sa.Column("lot_id", sa.String(length=32), nullable=True))
        op.create_foreign_key("fk_hold_lot_id_lot", "hold", "lot", ["lot_id"], ["id"])
        op.drop_constraint(op.f("ck_hold_one_subject"), "hold", type_="check")
        op.create_check_constraint(op.f("ck_hold_one_subject"), "hold", ONE)
    op.create_index("ix_hold_lot_id", "hold", ["lot_id"], unique=False)


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
