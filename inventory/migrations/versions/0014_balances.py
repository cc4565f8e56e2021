"""Balances that were drawn up, and the differences found.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
GUARDS = (
    ("balance", "DELETE", ""),
    ("balance", "UPDATE", "OLD.closed IS NULL"),
    ("balance_line", "DELETE", ""),
    ("balance_line", "UPDATE", ""),
)


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "balance",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("begin", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("drawn", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.String(length=128), nullable=False),
        sa.Column("counting", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("differences", sa.BigInteger(), nullable=False),
        sa.Column("open_differences", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=128), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("scope IN ('host', 'lot', 'place', 'site', 'everything')", name=op.f("ck_balance_scope")),
        sa.CheckConstraint("(closed IS NULL) = (sha256 IS NULL)", name=op.f("ck_balance_closed_is_signed")),
        sa.CheckConstraint("closed IS NULL OR open_differences = 0", name=op.f("ck_balance_closed_without_difference")),
        sa.CheckConstraint('"begin" IS NULL OR "end" IS NOT NULL', name=op.f("ck_balance_period")),
        sa.ForeignKeyConstraint(["owner"], ["person.ref"], name="fk_balance_owner_person"),
        sa.ForeignKeyConstraint(["drawn_by"], ["person.ref"], name="fk_balance_drawn_by_person"),
        sa.ForeignKeyConstraint(["closed_by"], ["person.ref"], name="fk_balance_closed_by_person"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_balance_sha256_envelope"),
        sa.PrimaryKeyConstraint("id", name="pk_balance"),
    )
    op.create_table(
        "balance_line",
        sa.Column("id", number, nullable=False),
        sa.Column("balance_id", sa.String(length=32), nullable=False),
        sa.Column("counting", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=256), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("sentence", sa.String(length=1000), nullable=False),
        sa.Column("exception_id", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["balance_id"], ["balance.id"], name="fk_balance_line_balance_id_balance"),
        sa.ForeignKeyConstraint(
            ["exception_id"], ["exception_item.id"], name="fk_balance_line_exception_id_exception_item"
        ),
        sa.ForeignKeyConstraint(["owner"], ["person.ref"], name="fk_balance_line_owner_person"),
        sa.PrimaryKeyConstraint("id", name="pk_balance_line"),
    )
    op.create_index("ix_balance_line_balance_id_counting_id", "balance_line", ["balance_id", "counting", "id"])
    _guard(op.get_bind())


def _guard(connection: sa.Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    for table, verb, condition in GUARDS:
        name = f"guard_{table}_{verb.lower()}"
        if sqlite:
            when = f"WHEN NOT ({condition}) " if condition else ""
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {when}BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        else:
            when = f"WHEN (NOT ({condition})) " if condition else ""
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW {when}EXECUTE FUNCTION sanitrail_refuse()"
            )
    if not sqlite:
        for table in ("balance", "balance_line"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER guard_{table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
                " EXECUTE FUNCTION sanitrail_refuse()"
            )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
