"""An invented organisation on both databases: refused beside anything real, and its evidence holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.domain.lots import LotState
from inventory.domain.samples import SampleState
from inventory.domain.vocabulary import DeviceState, OrderState, ValidationDecision
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.models import Destruction, Device, Event, Host, LogEntry, Lot, Order, Person, Sample
from inventory.services import certificates, seeding, setup, transparency
from inventory.services.context import Context
from inventory.services.kernel import CUSTODY_TAGS, load_envelope
from inventory.settings import Settings
from reports.envelope import unverified_body
from reports.keys import FileSigner
from reports.tlog import Frontier, leaf_hash
from reports.verify import verify
from tests.support.inventory_world import FixedClock
from tests.year.invariants import Watch

SEED = seeding.Seed(devices=70, stories=10, signed=40, batch=30, years=2)


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Any:  # noqa: ANN401 - a generator
    context = setup.initialise(Settings(data_dir=tmp_path / "data", database_url=database_url), FixedClock())
    yield context
    context.database.close()


def _company(context: Context, folder: Path) -> None:
    done = seeding.fill(context, SEED, keys=folder)
    assert (done.devices, done.orders) == (83, 10)


def test_what_is_invented_holds_together(empty: Context, tmp_path: Path) -> None:
    _company(empty, tmp_path / "keys")
    with empty.reading() as session:
        first = session.scalars(sa.select(Event).order_by(Event.id)).all()
        told = next(one for one in first if one.tag == Tag.SERVICE_SEEDED)
        assert "invented" in told.reason
        _every_entry_hashes_to_the_signed_root(session, empty)
        _custody_is_a_chain(session, empty)
        _every_state_is_the_last_one_told(session)
        _every_queue_has_something(session)
        key_ids = set(session.scalars(sa.select(Host.key_id)))
    kept = {FileSigner.load(file).key_id for file in (tmp_path / "keys").glob("H-*.pem")}
    assert kept < key_ids, "of every host but the wiping station"
    Watch(empty).look("seed")
    _a_certificate_verifies(empty)
    with pytest.raises(Conflict, match="not empty"):
        seeding.fill(empty, SEED)


def _every_entry_hashes_to_the_signed_root(session: Any, context: Context) -> None:  # noqa: ANN401 - a session
    entries = session.scalars(sa.select(LogEntry).order_by(LogEntry.idx)).all()
    assert [one.idx for one in entries] == list(range(len(entries)))
    frontier, _ = Frontier().extend(leaf_hash(one.entry) for one in entries)
    signed, _, _ = context.ledger.checkpoint(session)
    assert (frontier.size, frontier.root()) == (signed.size, signed.root)


def _custody_is_a_chain(session: Any, context: Context) -> None:  # noqa: ANN401 - a session
    logged = dict(session.execute(sa.select(LogEntry.sha256, LogEntry.idx)).all())
    last: dict[str, str] = {}
    place: dict[str, int] = {}
    for event in session.scalars(sa.select(Event).where(Event.tag.in_(CUSTODY_TAGS)).order_by(Event.id)):
        number = int(event.device_id.removeprefix("D-"))
        if 40 < number <= 70:
            assert "custody" not in event.details, "of so many devices as were asked for, and no more"
            continue
        digest = event.details["custody"]
        body = unverified_body(load_envelope(session, digest), "custody")
        assert body["previous"] == last.get(event.device_id)
        assert (body["device"], body["event"]) == (event.device_id, event.tag)
        assert logged[digest] > place.get(event.device_id, 0)
        last[event.device_id], place[event.device_id] = digest, logged[digest]
    assert len(last) > 40


def _every_state_is_the_last_one_told(session: Any) -> None:  # noqa: ANN401 - a session
    for device in session.scalars(sa.select(Device)):
        moves = session.scalars(
            sa.select(Event).where(Event.device_id == device.id, Event.tag.like("device.%")).order_by(Event.id)
        ).all()
        told = [one.details["to"] for one in moves if "to" in one.details]
        assert not told or told[-1] == device.state
        assert device.site_id is not None


def _every_queue_has_something(session: Any) -> None:  # noqa: ANN401 - a session
    states = set(session.scalars(sa.select(Order.state)))
    assert {OrderState.REQUESTED, OrderState.RECORDED, OrderState.FAILED, OrderState.VALIDATED} <= states
    found = set(session.scalars(sa.select(Device.state)))
    assert {DeviceState.SANITIZED, DeviceState.FAILED, DeviceState.SANITIZING, DeviceState.DESTROYED} <= found
    assert DeviceState.RETURNED_UNSANITIZED_BY_WAIVER in found
    assert {lot.state for lot in session.scalars(sa.select(Lot))} == {LotState.OPEN, LotState.CLOSED}
    assert session.scalars(sa.select(Sample.state)).all() == [SampleState.OPEN]
    assert {one.decision for one in session.scalars(sa.select(Destruction))} == {None, ValidationDecision.APPROVE}


def _a_certificate_verifies(context: Context) -> None:
    from inventory.domain.roles import Role  # noqa: PLC0415 - of this step
    from inventory.domain.scopes import EVERYTHING  # noqa: PLC0415
    from inventory.services.context import Actor  # noqa: PLC0415

    with context.reading() as session:
        order = session.scalars(sa.select(Order.id).where(Order.state == OrderState.VALIDATED).limit(1)).one()
        ref = session.scalars(sa.select(Person.ref).where(Person.login == "custodian")).one()
    actor = Actor(ref, "person", frozenset({Role.CUSTODIAN}), scope=EVERYTHING)
    number = certificates.issue(context, actor, order).number
    bundle = certificates.bundle(context, actor, number)
    assert verify(bundle, transparency.trust(context).pin).yes


@pytest.mark.parametrize("field", ["devices", "years", "stories", "steps", "batch"])
def test_impossible_numbers_are_refused_before_anything_is_written(tmp_path: Path, field: str) -> None:
    context = setup.initialise(Settings(data_dir=tmp_path / "data"), FixedClock())
    with pytest.raises(Invalid):
        seeding.fill(context, seeding.Seed(**{field: -1}))
    with context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0
    context.database.close()
