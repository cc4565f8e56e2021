"""Every pair of state and event, through the services that people, agents and clocks use: the table, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.lifecycle import TABLE, DeviceEvent
from inventory.domain.vocabulary import DeviceState, ValidationDecision, Zone
from inventory.errors import InventoryError
from inventory.models import Device, Event, Record
from inventory.services import destruction, devices, disposal, places, waivers
from inventory.services._revocation import contradict
from inventory.services._transitions import DEVICE_TAGS
from tests.support.console_agent import Disk
from tests.support.inventory_world import World, copied_world, failed_record, refused_record

E, S = DeviceEvent, DeviceState
DISKS = [
    Disk("Seagate", "ST4000NM0035", f"ZC1LIFE{number}", 4_000_787_030_016, path=f"/dev/sd{chr(98 + number)}")
    for number in range(7)
]
CLEAN, RECORDED, RUNNING, LEASED, BROKEN, WAIVED, UNSEEN = DISKS


@dataclass
class Stage:
    """A world in which each event waits for its deed; nothing that is rehearsed is kept."""

    world: World
    deeds: dict[DeviceEvent, tuple[str, Callable[[], object]]] = field(default_factory=dict)
    """Event -> number of its device, and the call that causes it."""

    def rehearse(self, state: DeviceState, event: DeviceEvent) -> tuple[DeviceState, list[str], bool]:
        """The state afterwards, the tags of the history, and whether the service refused; all of it rolled back."""
        device, deed = self.deeds[event]
        seen: list[tuple[DeviceState, list[str]]] = []
        database = self.world.context.database

        @contextmanager
        def rolled_back() -> Iterator[Session]:
            with Session(database.engine, expire_on_commit=False) as session:
                session.info["writing"] = True
                last = session.scalar(sa.select(sa.func.max(Event.id))) or 0
                session.execute(sa.update(Device).where(Device.id == device).values(state=state))
                try:
                    yield session
                    session.flush()
                finally:
                    if session.is_active:
                        after = session.scalars(sa.select(Device.state).where(Device.id == device)).one()
                        tags = sa.select(Event.tag).where(
                            Event.id > last, Event.subject_kind == "device", Event.subject == device
                        )
                        seen.append((after, list(session.scalars(tags))))
                    session.rollback()

        original = database.writing
        database.writing = rolled_back  # type: ignore[method-assign]  # put back below
        refused = False
        try:
            deed()
        except InventoryError:
            refused = True
        except sa.exc.NoResultFound:
            assert event in {E.RUN_UNTOUCHED, E.RUN_FAILED}, "the reply is read after the transaction, which is gone"
        finally:
            database.writing = original  # type: ignore[method-assign]
        after, tags = seen[-1]
        return after, tags, refused


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("life") / "data"
    with copied_world(folder) as world:
        yield _set(world)


def _set(world: World) -> Stage:
    """One device for each kind of deed, brought to where the deed is the next thing."""
    context, custodian = world.context, world.actor("custodian")
    world.agent = world.enrol_agent("life-01", list(DISKS[:-1]))
    world.agent.observe()
    world.hold_data(CLEAN)
    world.agent.observe(("CRM production", "/srv/crm", tuple(DISKS[:-1]), ()))
    world.unmount()
    world.sanitized(CLEAN)
    recorded = world.recorded(RECORDED)
    world.approved(RUNNING)
    running = world.agent.take()
    assert world.ask(running).clear
    world.approved(LEASED)
    leased = world.agent.take()
    world.clock.forward(minutes=1)  # both leases still hold
    finished = world.agent.record(running)
    place = places.create_location(context, custodian, places.CreateLocation(name="Vault", zone=Zone.SECURE))
    for disk in (BROKEN, WAIVED):
        world.change("retire", disk)
    number = destruction.record_destruction(
        context, world.actor("operator"),
        destruction.RecordDestruction(
            kept_elsewhere="the works",
            device=world.device(BROKEN).id, method="shred", machine="Shredder 1", facility="Yard",
            performed=world.clock.now(), evidence=("a" * 64,), serial_read=BROKEN.serial,
        ),
    ).id  # fmt: skip
    destruction.witness_destruction(context, world.actor("all-hands"), number, "I stood beside the machine.")
    waiver = waivers.open_waiver(
        context, custodian,
        waivers.OpenWaiver(
            device=world.device(WAIVED).id, destination="Lessor", reason="dead electronics, lease ends", role="custodian",
            expires=world.clock.now() + timedelta(days=7),
        ),
    ).id  # fmt: skip
    waivers.countersign_waiver(context, world.actor("privacy"), waiver, "privacy_officer")
    declared = devices.declare(context, custodian, devices.DeclareDevice(asset_tag="AT-LIFE", serial=UNSEEN.serial)).id
    found = Stage(world)
    clean = world.device(CLEAN).id

    def change(verb: Callable[..., object]) -> tuple[str, Callable[[], object]]:
        return clean, lambda: verb(context, custodian, devices.ChangeState(device=clean, reason="as the test says"))

    def observe() -> None:
        world.agent.disks.append(UNSEEN)
        try:
            world.agent.observe(("CRM production", "/srv/crm", (), ()))
        finally:
            world.agent.disks.remove(UNSEEN)

    def contradicted() -> None:
        with context.writing() as session:
            standing = session.get_one(Device, clean).standing_record
            contradict(session, context, session.get_one(Record, standing), "other content", evidence=["b" * 64])

    def decided(decision: ValidationDecision) -> tuple[str, Callable[[], object]]:
        return world.device(RECORDED).id, lambda: world.validate(recorded.id, decision)

    decide = destruction.DecideDestruction(
        destruction=number, decision=ValidationDecision.APPROVE, reason="as the photographs show"
    )
    release = disposal.ReleaseDevice(
        device=clean, destination=disposal.Destination(location=place.id), reason="as the test says"
    )
    found.deeds = {
        E.OBSERVE: (declared, observe),
        E.PLACE_IN_SERVICE: change(devices.place_in_service),
        E.RELOCATE: (
            clean,
            lambda: devices.move(
                context, custodian, devices.MoveDevice(device=clean, location=place.id, reason="as the test says")
            ),
        ),
        E.RETIRE: change(devices.retire),
        E.QUARANTINE: change(devices.quarantine),
        E.RETURN_TO_SERVICE: change(devices.return_to_service),
        E.REPORT_MISSING: change(devices.report_missing),
        E.FIND: change(devices.report_found),
        E.RELEASE: (clean, lambda: disposal.release(context, custodian, release)),
        E.START_RUN: (world.device(LEASED).id, lambda: world.ask(leased)),
        E.RUN_UNTOUCHED: (world.device(RUNNING).id, lambda: world.hand_over(running, refused_record(finished))),
        E.RUN_FAILED: (world.device(RUNNING).id, lambda: world.hand_over(running, failed_record(finished))),
        E.VALIDATION_APPROVED: decided(ValidationDecision.APPROVE),
        E.VALIDATION_REJECTED: decided(ValidationDecision.REJECT),
        E.READING_CONTRADICTED: (clean, contradicted),
        E.DESTROY: (
            world.device(BROKEN).id,
            lambda: destruction.decide_destruction(context, world.actor("validator"), decide),
        ),
        E.RETURN_BY_WAIVER: (
            world.device(WAIVED).id,
            lambda: waivers.return_by_waiver(context, custodian, waiver),
        ),
    }
    return found


def test_every_event_has_its_deed(stage: Stage) -> None:
    assert set(stage.deeds) == set(E)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(S, E)), ids=str)
def test_the_services_do_what_the_table_says_and_nothing_else(
    stage: Stage, state: DeviceState, event: DeviceEvent
) -> None:
    after, tags, refused = stage.rehearse(state, event)
    wanted = TABLE.get((state, event))
    if wanted is None:
        assert after is state, "what the table does not have changes no state, whatever was asked"
        assert str(DEVICE_TAGS[event]) not in tags or refused
        return
    assert (after, refused) == (wanted, False)
    assert str(DEVICE_TAGS[event]) in tags, "each change stands in the history"
