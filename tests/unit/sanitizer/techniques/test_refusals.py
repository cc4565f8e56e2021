"""Each reason why a technique may not be used on a drive, one by one; and what it takes for none."""

from __future__ import annotations

from typing import Any

import pytest

from sanitizer.capability import NvmeNamespaceFacts, SanitizePhase
from sanitizer.techniques import technique
from sanitizer.techniques.base import Parameters
from tests.unit.sanitizer.wire import hand_made

from .doubles import NO, UNKNOWN, YES, able, able_for, ata, mmc, namespace, nvme, opal, scsi, standing

ERASE, ENHANCED = "ata-security-erase", "ata-security-erase-enhanced"


def against(name: str, changed: dict[str, Any], **parameters: Any) -> tuple[str, ...]:  # noqa: ANN401
    return technique(name).refusals(able(**changed), Parameters(**parameters))


SANITIZES = {
    "ata-sanitize-crypto-scramble": "crypto_scramble",
    "ata-sanitize-block-erase": "block_erase",
    "ata-sanitize-overwrite": "overwrite",
}


@pytest.mark.parametrize(("name", "bit"), SANITIZES.items())
@pytest.mark.parametrize(("value", "words"), [(NO, "does not have"), (UNKNOWN, "unknown")])
def test_an_ata_sanitize_needs_the_feature_set_and_its_own_command(name: str, bit: str, value: Any, words: str) -> None:  # noqa: ANN401
    for field in (bit, "sanitize"):
        assert any(words in reason for reason in against(name, {"ata": ata(**{field: value})}))
    others = {other: NO for other in SANITIZES.values() if other != bit}
    assert against(name, {"ata": ata(**others)}) == ()


@pytest.mark.parametrize(
    ("phase", "refused"),
    [
        (SanitizePhase.NEVER, False),
        (SanitizePhase.SUCCEEDED, False),
        (SanitizePhase.IDLE, False),
        (SanitizePhase.FAILED, False),
        (SanitizePhase.FAILED_RESTRICTED, False),
        (SanitizePhase.FAILED_UNRESTRICTED, False),
        (SanitizePhase.IN_PROGRESS, True),
        (SanitizePhase.FROZEN, True),
        (SanitizePhase.UNKNOWN, True),
        (None, True),
    ],
)
@pytest.mark.parametrize("name", ["ata-sanitize-block-erase", "scsi-sanitize-block-erase", "nvme-sanitize-block-erase"])
def test_a_sanitize_may_follow_a_failed_one_and_not_a_running_or_unknown_one(
    name: str, phase: SanitizePhase | None, refused: bool
) -> None:
    known = able_for(name)
    changed = {"ata": known.ata, "scsi": known.scsi, "nvme": known.nvme}
    changed["standing"] = None if phase is None else standing(phase)  # type: ignore[assignment]
    assert bool(against(name, changed)) is refused


@pytest.mark.parametrize(
    ("phase", "refused"),
    [
        (SanitizePhase.NEVER, False),
        (SanitizePhase.SUCCEEDED, False),
        (SanitizePhase.FROZEN, False),
        (SanitizePhase.IN_PROGRESS, True),
        (SanitizePhase.FAILED, True),
        (SanitizePhase.FAILED_RESTRICTED, True),
        (SanitizePhase.FAILED_UNRESTRICTED, True),
        (SanitizePhase.UNKNOWN, True),
        (None, False),
    ],
)
@pytest.mark.parametrize("name", [ERASE, "scsi-format-unit", "nvme-format-user-data"])
def test_nothing_but_a_sanitize_may_follow_a_failed_sanitize(
    name: str, phase: SanitizePhase | None, refused: bool
) -> None:
    known = able_for(name)
    changed = {"ata": known.ata, "scsi": known.scsi, "nvme": known.nvme}
    changed["standing"] = None if phase is None else standing(phase)  # type: ignore[assignment]
    assert bool(against(name, changed)) is refused


def test_a_drive_locked_by_a_password_is_not_sanitized() -> None:
    name = "ata-sanitize-block-erase"
    assert "locked by an ATA password" in against(name, {"ata": ata(security_locked=YES)})[0]
    assert "unknown" in against(name, {"ata": ata(security_locked=UNKNOWN)})[0]
    assert against(name, {"ata": ata(security=NO, security_locked=UNKNOWN)}) == ()


def test_frozen_security_does_not_stop_a_sanitize() -> None:
    assert against("ata-sanitize-block-erase", {"ata": ata(security_frozen=YES)}) == ()


