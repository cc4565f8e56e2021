"""Hosts recorded by installers (curtin, subiquity), followed by our rules to the disks their own probe found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sanitizer.facts import Mount, Node
from sanitizer.lineage import beneath_mount
from tests.support.capabilities import RECORDINGS, requires_recordings
from tests.unit.sanitizer.builders import host, node

pytestmark = [requires_recordings, pytest.mark.recordings]
HOSTS = ["curtin_bogus_wwn", "curtin_imsm_with_parts", "curtin_raid1_partitions", "curtin_zfs", "subiquity_multipath",
         "subiquity_mwhudson"]  # fmt: skip


def name_of(path: str) -> str:
    return path.removeprefix("/dev/")


def nodes_of(probed: dict[str, Any]) -> dict[str, Node]:
    """Each device as the kernel told it: its place, its number, and for what is assembled the members udev and LVM name."""
    members: dict[str, set[str]] = {}
    known = {name_of(path): facts for path, facts in probed["blockdev"].items()}
    for name, facts in known.items():
        given = {value for key, value in facts.items() if re.fullmatch(r"(UDISKS_)?MD_DEVICE_.*_DEV", key)}
        members[name] = {name_of(path) for path in given}
    names = {f"/dev/mapper/{facts['DM_NAME']}": name for name, facts in known.items() if "DM_NAME" in facts}
    for facts in (probed.get("dmcrypt") or {}).values():
        members.setdefault(facts["blkdevname"], set()).add(facts["blkdevs_used"])
    groups = (probed.get("lvm") or {}).get("volume_groups", {})
    volumes = (probed.get("lvm") or {}).get("logical_volumes", {})
    for facts in volumes.values():
        path = facts["fullname"].replace("-", "--").replace("/", "-")
        for name, device in known.items():
            if device.get("DM_NAME") in {path, facts["fullname"].replace("/", "-")}:
                members[name] = {names.get(each, name_of(each)) for each in groups[facts["volgroup"]]["devices"]}
    for each in (probed.get("multipath") or {}).get("paths", ()):
        for name, device in known.items():
            if device.get("DM_NAME") == each["multipath"]:
                members.setdefault(name, set()).add(each["device"])
    made = {}
    for name, facts in known.items():
        whole = facts["DEVPATH"].split("/")[-2] if facts["DEVTYPE"] == "partition" else None
        made[name] = node(
            name,
            whole=whole,
            device_number=facts["attrs"]["dev"],
            slaves=tuple(sorted(members.get(name, ()))),
            device_mapper=facts.get("DM_UUID") if name.startswith("dm-") else None,
            label=facts.get("DM_NAME"),
        )
    return made


def mounts_of(tree: list[dict[str, Any]], nodes: dict[str, Node], links: dict[str, list[str]]) -> Iterator[Mount]:
    for each in tree:
        source = re.sub(r"\[.*", "", each["source"])
        under = next((n for n in nodes.values() if source in {n.path, f"/dev/mapper/{n.label}", *links[n.name]}), None)
        yield Mount(
            mount_id=abs(hash(each["target"])), parent_id=1, device_number=under.device_number if under else "0:1",
            root="/", mount_point=each["target"], filesystem=each["fstype"], source=source,
            options=tuple(each["options"].split(",")),
        )  # fmt: skip
        yield from mounts_of(each.get("children", []), nodes, links)


@pytest.mark.parametrize("name", HOSTS)
def test_every_mount_leads_to_the_disks_the_recorded_host_named_or_says_that_it_does_not(name: str) -> None:
    probed = json.loads((RECORDINGS / "trees" / f"{name}.probert.json").read_text())
    probed = probed.get("storage", probed)
    expected = json.loads((RECORDINGS / "trees" / f"{name}.expected.json").read_text())["expected"]
    nodes = nodes_of(probed)
    links = {name_of(path): facts.get("DEVLINKS", "").split() for path, facts in probed["blockdev"].items()}
    mounts = tuple(mounts_of(probed["mount"], nodes, links))
    facts = host(*nodes.values(), mounts=mounts)
    assert expected["mounts"], "a recording without a mount shows nothing"
    for each in expected["mounts"]:
        found = beneath_mount(facts, next(m for m in mounts if m.mount_point == each["mount"]))
        if each["fstype"] == "zfs":  # a recording has no labels: never followed, always named
            assert (found.devices, len(found.edges)) == ((), 1)
            continue
        assert sorted(f"/dev/{device}" for device in found.devices) == sorted(each["physical"]), each["mount"]
        assert found.edges == ()
