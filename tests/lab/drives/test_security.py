"""The security feature set of the emulated ATA drive: two passwords, a lock, and the erase that needs them."""

from __future__ import annotations

import pytest

from .ata_asking import MASTER, SECRET, STATUS, drive, power_cycle, said, secret, secured, word
from .ata_registers import ABRT
from .clock import ManualClock
from .faults import NoAnswer


def test_a_password_locks_at_the_next_power_on() -> None:
    ata = drive()
    assert secured(ata, 0xF1, secret())
    assert word(ata, 128) & 0x1F == 0x03
    power_cycle(ata)
    assert word(ata, 128) & 0x1F == 0x07
    assert said(ata, 0xC8, count=1).error == ABRT
    assert not secured(ata, 0xF1, secret())
    assert not secured(ata, 0xF6, secret())
    assert secured(ata, 0xF2, secret())
    assert said(ata, 0xC8, count=1).error == 0
    assert secured(ata, 0xF6, secret())
    assert word(ata, 128) & 0x1F == 0x01


def test_five_wrong_passwords_use_up_the_attempts_until_the_power_is_cut() -> None:
    ata = drive()
    secured(ata, 0xF1, secret())
    power_cycle(ata)
    for _ in range(5):
        assert not secured(ata, 0xF2, secret(password=b"wrong".ljust(32)))
    assert word(ata, 128) & 0x10
    assert not secured(ata, 0xF2, secret())
    power_cycle(ata)
    assert secured(ata, 0xF2, secret())


@pytest.mark.parametrize(("level", "opens"), [(0, True), (0x100, False)])
def test_the_master_password_opens_at_level_high_and_only_erases_at_maximum(level: int, opens: bool) -> None:
    ata = drive()
    secured(ata, 0xF1, secret(1, MASTER))
    secured(ata, 0xF1, secret(level))
    assert word(ata, 128) >> 8 & 1 == level >> 8
    power_cycle(ata)
    assert secured(ata, 0xF2, secret(1, MASTER)) is opens
    assert secured(ata, 0xF3)
    assert secured(ata, 0xF4, secret(1, MASTER))
    assert word(ata, 128) & 0x107 == 1


def test_setting_the_master_password_locks_nothing_and_changes_its_identifier() -> None:
    ata = drive()
    data = bytearray(secret(1, MASTER))
    data[34:36] = b"\x34\x12"
    assert secured(ata, 0xF1, bytes(data))
    assert word(ata, 128) & 2 == 0
    assert word(ata, 92) == 0x1234


def test_a_frozen_drive_takes_no_password_until_the_power_is_cut() -> None:
    ata = drive()
    assert secured(ata, 0xF5)
    assert word(ata, 128) & 8
    assert not secured(ata, 0xF1, secret())
    power_cycle(ata)
    assert secured(ata, 0xF1, secret())


def test_erase_needs_prepare_immediately_before() -> None:
    ata = drive()
    secured(ata, 0xF1, secret())
    assert not secured(ata, 0xF4, secret())
    secured(ata, 0xF3)
    said(ata, 0xEC)
    assert not secured(ata, 0xF4, secret())
    secured(ata, 0xF3)
    assert secured(ata, 0xF4, secret())


@pytest.mark.parametrize(("enhanced", "spare"), [(0, True), (2, False)])
def test_erase_holds_the_drive_and_takes_the_password_away(enhanced: int, spare: bool) -> None:
    ata = drive(seconds=7200)
    ata.capacity.hide(hpa=1000)
    secured(ata, 0xF1, secret())
    secured(ata, 0xF3)
    assert secured(ata, 0xF4, secret(enhanced))
    assert isinstance(ata.medium.clock, ManualClock)
    assert ata.medium.clock.seconds == 7200
    assert word(ata, 128) & 0x06 == 0
    blocks, stale = ata.medium.remains(SECRET)
    assert (blocks, bool(stale)) == ([], spare)


def test_erase_does_not_reach_what_dco_hides() -> None:
    ata = drive()
    ata.capacity.hide(dco=96)
    secured(ata, 0xF1, secret())
    secured(ata, 0xF3)
    secured(ata, 0xF4, secret(2))
    assert len(ata.medium.remains(SECRET)[0]) == 96


def test_a_failed_erase_leaves_the_password() -> None:
    ata = drive(fail_at=0.5)
    secured(ata, 0xF1, secret())
    secured(ata, 0xF3)
    assert not secured(ata, 0xF4, secret())
    assert word(ata, 128) & 2
    power_cycle(ata)
    assert secured(ata, 0xF2, secret())
    assert secured(ata, 0xF6, secret())


def test_a_stalling_erase_is_never_answered_and_is_no_failed_sanitize() -> None:
    ata = drive(seconds=10, stall_at=0.5)
    secured(ata, 0xF1, secret())
    secured(ata, 0xF3)
    with pytest.raises(NoAnswer):
        secured(ata, 0xF4, secret())
    power_cycle(ata)
    assert word(ata, 128) & 0x06 == 0x06
    assert ata.execute(STATUS)[0].count == 0
