"""What shares a drive must be as free as the device itself before the whole drive is sanitized."""

from __future__ import annotations

import pytest

from sanitizer.errors import NeighbourInUse, Refused
from sanitizer.facts import HostFacts, Node
from sanitizer.obstacles import obstacles
from tests.unit.sanitizer.builders import host, mount, node, reading


def found(facts: HostFacts, name: str) -> list[Refused]:
    of = (facts.nodes or {})[name]
    return [each for each in obstacles(facts, reading(of), None, ()) if isinstance(each, NeighbourInUse)]


def namespace(name: str, subsystem: str | None = "nqn.one") -> Node:
    return node(name, subsystem=subsystem)


def test_a_mounted_namespace_of_the_same_drive_stands_against_it() -> None:
    other = namespace("nvme0n2")
    facts = host(namespace("nvme0n1"), other, mounts=(mount(other, "/srv"),))
    (obstacle,) = found(facts, "nvme0n1")
    assert isinstance(obstacle, NeighbourInUse)
    assert obstacle.neighbour == "/dev/nvme0n2"
    assert "/srv" in obstacle.because[0]


def test_a_mounted_partition_of_another_namespace_stands_against_it() -> None:
    part = node("nvme0n2p1", whole="nvme0n2")
    facts = host(namespace("nvme0n1"), namespace("nvme0n2"), part, mounts=(mount(part, "/srv"),))
    assert found(facts, "nvme0n1")


def test_a_held_namespace_stands_against_it() -> None:
    assert found(host(namespace("nvme0n1"), node("nvme0n2", subsystem="nqn.one", holders=("md0",))), "nvme0n1")


def test_a_namespace_seen_through_another_controller_is_of_the_same_drive() -> None:
    other = namespace("nvme1n1")
    assert found(host(namespace("nvme0n1"), other, mounts=(mount(other, "/srv"),)), "nvme0n1")


def test_another_drive_is_no_neighbour() -> None:
    other = namespace("nvme1n1", "nqn.two")
    assert not found(host(namespace("nvme0n1"), other, mounts=(mount(other, "/srv"),)), "nvme0n1")


def test_a_free_namespace_stands_against_nothing() -> None:
    assert not found(host(namespace("nvme0n1"), namespace("nvme0n2")), "nvme0n1")


@pytest.mark.parametrize(("mine", "theirs"), [(None, "nqn.one"), ("nqn.one", None), (None, None)])
def test_an_unread_subsystem_is_an_obstacle_by_itself(mine: str | None, theirs: str | None) -> None:
    (obstacle,) = found(host(namespace("nvme0n1", mine), namespace("nvme1n1", theirs)), "nvme0n1")
    assert isinstance(obstacle, NeighbourInUse)
    assert obstacle.neighbour == "unknown"


def test_an_areas_mount_on_the_same_chip_stands_against_it() -> None:
    area = node("mmcblk0gp0")
    assert found(host(node("mmcblk0"), area, node("mmcblk1"), mounts=(mount(area, "/data"),)), "mmcblk0")
    assert not found(host(node("mmcblk0"), area, node("mmcblk1"), mounts=(mount(area, "/data"),)), "mmcblk1")
