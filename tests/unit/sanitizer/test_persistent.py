"""Persistent memory by what sysfs says of it; the trees are those of a real kernel, some with one thing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanitizer.errors import NoTechnique
from sanitizer.host import Host
from sanitizer.persistent import Persistent, persistent
from sanitizer.planning import PlanRequest, plan
from sanitizer.readings import SysfsNames
from tests.support.made_up_drives import drive

BUS = "devices/LNXSYSTM:00/LNXSYBUS:00/ACPI0012:00/ndbus0"
ONE: dict[str, str] = {
    "nmem0/nfit/id": "8680-56341200",
    "nmem0/nfit/vendor": "0x8680",
    "nmem0/nfit/device": "0x0100",
    "nmem0/nfit/rev_id": "0x0100",
    "region0/mappings": "1",
    "region0/mapping0": "nmem0,0,67108864,0",
    "region0/size": "67108864",
    "region0/namespace0.0/size": "67108864",
    "region0/namespace0.0/mode": "raw",
}
"""As Linux 6.1 shows a module of 64 MiB without labels."""
TWO = ONE | {
    "nmem1/nfit/id": "8680-57341200",
    "region0/mappings": "2",
    "region0/mapping1": "nmem1,0,67108864,1",
    "region0/size": "134217728",
    "region0/namespace0.0/size": "134217728",
}
OTHER = {"region1/mappings": "1", "region1/mapping0": "nmem0,67108864,67108864,0", "region1/size": "67108864"}


def put(root: Path, attributes: dict[str, str], space: str = "region0/namespace0.0") -> Path:
    """The tree, and the folder of the block device on it."""
    bus = root / "sys" / BUS
    for name, value in attributes.items():
        (bus / name).parent.mkdir(parents=True, exist_ok=True)
        (bus / name).write_text(value + "\n")
    (bus / space).mkdir(parents=True, exist_ok=True)
    folder = root / "sys/block/pmem0"
    folder.mkdir(parents=True)
    (folder / "device").symlink_to(bus / space)
    return folder


def found(root: Path, attributes: dict[str, str], space: str = "region0/namespace0.0") -> Persistent:
    return persistent(put(root, attributes, space))


def test_a_module_that_is_one_namespace_is_named_and_hides_nothing(tmp_path: Path) -> None:
    told = found(tmp_path, ONE)
    assert (told.serial, told.hidden, told.virtual) == ("8680-56341200", "no", False)
    assert (told.vendor, told.model, told.firmware) == ("0x8680", "0x0100", "0x0100")


def test_interleaved_modules_are_all_named_in_their_order(tmp_path: Path) -> None:
    told = found(tmp_path, TWO)
    assert (told.serial, told.hidden) == ("8680-56341200+8680-57341200", "no")


def test_a_namespace_with_a_name_of_its_own_carries_it(tmp_path: Path) -> None:
    told = found(tmp_path, ONE | {"region0/namespace0.0/uuid": "6a3f", "region0/namespace0.0/size": "1048576"})
    assert (told.serial, told.hidden) == ("8680-56341200/6a3f", "yes")


def test_two_regions_of_one_module_are_two_devices_and_each_leaves_the_other(tmp_path: Path) -> None:
    first = found(tmp_path / "a", ONE | OTHER)
    space = {"region1/namespace1.0/size": "67108864"}
    second = found(tmp_path / "b", ONE | OTHER | space, "region1/namespace1.0")
    assert (first.serial, first.hidden) == ("8680-56341200", "yes")
    assert (second.serial, second.hidden) == ("8680-56341200@4000000", "yes")


@pytest.mark.parametrize("space", ["region0/pfn0.1", "region0/btt0.1"])
def test_tables_beside_the_data_are_hidden(tmp_path: Path, space: str) -> None:
    told = found(tmp_path, ONE | {f"{space}/size": "67108864", f"{space}/uuid": "6a3f"}, space)
    assert (told.serial, told.hidden) == ("8680-56341200/6a3f", "yes")


@pytest.mark.parametrize(
    ("lost", "serial", "hidden"),
    [
        ("nmem0/nfit/id", None, "no"),
        ("region0/mappings", None, "unknown"),
        ("region0/mapping0", None, "unknown"),
        ("region0/size", "8680-56341200", "unknown"),
        ("region0/namespace0.0/size", "8680-56341200", "unknown"),
    ],
)
def test_what_is_not_told_is_not_known(tmp_path: Path, lost: str, serial: str | None, hidden: str) -> None:
    told = found(tmp_path, {name: value for name, value in ONE.items() if name != lost})
    assert (told.serial, told.hidden) == (serial, hidden)


def test_another_region_that_cannot_be_read_leaves_it_open(tmp_path: Path) -> None:
    assert found(tmp_path, ONE | {"region1/mappings": "x"}).hidden == "unknown"


def test_memory_set_apart_by_the_kernels_command_line_has_no_name(tmp_path: Path) -> None:
    """`memmap=`: a region without modules. It is memory like any other and forgets; without a name it is never written to."""
    told = found(tmp_path, {"region0/mappings": "0", "region0/namespace0.0/size": "67108864"})
    assert (told.serial, told.hidden) == (None, "unknown")


def test_a_device_without_a_tree_says_nothing(tmp_path: Path) -> None:
    assert persistent(tmp_path / "pmem0").serial is None
    folder = put(tmp_path, {}, "elsewhere/namespace0.0")
    assert persistent(folder).serial is None


def names(root: Path, attributes: dict[str, str]) -> SysfsNames:
    put(root, attributes)
    return SysfsNames(Host(proc=root / "proc", sys=root / "sys", dev=root / "dev", run=root / "run"), "pmem0")


def test_it_is_a_kind_of_medium_of_its_own(tmp_path: Path) -> None:
    told = names(tmp_path, ONE)
    assert (told.kind, told.media(), told.transport(), told.hidden) == ("other", "pmem", "nvdimm", "no")


def test_what_a_hypervisor_imitates_is_virtual(tmp_path: Path) -> None:
    root = tmp_path / "sys/devices/pci0000:00/0000:00:05.0/virtio3/ndbus0/region0"
    (root / "namespace0.0").mkdir(parents=True)
    (root / "mappings").write_text("0\n")
    folder = tmp_path / "sys/block/pmem0"
    folder.mkdir(parents=True)
    (folder / "device").symlink_to(root / "namespace0.0")
    told = SysfsNames(Host(proc=tmp_path, sys=tmp_path / "sys", dev=tmp_path, run=tmp_path), "pmem0")
    assert (told.media(), told.transport(), told.serial) == ("virtual", "virtio-pmem", None)


PMEM = drive(None, "pmem", hidden_capacity="no")


def test_overwriting_clears_it() -> None:
    planned = plan(PlanRequest(), PMEM)
    assert (planned.technique, planned.level) == ("overwrite", "clear")
    assert "every byte of the namespace" in planned.reaches[0].reason


@pytest.mark.parametrize("technique", ["nvdimm-overwrite", "nvdimm-secure-erase"])
def test_the_modules_own_commands_are_refused_by_name_with_what_to_do_instead(technique: str) -> None:
    for method in ("clear", "purge"):
        with pytest.raises(NoTechnique) as caught:
            plan(PlanRequest(method=method, technique=technique, pattern_set="canaries"), PMEM)
        (reason,) = caught.value.reasons
        assert "is not sent here" in reason
        assert "ndctl sanitize-dimm" in reason
        assert "Overwrite the namespace by the host, which clears it" in reason


def test_purge_has_no_technique_on_it_and_says_why_of_each() -> None:
    with pytest.raises(NoTechnique) as caught:
        plan(PlanRequest(method="purge", technique="auto"), PMEM)
    told = " ".join(caught.value.reasons)
    assert "overwrite: reaches clear, never purge" in told
    assert "nvdimm-overwrite: overwriting a module" in told


def test_a_namespace_that_is_not_all_of_its_modules_is_planned_with_a_warning() -> None:
    planned = plan(PlanRequest(), drive(None, "pmem", hidden_capacity="yes"))
    assert any("raw mode over the whole region" in note for note in planned.notes)
