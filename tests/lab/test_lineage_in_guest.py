"""Every stack of storage Debian offers, built under a real kernel, leads to the disks it was built on; a swapped member too.

Two machines for all of them: each stack is built beside the others, as on a host that has them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.capabilities import requires_tool

from .kernel import CACHE, ROOT
from .vm import VM

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(1800),
    requires_tool("mdadm", "lvm", "cryptsetup", "integritysetup", "mkfs.btrfs"),
]

HERE = (
    "raid-luks-lvm",
    "raid5",
    "lvm-snapshot",
    "lvm-mirror",
    "lvm-moved",
    "thin",
    "cache",
    "integrity",
    "btrfs",
    "btrfs-grown",
    "zfs",
    "multipath",
    "bind",
    "overlay",
    "swap",
    "swap-file",
    "core-dumps",
    "sqlite",
)
ALSO_HERE = (
    "bcache",
    "lvm-thin",
    "lvm-cache",
    "lvm-writecache",
    "lvm-integrity",
    "luks-integrity",
    "journal",
    "postgresql",
    "mariadb",
)
ELSEWHERE = {
    "nbd": "is a network block device, whose disks are elsewhere",
    "nfs": "whose disks are elsewhere",
    "iscsi": "is reached over iSCSI: its disks are in another machine",
    "nvme-tcp": "is reached over NVMe over TCP: its disks are in another machine",
}
HALVES = (
    (*HERE, "file-on-raid", "nbd", "nfs"),
    (*ALSO_HERE, "iscsi", "nvme-tcp"),
)
"""What is built in one machine: all of it at once does not fit into its memory, where the disks are."""
NVME_MIB = 64


def _unpacked() -> dict[str, str]:
    """Where the guest finds what `tools/bootstrap lab` unpacked."""
    tools = CACHE / "tools"
    if not (tools / ".packages").exists():
        pytest.fail(f"no unpacked tools in {tools}: run tools/bootstrap lab")
    servers = [*tools.glob("usr/lib/postgresql/*/bin"), *Path("/usr/lib/postgresql").glob("*/bin")]
    places = [*servers[:1], *(tools / name for name in ("usr/sbin", "sbin", "usr/bin", "bin"))]
    libraries = [tools / name / "x86_64-linux-gnu" for name in ("usr/lib", "lib")]
    return {
        "PATH": ":".join([*map(str, places), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        "LVM_SUPPRESS_FD_WARNINGS": "1",
    }


def _a_bay_with_a_lamp(folder: Path) -> list[str]:
    """An NVMe drive in a hot-plug slot. The port's own hot-plug, as on a board with bays: the one by ACPI has no lamps."""
    medium = folder / "bay"
    with medium.open("wb") as opened:
        opened.truncate(NVME_MIB << 20)
    return [
        *("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"),
        *("-device", "pcie-root-port,id=bay,bus=pcie.0,chassis=1,slot=1"),
        *("-drive", f"file={medium},if=none,id=inbay,format=raw", "-device", "nvme,bus=bay,serial=LABBAY1,drive=inbay"),
    ]


class Built(dict[str, Any]):
    """What the guests found, stack by stack; the machine of a stack is started when it is first asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self._folders = folders

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 - JSON
        half = next((half for half in HALVES if name in half), HALVES[0])
        told = " ".join(f"{key}={value}" for key, value in _unpacked().items())
        with VM(devices=_a_bay_with_a_lamp(self._folders.mktemp("stacks"))) as vm:
            line = f"{ROOT}/.venv/bin/python -m tests.lab.guest.lineage_stacks {' '.join(half)}"
            ran = vm.run(f"cd {ROOT} && {told} {line}", 800)
        found = json.loads(ran.checked().out.splitlines()[-1])
        self.update(found)
        return found[name]


@pytest.fixture(scope="module")
def built(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What the guests found."""
    return Built(tmp_path_factory)


@pytest.mark.parametrize("name", [*HERE, *ALSO_HERE])
def test_a_stack_leads_to_the_disks_it_was_built_on(built: Built, name: str) -> None:
    told = built[name]
    assert "failed" not in told, told
    assert told["found"] == told["expected"], told["steps"]
    assert told["unresolved"] == []
    assert {step[1] for step in told["steps"]} >= {node.removeprefix("/dev/") for node in told["expected"]}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_stack_over_a_network_is_named_as_leaving_this_host(built: Built, name: str) -> None:
    told = built[name]
    assert "failed" not in told, told
    assert told["found"] == told["expected"], told["steps"]
    assert [text for text in told["unresolved"] if ELSEWHERE[name] in text], told


def test_a_disk_image_is_a_medium_and_what_carries_its_file_is_told(built: Built) -> None:
    told = built["file-on-raid"]
    assert "failed" not in told, told
    assert told["found"] == told["expected"]
    assert len([text for text in told["carriers"] if "a backing file lies on /dev/loop" in text]) == 2


def test_the_lamp_of_a_real_slot_blinks_to_be_pulled_and_shines_at_what_failed(built: Built) -> None:
    assert built["lamps"]["shown"] == ["2", "1", "2", "0"]
