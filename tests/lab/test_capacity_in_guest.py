"""Under a real kernel: what drives say of themselves goes through the kernel's own interfaces, and hidden blocks come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .drives.sat import SataDisk
from .emulated import Emulated, nvme, sas, sata
from .rig import Rig

pytestmark = pytest.mark.lab


def shown(rig: Rig, drive: Emulated) -> dict[str, Any]:
    """`sanitizer show --json` in the guest."""
    found: dict[str, Any] = json.loads(rig.vm.product("show", "--json", drive.node).checked().out)
    return found


def test_drives_of_every_kind_are_asked_through_the_kernels_interfaces(rig: Rig) -> None:
    drives = [sata("LABSHOW1"), sas("LABSHOW2"), nvme("LABSHOW3")]
    for drive in drives:
        drive.plug(rig)
    try:
        told = [shown(rig, drive)["capabilities"] for drive in drives]
    finally:
        for drive in drives:
            drive.unplug(rig)
    first, second, third = told
    assert (first["ata"]["block_erase"], first["standing"]["phase"], first["hidden"]["present"]) == (
        "yes",
        "idle",
        "no",
    )
    assert (second["scsi"]["sanitize_block"], second["standing"]["phase"]) == ("yes", "idle")
    assert (third["nvme"]["block_erase"], third["standing"]["phase"]) == ("yes", "never")
    assert [each["nsid"] for each in third["nvme"]["namespaces"]] == [1]


def test_a_protected_area_is_found_and_given_back_and_hdparm_agrees(rig: Rig) -> None:
    drive = sata("LABHPA1")
    assert isinstance(drive.target, SataDisk)
    whole = drive.medium.blocks
    drive.target.ata.capacity.hide(hpa=4096)
    drive.plug(rig)
    try:
        before = shown(rig, drive)
        assert (before["hidden_capacity"], before["capabilities"]["hidden"]["by"]) == ("yes", ["hpa"])
        command = (
            "restore-capacity",
            drive.node,
            "--confirm",
            before["fingerprint"],
            "--state-dir",
            "/lab/state",
            "--json",
        )
        change = json.loads(rig.vm.product(*command).checked().out)
        assert (change["changed"], change["hidden_after"]["present"]) == ("hpa", "no")
        assert change["after_bytes"] == whole * 512
        assert int(rig.vm.run(f"blockdev --getsz {drive.node}").checked().out) == whole
        assert f"{whole}/{whole}" in rig.vm.run(f"hdparm -N {drive.node}").checked().out
        assert shown(rig, drive)["hidden_capacity"] == "no"
    finally:
        drive.unplug(rig)
