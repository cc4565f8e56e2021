"""An index by which devices are found by a part of a text, and one for how fingerprints begin.

PostgreSQL only, the first of them: SQLite reads every row, and finds the same.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

from alembic import op


revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

PARTS = """
CREATE FUNCTION device_parts(VARIADIC words text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT substr(word, place, 3)), '{}')
  FROM (SELECT DISTINCT lower(one) AS word FROM unnest(words) AS one WHERE one IS NOT NULL) AS whole,
       generate_series(1, length(word) - 2) AS place
$$
"""
"""Every run of three characters of the words, in small letters."""
FIELDS = "id, asset_tag, serial, declared_serial, model, declared_model, vendor, declared_vendor, wwn"


def upgrade() -> None:
    op.create_index(
        "ix_device_fingerprint_begins", "device", ["fingerprint"], postgresql_ops={"fingerprint": "varchar_pattern_ops"}
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SET LOCAL maintenance_work_mem = '256MB'")
        op.execute(PARTS)
        op.execute(f"CREATE INDEX ix_device_parts ON device USING gin (device_parts({FIELDS}))")
        op.execute("ANALYZE device")


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
