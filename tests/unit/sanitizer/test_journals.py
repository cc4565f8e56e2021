"""An ext filesystem whose journal is on a disk of its own: that disk holds what the filesystem held, and is in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanitizer.host import Host
from sanitizer.journals import Journals
from sanitizer.lineage import beneath_mount
from sanitizer.obstacles import obstacles
from tests.unit.sanitizer.builders import host, mount, node, reading

SDB, SDC, SDD = node("sdb"), node("sdc"), node("sdd")
VOLUME = node("dm-4", slaves=("sdb",), device_mapper="LVM-x")


def beneath(journals: Journals | None, kind: str = "ext4") -> tuple[tuple[str, ...], list[str]]:
    mounted = mount(VOLUME, "/srv", kind)
    found = beneath_mount(host(SDB, SDC, SDD, VOLUME, mounts=(mounted,), journals=journals), mounted)
    return found.devices, [edge.kind for edge in found.edges]


@pytest.mark.parametrize("kind", ["ext3", "ext4"])
def test_a_journal_on_another_disk_is_beneath_too(kind: str) -> None:
    assert beneath(Journals(names=("sdc",), threads={"dm-4": "jbd2/sdc"}), kind) == (("sdb", "sdc"), [])


def test_a_journal_within_the_filesystem_is_not_sought_elsewhere() -> None:
    assert beneath(Journals(names=("dm-4-8", "sdc"), threads={"dm-4": "jbd2/dm-4-8"})) == (("sdb",), [])


def test_a_filesystem_without_a_journal_has_none_elsewhere() -> None:
    assert beneath(Journals(names=("sdc",), threads={"dm-4": ""})) == (("sdb",), [])


def test_where_the_kernel_does_not_tell_whose_journal_it_is_each_may_be() -> None:
    assert beneath(Journals(names=("sdc",))) == (("sdb", "sdc"), [])
    assert beneath(Journals(names=("sdc", "sdd"))) == (("sdb", "sdc", "sdd"), ["unknown"])


def test_of_two_journals_the_one_its_thread_writes_is_taken() -> None:
    assert beneath(Journals(names=("sdc", "sdd"), threads={"dm-4": "jbd2/sdd"})) == (("sdb", "sdd"), [])


def test_long_names_that_the_kernel_cut_off_alike_are_both_taken_and_said_to_be_unknown() -> None:
    one, two = node("nvme10n1p11", whole="sdc"), node("nvme10n1p12", whole="sdd")
    mounted = mount(VOLUME, "/srv")
    journals = Journals(names=(one.name, two.name), threads={"dm-4": "jbd2/nvme10n1p1"})
    found = beneath_mount(host(SDB, SDC, SDD, VOLUME, one, two, mounts=(mounted,), journals=journals), mounted)
    assert found.devices == ("sdb", "sdc", "sdd")
    assert [edge.kind for edge in found.edges] == ["unknown"]


def test_journals_that_could_not_be_read_are_unknown() -> None:
    assert beneath(None) == (("sdb",), ["unknown"])


def test_a_disk_that_keeps_a_journal_is_in_use() -> None:
    mounted = mount(SDB, "/srv")
    facts = host(SDB, SDC, mounts=(mounted,), journals=Journals(names=("sdc",), threads={"sdb": "jbd2/sdc"}))
    codes = {each.code for each in obstacles(facts, reading(SDC), None, ())}
    assert "mounted-filesystem" in codes


def _tree(folder: Path) -> Host:
    for name in (
        "proc/fs/jbd2/sdc",
        "proc/fs/jbd2/sdd1-8",
        "sys/fs/ext4/sdb",
        "sys/fs/ext4/sdd1",
        "sys/fs/ext4/sde",
        "sys/fs/ext4/features",
    ):
        (folder / name).mkdir(parents=True)
    for filesystem, task, thread in (("sdb", "411", "jbd2/sdc"), ("sdd1", "412", "jbd2/sdd1-8")):
        (folder / f"sys/fs/ext4/{filesystem}/journal_task").write_text(f"{task}\n")
        (folder / f"proc/{task}").mkdir()
        (folder / f"proc/{task}/comm").write_text(f"{thread}\n")
    (folder / "sys/fs/ext4/sde/journal_task").write_text("<none>\n")
    return Host(proc=folder / "proc", sys=folder / "sys")


def test_the_kernel_is_asked_who_writes_which_journal(tmp_path: Path) -> None:
    found = _tree(tmp_path).journals()
    assert found is not None
    assert found.names == ("sdc", "sdd1-8")
    assert found.threads == {"sdb": "jbd2/sdc", "sdd1": "jbd2/sdd1-8", "sde": ""}


def test_a_thread_that_is_out_of_sight_is_unknown_and_not_none(tmp_path: Path) -> None:
    tree = _tree(tmp_path)
    (tmp_path / "proc/411/comm").unlink()
    found = tree.journals()
    assert found is not None
    assert "sdb" not in found.threads


def test_a_host_without_ext_filesystems_has_no_journals(tmp_path: Path) -> None:
    assert Host(proc=tmp_path, sys=tmp_path).journals() == Journals()
    (tmp_path / "fs/jbd2").mkdir(parents=True)
    assert Host(proc=tmp_path, sys=tmp_path).journals() is None
