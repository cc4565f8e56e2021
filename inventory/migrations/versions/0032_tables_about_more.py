"""Tables from elsewhere are about more than devices.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
SUBJECTS = "subject IN ('devices', 'places', 'data_sets', 'holdings', 'people', 'hosts')"


def upgrade() -> None:
    column = sa.Column("subject", sa.String(length=9), nullable=False, server_default="devices")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(column)
    else:
        op.add_column("import", column)
        op.create_check_constraint(op.f("ck_import_subject"), "import", SUBJECTS)
        op.alter_column("import", "subject", server_default=None)


def _rebuild(column: sa.Column) -> None:
    """SQLite changes no constraint in place: the table is copied, and what stood on it is made again."""
    op.execute("DROP TRIGGER guard_import_delete")
    with op.batch_alter_table("import", recreate="always") as batch:
        batch.add_column(column)
        batch.create_check_constraint(op.f("ck_import_subject"), SUBJECTS)
    with op.batch_alter_table("import", recreate="always") as batch:
        batch.alter_column("subject", existing_type=sa.String(length=9), existing_nullable=False, server_default=None)
    op.execute(f"CREATE TRIGGER guard_import_delete BEFORE DELETE ON import BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
