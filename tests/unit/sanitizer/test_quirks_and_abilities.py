"""Known traits are found by model, and what a drive said is told to people without turning unknown into yes or no."""

from __future__ import annotations

import dataclasses

import pytest

from sanitizer.capability import SanitizePhase, SanitizeStanding, Tri
from sanitizer.cli.abilities import tell
from sanitizer.deriving import capabilities_of
from sanitizer.drive_obstacles import of_drive
from sanitizer.hidden import scsi_hidden
from sanitizer.probing import Answers, probe
from sanitizer.quirks import QUIRKS, quirk, quirks_of
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.clock import ManualClock
from tests.lab.drives.medium import Medium
from tests.lab.drives.nvme import NvmeController
from tests.lab.drives.nvme_ports import NvmeBlocks
from tests.lab.drives.nvme_subsystem import NvmeSubsystem
from tests.lab.drives.ports import ScsiBlocks
from tests.lab.drives.sat import SataDisk


@pytest.mark.parametrize(
    ("vendor", "model", "found"),
    [
        (None, "INTEL SSDPEKNW512G8", {"intel-660p-sanitize-stalls"}),
        (None, "SSDPEKNW010T8", {"intel-660p-sanitize-stalls"}),
        (None, "INTEL SSDPEKKF256G8L", {"intel-ssdpekkf-format-unusable"}),
        (None, "Samsung SSD 840 EVO 250GB", {"samsung-evo-crypto-not-trusted"}),
        ("ATA", "Samsung SSD 850 EVO 1TB", {"samsung-evo-crypto-not-trusted"}),
        (None, "Samsung SSD 860 EVO 1TB", set()),
        (None, "Crucial_CT250MX200SSD1", {"crucial-mx-crypto-not-trusted"}),
        (None, "CT525MX300SSD1", {"crucial-mx-crypto-not-trusted"}),
        (None, "CT500MX500SSD1", set()),
        ("JMicron", "Tech", {"jmicron-bridge-pass-through"}),
        (None, None, set()),
    ],
)
def test_a_trait_is_known_by_the_model(vendor: str | None, model: str | None, found: set[str]) -> None:
    assert {each.name for each in quirks_of(vendor, model, "1.0")} == found


def test_every_trait_has_a_sentence_and_a_source_and_one_name() -> None:
    assert len({each.name for each in QUIRKS}) == len(QUIRKS)
    assert all(each.sentence and each.source and not each.sentence.endswith(".") for each in QUIRKS)
    assert quirk(QUIRKS[0].name) is QUIRKS[0]


def ata_lines(**changes: Tri) -> dict[str, str]:
    answers = probe(ScsiBlocks(SataDisk(AtaDrive(Medium(4096, clock=ManualClock()))), ManualClock()).ports)
    found = capabilities_of(answers, path="direct", model="CT525MX300SSD1")
    assert found is not None
    assert found.ata is not None
    return dict(tell(dataclasses.replace(found, ata=dataclasses.replace(found.ata, **changes))))  # type: ignore[arg-type]  # fields by name


def test_what_a_drive_can_do_is_listed_and_what_is_unknown_is_called_so() -> None:
    lines = ata_lines(block_erase=Tri.UNKNOWN, overwrite=Tri.NO)
    assert lines["can sanitize by"] == "crypto scramble; unknown: block erase"
    assert lines["hidden blocks"] == "none"
    assert "password" in lines["known trait"]


def test_a_locked_drive_is_shown_as_locked() -> None:
    assert "LOCKED" in ata_lines(security_locked=Tri.YES)["ATA password"]
    assert ata_lines()["ATA password"] == "not set, not locked, not frozen"
    assert "unknown: LOCKED" in ata_lines(security_locked=Tri.UNKNOWN)["ATA password"]


@pytest.mark.parametrize("phase", SanitizePhase)
def test_every_phase_has_words(phase: SanitizePhase) -> None:
    found = capabilities_of(Answers(interface="scsi"), path="unknown")
    assert found is not None
    standing = SanitizeStanding(phase=phase, progress=0x8000, raw=b"", unsanitized_remainder=True)
    line = dict(tell(dataclasses.replace(found, standing=standing)))["sanitize status"]
    assert ("50 % done" in line) == (phase is SanitizePhase.IN_PROGRESS)
    assert "left unsanitized" in line


def test_nothing_said_is_shown_as_unknown_and_never_as_none() -> None:
    for kind in ("ata", "scsi", "nvme"):
        found = capabilities_of(Answers(interface=kind, namespace_id=1), path="unknown")
        assert found is not None
        lines = dict(tell(found))
        assert lines["hidden blocks"].startswith("unknown")
        assert "none" not in lines.values()


def test_a_shadowed_medium_is_told_before_somebody_takes_it_for_an_empty_one() -> None:
    subsystem = NvmeSubsystem(Medium(4096, clock=ManualClock()))
    assert subsystem.opal is not None
    subsystem.opal.active = subsystem.opal.shadowed = True
    found = capabilities_of(probe(NvmeBlocks(NvmeController(subsystem)).ports), path="direct")
    assert found is not None
    assert "SHADOWED (what is read is not the medium)" in dict(tell(found))["TCG locking"]


# --- odd blocks, short-stroked disks ------------------------------------------------------------------------------


def test_blocks_of_an_odd_size_are_an_obstacle_with_a_way_out() -> None:
    found = capabilities_of(Answers(interface="scsi"), path="direct")
    assert found is not None
    assert found.scsi is not None
    odd = dataclasses.replace(found, scsi=dataclasses.replace(found.scsi, block_bytes=520, protection_bytes=8))
    (obstacle,) = of_drive(odd, "/dev/x")
    assert (obstacle.code, obstacle.details()) == ("odd-block-size", {"block_bytes": 520})


def mode(blocks: int, size: int = 512) -> bytes:
    return bytes.fromhex("0000000001000010") + blocks.to_bytes(8, "big") + bytes(4) + size.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("now", "made", "present", "native"),
    [
        (mode(100), mode(200), Tri.YES, 200 * 512),
        (mode(200), mode(200), Tri.UNKNOWN, None),
        (mode(200), mode(100), Tri.UNKNOWN, None),
        (mode(100), mode(200, 520), Tri.UNKNOWN, None),
        (mode(100), mode((1 << 64) - 1), Tri.UNKNOWN, None),
        (mode(100), b"\0" * 3, Tri.UNKNOWN, None),
        (None, mode(200), Tri.UNKNOWN, None),
    ],
)
def test_a_short_stroked_disk_is_one_that_was_made_with_more(
    now: bytes | None, made: bytes, present: Tri, native: int | None
) -> None:
    found = scsi_hidden(now, made, None, None)
    assert (found.present, found.native_bytes, found.by) == (present, native, ("block-descriptor",))
