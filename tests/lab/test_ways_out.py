"""What looks for the way out of a lock finds one that is missing."""

from __future__ import annotations

import pytest

from sanitizer.errors import OpalLocked, SecurityLocked
from sanitizer.techniques.base import Escrow

from .drives.nvme_asking import drive
from .test_in_process_nvme import opal_of
from .test_in_process_scsi import ata, locked
from .ways_out import THEIRS, of_nvme, of_scsi

OURS = b"ours".ljust(32, b"\0")


def kept(secret: bytes) -> list[Escrow]:
    return [Escrow(kind="ata-user-password", secret=secret, recovery="")]


def test_a_drive_with_our_password_is_opened_by_what_was_kept_and_by_nothing_else() -> None:
    for keys, words in ((kept(OURS), ""), (kept(b"X" * 32), "does not open it"), ([], "nobody keeps")):
        disk = ata()()
        disk.ata.security.execute(0xF1, bytes(2) + OURS + bytes(478))
        found = of_scsi(disk, keys)
        assert (found == "") if not words else (words in found)


def test_somebody_elses_password_opens_their_drive_once_they_are_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = ata(change=locked)()
    assert disk.ata.security.user == THEIRS
    assert of_scsi(disk, []) == ""
    again = ata(change=locked)()
    monkeypatch.setattr(SecurityLocked, "remedy", "Ask somebody.")
    assert "nobody is told" in of_scsi(again, [])


@pytest.mark.parametrize("state", ["locked", "shadowed", "interrupted", "removing"])
def test_a_drive_behind_tcg_locking_is_brought_back(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def made() -> object:
        controller = drive()
        setattr(opal_of(controller), state, True)
        opal_of(controller).active = True
        return controller

    assert of_nvme(made()) == ""  # type: ignore[arg-type]  # a controller
    if state in {"locked", "shadowed"}:
        monkeypatch.setattr(OpalLocked, "remedy", "Ask somebody.")
        assert "nobody is told" in of_nvme(made())  # type: ignore[arg-type]


def test_a_label_that_was_lost_is_no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    controller = drive()
    opal_of(controller).lock()
    monkeypatch.setattr("tests.lab.ways_out.PSID", b"X" * 32)
    assert "does not bring it back" in of_nvme(controller)