# --- security erase -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["usb-bridge", "raid", "virtual", "unknown"])
@pytest.mark.parametrize("name", [ERASE, ENHANCED])
def test_a_password_is_given_on_a_direct_path_only(name: str, path: str) -> None:
    assert any(path in reason for reason in against(name, {"ata": ata(), "path": path}))


@pytest.mark.parametrize("name", [ERASE, ENHANCED])
@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("security_enabled", "set on the drive already"),
        ("security_locked", "locked"),
        ("security_frozen", "frozen"),
        ("attempts_exhausted", "password"),
    ],
)
def test_a_drive_that_would_refuse_a_password_is_not_given_one(name: str, field: str, words: str) -> None:
    for value in (YES, UNKNOWN):
        (reason,) = against(name, {"ata": ata(**{field: value})})
        assert words in reason
        assert ("unknown" in reason) is (value is UNKNOWN)


@pytest.mark.parametrize("value", [NO, UNKNOWN])
def test_the_enhanced_mode_is_needed_only_by_the_enhanced_erase(value: Any) -> None:  # noqa: ANN401
    assert against(ENHANCED, {"ata": ata(enhanced_erase=value)})
    assert against(ERASE, {"ata": ata(enhanced_erase=value)}) == ()
    assert against(ERASE, {"ata": ata(security=value)})


def test_active_opal_locking_shuts_ata_security_off() -> None:
    for value in (YES, UNKNOWN):
        assert against(ERASE, {"ata": ata(), "opal": opal(locking_enabled=value)})
    assert against(ERASE, {"ata": ata(), "opal": opal(locking_enabled=NO)}) == ()


# --- Opal ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locking", "locked", "refused"),
    [(YES, YES, True), (YES, UNKNOWN, True), (UNKNOWN, UNKNOWN, True), (YES, NO, False), (NO, UNKNOWN, False)],
)
@pytest.mark.parametrize(
    "name",
    ["ata-sanitize-overwrite", "scsi-sanitize-overwrite", "nvme-sanitize-overwrite", "nvme-format-crypto"],
)
def test_a_drive_locked_by_opal_must_be_reverted_first(name: str, locking: Any, locked: Any, refused: bool) -> None:  # noqa: ANN401
    known = able_for(name)
    changed = {"ata": known.ata, "scsi": known.scsi, "nvme": known.nvme}
    held = opal(locking_enabled=locking, locked=locked)
    assert any("Opal" in reason for reason in against(name, {**changed, "opal": held})) is refused


# --- SCSI ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field", "reads"),
    [
        ("scsi-sanitize-overwrite", "sanitize_overwrite", None),
        ("scsi-sanitize-block-erase", "sanitize_block", "write_after_block_erase"),
        ("scsi-sanitize-crypto-erase", "sanitize_crypto", "write_after_crypto_erase"),
    ],
)
def test_a_scsi_sanitize_needs_its_action_and_readable_blocks_afterwards(
    name: str, field: str, reads: str | None
) -> None:
    for value in (NO, UNKNOWN):
        assert against(name, {"scsi": scsi(**{field: value})})
    assert against(name, {"scsi": scsi(write_protected=YES)}) == ("the medium is write-protected",)
    for requirement in (None, 0, 1, 2, 3):
        others = {"write_after_block_erase": 3, "write_after_crypto_erase": 3}
        changed = {**others, reads: requirement} if reads else others
        refused = against(name, {"scsi": scsi(**changed)})
        assert bool(refused) is (reads is not None and requirement in {2, 3})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format_unit": NO}, "FORMAT UNIT"),
        ({"rotational": NO}, "rotating"),
        ({"rotational": UNKNOWN}, "unknown"),
        ({"protection_bytes": 8}, "8 more bytes"),
        ({"protection_bytes": None}, "unknown"),
        ({"write_protected": YES}, "write-protected"),
    ],
)
def test_formatting_is_for_plain_hard_disks(changed: dict[str, Any], words: str) -> None:
    (reason,) = against("scsi-format-unit", {"scsi": scsi(**changed)})
    assert words in reason


def test_formatting_an_ata_drive_would_be_the_translators_work() -> None:
    (reason,) = against("scsi-format-unit", {"scsi": scsi(), "ata": ata()})
    assert "translator" in reason


# --- NVMe ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("nvme-sanitize-crypto-erase", "crypto_erase"),
        ("nvme-sanitize-block-erase", "block_erase"),
        ("nvme-sanitize-overwrite", "overwrite"),
        ("nvme-format-user-data", "format"),
        ("nvme-format-crypto", "format_crypto"),
    ],
)
@pytest.mark.parametrize("value", [NO, UNKNOWN])
def test_an_nvme_technique_needs_its_own_capability(name: str, field: str, value: Any) -> None:  # noqa: ANN401
    assert against(name, {"nvme": nvme(**{field: value})})


