"""Hand-overs, their devices, and the links through which a receiver without an account answers.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
TABLES = ("handover", "handover_device", "handover_link")
STATES = ("offered", "accepted", "disputed", "withdrawn")


def upgrade() -> None:
    _handover()
    op.create_table(
        "handover_device",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("handover_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("container_id", sa.String(length=32), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name="fk_handover_device_handover_id_handover"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_handover_device_device_id_device"),
        sa.ForeignKeyConstraint(["container_id"], ["container.id"], name="fk_handover_device_container_id_container"),
        sa.PrimaryKeyConstraint("id", name="pk_handover_device"),
        sa.UniqueConstraint("handover_id", "device_id", name="uq_handover_device_handover_id_device_id"),
    )
    op.create_table(
        "handover_link",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("handover_id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receiver", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["handover_id"], ["handover.id"], name="fk_handover_link_handover_id_handover"),
        sa.ForeignKeyConstraint(["created_by"], ["person.ref"], name="fk_handover_link_created_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_handover_link"),
        sa.UniqueConstraint("secret_sha256", name="uq_handover_link_secret_sha256"),
    )
    for table, columns in (
        ("handover", ("state", "lot_id", "from_location", "to_party", "to_location")),
        ("handover_device", ("handover_id", "device_id")),
        ("handover_link", ("handover_id",)),
    ):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
    op.create_index(
        "uq_handover_device_open",
        "handover_device",
        ["device_id"],
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )
    for table in TABLES:
        _guard(table)


def _handover() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name=op.f("ck_handover_state"), native_enum=False, create_constraint=True, length=9),
            nullable=False,
        ),
        sa.Column("lot_id", sa.String(length=32), nullable=True),
        sa.Column("from_party", sa.String(length=32), nullable=True),
        sa.Column("from_location", sa.String(length=32), nullable=False),
        sa.Column("to_party", sa.String(length=32), nullable=True),
        sa.Column("to_location", sa.String(length=32), nullable=True),
        sa.Column("outward", sa.Boolean(), nullable=False),
        sa.Column("reuse", sa.Boolean(), nullable=False),
        sa.Column("destination", sa.String(length=500), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("containers", sa.JSON(), nullable=False),
        sa.Column("seals", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("offered", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_by", sa.String(length=128), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=128), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("counted_seals", sa.JSON(), nullable=True),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("withdraw_reason", sa.String(length=500), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('accepted', 'disputed')) = (answered IS NOT NULL AND sha256 IS NOT NULL AND log_index IS NOT NULL)",
            name=op.f("ck_handover_answer_is_logged"),
        ),
        sa.CheckConstraint("answered_by IS NULL OR answered_by <> offered_by", name=op.f("ck_handover_two_sides")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_handover_lot_id_lot"),
        sa.ForeignKeyConstraint(["from_party"], ["party.id"], name="fk_handover_from_party_party"),
        sa.ForeignKeyConstraint(["to_party"], ["party.id"], name="fk_handover_to_party_party"),
        sa.ForeignKeyConstraint(["from_location"], ["location.id"], name="fk_handover_from_location_location"),
        sa.ForeignKeyConstraint(["to_location"], ["location.id"], name="fk_handover_to_location_location"),
        sa.ForeignKeyConstraint(["offered_by"], ["person.ref"], name="fk_handover_offered_by_person"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_handover_sha256_envelope"),
        sa.PrimaryKeyConstraint("id", name="pk_handover"),
    )


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
