"""Persistent memory under a real kernel: recognised, cleared by overwriting, its own commands refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .emulated import SECRET
from .vm import VM, Nvdimm

pytestmark = pytest.mark.lab

MIB = 1 << 20
SIZE = 64


def module(path: Path) -> Path:
    """A module full of data."""
    with path.open("wb") as file:
        file.write(SECRET * (SIZE * MIB // len(SECRET)))
    return path


@pytest.fixture(scope="module")
def board(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VM, Path, Path]]:
    """A machine with two modules, the second with room for labels."""
    folder = tmp_path_factory.mktemp("modules")
    first, second = module(folder / "dimm0"), module(folder / "dimm1")
    with VM(nvdimms=(Nvdimm(first, SIZE), Nvdimm(second, SIZE, label_kib=256))) as vm:
        vm.run("modprobe -a nfit nd_pmem && udevadm settle -t 20 && ls /dev/pmem0 /dev/pmem1").checked()
        yield vm, first, second


def shown(vm: VM, node: str) -> dict[str, Any]:
    found: dict[str, Any] = vm.product("show", "--json", node).checked().document
    return found


def test_it_is_recognised_by_the_names_of_its_modules(board: tuple[VM, Path, Path]) -> None:
    vm, _, _ = board
    first, second = shown(vm, "/dev/pmem0"), shown(vm, "/dev/pmem1")
    for one in (first, second):
        assert (one["kind"], one["media"], one["transport"]) == ("other", "pmem", "nvdimm")
        assert one["obstacles"] == []
        assert one["hidden_capacity"] == "no"
    serials = [one["identity"]["serial"] for one in (first, second)]
    told = vm.run("cat /sys/bus/nd/devices/nmem0/nfit/id /sys/bus/nd/devices/nmem1/nfit/id").checked().out.split()
    assert serials == told
    assert first["fingerprint"] != second["fingerprint"]


@pytest.mark.parametrize("technique", ["nvdimm-overwrite", "nvdimm-secure-erase"])
def test_the_modules_own_commands_are_refused_by_name(board: tuple[VM, Path, Path], technique: str) -> None:
    vm, first, _ = board
    refused = vm.product("plan", "--method", "purge", "--technique", technique, "/dev/pmem0")
    assert refused.status == 3
    text = " ".join(refused.out.split())
    assert "is not sent here" in text
    assert "ndctl sanitize-dimm" in text
    assert SECRET in first.read_bytes()[:MIB]


def test_purge_names_them_among_what_was_tried(board: tuple[VM, Path, Path]) -> None:
    vm, _, _ = board
    refused = vm.product("plan", "--method", "purge", "/dev/pmem0")
    assert refused.status == 3
    assert "nvdimm-overwrite" in refused.out
    assert "nvdimm-secure-erase" in refused.out


def test_overwriting_clears_every_byte_of_the_module(board: tuple[VM, Path, Path]) -> None:
    vm, first, second = board
    planned = vm.product("plan", "--json", "/dev/pmem0").checked().document
    assert (planned["technique"], planned["level"]) == ("overwrite", "clear")
    words = ("--confirm", planned["fingerprint"], "--journal-dir", "/run/pmem-journals")
    (outcome,) = vm.product("wipe", "--json", *words, "--pattern-set", "zeros", "/dev/pmem0").checked().document
    assert outcome["run"]["state"] == "succeeded"
    assert outcome["verification"]["bytes_read"] == SIZE * MIB
    assert outcome["verification"]["direct_io"]
    assert not any(first.read_bytes())
    assert second.read_bytes().count(SECRET) == SIZE * MIB // len(SECRET)
    vm.product("verify", "--json", "--pattern", "zeros", "/dev/pmem0").checked()


def test_a_filesystem_on_it_is_in_use_as_on_any_disk(board: tuple[VM, Path, Path]) -> None:
    vm, _, _ = board
    vm.run("mkfs.ext4 -q -F /dev/pmem1 && mkdir -p /mnt/pmem && mount /dev/pmem1 /mnt/pmem", 60).checked()
    try:
        codes = [each["code"] for each in shown(vm, "/dev/pmem1")["obstacles"]]
        assert "mounted-filesystem" in codes
    finally:
        vm.run("umount /mnt/pmem").checked()


def test_a_namespace_that_is_not_all_of_its_module_says_so(board: tuple[VM, Path, Path]) -> None:
    """Put into sector mode by the kernel's own files, as ndctl does it: its tables lie beside what can be addressed."""
    vm, _, _ = board
    nd = "/sys/bus/nd/devices"
    made = (
        f"cd {nd} && echo namespace1.0 > /sys/bus/nd/drivers/nd_pmem/unbind && b=$(cat region1/btt_seed) && "
        "cat /proc/sys/kernel/random/uuid > $b/uuid && echo 4096 > $b/sector_size && echo namespace1.0 > $b/namespace && "
        "modprobe nd_btt && echo $b > /sys/bus/nd/drivers/nd_pmem/bind && udevadm settle -t 20 && ls /dev/pmem1s"
    )
    vm.run(made, 60).checked()
    found = shown(vm, "/dev/pmem1s")
    assert (found["media"], found["hidden_capacity"]) == ("pmem", "yes")
    planned = vm.product("plan", "/dev/pmem1s")
    assert "raw mode over the whole region" in " ".join(planned.out.split())
    assert json.dumps(found)
