"""What is attached, in the contract's words; and other readings of the same kernel held against it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import sanitizer
from agents import discovery
from agents.clock import SystemClock
from agents.permission import find_medium, medium_facts
from agents.refusals import DeviceAmbiguous, DeviceNotAttached
from inventory.contract.v1.agents import DeclaredPath
from tests.support.agent_world import SimEngine
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem


@pytest.fixture
def engine() -> SimEngine:
    system = SimulatedSystem(SimulatedDrive())
    return SimEngine(lambda: system)


@pytest.fixture
def no_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "udev_disks", set)
    monkeypatch.setattr(discovery, "mounted_disks", dict)


@pytest.mark.usefixtures("no_disks")
def test_a_free_device_is_told_with_its_identity(engine: SimEngine) -> None:
    (device,) = discovery.observe(engine, (), SystemClock()).devices
    assert device.identity is not None
    assert device.identity.fingerprint == engine.list_devices()[0].fingerprint
    assert device.identity.serial == "SIM-0001"
    assert device.obstacles == ()


def test_a_device_the_mount_table_knows_and_the_sanitizer_does_not_is_no_free_device(
    engine: SimEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "udev_disks", set)
    monkeypatch.setattr(discovery, "mounted_disks", lambda: {"/dev/sim": ("/srv/crm",)})
    (device,) = discovery.observe(engine, (), SystemClock()).devices
    assert [obstacle.code for obstacle in device.obstacles] == ["readings-disagree"]
    assert "/srv/crm" in device.obstacles[0].summary
    assert discovery.disagreement(engine.list_devices()[0]) is not None


@pytest.mark.usefixtures("no_disks")
def test_a_disk_the_sanitizer_overlooked_is_shown_and_never_ordered(
    engine: SimEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "udev_disks", lambda: {"/dev/sim", "/dev/sdq"})
    devices = discovery.observe(engine, (), SystemClock()).devices
    (overlooked,) = [device for device in devices if device.path == "/dev/sdq"]
    assert overlooked.identity is None
    assert [obstacle.code for obstacle in overlooked.obstacles] == ["not-inspected"]


@pytest.mark.usefixtures("no_disks")
def test_what_cannot_be_followed_is_named(engine: SimEngine) -> None:
    declared = DeclaredPath(data_set="crm", path="/srv/crm")
    (mapping,) = discovery.observe(engine, (declared,), SystemClock()).paths
    assert mapping.unresolved == ("simulated",)


def test_the_mount_table_is_followed_down_to_whole_disks() -> None:
    for disk in discovery.mounted_disks():
        assert Path("/sys/block", Path(disk).name).exists()


def test_the_medium_is_found_by_fingerprint_wherever_it_is(engine: SimEngine) -> None:
    (device,) = engine.list_devices()
    assert device.fingerprint is not None
    assert find_medium([device], device.fingerprint, "/dev/sdz") is device
    with pytest.raises(DeviceNotAttached) as missing:
        find_medium([device], "0" * 64, device.path)
    assert missing.value.found_there == device.fingerprint
    with pytest.raises(DeviceNotAttached) as gone:
        find_medium([], "0" * 64, "/dev/sdz")
    assert gone.value.found_there is None


def test_one_fingerprint_at_two_places_is_nobodys(engine: SimEngine) -> None:
    (device,) = engine.list_devices()
    assert device.fingerprint is not None
    twin = dataclasses.replace(device, path="/dev/sim2")
    with pytest.raises(DeviceAmbiguous, match="/dev/sim2"):
        find_medium([device, twin], device.fingerprint, "")


def test_an_unknown_transport_is_no_transport(engine: SimEngine) -> None:
    (device,) = engine.list_devices()
    assert medium_facts(device).transport == "sata"
    unknown: sanitizer.Inspection = dataclasses.replace(device, transport="unknown")
    assert medium_facts(unknown).transport is None
