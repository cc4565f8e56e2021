"""Independent samples of closed lots.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"


def _words(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=max(map(len, words)))


def upgrade() -> None:
    op.create_table(
        "sample",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("lot_id", sa.String(length=32), nullable=False),
        sa.Column("closing", sa.Integer(), nullable=False),
        sa.Column("closing_sha256", sa.String(length=64), nullable=False),
        sa.Column("closing_index", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("state", _words(op.f("ck_sample_state"), ("open", "passed", "failed")), nullable=False),
        sa.Column("drawn", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.String(length=128), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement_sha256", sa.String(length=64), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_sample_lot_id_lot"),
        sa.ForeignKeyConstraint(["closing_sha256"], ["envelope.sha256"], name="fk_sample_closing_sha256_envelope"),
        sa.ForeignKeyConstraint(["drawn_by"], ["person.ref"], name="fk_sample_drawn_by_person"),
        sa.ForeignKeyConstraint(["statement_sha256"], ["envelope.sha256"], name="fk_sample_statement_sha256_envelope"),
        sa.PrimaryKeyConstraint("id", name="pk_sample"),
        sa.UniqueConstraint("closing_sha256", name="uq_sample_closing_sha256"),
        sa.UniqueConstraint("statement_sha256", name="uq_sample_statement_sha256"),
    )
    op.create_table(
        "sample_device",
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("assigned_to", sa.String(length=128), nullable=True),
        sa.Column("assigned_by", sa.String(length=128), nullable=True),
        sa.Column("assigned", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reading_id", sa.String(length=32), nullable=True),
        sa.Column("finding", _words(op.f("ck_sample_device_finding"), ("passed", "failed")), nullable=True),
        sa.Column("tool", sa.String(length=500), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("found", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(assigned_to IS NULL) = (assigned IS NULL)", name=op.f("ck_sample_device_assigned")),
        sa.CheckConstraint("(finding IS NULL) = (found IS NULL)", name=op.f("ck_sample_device_found")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name="fk_sample_device_sample_id_sample"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_sample_device_device_id_device"),
        sa.ForeignKeyConstraint(["record_sha256"], ["record.sha256"], name="fk_sample_device_record_sha256_record"),
        sa.ForeignKeyConstraint(["assigned_to"], ["person.ref"], name="fk_sample_device_assigned_to_person"),
        sa.ForeignKeyConstraint(["assigned_by"], ["person.ref"], name="fk_sample_device_assigned_by_person"),
        sa.ForeignKeyConstraint(["reading_id"], ["reading.id"], name="fk_sample_device_reading_id_reading"),
        sa.PrimaryKeyConstraint("sample_id", "device_id", name="pk_sample_device"),
    )
    for table, columns in (("sample", ("lot_id", "state")), ("sample_device", ("assigned_to", "reading_id"))):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
    for table in ("sample", "sample_device"):
        _guard(table)


def _guard(table: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_{table}_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    for verb, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} FOR EACH {each}"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
