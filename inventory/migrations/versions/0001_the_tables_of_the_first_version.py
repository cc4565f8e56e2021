"""The tables of the first version.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Triggers that refuse changes to evidence (inventory.models.guards explains what they are worth).
SQLITE_GUARDS = (
    "CREATE TRIGGER guard_approval_update BEFORE UPDATE ON approval BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_approval_delete BEFORE DELETE ON approval BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_certificate_update BEFORE UPDATE ON certificate BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_certificate_delete BEFORE DELETE ON certificate BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_envelope_update BEFORE UPDATE ON envelope BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_envelope_delete BEFORE DELETE ON envelope BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_event_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_event_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_checkpoint_update BEFORE UPDATE ON log_checkpoint BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_checkpoint_delete BEFORE DELETE ON log_checkpoint BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_entry_update BEFORE UPDATE ON log_entry BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_entry_delete BEFORE DELETE ON log_entry BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_record_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_record_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_seal_update BEFORE UPDATE ON seal BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_seal_delete BEFORE DELETE ON seal BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_statement_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_statement_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_validation_update BEFORE UPDATE ON validation BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_validation_delete BEFORE DELETE ON validation BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_holding_delete BEFORE DELETE ON holding BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_obligation_delete BEFORE DELETE ON obligation BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_tile_delete BEFORE DELETE ON log_tile BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_head_delete BEFORE DELETE ON log_head BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_policy_version_delete BEFORE DELETE ON policy_version BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_sanitization_order_delete BEFORE DELETE ON sanitization_order BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_device_delete BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_lease_delete BEFORE DELETE ON lease BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_tile_update BEFORE UPDATE ON log_tile WHEN NOT (substr(NEW.data, 1, length(OLD.data)) = OLD.data AND NEW.level = OLD.level AND NEW.number = OLD.number) BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
    "CREATE TRIGGER guard_log_head_update BEFORE UPDATE ON log_head WHEN NOT (NEW.size >= OLD.size AND NEW.origin = OLD.origin) BEGIN SELECT RAISE(ABORT, 'sanitrail: evidence is appended, never changed'); END",
)
POSTGRESQL_GUARDS = (
    "CREATE FUNCTION sanitrail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'sanitrail: evidence is appended, never changed'; END $$",
    "CREATE TRIGGER guard_approval_update BEFORE UPDATE ON approval FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_approval_delete BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_approval_truncate BEFORE TRUNCATE ON approval FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_certificate_update BEFORE UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_certificate_delete BEFORE DELETE ON certificate FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_certificate_truncate BEFORE TRUNCATE ON certificate FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_envelope_update BEFORE UPDATE ON envelope FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_envelope_delete BEFORE DELETE ON envelope FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_envelope_truncate BEFORE TRUNCATE ON envelope FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_event_update BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_event_delete BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_event_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_checkpoint_update BEFORE UPDATE ON log_checkpoint FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_checkpoint_delete BEFORE DELETE ON log_checkpoint FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_checkpoint_truncate BEFORE TRUNCATE ON log_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_entry_update BEFORE UPDATE ON log_entry FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_entry_delete BEFORE DELETE ON log_entry FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_entry_truncate BEFORE TRUNCATE ON log_entry FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_record_update BEFORE UPDATE ON record FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_record_delete BEFORE DELETE ON record FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_record_truncate BEFORE TRUNCATE ON record FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_seal_update BEFORE UPDATE ON seal FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_seal_delete BEFORE DELETE ON seal FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_seal_truncate BEFORE TRUNCATE ON seal FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_statement_update BEFORE UPDATE ON statement FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_statement_delete BEFORE DELETE ON statement FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_statement_truncate BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_validation_update BEFORE UPDATE ON validation FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_validation_delete BEFORE DELETE ON validation FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_validation_truncate BEFORE TRUNCATE ON validation FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_holding_delete BEFORE DELETE ON holding FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_holding_truncate BEFORE TRUNCATE ON holding FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_obligation_delete BEFORE DELETE ON obligation FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_obligation_truncate BEFORE TRUNCATE ON obligation FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_tile_delete BEFORE DELETE ON log_tile FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_tile_truncate BEFORE TRUNCATE ON log_tile FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_head_delete BEFORE DELETE ON log_head FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_head_truncate BEFORE TRUNCATE ON log_head FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_policy_version_delete BEFORE DELETE ON policy_version FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_policy_version_truncate BEFORE TRUNCATE ON policy_version FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_sanitization_order_delete BEFORE DELETE ON sanitization_order FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_sanitization_order_truncate BEFORE TRUNCATE ON sanitization_order FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_device_delete BEFORE DELETE ON device FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_device_truncate BEFORE TRUNCATE ON device FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_lease_delete BEFORE DELETE ON lease FOR EACH ROW EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_lease_truncate BEFORE TRUNCATE ON lease FOR EACH STATEMENT EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_tile_update BEFORE UPDATE ON log_tile FOR EACH ROW WHEN (NOT (substr(NEW.data, 1, length(OLD.data)) = OLD.data AND NEW.level = OLD.level AND NEW.number = OLD.number)) EXECUTE FUNCTION sanitrail_refuse()",
    "CREATE TRIGGER guard_log_head_update BEFORE UPDATE ON log_head FOR EACH ROW WHEN (NOT (NEW.size >= OLD.size AND NEW.origin = OLD.origin)) EXECUTE FUNCTION sanitrail_refuse()",
)


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("series", sa.String(length=32), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series", name="pk_counter"),
    )
    op.create_table(
        "data_set",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "category",
            sa.Enum("low", "moderate", "high", name="category", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("retention_days", sa.BigInteger(), nullable=True),
        sa.Column("encryption", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_data_set"),
        sa.UniqueConstraint("name", name="uq_data_set_name"),
    )
    op.create_table(
        "envelope",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_envelope"),
    )
    op.create_index("ix_envelope_kind", "envelope", ["kind"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("host_id", sa.String(length=32), nullable=True),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_actor", "event", ["actor"], unique=False)
    op.create_index("ix_event_at", "event", ["at"], unique=False)
    op.create_index("ix_event_device_id", "event", ["device_id"], unique=False)
    op.create_index("ix_event_host_id", "event", ["host_id"], unique=False)
    op.create_index("ix_event_order_id", "event", ["order_id"], unique=False)
    op.create_index("ix_event_subject", "event", ["subject"], unique=False)
    op.create_index("ix_event_tag", "event", ["tag"], unique=False)

    op.create_table(
        "idempotency_key",
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("claimed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("content_type", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("actor", "key", name="pk_idempotency_key"),
    )
    op.create_index("ix_idempotency_key_claimed", "idempotency_key", ["claimed"], unique=False)

    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoint"),
    )
    op.create_table(
        "log_entry",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("idx", name="pk_log_entry"),
        sa.UniqueConstraint("sha256", name="uq_log_entry_sha256"),
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("guard_id", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name="pk_log_tile"),
    )
    op.create_table(
        "nonce",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", name="pk_nonce"),
    )
    op.create_index("ix_nonce_expires", "nonce", ["expires"], unique=False)

    op.create_table(
        "party",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "kind", sa.Enum("own", "vendor", name="kind", native_enum=False, create_constraint=True), nullable=False
        ),
        sa.Column("contact", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_party"),
        sa.UniqueConstraint("name", name="uq_party_name"),
    )
    op.create_table(
        "person",
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name="pk_person"),
        sa.UniqueConstraint("login", name="uq_person_login"),
    )
    op.create_table(
        "policy_version",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_policy_version"),
        sa.UniqueConstraint("id", name="uq_policy_version_id"),
    )
    op.create_index(
        "uq_policy_version_in_force",
        "policy_version",
        ["in_force"],
        unique=True,
        sqlite_where=sa.text("in_force"),
        postgresql_where=sa.text("in_force"),
    )

    op.create_table(
        "seal",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("bundle_sha256", sa.String(length=64), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_seal"),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
    )
    op.create_index("ix_sign_in_attempt_key_sha256_at", "sign_in_attempt", ["key_sha256", "at"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.ref"], name="fk_api_token_person_person"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("secret_sha256", name="uq_api_token_secret_sha256"),
    )
    op.create_index("ix_api_token_person", "api_token", ["person"], unique=False)

    op.create_table(
        "approver_key",
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("registered", "confirmed", "revoked", name="state", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("registered", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=128), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolled_index", sa.BigInteger(), nullable=True),
        sa.Column("revoked_index", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.ref"], name="fk_approver_key_confirmed_by_person"),
        sa.ForeignKeyConstraint(["person"], ["person.ref"], name="fk_approver_key_person_person"),
        sa.PrimaryKeyConstraint("key_id", name="pk_approver_key"),
    )
    op.create_index("ix_approver_key_person", "approver_key", ["person"], unique=False)

    op.create_table(
        "directory",
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["person.ref"], name="fk_directory_ref_person"),
        sa.PrimaryKeyConstraint("ref", name="pk_directory"),
    )
    op.create_table(
        "erasure_case",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "fulfilled", "closed", name="state", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("customer_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=128), nullable=False),
        sa.Column("deleted", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=128), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["closed_by"], ["person.ref"], name="fk_erasure_case_closed_by_person"),
        sa.ForeignKeyConstraint(["opened_by"], ["person.ref"], name="fk_erasure_case_opened_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_erasure_case"),
    )
    op.create_index("ix_erasure_case_state", "erasure_case", ["state"], unique=False)
    op.create_index(
        "uq_erasure_case_open_reference",
        "erasure_case",
        ["reference"],
        unique=True,
        sqlite_where=sa.text("closed IS NULL"),
        postgresql_where=sa.text("closed IS NULL"),
    )

    op.create_table(
        "exception_item",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("sentence", sa.String(length=1000), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "resolved", name="state", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("host_id", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("raised", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=128), nullable=True),
        sa.Column("resolution", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["person.ref"], name="fk_exception_item_owner_person"),
        sa.PrimaryKeyConstraint("id", name="pk_exception_item"),
    )
    op.create_index("ix_exception_item_device_id", "exception_item", ["device_id"], unique=False)
    op.create_index("ix_exception_item_host_id", "exception_item", ["host_id"], unique=False)
    op.create_index("ix_exception_item_state", "exception_item", ["state"], unique=False)
    op.create_index(
        "uq_exception_item_open",
        "exception_item",
        ["code", "subject"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )

    op.create_table(
        "host",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending", "confirmed", "rejected", "revoked", name="state", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("machine_id_sha256", sa.String(length=64), nullable=False),
        sa.Column("agent_version", sa.String(length=256), nullable=False),
        sa.Column("kernel", sa.String(length=256), nullable=False),
        sa.Column("enrolled", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=128), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_below", sa.BigInteger(), nullable=True),
        sa.Column("enrolled_index", sa.BigInteger(), nullable=True),
        sa.Column("revoked_index", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.ref"], name="fk_host_confirmed_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_host"),
        sa.UniqueConstraint("key_id", name="uq_host_key_id"),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "zone",
            sa.Enum("secure", "controlled", "open", name="zone", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("party_id", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_location_party_id_party"),
        sa.PrimaryKeyConstraint("id", name="pk_location"),
        sa.UniqueConstraint("name", name="uq_location_name"),
    )
    op.create_table(
        "one_time_link",
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.ref"], name="fk_one_time_link_person_person"),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_one_time_link"),
    )
    op.create_index("ix_one_time_link_person", "one_time_link", ["person"], unique=False)

    op.create_table(
        "roster",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("signatures", sa.JSON(), nullable=False),
        sa.Column("proposed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.String(length=128), nullable=False),
        sa.Column("published", sa.DateTime(timezone=True), nullable=True),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'published', 'superseded', 'withdrawn')", name=op.f("ck_roster_state")
        ),
        sa.ForeignKeyConstraint(["envelope_sha256"], ["envelope.sha256"], name="fk_roster_envelope_sha256_envelope"),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.ref"], name="fk_roster_proposed_by_person"),
        sa.PrimaryKeyConstraint("sha256", name="pk_roster"),
    )
    op.create_index(
        "uq_roster_proposed",
        "roster",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index(
        "uq_roster_published",
        "roster",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'published'"),
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_index(
        "uq_roster_version",
        "roster",
        ["version"],
        unique=True,
        sqlite_where=sa.text("log_index IS NOT NULL"),
        postgresql_where=sa.text("log_index IS NOT NULL"),
    )

    op.create_table(
        "undertaking",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("party_id", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=500), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("filed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_by", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["filed_by"], ["person.ref"], name="fk_undertaking_filed_by_person"),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_undertaking_party_id_party"),
        sa.PrimaryKeyConstraint("id", name="pk_undertaking"),
    )
    op.create_index("ix_undertaking_party_id", "undertaking", ["party_id"], unique=False)

    op.create_table(
        "web_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.ref"], name="fk_web_session_person_person"),
        sa.PrimaryKeyConstraint("id", name="pk_web_session"),
        sa.UniqueConstraint("secret_sha256", name="uq_web_session_secret_sha256"),
    )
    op.create_index("ix_web_session_person", "web_session", ["person"], unique=False)

    op.create_table(
        "case_data_set",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("data_set_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["erasure_case.id"], name="fk_case_data_set_case_id_erasure_case"),
        sa.ForeignKeyConstraint(["data_set_id"], ["data_set.id"], name="fk_case_data_set_data_set_id_data_set"),
        sa.PrimaryKeyConstraint("case_id", "data_set_id", name="pk_case_data_set"),
    )
    op.create_table(
        "declared_path",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("data_set_id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=256), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "primary", "replica", "backup", "cache", "swap", name="kind", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("declared", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by", sa.String(length=128), nullable=False),
        sa.Column("withdrawn", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved", sa.DateTime(timezone=True), nullable=True),
        sa.Column("devices", sa.JSON(), nullable=False),
        sa.Column("unresolved", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["data_set_id"], ["data_set.id"], name="fk_declared_path_data_set_id_data_set"),
        sa.ForeignKeyConstraint(["declared_by"], ["person.ref"], name="fk_declared_path_declared_by_person"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_declared_path_host_id_host"),
        sa.PrimaryKeyConstraint("id", name="pk_declared_path"),
    )
    op.create_index("ix_declared_path_data_set_id", "declared_path", ["data_set_id"], unique=False)
    op.create_index("ix_declared_path_host_id", "declared_path", ["host_id"], unique=False)
    op.create_index(
        "uq_declared_path_live",
        "declared_path",
        ["host_id", "data_set_id", "path"],
        unique=True,
        sqlite_where=sa.text("withdrawn IS NULL"),
        postgresql_where=sa.text("withdrawn IS NULL"),
    )

    op.create_table(
        "device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "declared",
                "in_service",
                "retired",
                "quarantined",
                "sanitizing",
                "sanitized",
                "failed",
                "missing",
                "released",
                "destroyed",
                "returned_unsanitized_by_waiver",
                name="state",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("asset_tag", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("location_id", sa.String(length=32), nullable=True),
        sa.Column("party_id", sa.String(length=32), nullable=True),
        sa.Column("destination", sa.String(length=500), nullable=False),
        sa.Column("bound_to", sa.String(length=32), nullable=True),
        sa.Column("ever_attached", sa.Boolean(), nullable=False),
        sa.Column("standing_record", sa.String(length=64), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declared_by", sa.String(length=128), nullable=True),
        sa.Column("declared_vendor", sa.String(length=256), nullable=True),
        sa.Column("declared_model", sa.String(length=256), nullable=True),
        sa.Column("declared_serial", sa.String(length=256), nullable=True),
        sa.Column("declared_capacity", sa.BigInteger(), nullable=True),
        sa.Column("declared_media", sa.String(length=16), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("observed_by", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("vendor", sa.String(length=256), nullable=True),
        sa.Column("model", sa.String(length=256), nullable=True),
        sa.Column("serial", sa.String(length=256), nullable=True),
        sa.Column("wwn", sa.String(length=256), nullable=True),
        sa.Column("eui64", sa.String(length=256), nullable=True),
        sa.Column("nguid", sa.String(length=256), nullable=True),
        sa.Column("firmware", sa.String(length=256), nullable=True),
        sa.Column("capacity_bytes", sa.BigInteger(), nullable=True),
        sa.Column("logical_block_bytes", sa.BigInteger(), nullable=True),
        sa.Column("media", sa.String(length=16), nullable=True),
        sa.Column("transport", sa.String(length=256), nullable=True),
        sa.Column("hidden_capacity", sa.String(length=16), nullable=True),
        sa.Column("removable", sa.Boolean(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bound_to"], ["device.id"], name="fk_device_bound_to_device"),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name="fk_device_location_id_location"),
        sa.ForeignKeyConstraint(["observed_by"], ["host.id"], name="fk_device_observed_by_host"),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name="fk_device_party_id_party"),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("asset_tag", name="uq_device_asset_tag"),
        sa.UniqueConstraint("fingerprint", name="uq_device_fingerprint"),
    )
    op.create_index("ix_device_declared_serial", "device", ["declared_serial"], unique=False)
    op.create_index("ix_device_location_id", "device", ["location_id"], unique=False)
    op.create_index("ix_device_serial", "device", ["serial"], unique=False)
    op.create_index("ix_device_state", "device", ["state"], unique=False)

    op.create_table(
        "enrolment_token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["person.ref"], name="fk_enrolment_token_created_by_person"),
        sa.ForeignKeyConstraint(["used_by"], ["host.id"], name="fk_enrolment_token_used_by_host"),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment_token"),
        sa.UniqueConstraint("secret_sha256", name="uq_enrolment_token_secret_sha256"),
    )
    op.create_table(
        "host_contact",
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("last_contact", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boot_id", sa.String(length=256), nullable=True),
        sa.Column("running", sa.JSON(), nullable=False),
        sa.Column("standing_by", sa.JSON(), nullable=False),
        sa.Column("outbox", sa.BigInteger(), nullable=False),
        sa.Column("clock_offset_seconds", sa.BigInteger(), nullable=True),
        sa.Column("seen_log_size", sa.BigInteger(), nullable=True),
        sa.Column("observed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sequence", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_host_contact_host_id_host"),
        sa.PrimaryKeyConstraint("host_id", name="pk_host_contact"),
    )
    op.create_table(
        "statement",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("issued", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=128), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["erasure_case.id"], name="fk_statement_case_id_erasure_case"),
        sa.ForeignKeyConstraint(["issued_by"], ["person.ref"], name="fk_statement_issued_by_person"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_statement_sha256_envelope"),
        sa.PrimaryKeyConstraint("number", name="pk_statement"),
        sa.UniqueConstraint("sha256", name="uq_statement_sha256"),
    )
    op.create_index("ix_statement_case_id", "statement", ["case_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=256), nullable=False),
        sa.Column("slot", sa.String(length=256), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("obstacles", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_attachment_device_id_device"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_attachment_host_id_host"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_device_id", "attachment", ["device_id"], unique=False)
    op.create_index("ix_attachment_host_id", "attachment", ["host_id"], unique=False)
    op.create_index(
        "ix_attachment_host_open",
        "attachment",
        ["host_id"],
        unique=False,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index(
        "uq_attachment_open",
        "attachment",
        ["device_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )

    op.create_table(
        "destruction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("machine", sa.String(length=500), nullable=False),
        sa.Column("facility", sa.String(length=500), nullable=False),
        sa.Column("particle_size_mm", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("performed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=128), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("witness", sa.String(length=128), nullable=True),
        sa.Column("witnessed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("witness_statement", sa.String(length=500), nullable=True),
        sa.Column("validator", sa.String(length=128), nullable=True),
        sa.Column("decision", sa.String(length=16), nullable=True),
        sa.Column("decided", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("statement_sha256", sa.String(length=64), nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "validator IS NULL OR (validator <> operator AND validator <> witness)",
            name=op.f("ck_destruction_validator_apart"),
        ),
        sa.CheckConstraint("witness IS NULL OR witness <> operator", name=op.f("ck_destruction_witness_apart")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_destruction_device_id_device"),
        sa.ForeignKeyConstraint(["operator"], ["person.ref"], name="fk_destruction_operator_person"),
        sa.ForeignKeyConstraint(
            ["statement_sha256"], ["envelope.sha256"], name="fk_destruction_statement_sha256_envelope"
        ),
        sa.ForeignKeyConstraint(["validator"], ["person.ref"], name="fk_destruction_validator_person"),
        sa.ForeignKeyConstraint(["witness"], ["person.ref"], name="fk_destruction_witness_person"),
        sa.PrimaryKeyConstraint("id", name="pk_destruction"),
    )
    op.create_index("ix_destruction_device_id", "destruction", ["device_id"], unique=False)
    op.create_index(
        "uq_destruction_undecided",
        "destruction",
        ["device_id"],
        unique=True,
        sqlite_where=sa.text("decision IS NULL"),
        postgresql_where=sa.text("decision IS NULL"),
    )

    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("data_set_id", sa.String(length=32), nullable=True),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("placed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.String(length=128), nullable=False),
        sa.Column("lifted", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=128), nullable=True),
        sa.Column("lift_reason", sa.String(length=500), nullable=True),
        sa.CheckConstraint("kind IN ('legal', 'investigation')", name=op.f("ck_hold_kind")),
        sa.CheckConstraint("(device_id IS NULL) <> (data_set_id IS NULL)", name=op.f("ck_hold_one_subject")),
        sa.ForeignKeyConstraint(["data_set_id"], ["data_set.id"], name="fk_hold_data_set_id_data_set"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_hold_device_id_device"),
        sa.ForeignKeyConstraint(["lifted_by"], ["person.ref"], name="fk_hold_lifted_by_person"),
        sa.ForeignKeyConstraint(["placed_by"], ["person.ref"], name="fk_hold_placed_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    op.create_index("ix_hold_data_set_id", "hold", ["data_set_id"], unique=False)
    op.create_index("ix_hold_device_id", "hold", ["device_id"], unique=False)

    op.create_table(
        "holding",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("data_set_id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "primary", "replica", "backup", "cache", "swap", name="kind", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum("declared", "resolved", name="source", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("path_id", sa.String(length=32), nullable=True),
        sa.Column("host_id", sa.String(length=32), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("covered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("covered_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(covered_at IS NULL) = (covered_by IS NULL)", name=op.f("ck_holding_covered_by_evidence")),
        sa.CheckConstraint("covered_at IS NULL OR until IS NOT NULL", name=op.f("ck_holding_covered_has_ended")),
        sa.ForeignKeyConstraint(["covered_by"], ["envelope.sha256"], name="fk_holding_covered_by_envelope"),
        sa.ForeignKeyConstraint(["data_set_id"], ["data_set.id"], name="fk_holding_data_set_id_data_set"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_holding_device_id_device"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_holding_host_id_host"),
        sa.ForeignKeyConstraint(["path_id"], ["declared_path.id"], name="fk_holding_path_id_declared_path"),
        sa.PrimaryKeyConstraint("id", name="pk_holding"),
    )
    op.create_index("ix_holding_data_set_id", "holding", ["data_set_id"], unique=False)
    op.create_index("ix_holding_device_id", "holding", ["device_id"], unique=False)
    op.create_index("ix_holding_path_id", "holding", ["path_id"], unique=False)
    op.create_index(
        "uq_holding_live_path",
        "holding",
        ["device_id", "path_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL AND path_id IS NOT NULL"),
        postgresql_where=sa.text("until IS NULL AND path_id IS NOT NULL"),
    )

    op.create_table(
        "sanitization_order",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "leased",
                "executing",
                "settling",
                "verifying",
                "recorded",
                "validated",
                "rejected",
                "refused",
                "failed",
                "interrupted",
                "cancelled",
                "expired",
                name="state",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("agent_key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("envelope_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.JSON(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approvals_required", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=True),
        sa.Column("outcome_reason", sa.String(length=1000), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_sanitization_order_device_id_device"),
        sa.ForeignKeyConstraint(
            ["envelope_sha256"], ["envelope.sha256"], name="fk_sanitization_order_envelope_sha256_envelope"
        ),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_sanitization_order_host_id_host"),
        sa.ForeignKeyConstraint(["requested_by"], ["person.ref"], name="fk_sanitization_order_requested_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_sanitization_order"),
        sa.UniqueConstraint("envelope_sha256", name="uq_sanitization_order_envelope_sha256"),
        sa.UniqueConstraint("nonce", name="uq_sanitization_order_nonce"),
        sa.UniqueConstraint("payload_sha256", name="uq_sanitization_order_payload_sha256"),
    )
    op.create_index("ix_sanitization_order_device_id", "sanitization_order", ["device_id"], unique=False)
    op.create_index("ix_sanitization_order_host_id", "sanitization_order", ["host_id"], unique=False)
    op.create_index("ix_sanitization_order_state", "sanitization_order", ["state"], unique=False)
    op.create_index(
        "uq_order_open_device",
        "sanitization_order",
        ["device_id"],
        unique=True,
        sqlite_where=sa.text(
            "state IN ('requested', 'approved', 'leased', 'executing', 'settling', 'verifying', 'recorded')"
        ),
        postgresql_where=sa.text(
            "state IN ('requested', 'approved', 'leased', 'executing', 'settling', 'verifying', 'recorded')"
        ),
    )

    op.create_table(
        "waiver",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=128), nullable=False),
        sa.Column("opened_role", sa.String(length=32), nullable=False),
        sa.Column("countersigned", sa.DateTime(timezone=True), nullable=True),
        sa.Column("countersigned_by", sa.String(length=128), nullable=True),
        sa.Column("countersigned_role", sa.String(length=32), nullable=True),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "countersigned_by IS NULL OR countersigned_by <> opened_by", name=op.f("ck_waiver_two_people")
        ),
        sa.CheckConstraint(
            "countersigned_role IS NULL OR countersigned_role <> opened_role", name=op.f("ck_waiver_two_roles")
        ),
        sa.ForeignKeyConstraint(["countersigned_by"], ["person.ref"], name="fk_waiver_countersigned_by_person"),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_waiver_device_id_device"),
        sa.ForeignKeyConstraint(["opened_by"], ["person.ref"], name="fk_waiver_opened_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_waiver"),
    )
    op.create_index("ix_waiver_device_id", "waiver", ["device_id"], unique=False)

    op.create_table(
        "approval",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("approver", sa.String(length=128), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("shown", sa.String(length=500), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["approver"], ["person.ref"], name="fk_approval_approver_person"),
        sa.ForeignKeyConstraint(["key_id"], ["approver_key.key_id"], name="fk_approval_key_id_approver_key"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sanitization_order.id"], name="fk_approval_order_id_sanitization_order"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_approval_sha256_envelope"),
        sa.PrimaryKeyConstraint("sha256", name="pk_approval"),
        sa.UniqueConstraint("order_id", "approver", name="uq_approval_order_id_approver"),
        sa.UniqueConstraint("order_id", "key_id", name="uq_approval_order_id_key_id"),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("acquired", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_lease_host_id_host"),
        sa.ForeignKeyConstraint(["order_id"], ["sanitization_order.id"], name="fk_lease_order_id_sanitization_order"),
        sa.PrimaryKeyConstraint("id", name="pk_lease"),
        sa.UniqueConstraint("order_id", "token", name="uq_lease_order_id_token"),
    )
    op.create_table(
        "obligation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("holding_id", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "logical_deletion",
                "backup_gone",
                "medium_sanitized",
                name="kind",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("added", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=128), nullable=True),
        sa.Column("evidence_kind", sa.String(length=32), nullable=True),
        sa.Column("evidence", sa.String(length=64), nullable=True),
        sa.Column("attested", sa.String(length=500), nullable=True),
        sa.CheckConstraint(
            "kind <> 'medium_sanitized' OR evidence_kind IS NULL OR evidence_kind = 'validated_record'",
            name=op.f("ck_obligation_media_by_record"),
        ),
        sa.CheckConstraint("(closed IS NULL) = (evidence IS NULL)", name=op.f("ck_obligation_closed_by_evidence")),
        sa.ForeignKeyConstraint(["case_id"], ["erasure_case.id"], name="fk_obligation_case_id_erasure_case"),
        sa.ForeignKeyConstraint(["holding_id"], ["holding.id"], name="fk_obligation_holding_id_holding"),
        sa.PrimaryKeyConstraint("id", name="pk_obligation"),
        sa.UniqueConstraint("case_id", "holding_id", "kind", name="uq_obligation_case_id_holding_id_kind"),
    )
    op.create_index("ix_obligation_case_id", "obligation", ["case_id"], unique=False)
    op.create_index("ix_obligation_holding_id", "obligation", ["holding_id"], unique=False)

    op.create_table(
        "record",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=True),
        sa.Column("device_id", sa.String(length=32), nullable=True),
        sa.Column("host_id", sa.String(length=32), nullable=False),
        sa.Column("lease_id", sa.String(length=128), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column(
            "standing",
            sa.Enum("current", "evidence_only", name="standing", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("coverage", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("touched", sa.String(length=16), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acceptance_sha256", sa.String(length=64), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["acceptance_sha256"], ["envelope.sha256"], name="fk_record_acceptance_sha256_envelope"
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_record_device_id_device"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_record_host_id_host"),
        sa.ForeignKeyConstraint(["order_id"], ["sanitization_order.id"], name="fk_record_order_id_sanitization_order"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_record_sha256_envelope"),
        sa.PrimaryKeyConstraint("sha256", name="pk_record"),
        sa.UniqueConstraint("acceptance_sha256", name="uq_record_acceptance_sha256"),
        sa.UniqueConstraint("record_id", name="uq_record_record_id"),
    )
    op.create_index("ix_record_device_id", "record", ["device_id"], unique=False)
    op.create_index("ix_record_order_id", "record", ["order_id"], unique=False)
    op.create_index(
        "uq_record_current",
        "record",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("standing = 'current'"),
        postgresql_where=sa.text("standing = 'current'"),
    )

    op.create_table(
        "run_progress",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("pass_number", sa.BigInteger(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("bytes_done", sa.BigInteger(), nullable=False),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_per_second", sa.BigInteger(), nullable=False),
        sa.Column("seconds_left", sa.BigInteger(), nullable=True),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("reported", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sanitization_order.id"], name="fk_run_progress_order_id_sanitization_order"
        ),
        sa.PrimaryKeyConstraint("order_id", name="pk_run_progress"),
    )
    op.create_table(
        "certificate",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("device_id", sa.String(length=32), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=128), nullable=False),
        sa.CheckConstraint("kind IN ('certificate', 'failure')", name=op.f("ck_certificate_kind")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name="fk_certificate_device_id_device"),
        sa.ForeignKeyConstraint(["issued_by"], ["person.ref"], name="fk_certificate_issued_by_person"),
        sa.ForeignKeyConstraint(
            ["order_id"], ["sanitization_order.id"], name="fk_certificate_order_id_sanitization_order"
        ),
        sa.ForeignKeyConstraint(["record_sha256"], ["record.sha256"], name="fk_certificate_record_sha256_record"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_certificate_sha256_envelope"),
        sa.PrimaryKeyConstraint("number", name="pk_certificate"),
        sa.UniqueConstraint("order_id", name="uq_certificate_order_id"),
        sa.UniqueConstraint("sha256", name="uq_certificate_sha256"),
    )
    op.create_index("ix_certificate_device_id", "certificate", ["device_id"], unique=False)

    op.create_table(
        "validation",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "decision",
            sa.Enum("approve", "reject", "escalate", name="decision", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("validator", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["record_sha256"], ["record.sha256"], name="fk_validation_record_sha256_record"),
        sa.ForeignKeyConstraint(["sha256"], ["envelope.sha256"], name="fk_validation_sha256_envelope"),
        sa.ForeignKeyConstraint(["validator"], ["person.ref"], name="fk_validation_validator_person"),
        sa.PrimaryKeyConstraint("sha256", name="pk_validation"),
        sa.UniqueConstraint("record_sha256", name="uq_validation_record_sha256"),
    )

    for statement in SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_GUARDS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise RuntimeError("the first revision holds the evidence; it is not taken back")