@pytest.mark.parametrize("name", ["nvme-sanitize-crypto-erase", "nvme-sanitize-block-erase", "nvme-sanitize-overwrite"])
def test_blocks_are_left_allocated_only_where_the_controller_does_so(name: str) -> None:
    for value in (YES, UNKNOWN):
        changed = {"nvme": nvme(no_deallocate_inhibited=value)}
        assert against(name, changed) == ()
        assert against(name, changed, no_deallocate=True)
    assert against(name, {"nvme": nvme()}, no_deallocate=True) == ()


def _with_protected(nsid: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    names = tuple(
        NvmeNamespaceFacts(
            nsid=each, attached=YES, shared=NO, capacity_bytes=1, write_protected=YES if each == nsid else NO
        )
        for each in (7, 8)
    )
    return {"nvme": nvme(namespaces=names, **changes)}


def test_one_write_protected_namespace_stops_a_sanitize_of_all() -> None:
    for nsid in (7, 8):
        assert against("nvme-sanitize-block-erase", _with_protected(nsid)) == (f"namespace {nsid} is write-protected",)


def test_a_format_is_stopped_by_the_namespaces_it_reaches() -> None:
    assert against("nvme-format-user-data", _with_protected(7))
    assert against("nvme-format-user-data", _with_protected(8)) == ()
    assert against("nvme-format-user-data", _with_protected(8, erase_all_namespaces=YES))
    assert against("nvme-format-user-data", _with_protected(8, format_all_namespaces=YES))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format_index": None}, "unknown"),
        ({"format_index": 1}, "contradicts"),
        ({"namespace": b""}, "unknown"),
        ({"namespace": namespace(flbas=0x0F), "format_index": 15}, "unknown"),
        ({"erase_all_namespaces": UNKNOWN}, "other namespaces"),
        ({"format_all_namespaces": UNKNOWN}, "other namespaces"),
    ],
)
def test_a_format_must_not_change_the_block_size_nor_reach_what_nobody_knows(
    changed: dict[str, Any], words: str
) -> None:
    (reason,) = against("nvme-format-user-data", {"nvme": nvme(**changed)})
    assert words in reason


# --- eMMC ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "field"), [("mmc-sanitize", "sanitize"), ("mmc-secure-trim", "secure_trim")])
def test_an_emmc_technique_needs_its_feature_and_known_erased_memory(name: str, field: str) -> None:
    for value in (NO, UNKNOWN):
        assert against(name, {"mmc": mmc(**{field: value})})
    assert against(name, {"mmc": mmc(erased_byte=None)})
    assert against(name, {"mmc": mmc(ext_csd=hand_made.patched(512, {}))})


# --- reach and aftermath that depend on the drive ------------------------------------------------------------------


def test_general_purpose_areas_hold_data_that_emmc_sanitize_does_not_erase() -> None:
    areas = (("boot0", 1), ("gp2", 8))
    held = able(mmc=mmc(areas=areas))
    reach = technique("mmc-sanitize").reach(held, "flash", Parameters())
    assert (reach.level, "gp2" in reach.reason) == ("clear", True)


def test_areas_that_are_not_covered_are_named() -> None:
    reach = technique("mmc-sanitize").reach(able_for("mmc-x"), "flash", Parameters())
    assert reach.reason.endswith("boot0, boot1, rpmb")


@pytest.mark.parametrize(("erased", "expected"), [(0x00, "zeros"), (0xFF, "uniform")])
def test_erased_emmc_memory_reads_as_the_device_says(erased: int, expected: str) -> None:
    assert technique("mmc-sanitize").aftermath(able(mmc=mmc(erased_byte=erased)), Parameters()) == expected


@pytest.mark.parametrize(
    ("name", "nodmmas", "kept", "expected"),
    [
        ("nvme-sanitize-overwrite", 1, True, "pattern"),
        ("nvme-sanitize-overwrite", 1, False, "undefined"),
        ("nvme-sanitize-overwrite", 2, True, "undefined"),
        ("nvme-sanitize-overwrite", 0, True, "undefined"),
        ("nvme-sanitize-block-erase", 1, True, "undefined"),
        ("nvme-sanitize-block-erase", 1, False, "uniform"),
    ],
)
def test_the_pattern_is_expected_only_on_media_that_stay_as_written(
    name: str, nodmmas: int, kept: bool, expected: str
) -> None:
    held = nvme(controller=hand_made.patched(4096, {328: (nodmmas << 30).to_bytes(4, "little")}))
    assert technique(name).aftermath(able(nvme=held), Parameters(no_deallocate=kept)) == expected
