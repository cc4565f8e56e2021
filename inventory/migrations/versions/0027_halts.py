"""Halts of hosts and their liftings.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.create_table(
        "host_halt",
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_host_halt_host_id_host"),
        sa.ForeignKeyConstraint(["by"], ["person.ref"], name="fk_host_halt_by_person"),
        sa.ForeignKeyConstraint(["envelope_sha256"], ["envelope.sha256"], name="fk_host_halt_envelope_sha256_envelope"),
        sa.PrimaryKeyConstraint("host_id", "number", name="pk_host_halt"),
    )
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for verb in ("UPDATE", "DELETE"):
        action = (
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END" if sqlite else "FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
        )
        connection.exec_driver_sql(f"CREATE TRIGGER guard_host_halt_{verb.lower()} BEFORE {verb} ON host_halt {action}")
    if not sqlite:
        connection.exec_driver_sql(
            "CREATE TRIGGER guard_host_halt_truncate BEFORE TRUNCATE ON host_halt"
            " FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
