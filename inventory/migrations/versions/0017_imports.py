"""Tables from elsewhere that are read in.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
STATES = "'received', 'checking', 'checked', 'running', 'finished', 'abandoned'"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "import",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("sample", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.String(length=128), nullable=False),
        sa.Column("begun_by", sa.String(length=128), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_import_state")),
        sa.ForeignKeyConstraint(["received_by"], ["person.ref"], name="fk_import_received_by_person"),
        sa.ForeignKeyConstraint(["begun_by"], ["person.ref"], name="fk_import_begun_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_import"),
    )
    op.create_index("ix_import_state", "import", ["state"])
    op.create_table(
        "import_part",
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name="fk_import_part_import_id_import"),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_part"),
    )
    op.create_table(
        "import_line",
        sa.Column("id", number, nullable=False),
        sa.Column("import_id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=7), nullable=False),
        sa.Column("asset_tag", sa.String(length=64), nullable=True),
        sa.Column("identity", sa.String(length=520), nullable=True),
        sa.Column("device", sa.String(length=32), nullable=True),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('new', 'adopt', 'same', 'skipped', 'refused')", name=op.f("ck_import_line_outcome")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name="fk_import_line_import_id_import"),
        sa.PrimaryKeyConstraint("id", name="pk_import_line"),
    )
    op.create_index("uq_import_line_import_id_line", "import_line", ["import_id", "line"], unique=True)
    op.create_index("ix_import_line_import_id_outcome_line", "import_line", ["import_id", "outcome", "line"])
    op.create_index("ix_import_line_import_id_asset_tag", "import_line", ["import_id", "asset_tag"])
    op.create_index("ix_import_line_import_id_identity", "import_line", ["import_id", "identity"])
    _guard(op.get_bind())


def _guard(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_import_delete BEFORE DELETE ON import BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    for verb, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_import_{verb.lower()} BEFORE {verb} ON import FOR EACH {each}"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
