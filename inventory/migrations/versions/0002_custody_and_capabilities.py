"""Passwords of drives in custody; what a drive said that it can do.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_GUARDS = (
    "CREATE TRIGGER guard_escrow_delete BEFORE DELETE ON escrow BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
)
POSTGRESQL_GUARDS = (
    "CREATE TRIGGER guard_escrow_delete BEFORE DELETE ON escrow FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_escrow_truncate BEFORE TRUNCATE ON escrow FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
)


def upgrade() -> None:
    op.create_table(
        "escrow",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("run", sa.String(length=128), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("recovery", sa.String(length=2000), nullable=False),
        sa.Column(
            "state",
            sa.Enum("held", "released", "revealed", name="state", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("deposited", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.String(length=500), nullable=False),
        sa.Column("revealed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revealed_to", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_escrow_device_id_device"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_escrow_host_id_host"),
        sa.ForeignKeyConstraint(["order_id"], ["sanitization_order.id"], name="fk_escrow_order_id_sanitization_order"),
        sa.ForeignKeyConstraint(["revealed_to"], ["person.ref"], name="fk_escrow_revealed_to_person"),
        sa.PrimaryKeyConstraint("id", name="pk_escrow"),
        sa.UniqueConstraint("order_id", "run", "sha256", name="uq_escrow_order_id_run_sha256"),
    )
    op.create_index("ix_escrow_device_id", "escrow", ["device_id"], unique=False)
    op.add_column("attachment", sa.Column("capabilities", sa.JSON(), nullable=True))
    for statement in SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_GUARDS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise RuntimeError("secrets in custody are not thrown away")
