"""Files of evidence about devices.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"


def upgrade() -> None:
    op.create_table(
        "evidence_file",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_by", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_evidence_file_device_id_device"),
        sa.ForeignKeyConstraint(["kept_by"], ["person.ref"], name="fk_evidence_file_kept_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_evidence_file"),
        sa.UniqueConstraint("device_id", "sha256", name="uq_evidence_file_device_id_sha256"),
    )
    op.create_index("ix_evidence_file_device_id", "evidence_file", ["device_id"], unique=False)
    op.create_index("ix_evidence_file_sha256", "evidence_file", ["sha256"], unique=False)
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for verb in ("UPDATE", "DELETE"):
        action = (
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END" if sqlite else "FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_evidence_file_{verb.lower()} BEFORE {verb} ON evidence_file {action}"
        )
    if not sqlite:
        connection.exec_driver_sql(
            "CREATE TRIGGER guard_evidence_file_truncate BEFORE TRUNCATE ON evidence_file FOR EACH STATEMENT"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
