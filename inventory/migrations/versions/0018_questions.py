"""Questions that changes of status raise.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

REFUSAL = "sanitrail: evidence is appended, never changed"
OPEN = "answered IS NULL"
KINDS = (
    "repair",
    "lease_return",
    "warranty_swap",
    "resale",
    "drive_replaced",
    "host_decommissioned",
    "rack_relocated",
    "agent_silent",
)
ANSWERS = ("gate_open", "left", "under_lock", "seen_again", "missing", "withdrawn")


def _words(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=max(map(len, words)))


def upgrade() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", _words(op.f("ck_question_kind"), KINDS), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=True),
        sa.Column("party_id", sa.String(length=32), nullable=True),
        sa.Column("raised", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", _words(op.f("ck_question_answer"), ANSWERS), nullable=True),
        sa.Column("answered_by", sa.String(length=128), nullable=True),
        sa.Column("answer_words", sa.String(length=500), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(answered IS NULL) = (answer IS NULL)", name=op.f("ck_question_answer_and_time")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_question_device_id_device"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_question_host_id_host"),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_question_party_id_party"),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
    )
    for column in ("device_id", "host_id"):
        op.create_index(f"ix_question_{column}", "question", [column], unique=False)
    condition = {"sqlite_where": sa.text(OPEN), "postgresql_where": sa.text(OPEN)}
    op.create_index("uq_question_open", "question", ["device_id", "kind"], unique=True, **condition)
    op.create_index("ix_question_looked", "question", ["looked"], unique=False, **condition)
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_question_delete BEFORE DELETE ON question BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    for verb, each in (("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        connection.exec_driver_sql(
            f"CREATE TRIGGER guard_question_{verb.lower()} BEFORE {verb} ON question FOR EACH {each}"
            " EXECUTE FUNCTION sanitrail_refuse()"
        )


def downgrade() -> None:
    raise RuntimeError("evidence is not thrown away")
