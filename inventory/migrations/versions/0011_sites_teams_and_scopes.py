"""Sites and teams; how far people and their tokens see.

Whoever could sign in before saw everything, and goes on seeing it; the history says that nobody narrowed it yet.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REFERENCES = (
    ("location", "site"),
    ("host", "site"),
    ("host", "team"),
    ("data_set", "team"),
    ("device", "site"),
    ("device", "team"),
)


def upgrade() -> None:
    for table, words in (("site", "address"), ("team", "purpose")):
        op.create_table(
            table,
            sa.Column("id", sa.String(length=32), nullable=False),
            sa.Column("name", sa.String(length=200), nullable=False),
            sa.Column(words, sa.String(length=500), nullable=False),
            sa.Column("created", sa.DateTime(timezone=True), nullable=False),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.UniqueConstraint("name", name=f"uq_{table}_name"),
        )
    for table, target in REFERENCES:
        # As text, because a column may refer to a table without the whole table being copied; both databases read it alike.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {target}_id VARCHAR(32)"
            f" CONSTRAINT fk_{table}_{target}_id_{target} REFERENCES {target} (id)"
        )
        columns = [f"{target}_id", "id"] if table == "device" else [f"{target}_id"]
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)
    op.add_column("person", sa.Column("everywhere", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("person", "api_token"):
        op.add_column(table, sa.Column("sites", sa.JSON(), nullable=False, server_default="[]"))
        op.add_column(table, sa.Column("teams", sa.JSON(), nullable=False, server_default="[]"))
    op.execute("UPDATE person SET everywhere = true")


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
