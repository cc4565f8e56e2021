"""Bundles carried to and from hosts without a network.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
TABLES = ("job_bundle", "job_bundle_order", "return_bundle")


def upgrade() -> None:
    op.create_table(
        "job_bundle",
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_job_bundle_host_id_host"),
        sa.ForeignKeyConstraint(["made_by"], ["person.ref"], name="fk_job_bundle_made_by_person"),
        sa.ForeignKeyConstraint(["courier"], ["person.ref"], name="fk_job_bundle_courier_person"),
        sa.ForeignKeyConstraint(
            ["envelope_sha256"], ["envelope.sha256"], name="fk_job_bundle_envelope_sha256_envelope"
        ),
        sa.PrimaryKeyConstraint("host_id", "number", name="pk_job_bundle"),
    )
    op.create_index("ix_job_bundle_made", "job_bundle", ["made"])
    op.create_table(
        "job_bundle_order",
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("lease_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id", "number"], ["job_bundle.host_id", "job_bundle.number"],
            name="fk_job_bundle_order_host_id_job_bundle",
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sanitization_order.id"], name="fk_job_bundle_order_order_id_sanitization_order"
        ),
        sa.ForeignKeyConstraint(["lease_id"], ["lease.id"], name="fk_job_bundle_order_lease_id_lease"),
        sa.PrimaryKeyConstraint("host_id", "number", "order_id", name="pk_job_bundle_order"),
    )
    op.create_index("ix_job_bundle_order_lease_id", "job_bundle_order", ["lease_id"])
    op.create_table(
        "return_bundle",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("observed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_bundle", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.String(length=128), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_return_bundle_sha256_envelope"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_return_bundle_host_id_host"),
        sa.ForeignKeyConstraint(["received_by"], ["person.ref"], name="fk_return_bundle_received_by_person"),
        sa.ForeignKeyConstraint(["courier"], ["person.ref"], name="fk_return_bundle_courier_person"),
        sa.PrimaryKeyConstraint("sha256", name="pk_return_bundle"),
    )
    op.create_index("ix_return_bundle_host_id", "return_bundle", ["host_id"])
    op.create_index("ix_return_bundle_received", "return_bundle", ["received"])
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for table in TABLES:
        for verb in ("UPDATE", "DELETE"):
            action = (
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
                if sqlite
                else "FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
            )
            connection.exec_driver_sql(f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} {action}")
        if not sqlite:
            connection.exec_driver_sql(
                f"CREATE TRIGGER guard_{table}_truncate BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()"
            )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
