"""Whatever moves custody or state of a device is signed, and its digest stands in the log: in order, none left out."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from inventory.domain.lifecycle import TABLE
from inventory.errors import IllegalTransition
from inventory.models import Event, LogEntry
from inventory.services import devices, queries, setup
from inventory.services._transitions import DEVICE_TAGS
from inventory.services.kernel import CUSTODY_TAGS, load_envelope
from reports.envelope import open_envelope
from reports.statements import CustodyEvent
from reports.trust import open_trust_root
from tests.support.inventory_world import World


def chain(world: World, device: str) -> list[CustodyEvent]:
    """The device's custody events as the log has them, each checked like an auditor would; oldest first."""
    trust = setup.trust(world.context)
    root = open_trust_root(trust.envelope, trust.pin)
    found: list[CustodyEvent] = []
    before = None
    with world.context.reading() as session:
        rows = session.scalars(
            sa.select(LogEntry).where(LogEntry.kind == "custody", LogEntry.subject == device).order_by(LogEntry.idx)
        )
        for row in rows:
            envelope = load_envelope(session, row.sha256)
            body, _ = open_envelope(envelope, root.keys("acceptance", row.idx), "custody", exact=True)
            event = CustodyEvent.from_dict(body)
            assert (event.device, event.previous) == (device, before)
            before = row.sha256
            found.append(event)
    return found


def test_a_whole_life_is_a_chain_in_the_log(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.sanitized()
    world.change("quarantine")
    events = chain(world, world.device().id)
    assert [event.event for event in events] == [
        "device.retired",
        "device.sanitizing",
        "device.sanitized",
        "device.quarantined",
    ]
    assert [event.state for event in events] == ["retired", "sanitizing", "sanitized", "quarantined"]
    assert {event.fingerprint for event in events} == {world.device().fingerprint}
    assert events[0].actor == world.actor("custodian").ref
    assert events[0].reason == "as the test says"


def test_an_event_names_its_statement_as_evidence(world: World) -> None:
    world.change("retire")
    with world.context.reading() as session:
        event = session.scalars(sa.select(Event).where(Event.tag == "device.retired")).one()
        entry = session.scalars(sa.select(LogEntry).where(LogEntry.kind == "custody")).one()
    assert event.evidence[-1] == entry.sha256 == event.details["custody"]


def test_a_declared_device_enters_custody(world: World) -> None:
    command = devices.DeclareDevice(asset_tag="AT-1", vendor="V", model="M", serial="S")
    device = devices.declare(world.context, world.actor("custodian"), command)
    (event,) = chain(world, device.id)
    assert (event.event, event.state, event.asset_tag, event.fingerprint) == ("device.declared", "declared", "AT-1", "")


def test_what_does_not_happen_is_not_logged(world: World) -> None:
    with pytest.raises(IllegalTransition):
        world.change("report_found")
    assert chain(world, world.device().id) == []


def test_every_event_of_the_lifecycle_is_an_event_of_custody() -> None:
    assert {event for _, event in TABLE} == set(DEVICE_TAGS)
    assert set(DEVICE_TAGS.values()) <= CUSTODY_TAGS


def test_the_statement_says_the_state_the_device_is_in(world: World) -> None:
    for verb in ("quarantine", "report_missing", "report_found", "return_to_service", "retire"):
        world.change(verb)
        device = queries.device(world.context, world.actor("auditor"), world.device().id)
        assert chain(world, device.id)[-1].state == str(device.state)
