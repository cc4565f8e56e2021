"""What an emulated ATA drive hides from its host, and how it is asked to show it."""

from __future__ import annotations

import struct

import pytest

from .ata import AtaDrive
from .ata_asking import BLOCK_ERASE, BLOCKS, STATUS, drive, pass_time, power_cycle, said, word
from .ata_identify import AtaModel
from .ata_registers import ABRT, IDNF, Taskfile


def max_address(ata: AtaDrive, lba: int, *, keep: int = 1) -> int:
    said_native = ata.execute(Taskfile(command=0x27, extend=True))[0]
    assert said_native.error == 0
    return ata.execute(Taskfile(command=0x37, lba=lba, count=keep, extend=True))[0].error


def test_a_protected_area_hides_sectors_and_is_removed_once_per_power_cycle() -> None:
    ata = drive()
    assert max_address(ata, 2999) == 0
    assert word(ata, 60) == 3000
    assert max_address(ata, BLOCKS - 1) == IDNF
    power_cycle(ata)
    assert word(ata, 60) == 3000
    assert max_address(ata, BLOCKS - 1) == 0
    assert word(ata, 60) == BLOCKS


def test_a_volatile_protected_area_goes_with_the_power() -> None:
    ata = drive()
    max_address(ata, 2999, keep=0)
    assert word(ata, 60) == 3000
    power_cycle(ata)
    assert word(ata, 60) == BLOCKS


def test_set_max_needs_read_native_max_immediately_before() -> None:
    ata = drive()
    assert ata.execute(Taskfile(command=0x37, lba=9, count=1, extend=True))[0].error == ABRT
    said(ata, 0x27, extend=True)
    said(ata, 0xEC)
    assert ata.execute(Taskfile(command=0x37, lba=9, count=1, extend=True))[0].error == ABRT
    said(ata, 0xF8)
    assert ata.execute(Taskfile(command=0x37, lba=9, count=1, extend=True))[0].error == ABRT


def test_an_overlay_is_restored_only_when_no_protected_area_is_set() -> None:
    ata = drive()
    ata.capacity.hide(hpa=100, dco=96)
    assert ata.execute(Taskfile(command=0x27, extend=True))[0].lba == BLOCKS - 97
    _, page = ata.execute(Taskfile(command=0xB1, feature=0xC2, count=1))
    assert struct.unpack_from("<Q", page, 6) == (BLOCKS - 1,)
    assert sum(page) & 0xFF == 0
    assert said(ata, 0xB1, feature=0xC0).error == ABRT
    max_address(ata, BLOCKS - 97)
    assert said(ata, 0xB1, feature=0xC0).error == 0
    assert word(ata, 60) == BLOCKS


def test_a_frozen_overlay_answers_nothing() -> None:
    ata = drive()
    said(ata, 0xB1, feature=0xC1)
    assert said(ata, 0xB1, feature=0xC2).error == ABRT
    power_cycle(ata)
    assert said(ata, 0xB1, feature=0xC2).error == 0


def test_the_accessible_maximum_is_changed_once_per_power_cycle() -> None:
    ata = drive(AtaModel(hpa=False, dco=False, amax=True))
    assert word(ata, 119) & 0x100
    assert said(ata, 0x78, extend=True).lba == BLOCKS - 1
    assert said(ata, 0x78, feature=1, lba=2999, extend=True).error == 0
    assert word(ata, 60) == 3000
    assert said(ata, 0x78, feature=1, lba=BLOCKS - 1, extend=True).error == ABRT
    power_cycle(ata)
    assert said(ata, 0x78, feature=1, lba=BLOCKS - 1, extend=True).error == 0
    assert said(ata, 0x27, extend=True).error == ABRT


@pytest.mark.parametrize(("fault", "expected"), [("capacity_during", 0), ("capacity_after", BLOCKS)])
def test_a_capacity_of_zero_while_it_erases_or_afterwards(fault: str, expected: int) -> None:
    ata = drive(seconds=10)
    setattr(ata.medium.faults, fault, "zero")
    ata.execute(BLOCK_ERASE)
    assert word(ata, 60) == expected
    pass_time(ata, 10)
    ata.execute(STATUS)
    assert word(ata, 60) == BLOCKS - expected
