"""What witnesses said of checkpoints; documents that were voided or superseded.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

IMMUTABLE = ("correction", "log_cosignature")
REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.create_index("ix_log_entry_subject", "log_entry", ["subject"], unique=False)
    op.create_table(
        "log_cosignature",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(length=255), nullable=False),
        sa.Column("key_hash", sa.String(length=8), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoint.size"], name="fk_log_cosignature_size_log_checkpoint"),
        sa.PrimaryKeyConstraint("size", "witness", "key_hash", name="pk_log_cosignature"),
    )
    op.create_table(
        "log_witness",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_log_witness"),
    )
    op.create_table(
        "correction",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("document", sa.String(length=32), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("replacement", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("action IN ('void', 'supersede')", name=op.f("ck_correction_action")),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_correction_sha256_envelope"),
        sa.PrimaryKeyConstraint("sha256", name="pk_correction"),
        sa.UniqueConstraint("document_sha256", "action", name="uq_correction_document_sha256_action"),
    )
    op.create_index("ix_correction_document", "correction", ["document"], unique=False)
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
