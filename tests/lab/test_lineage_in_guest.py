"""Every stack of storage Debian offers, built under a real kernel, leads to the disks it was built on; a swapped member too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.capabilities import requires_tool

from .kernel import ROOT
from .vm import VM

pytestmark = [pytest.mark.lab, requires_tool("mdadm", "lvm", "cryptsetup", "integritysetup", "mkfs.btrfs")]

STACKS = (
    "raid-luks-lvm",
    "lvm-snapshot",
    "lvm-mirror",
    "thin",
    "cache",
    "integrity",
    "btrfs",
    "multipath",
    "bind",
    "swap",
)


@pytest.fixture(scope="module")
def built(lab: None) -> dict[str, Any]:
    """What the guest found, stack by stack."""
    with VM() as vm:
        line = f"cd {ROOT} && LVM_SUPPRESS_FD_WARNINGS=1 {ROOT}/.venv/bin/python -m tests.lab.guest.lineage_stacks"
        found: dict[str, Any] = json.loads(vm.run(line, 600).checked().out.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_leads_to_the_disks_it_was_built_on(built: dict[str, Any], name: str) -> None:
    told = built[name]
    assert "failed" not in told, told
    assert told["found"] == told["expected"], told["steps"]
    assert told["unresolved"] == []
    assert {step[1] for step in told["steps"]} >= {node.removeprefix("/dev/") for node in told["expected"]}
