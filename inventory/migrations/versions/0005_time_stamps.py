"""Time-stamps on checkpoints; how we stand with the authorities that make them.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IMMUTABLE = ("time_stamp",)
REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.create_table(
        "time_stamp",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.String(length=100), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("stamped", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoint.size"], name="fk_time_stamp_size_log_checkpoint"),
        sa.PrimaryKeyConstraint("sha256", name="pk_time_stamp"),
        sa.UniqueConstraint("log_index", name="uq_time_stamp_log_index"),
    )
    op.create_index("ix_time_stamp_authority_size", "time_stamp", ["authority", "size"], unique=False)
    op.create_table(
        "time_authority",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_time_authority"),
    )
    _guard()


def _guard() -> None:
    connection = op.get_bind()
    for table in IMMUTABLE:
        for verb in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
                if connection.dialect.name == "sqlite"
                else f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
            )
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql(
                f"CREATE TRIGGER guard_{table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()"
            )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
