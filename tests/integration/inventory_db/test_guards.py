"""The database itself refuses to change evidence: a speed bump for mistakes on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from inventory.domain.questions import ChangeKind
from inventory.errors import ConstraintRefused, StorageFailed
from inventory.models import Certificate, Correction, LogCosignature, TimeStamp
from inventory.models.guards import IMMUTABLE, KEPT, REFUSAL
from inventory.services import certificates, questions
from tests.support.inventory_world import World

ELSEWHERE = {
    "statement", "obligation", "paper", "personal_signature", "audit_pack", "balance", "balance_line", "balance_sheet",
    "host_halt", "job_bundle", "job_bundle_order", "return_bundle", "reading", "lot", "lot_device",
    "container", "container_device", "handover", "handover_device", "handover_link", "import", "sample",
    "sample_device", "evidence_file",
}  # fmt: skip
"""Tables that one device's life leaves empty; that they have their triggers, the comparison of the schema says."""


def refused(world: World, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=REFUSAL), world.context.database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def cosigned_and_corrected(world: World) -> None:
    """A witness's line and a correction, as rows only: the guards know no more of them."""
    with world.context.writing() as session:
        now = world.clock.now()
        size = world.context.ledger.size(session)
        session.add(LogCosignature(size=size, witness="w", key_hash="0" * 8, line="x", at=now, received=now))
        certificate = session.scalars(sa.select(Certificate)).one()
        session.add(
            Correction(
                sha256=certificate.sha256, action="void", document=certificate.number,
                document_sha256=certificate.sha256, replacement=None, reason="x",
                by=certificate.issued_by, at=now, log_index=0,
            )
        )  # fmt: skip
        session.add(
            TimeStamp(
                sha256="0" * 64, size=size, authority="x", token=b"x", stamped=now, taken=now, log_index=0,
            )
        )  # fmt: skip


def test_nothing_of_a_whole_life_can_be_updated_or_deleted(world: World) -> None:
    world.hold_data()
    world.unmount()
    order = world.approved()
    lease = world.agent.take()
    assert world.ask(lease).clear
    world.deposit(order.id)
    world.hand_over(lease, world.finished(lease))
    world.validate(order.id)
    swap = questions.AnnounceChange(device=world.device().id, kind=ChangeKind.RESALE, reason="nobody needs it")
    questions.announce(world.context, world.actor("custodian"), swap)
    issued = certificates.issue(world.context, world.actor("validator"), order.id)
    certificates.pdf(world.context, world.actor("auditor"), issued.number, "pt")
    cosigned_and_corrected(world)
    engine = world.context.database.engine
    with engine.connect() as connection:
        filled = {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608 - our own table names
            for table in (*IMMUTABLE, *KEPT)
        }
        column = {
            table: connection.exec_driver_sql(f"SELECT * FROM {table} LIMIT 1").keys()  # noqa: S608
            for table in IMMUTABLE
        }
    tested = 0
    for table in IMMUTABLE:
        if filled[table]:
            first = next(iter(column[table]))
            refused(world, f"UPDATE {table} SET {first} = {first}")  # noqa: S608
            refused(world, f"DELETE FROM {table}")  # noqa: S608
            tested += 1
    for table in KEPT:
        if filled[table]:
            refused(world, f"DELETE FROM {table}")  # noqa: S608
            tested += 1
    empty = {table for table, rows in filled.items() if not rows}
    assert empty <= ELSEWHERE, "a life without a case, a lot, a reading or an audit"
    assert tested == len(IMMUTABLE) + len(KEPT) - len(empty)


def test_the_logs_tree_only_grows(world: World) -> None:
    refused(world, "UPDATE log_head SET size = size - 1")
    refused(world, "UPDATE log_head SET origin = 'elsewhere/log'")
    with world.context.database.engine.connect() as connection:
        data = connection.execute(sa.text("SELECT data FROM log_tile WHERE level = 0")).scalar_one()
    altered = bytes([data[0] ^ 1]) + data[1:]
    with pytest.raises(sa.exc.DBAPIError, match=REFUSAL), world.context.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE log_tile SET data = :data WHERE level = 0"), {"data": altered})


def test_truncating_is_refused_where_the_database_can(world: World) -> None:
    if not world.context.database.is_sqlite:
        for table in IMMUTABLE:
            refused(world, f"TRUNCATE {table} CASCADE")


def test_a_reader_cannot_write(world: World) -> None:
    with (
        pytest.raises((sa.exc.DBAPIError, StorageFailed)),
        world.context.reading() as session,
    ):
        session.execute(sa.text("UPDATE person SET login = 'somebody-else'"))


def test_two_open_orders_for_one_device_are_refused_by_the_database_itself(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.approved()
    copy = sa.text(
        "INSERT INTO sanitization_order SELECT 'O-copy', state, device_id, host_id, agent_key, fingerprint, envelope_sha256,"
        " payload_sha256, nonce, plan, purpose, decision, requested_by, reason, created, expires, approvals_required, token,"
        " started, stop_requested, record_sha256, outcome_reason, version FROM sanitization_order"
    )
    with pytest.raises(ConstraintRefused), world.context.writing() as session:
        session.execute(copy)
