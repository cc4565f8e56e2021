"""Audit packs that were asked for; documents found by the digests of their files.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.create_index("ix_seal_bundle_sha256", "seal", ["bundle_sha256"], unique=False)
    op.create_index("ix_seal_pdf_sha256", "seal", ["pdf_sha256"], unique=False)
    op.create_table(
        "audit_pack",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("begin", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("names", sa.String(length=16), nullable=False),
        sa.Column("documents", sa.String(length=16), nullable=False),
        sa.Column("word", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("requested", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.String(length=128), nullable=False),
        sa.CheckConstraint("scope IN ('lot', 'case', 'site', 'period')", name=op.f("ck_audit_pack_scope")),
        sa.CheckConstraint("names IN ('full', 'pseudonyms')", name=op.f("ck_audit_pack_names")),
        sa.CheckConstraint("documents IN ('all', 'bundles', 'none')", name=op.f("ck_audit_pack_documents")),
        sa.CheckConstraint(
            "(scope = 'period') = (\"begin\" IS NOT NULL AND \"end\" IS NOT NULL)", name=op.f("ck_audit_pack_period")
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["person.ref"], name="fk_audit_pack_requested_by_person"),
        sa.PrimaryKeyConstraint("number", name="pk_audit_pack"),
    )
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for verb in ("UPDATE", "DELETE"):
        action = (
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END" if sqlite else "FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_audit_pack_{verb.lower()} BEFORE {verb} ON audit_pack {action}"
        )
    if not sqlite:
        connection.exec_driver_sql(
            "CREATE TRIGGER guard_audit_pack_truncate BEFORE TRUNCATE ON audit_pack FOR EACH STATEMENT"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
