"""Documents sealed in further languages.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
TABLE = "sealed_translation"


def upgrade() -> None:
    op.add_column("seal", sa.Column("language", sa.String(length=8), server_default="en", nullable=False))
    op.create_table(
        TABLE,
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["seal.number"], name="fk_sealed_translation_number_seal"),
        sa.PrimaryKeyConstraint("number", "language", name="pk_sealed_translation"),
    )
    _guard()


def _guard() -> None:
    connection = op.get_bind()
    for verb in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_{TABLE}_{verb.lower()} BEFORE {verb} ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            if connection.dialect.name == "sqlite"
            else f"CREATE TRIGGER guard_{TABLE}_{verb.lower()} BEFORE {verb} ON {TABLE} FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
        )
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_{TABLE}_truncate BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
