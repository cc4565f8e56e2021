"""An index by which hosts are found by a part of their name. PostgreSQL only: SQLite reads every row, and finds the same.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

from alembic import op


revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX ix_host_name_parts ON host USING gin (device_parts(name))")
        op.execute("ANALYZE host")


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
