"""How large the devices may be, and what must be there before anything is made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.errors import CannotMeasure

MIB, GIB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("free", "size"), [(64 * GIB, 4 * GIB), (16 * GIB, 4 * GIB), (3 * GIB, 768 * MIB), (1100 * MIB, 256 * MIB)]
)
def test_devices_take_a_quarter_of_what_is_free_and_never_more_than_4_gib(free: int, size: int) -> None:
    assert machine.choose_size(free, None) == size


def test_a_wanted_size_is_kept_in_whole_64_mib() -> None:
    assert machine.choose_size(16 * GIB, 1000 * MIB) == 960 * MIB


@pytest.mark.parametrize(("free", "wanted"), [(100 * MIB, None), (1 * GIB, 960 * MIB), (16 * GIB, 10 * MIB)])
def test_no_room_is_said_and_not_tried(free: int, wanted: int | None) -> None:
    with pytest.raises(CannotMeasure):
        machine.choose_size(free, wanted)


def test_it_does_not_start_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotMeasure, match="sudo"):
        machine.check_prerequisites()


def test_memory_that_is_scarce_sends_the_files_to_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "room", lambda folder: 500 * MIB if folder.name == "shm" else 64 * GIB)
    backing, disk, size = machine.choose_folders(None)
    assert backing == disk
    assert size == 4 * GIB


def test_the_machine_is_described_without_its_name(tmp_path: Path) -> None:
    described = machine.look(tmp_path).describe()
    assert "processors" in described
    assert os.uname().nodename not in described
