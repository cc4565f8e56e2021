"""The sheet a balance was counted from when it was closed.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.create_table(
        "balance_sheet",
        sa.Column("balance_id", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["balance_id"], ["balance.id"], name="fk_balance_sheet_balance_id_balance"),
        sa.PrimaryKeyConstraint("balance_id", name="pk_balance_sheet"),
    )
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for verb in ("UPDATE", "DELETE"):
        action = (
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END" if sqlite else "FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_balance_sheet_{verb.lower()} BEFORE {verb} ON balance_sheet {action}"
        )
    if not sqlite:
        connection.exec_driver_sql(
            "CREATE TRIGGER guard_balance_sheet_truncate BEFORE TRUNCATE ON balance_sheet FOR EACH STATEMENT"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
