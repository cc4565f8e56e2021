"""Several at once, on both databases: one lease, one number each, one log; and a whole life on each."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest
import sqlalchemy as sa

from inventory.db import Database
from inventory.domain.vocabulary import DeviceState, HoldingState, RecordStanding, Zone
from inventory.errors import ConstraintRefused, InventoryError, Replayed, StaleVersion
from inventory.models import Counter, Device, LogCheckpoint, LogEntry, Record
from inventory.services import certificates, leases, nonces, places, setup, transparency
from reports.bundle import DestructionBundle, read_file
from reports.tlog import leaf_hash, verify_consistency
from reports.verify_run import RunChecks
from reports.verify_steps import run_steps
from tests.support.inventory_world import World

Result = TypeVar("Result")


def at_once(number: int, act: Callable[[int], Result]) -> list[Result | InventoryError]:
    """Run `act` in so many threads that begin together."""
    barrier = threading.Barrier(number)
    results: list[Result | InventoryError] = []

    def run(index: int) -> None:
        barrier.wait(timeout=30)
        try:
            results.append(act(index))
        except InventoryError as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == number
    return results


def test_two_claimers_of_one_order_get_one_lease(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.approved()
    actor = world.agent.actor
    replies = at_once(6, lambda _: leases.acquire(world.context, actor))
    leased = [reply for reply in replies if not isinstance(reply, InventoryError) and reply.lease is not None]
    assert len(leased) == 1


def test_one_record_submitted_twice_at_once_is_accepted_once(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.approved()
    lease = world.agent.take()
    assert world.ask(lease).clear
    record = world.finished(lease)
    replies = at_once(4, lambda _: world.hand_over(lease, record))
    assert sorted(reply.new for reply in replies if not isinstance(reply, InventoryError)) == [
        False,
        False,
        False,
        True,
    ]
    with world.context.reading() as session:
        (row,) = session.scalars(sa.select(Record)).all()
    assert row.standing is RecordStanding.CURRENT


def test_a_nonce_sent_twice_at_once_is_spent_once(world: World) -> None:
    now = world.clock.now()
    results = at_once(5, lambda _: nonces.spend(world.context, "0" * 64, "n" * 16, now))
    assert sum(isinstance(result, Replayed) for result in results) == 4


def test_writers_at_once_make_one_unbroken_log_and_distinct_numbers(world: World) -> None:
    before = transparency.checkpoint(world.context)

    def work(index: int) -> str:
        agent = world.enrol_agent(f"host-{index}", [])
        command = places.CreateLocation(name=f"Room {index}", zone=Zone.SECURE)
        return f"{agent.host} {places.create_location(world.context, world.actor('custodian'), command).id}"

    made = at_once(6, work)
    assert len({str(one) for one in made}) == 6
    assert not [one for one in made if isinstance(one, InventoryError)]
    with world.context.reading() as session:
        rows = session.scalars(sa.select(LogEntry).order_by(LogEntry.idx)).all()
        assert [row.idx for row in rows] == list(range(before.size + 6))
        assert all(leaf_hash(row.entry) == row.leaf for row in rows)
        checkpoints = session.scalars(sa.select(LogCheckpoint).order_by(LogCheckpoint.size)).all()
        for old, new in itertools.pairwise(checkpoints):
            proof = world.context.ledger.consistency(session, old.size, new.size)
            verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_a_change_based_on_an_old_version_loses(world: World) -> None:
    with world.context.reading() as session:
        stale = session.scalars(sa.select(Device).order_by(Device.id)).first()
    assert stale is not None
    with world.context.writing() as session:
        session.get_one(Device, stale.id).source = "first"

    def write_again() -> None:
        with world.context.writing() as session:
            session.add(stale)
            stale.source = "second"

    with pytest.raises(StaleVersion):
        write_again()


def test_two_processes_never_write_from_the_same_reading(world: World) -> None:
    """Each process has its own lock; what serializes them is the database (BEGIN IMMEDIATE, the advisory lock)."""
    databases = [Database(world.context.settings.url) for _ in range(2)]

    def count(index: int) -> None:
        for _ in range(10):
            with databases[index].writing() as session:
                counter = session.get(Counter, "race") or Counter(series="race", last=0)
                session.add(counter)
                counter.last += 1

    try:
        assert at_once(2, count) == [None, None]
    finally:
        for database in databases:
            database.close()
    with world.context.reading() as session:
        assert session.get_one(Counter, "race").last == 20


def test_a_broken_reference_is_refused_and_nothing_remains(world: World) -> None:
    with pytest.raises(ConstraintRefused), world.context.writing() as session:
        session.add(Device(id="D-x", state=DeviceState.DECLARED, created=world.clock.now(), location_id="L-none"))
    with world.context.reading() as session:
        assert session.get(Device, "D-x") is None


def test_a_savepoint_rolled_back_within_a_transaction_leaves_nothing(world: World) -> None:
    """The driver's default mode kept such rows (stack.md, 2.1)."""
    with world.context.writing() as session:
        with session.begin_nested():
            session.add(Device(id="D-kept", state=DeviceState.DECLARED, created=world.clock.now()))
        nested = session.begin_nested()
        session.add(Device(id="D-gone", state=DeviceState.DECLARED, created=world.clock.now()))
        session.flush()
        nested.rollback()

    def fail_after_a_savepoint() -> None:
        with world.context.writing() as session:
            with session.begin_nested():
                session.add(Device(id="D-also-gone", state=DeviceState.DECLARED, created=world.clock.now()))
            raise RuntimeError("the use case failed afterwards")

    with pytest.raises(RuntimeError):
        fail_after_a_savepoint()
    with world.context.reading() as session:
        found = set(session.scalars(sa.select(Device.id)))
    assert "D-kept" in found
    assert not {"D-gone", "D-also-gone"} & found


def test_a_whole_life_ends_in_a_bundle_the_offline_verifier_accepts(world: World) -> None:
    world.hold_data()
    world.unmount()
    order = world.sanitized()
    assert world.device().holdings[0].state is HoldingState.COVERED
    number = certificates.issue(world.context, world.actor("validator"), order.id).number
    bundle = read_file(certificates.bundle(world.context, world.actor("auditor"), number))
    assert isinstance(bundle, DestructionBundle)
    checks, _ = run_steps(RunChecks(bundle, setup.trust(world.context).pin).steps())
    assert [check.detail for check in checks if check.state == "failed"] == []


def test_an_inventory_is_opened_again_as_it_was_left(world: World) -> None:
    pin = setup.trust(world.context).pin
    world.context.database.close()
    again = setup.initialise(world.context.settings, world.clock)
    try:
        assert setup.trust(again).pin == pin
        assert transparency.checkpoint(again) == transparency.checkpoint(world.context)
    finally:
        again.database.close()
