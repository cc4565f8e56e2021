"""Lots and containers.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
TABLES = ("lot", "lot_device", "container", "container_device")
PURPOSES = ("sanitization", "destruction", "transfer", "storage", "lease_return", "repair", "resale", "recycling")
KINDS = ("bag", "box", "case", "pallet", "cabinet", "vehicle")
STATES = ("open", "closing", "closed", "reopened")


def _words(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=max(map(len, words)))


def _inside() -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text("removed IS NULL"), "postgresql_where": sa.text("removed IS NULL")}


def upgrade() -> None:
    op.create_table(
        "lot",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("purpose", _words(op.f("ck_lot_purpose"), PURPOSES), nullable=False),
        sa.Column("destination", sa.String(length=500), nullable=False),
        sa.Column("party_id", sa.String(length=32), nullable=True),
        sa.Column("site_id", sa.String(length=32), nullable=True),
        sa.Column("state", _words(op.f("ck_lot_state"), STATES), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=128), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=128), nullable=True),
        sa.Column("closings", sa.Integer(), nullable=False),
        sa.Column("closed_sha256", sa.String(length=64), nullable=True),
        sa.Column("closed_index", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(closed_sha256 IS NULL) = (closed_index IS NULL)", name=op.f("ck_lot_closing_is_logged")),
        sa.CheckConstraint("state <> 'closed' OR closed_sha256 IS NOT NULL", name=op.f("ck_lot_closed_is_signed")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_lot_party_id_party"),
        sa.ForeignKeyConstraint(["opened_by"], ["person.ref"], name="fk_lot_opened_by_person"),
        sa.ForeignKeyConstraint(["closed_by"], ["person.ref"], name="fk_lot_closed_by_person"),
        sa.ForeignKeyConstraint(["closed_sha256"], ["envelope.sha256"], name="fk_lot_closed_sha256_envelope"),
        sa.PrimaryKeyConstraint("id", name="pk_lot"),
    )
    op.create_table(
        "container",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", _words(op.f("ck_container_kind"), KINDS), nullable=False),
        sa.Column("seals", sa.JSON(), nullable=False),
        sa.Column("lot_id", sa.String(length=32), nullable=True),
        sa.Column("location_id", sa.String(length=32), nullable=True),
        sa.Column("party_id", sa.String(length=32), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name="fk_container_lot_id_lot"),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name="fk_container_location_id_location"),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_container_party_id_party"),
        sa.ForeignKeyConstraint(["created_by"], ["person.ref"], name="fk_container_created_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_container"),
    )
    _membership("lot_device", "lot", sa.Column("remove_reason", sa.String(length=500), nullable=False))
    _membership("container_device", "container")
    for table, columns in (
        ("lot", ("party_id", "site_id", "state")),
        ("container", ("lot_id", "location_id")),
        ("lot_device", ("lot_id", "device_id")),
        ("container_device", ("container_id", "device_id")),
    ):
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column], unique=False)
    op.create_index("uq_lot_device_in", "lot_device", ["lot_id", "device_id"], unique=True, **_inside())
    op.create_index("uq_container_device_in", "container_device", ["device_id"], unique=True, **_inside())
    for table in TABLES:
        _guard(table)


def _membership(table: str, owner: str, *more: sa.Column[str]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(f"{owner}_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("added", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=128), nullable=False),
        sa.Column("removed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(length=128), nullable=True),
        *more,
        sa.ForeignKeyConstraint([f"{owner}_id"], [f"{owner}.id"], name=f"fk_{table}_{owner}_id_{owner}"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=f"fk_{table}_device_id_device"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
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
