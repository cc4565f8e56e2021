"""Passkeys, authenticator apps, recovery codes, identities elsewhere; how a session was opened; passkeys that approve.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NEVER = "'1970-01-01 00:00:00.000000'"


def _person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["person"], ["person.ref"], name=f"fk_{table}_person_person")


def upgrade() -> None:
    # A session from before has shown a password alone, and nothing lately.
    op.add_column("web_session", sa.Column("way", sa.String(length=20), server_default="password", nullable=False))
    op.add_column(
        "web_session",
        sa.Column("confirmed", sa.DateTime(timezone=True), server_default=sa.text(NEVER), nullable=False),
    )
    op.add_column("approver_key", sa.Column("credential", sa.LargeBinary(), nullable=True))
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("credential_sha256", sa.String(length=64), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("synced", sa.Boolean(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed", sa.DateTime(timezone=True), nullable=True),
        _person("passkey"),
        sa.PrimaryKeyConstraint("id", name="pk_passkey"),
        sa.UniqueConstraint("credential_sha256", name="uq_passkey_credential_sha256"),
    )
    op.create_index("ix_passkey_person", "passkey", ["person"], unique=False)
    op.create_table(
        "authenticator",
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        _person("authenticator"),
        sa.PrimaryKeyConstraint("person", name="pk_authenticator"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        _person("recovery_code"),
        sa.PrimaryKeyConstraint("code_sha256", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_person", "recovery_code", ["person"], unique=False)
    op.create_table(
        "identity",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed", sa.DateTime(timezone=True), nullable=True),
        _person("identity"),
        sa.PrimaryKeyConstraint("id", name="pk_identity"),
    )
    op.create_index("ix_identity_person", "identity", ["person"], unique=False)
    present = sa.text("removed IS NULL")
    op.create_index(
        "uq_identity_present",
        "identity",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=present,
        postgresql_where=present,
    )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
