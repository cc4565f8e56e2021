"""Documents about lots, processors' statements and destructions; what people sign with their own keys.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.add_column("destruction", sa.Column("serial_read", sa.String(length=256), nullable=True))
    op.add_column("destruction", sa.Column("facts", sa.LargeBinary(), nullable=True))
    op.create_table(
        "paper",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("annex", sa.LargeBinary(), nullable=False),
        sa.Column("prepared", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_by", sa.String(length=128), nullable=False),
        sa.Column("responsible", sa.String(length=128), nullable=False),
        sa.Column("issued", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('lot', 'processor', 'destruction')", name=op.f("ck_paper_kind")),
        sa.CheckConstraint(
            "(issued IS NULL) = (sha256 IS NULL) AND (issued IS NULL) = (log_index IS NULL)",
            name=op.f("ck_paper_issued_is_logged"),
        ),
        sa.ForeignKeyConstraint(["prepared_by"], ["person.ref"], name="fk_paper_prepared_by_person"),
        sa.ForeignKeyConstraint(["responsible"], ["person.ref"], name="fk_paper_responsible_person"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_paper_sha256_envelope"),
        sa.PrimaryKeyConstraint("number", name="pk_paper"),
        sa.UniqueConstraint("sha256", name="uq_paper_sha256"),
    )
    op.create_index("ix_paper_kind", "paper", ["kind"], unique=False)
    op.create_index("ix_paper_subject", "paper", ["subject"], unique=False)
    op.create_table(
        "personal_signature",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("facts_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('witness', 'countersigner', 'responsible')", name=op.f("ck_personal_signature_role")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.ref"], name="fk_personal_signature_person_person"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_personal_signature_sha256_envelope"),
        sa.PrimaryKeyConstraint("sha256", name="pk_personal_signature"),
        sa.UniqueConstraint("subject", "person", name="uq_personal_signature_subject_person"),
        sa.UniqueConstraint("subject", "role", name="uq_personal_signature_subject_role"),
    )
    for table, verbs in (("paper", ("DELETE",)), ("personal_signature", ("UPDATE", "DELETE"))):
        _guard(table, verbs)


def _guard(table: str, verbs: tuple[str, ...]) -> None:
    connection = op.get_bind()
    for verb in verbs:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        else:
            _postgresql(table, verb, "ROW")
    if connection.dialect.name != "sqlite":
        _postgresql(table, "TRUNCATE", "STATEMENT")


def _postgresql(table: str, verb: str, each: str) -> None:
    op.get_bind().exec_driver_sql(
        f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} FOR EACH {each} "
        "EXECUTE FUNCTION sanitrail_refuse()"
    )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
