"""Triggers that refuse UPDATE and DELETE on evidence: a speed bump for mistakes, not a wall.

Whoever owns the database can drop a trigger, and a PostgreSQL superuser can go round it (`session_replication_role`). What
catches *that* is the signed log: an altered row no longer fits its digest, its leaf or its checkpoint.
"""

from __future__ import annotations

from typing import Final

IMMUTABLE: Final = (
    "approval",
    "audit_pack",
    "balance_line",
    "balance_sheet",
    "certificate",
    "correction",
    "envelope",
    "event",
    "evidence_file",
    "host_halt",
    "job_bundle",
    "job_bundle_order",
    "log_checkpoint",
    "log_cosignature",
    "log_entry",
    "personal_signature",
    "record",
    "return_bundle",
    "seal",
    "sealed_translation",
    "statement",
    "time_stamp",
    "validation",
)
"""Rows of these tables are inserted and never touched again."""

KEPT: Final = (
    "holding",
    "obligation",
    "paper",
    "log_tile",
    "log_head",
    "policy_version",
    "sanitization_order",
    "device",
    "balance",
    "import",
    "escrow",
    "lease",
    "reading",
    "sample",
    "sample_device",
    "question",
    "lot",
    "lot_device",
    "container",
    "container_device",
    "handover",
    "handover_device",
    "handover_link",
)
"""Rows of these tables change, and are never deleted."""

GROWING: Final = {
    "log_tile": "substr(NEW.data, 1, length(OLD.data)) = OLD.data AND NEW.level = OLD.level AND NEW.number = OLD.number",
    "balance": "OLD.closed IS NULL",
    "log_head": "NEW.size >= OLD.size AND NEW.origin = OLD.origin",
}
"""Changes to these must satisfy the condition: they grow only."""

REFUSAL: Final = "sanitrail: evidence is appended, never changed"


def sqlite_statements() -> list[str]:
    """The triggers for SQLite."""
    found = []
    for table in IMMUTABLE:
        found += [_sqlite(table, "UPDATE"), _sqlite(table, "DELETE")]
    found += [_sqlite(table, "DELETE") for table in KEPT]
    found += [_sqlite(table, "UPDATE", f"WHEN NOT ({condition}) ") for table, condition in GROWING.items()]
    return found


def _sqlite(table: str, verb: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} {when}"
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def postgresql_statements() -> list[str]:
    """The triggers for PostgreSQL; TRUNCATE is refused, too."""
    found = [
        f"CREATE FUNCTION sanitrail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    ]
    for table in IMMUTABLE:
        found += [_postgresql(table, "UPDATE"), _postgresql(table, "DELETE"), _postgresql(table, "TRUNCATE")]
    for table in KEPT:
        found += [_postgresql(table, "DELETE"), _postgresql(table, "TRUNCATE")]
    found += [_postgresql(table, "UPDATE", f"WHEN (NOT ({condition})) ") for table, condition in GROWING.items()]
    return found


def _postgresql(table: str, verb: str, when: str = "") -> str:
    each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
    return (
        f"CREATE TRIGGER guard_{table}_{verb.lower()} BEFORE {verb} ON {table} FOR EACH {each} {when}"
        "EXECUTE FUNCTION sanitrail_refuse()"
    )
