"""Verify-only orders.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
STATES = ("waiting", "leased", "confirmed", "contradicted", "inconclusive", "cancelled", "expired")
OPEN = "state IN ('waiting', 'leased')"


def upgrade() -> None:
    state = sa.Enum(
        *STATES, name=op.f("ck_reading_state"), native_enum=False, create_constraint=True, length=max(map(len, STATES))
    )
    op.create_table(
        "reading",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("agent_key", sa.String(length=64), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("expected", sa.String(length=140), nullable=False),
        sa.Column("verification", sa.String(length=16), nullable=False),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("reported", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result_sha256", sa.String(length=64), nullable=True),
        sa.Column("accepted_sha256", sa.String(length=64), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_reading_device_id_device"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_reading_host_id_host"),
        sa.ForeignKeyConstraint(["record_sha256"], ["record.sha256"], name="fk_reading_record_sha256_record"),
        sa.ForeignKeyConstraint(["envelope_sha256"], ["envelope.sha256"], name="fk_reading_envelope_sha256_envelope"),
        sa.ForeignKeyConstraint(["requested_by"], ["person.ref"], name="fk_reading_requested_by_person"),
        sa.ForeignKeyConstraint(["result_sha256"], ["envelope.sha256"], name="fk_reading_result_sha256_envelope"),
        sa.ForeignKeyConstraint(["accepted_sha256"], ["envelope.sha256"], name="fk_reading_accepted_sha256_envelope"),
        sa.PrimaryKeyConstraint("id", name="pk_reading"),
        sa.UniqueConstraint("envelope_sha256", name="uq_reading_envelope_sha256"),
        sa.UniqueConstraint("payload_sha256", name="uq_reading_payload_sha256"),
    )
    for column in ("state", "device_id", "host_id", "record_sha256"):
        op.create_index(f"ix_reading_{column}", "reading", [column], unique=False)
    condition = {"sqlite_where": sa.text(OPEN), "postgresql_where": sa.text(OPEN)}
    op.create_index("uq_reading_open_device", "reading", ["device_id"], unique=True, **condition)
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_reading_delete BEFORE DELETE ON reading BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    for verb, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_reading_{verb.lower()} BEFORE {verb} ON reading FOR EACH {each}"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
