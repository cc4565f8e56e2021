"""Which technique is planned for which drive, and why the others are not."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sanitizer.capability import AtaCapabilities, NvmeCapabilities, SanitizePhase, ScsiCapabilities
from sanitizer.container import Container
from sanitizer.errors import NoTechnique
from sanitizer.inspection import Inspection
from sanitizer.planning import SCOPES, PlanRequest, plan, plan_again
from tests.support import made_up_drives as made
from tests.support.made_up_drives import UNKNOWN, YES, ata, capabilities, drive, mmc, nvme, opal, standing
from tests.support.pretend_techniques import PRETENDED

EVERYTHING = tuple(SCOPES)


def auto(method: str = "purge", **changes: Any) -> PlanRequest:  # noqa: ANN401 - fields of different types
    return PlanRequest(**{"method": method, "technique": "auto", "pattern_set": "canaries", **changes})


def by_name(technique: str, method: str = "purge", **changes: Any) -> PlanRequest:  # noqa: ANN401 - as above
    return PlanRequest(**{"method": method, "technique": technique, "pattern_set": "canaries", **changes})


def keys(**changes: Any) -> PlanRequest:  # noqa: ANN401 - as above
    """Erase the keys of a container, vouched for."""
    words = {"pattern_set": "keyed-stream-then-zeros", "answers": ("encrypted-before-first-use", "no-key-outside")}
    return by_name(changes.pop("technique", "luks-crypto-erase"), "clear", **{**words, **changes})


def with_container(inspection: Inspection) -> Inspection:
    """The same drive with a sound container on it."""
    sound = Container(version=2, faults=(), cipher="aes-xts-plain64", key_bits=512, keyslots=1, key_area_bytes=16 << 20)
    assert inspection.capabilities is not None
    return dataclasses.replace(inspection, capabilities=dataclasses.replace(inspection.capabilities, container=sound))


def chosen(request: PlanRequest, inspection: Inspection) -> str:
    return plan(request, inspection, PRETENDED).technique


def refused(request: PlanRequest, inspection: Inspection) -> str:
    with pytest.raises(NoTechnique) as caught:
        plan(request, inspection, PRETENDED)
    return "\n".join(caught.value.reasons)


# --- what auto takes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inspection", "technique"),
    [
        (made.NVME, "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"),
        (made.NVME_BLOCK_ONLY, "nvme-sanitize-block-erase"),
        (made.NVME_CRYPTO_ONLY, "nvme-sanitize-crypto-erase"),
        (made.ATA_SSD, "ata-sanitize-block-erase"),
        (made.ATA_HDD, "ata-sanitize-overwrite"),
        (made.ATA_OLD_HDD, "ata-security-erase-enhanced"),
        (made.SAS_HDD, "scsi-sanitize-overwrite"),
        (made.SAS_SSD, "scsi-sanitize-block-erase"),
        (drive(capabilities(ata=ata()), "unknown"), "ata-sanitize-block-erase"),
    ],
)
def test_purge_takes_the_preferred_technique_the_drive_has(inspection: Inspection, technique: str) -> None:
    planned = plan(auto(), inspection, PRETENDED)
    assert planned.technique == technique
    assert planned.level == "purge"
    assert [reach.level for reach in planned.reaches] == ["purge"] * len(planned.steps)


@pytest.mark.parametrize(
    ("inspection", "technique"),
    [
        (made.ATA_HDD, "overwrite"),
        (made.SAS_HDD, "overwrite"),
        (made.ATA_SSD, "ata-sanitize-block-erase"),
        (made.ATA_OLD_SSD, "ata-security-erase-enhanced"),
        (made.NVME, "nvme-format-user-data"),
        (made.EMMC, "overwrite"),
        (drive(None, "virtual"), "overwrite"),
        (drive(capabilities(scsi=made.scsi(), path="virtual"), "virtual"), "overwrite"),
    ],
)
def test_clear_takes_the_preferred_technique_the_drive_has(inspection: Inspection, technique: str) -> None:
    assert chosen(auto("clear"), inspection) == technique


@pytest.mark.parametrize("inspection", [made.ATA_OLD_SSD, made.NVME_OLD, drive(None), drive(capabilities())])
def test_a_drive_without_a_purging_command_gets_no_quieter_method(inspection: Inspection) -> None:
    words = refused(auto(), inspection)
    assert "overwrite: reaches clear, never purge" in words


def test_nothing_is_planned_to_destroy_a_medium() -> None:
    assert "no software destroys a medium" in refused(auto("destroy"), made.NVME)


def test_a_virtual_medium_is_never_purged() -> None:
    assert "reaches clear on this medium" in refused(auto(), drive(capabilities(scsi=made.scsi()), "virtual"))


def test_what_must_be_asked_for_by_name_is_not_taken() -> None:
    settings = ("luks-crypto-erase-is-purge", "opal-revert-is-purge")
    inspection = drive(capabilities(opal=opal()))
    words = refused(auto(settings=settings, answers=("encrypted-before-first-use", "no-key-outside")), inspection)
    assert "luks-crypto-erase: it is never chosen automatically" in words
    assert "opal-psid-revert: it is never chosen automatically" in words
    assert chosen(by_name("opal-psid-revert", settings=settings), inspection) == "opal-psid-revert"


def test_what_was_rejected_is_told_with_the_plan() -> None:
    rejected = {each.technique: each.reasons for each in plan(auto(), made.NVME_BLOCK_ONLY, PRETENDED).rejected}
    assert "the drive does not have it" in rejected["nvme-sanitize-crypto-erase"]
    assert rejected["ata-sanitize-block-erase"] == ("the drive does not speak ATA, or nothing of it could be read",)
    assert rejected["overwrite"] == ("reaches clear, never purge",)
    assert "nvme-sanitize-block-erase" not in rejected


def test_the_explicit_request_names_what_auto_took() -> None:
    planned = plan(auto(), made.ATA_SSD, PRETENDED)
    assert planned.explicit == by_name("ata-sanitize-block-erase")
    assert plan(planned.explicit, made.ATA_SSD, PRETENDED).steps == planned.steps
    overwriting = plan(auto("clear"), made.ATA_HDD, PRETENDED)
    assert overwriting.explicit == PlanRequest()
    assert overwriting.patterns.name == "keyed-stream"


# --- a technique by name ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "inspection", "reason"),
    [
        (
            by_name("nvme-format-user-data"),
            made.NVME,
            "it would reach purge with the setting nvme-format-user-data-is-purge",
        ),
        (by_name("ata-security-erase-enhanced"), made.ATA_OLD_SSD, "with the setting enhanced-erase-is-purge-on-flash"),
        (by_name("ata-security-erase"), made.ATA_HDD, "reaches clear on this medium, not purge"),
        (by_name("ata-sanitize-block-erase"), made.NVME, "does not speak ATA"),
        (by_name("ata-sanitize-block-erase"), made.ATA_HDD, "the drive does not have it"),
        (by_name("nvme-sanitize-block-erase"), drive(None), "no command interface"),
        (by_name("nvme-sanitise"), made.NVME, "not a technique of this tool"),
        (by_name("nvme-sanitize-block-erase+nvme-sanitize-crypto-erase"), made.NVME, "do not follow one another"),
        (by_name("nvme-sanitize-block-erase+overwrite"), made.NVME, "do not follow one another"),
        (by_name("nvme-sanitize-block-erase+nvme-sanitize-block-erase"), made.NVME, "do not follow one another"),
        (by_name("overwrite+overwrite", "clear"), made.NVME, "do not follow one another"),
        (by_name("ata-sanitize-block-erase", pattern_set="zeros"), made.ATA_SSD, "takes no pattern set but 'canaries'"),
        (by_name("ata-sanitize-block-erase", verification="none"), made.ATA_SSD, "no run without verification"),
        (by_name("ata-sanitize-block-erase", firmware_pattern="00ff00ff"), made.ATA_SSD, "it takes no pattern"),
        (by_name("ata-sanitize-block-erase", no_deallocate=True), made.ATA_SSD, "NVMe Sanitize only"),
        (by_name("ata-sanitize-overwrite", firmware_pattern="xyz"), made.ATA_SSD, "not a pattern for a drive"),
        (by_name("ata-sanitize-overwrite", settings=("purge",)), made.ATA_SSD, "not a disputed classification"),
        (by_name("ata-sanitize-overwrite", acknowledged_scope=("all",)), made.ATA_SSD, "could be destroyed as well"),
        (by_name("ata-sanitize-overwrite", answers=("yes",)), made.ATA_SSD, "somebody could vouch for"),
        (PlanRequest(pattern_set="canaries"), made.ATA_HDD, "no pattern set 'canaries'"),
        (auto("clear", pattern_set="nonsense"), made.ATA_HDD, "no pattern set 'nonsense'"),
    ],
)
def test_a_named_technique_that_does_not_fit_is_refused_with_the_reason(
    request_: PlanRequest, inspection: Inspection, reason: str
) -> None:
    assert reason in refused(request_, inspection)


@pytest.mark.parametrize(
    ("technique", "inspection", "level"),
    [
        ("overwrite+ata-security-erase-enhanced", made.ATA_OLD_HDD, "purge"),
        ("ata-sanitize-crypto-scramble+ata-sanitize-block-erase", made.ATA_SSD, "purge"),
        ("scsi-sanitize-crypto-erase+scsi-sanitize-overwrite", made.SAS_SSD, "purge"),
    ],
)
def test_a_combination_reaches_what_its_best_step_reaches(technique: str, inspection: Inspection, level: str) -> None:
    planned = plan(by_name(technique), inspection, PRETENDED)
    assert planned.technique == technique
    assert planned.level == level


def test_two_steps_that_clear_do_not_purge() -> None:
    assert "not purge" in refused(by_name("overwrite+ata-security-erase-enhanced"), made.ATA_OLD_SSD)


def test_a_setting_decides_a_dispute_and_the_plan_says_so() -> None:
    setting = "nvme-format-user-data-is-purge"
    planned = plan(by_name("nvme-format-user-data", settings=(setting,)), made.NVME, PRETENDED)
    assert planned.level == "purge"
    assert planned.reaches[0].setting == setting
    assert planned.parameters.settings == (setting,)


@pytest.mark.parametrize("given", [(), ("encrypted-before-first-use",), ("no-key-outside",)])
def test_erasing_keys_in_software_needs_both_answers(given: tuple[str, ...]) -> None:
    assert "somebody must vouch that" in refused(keys(answers=given), with_container(made.ATA_SSD))


def test_erasing_keys_in_software_is_planned_with_both_answers() -> None:
    assert plan(keys(), with_container(made.ATA_SSD), PRETENDED).level == "clear"


def test_why_erased_keys_are_clear_on_flash_is_told() -> None:
    (reach,) = plan(keys(), with_container(made.ATA_SSD)).reaches
    assert "flash keeps older copies" in reach.reason
    (reach,) = plan(keys(), with_container(made.ATA_HDD)).reaches
    assert "a person vouches for" in reach.reason


def test_erasing_keys_is_refused_where_no_container_begins_with_the_device() -> None:
    assert "no LUKS container begins where this device begins" in refused(keys(), made.ATA_SSD)


def test_to_a_key_area_nothing_else_is_written() -> None:
    assert "and nothing else" in refused(keys(pattern_set="canaries"), with_container(made.ATA_SSD))


@pytest.mark.parametrize("technique", ["overwrite+luks-crypto-erase", "luks-crypto-erase+ata-sanitize-block-erase"])
def test_erasing_keys_stands_alone(technique: str) -> None:
    assert "do not follow one another" in refused(keys(technique=technique), with_container(made.ATA_SSD))


def test_a_run_that_erases_keys_is_planned_again_when_the_container_is_gone() -> None:
    again = plan_again(keys(), drive(None), ("luks-crypto-erase",), PRETENDED)
    assert again.by_keys
    assert not again.by_drive
    assert again.patterns.name == "keyed-stream-then-zeros"


def test_words_for_the_drive_are_sealed_into_the_parameters() -> None:
    planned = plan(
        by_name("nvme-sanitize-overwrite", firmware_pattern="00ff00ff", no_deallocate=True), made.NVME, PRETENDED
    )
    assert planned.parameters.pattern == bytes.fromhex("00ff00ff")
    assert planned.parameters.no_deallocate
    assert plan(by_name("nvme-sanitize-overwrite"), made.NVME, PRETENDED).parameters.pattern == bytes(4)


def controller(nodmmas: int) -> bytes:
    """Identify Controller with NODMMAS (SANICAP bits 31:30)."""
    return bytes(331) + bytes((nodmmas << 6,)) + bytes(4096 - 332)


@pytest.mark.parametrize(
    ("technique", "facts", "kept"),
    [
        ("nvme-sanitize-overwrite", {}, True),
        ("nvme-sanitize-crypto-erase", {}, True),
        ("nvme-sanitize-crypto-erase", {"namespace": bytes(29) + b"\x01" + bytes(4066)}, False),
        ("nvme-sanitize-crypto-erase", {"namespace": b""}, False),
        ("nvme-sanitize-block-erase", {"controller": controller(1)}, False),
        ("nvme-sanitize-block-erase", {"controller": controller(0)}, False),
        ("nvme-sanitize-block-erase", {"controller": controller(2)}, True),
        ("nvme-sanitize-crypto-erase+nvme-sanitize-block-erase", {"controller": controller(1)}, False),
        ("nvme-sanitize-crypto-erase+nvme-sanitize-overwrite", {"controller": controller(1)}, True),
        ("nvme-sanitize-overwrite", {"no_deallocate_inhibited": YES}, False),
        ("nvme-sanitize-overwrite", {"no_deallocate_inhibited": UNKNOWN}, False),
    ],
)
def test_blocks_stay_allocated_where_the_media_can_be_read_afterwards_and_the_plan_says_which(
    technique: str, facts: dict[str, Any], kept: bool
) -> None:
    told = made.nvme(**{"namespace": bytes(4096), **facts})
    planned = plan(by_name(technique), drive(capabilities(nvme=told)))
    assert planned.parameters.no_deallocate is kept
    words = " ".join(planned.notes)
    assert ("reading back sees the media" in words, "without a look at the media" in words) == (kept, not kept)
    assert not planned.request.no_deallocate  # what was sealed stays as it was


# --- what else would be destroyed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inspection", "word"),
    [
        (made.NVME_TWO, "other-namespaces"),
        (drive(capabilities(nvme=nvme(namespaces=None))), "other-namespaces"),
        (made.NVME_SHARED, "other-controllers"),
        (drive(capabilities(nvme=nvme(multi_controller=UNKNOWN))), "other-controllers"),
        (made.NVME_SPARE, "unallocated"),
        (drive(capabilities(nvme=nvme(unallocated_bytes=None), hidden=made.UNKNOWN_HIDDEN)), "unallocated"),
        (made.EMMC, "boot-areas"),
    ],
)
def test_destruction_beyond_the_device_must_be_accepted_by_its_word(inspection: Inspection, word: str) -> None:
    assert f"accept it by the word {word}" in refused(auto(), inspection)
    others = tuple(each for each in SCOPES if each != word)
    assert f"accept it by the word {word}" in refused(auto(acknowledged_scope=others), inspection)
    planned = plan(auto(acknowledged_scope=(word,)), inspection, PRETENDED)
    assert planned.level == "purge"
    assert planned.also_destroyed


def test_a_format_of_one_namespace_destroys_no_other() -> None:
    assert plan(by_name("nvme-format-user-data", "clear"), made.NVME_TWO, PRETENDED).also_destroyed == ()


@pytest.mark.parametrize("field", ["format_all_namespaces", "erase_all_namespaces"])
@pytest.mark.parametrize("answer", [YES, UNKNOWN])
def test_a_format_that_may_reach_all_namespaces_must_be_accepted(field: str, answer: object) -> None:
    two = (made.namespace(1), made.namespace(2))
    inspection = drive(capabilities(nvme=nvme(namespaces=two, **{field: answer})))
    assert "accept it by the word other-namespaces" in refused(by_name("nvme-format-user-data", "clear"), inspection)


def test_a_format_of_a_shared_namespace_must_be_accepted() -> None:
    assert "other-controllers" in refused(by_name("nvme-format-user-data", "clear"), made.NVME_SHARED)


def test_unallocated_capacity_that_is_not_reached_is_told() -> None:
    request = by_name("nvme-format-user-data", "clear")
    hidden = dataclasses.replace(made.UNKNOWN_HIDDEN, present=YES, by=("unallocated",))
    spare = drive(capabilities(nvme=nvme(unallocated_bytes=1 << 20), hidden=hidden))
    assert any("1048576 bytes of the drive belong to no namespace" in n for n in plan(request, spare, PRETENDED).notes)
    assert plan(request, made.NVME, PRETENDED).notes == ()
    unreported = drive(capabilities(nvme=nvme(unallocated_bytes=None)))
    assert plan(auto(), unreported, PRETENDED).also_destroyed == ()


def test_a_drive_with_nothing_beside_the_device_needs_no_acceptance() -> None:
    assert plan(auto(), made.NVME, PRETENDED).also_destroyed == ()
    assert plan(auto(), drive(capabilities(mmc=mmc(areas=()))), PRETENDED).technique == "mmc-sanitize"


# --- the state of the drive -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("technique", ["overwrite", "ata-sanitize-block-erase", "ata-security-erase"])
def test_while_the_drive_sanitizes_itself_nothing_is_planned(technique: str) -> None:
    busy = drive(capabilities(ata=ata(), standing=standing(SanitizePhase.IN_PROGRESS)))
    pattern_set = "keyed-stream" if technique == "overwrite" else "canaries"
    assert "let it end first" in refused(by_name(technique, "clear", pattern_set=pattern_set), busy)


@pytest.mark.parametrize(
    "phase", [SanitizePhase.FAILED, SanitizePhase.FAILED_RESTRICTED, SanitizePhase.FAILED_UNRESTRICTED]
)
def test_a_drive_in_failure_mode_is_only_sanitized_again(phase: SanitizePhase) -> None:
    failed = drive(capabilities(ata=ata(), standing=standing(phase)))
    assert chosen(auto(), failed) == "ata-sanitize-block-erase"
    assert chosen(auto("clear"), failed) == "ata-sanitize-block-erase"
    for other in ("ata-security-erase", "overwrite+ata-sanitize-block-erase"):
        assert "accepts nothing but another one" in refused(by_name(other, "clear"), failed)
    assert "accepts nothing but another one" in refused(PlanRequest(), failed)


@pytest.mark.parametrize("method", ["clear", "purge"])
@pytest.mark.parametrize("by", [("hpa",), ("dco", "amax"), ("block-descriptor",), ()])
def test_while_capacity_is_hidden_nothing_is_planned_but_to_bring_it_back(method: str, by: tuple[str, ...]) -> None:
    hidden = dataclasses.replace(made.UNKNOWN_HIDDEN, present=YES, by=by)
    inspection = drive(capabilities(ata=ata(), scsi=made.scsi(), hidden=hidden), "magnetic")
    reasons = refused(auto(method), inspection)
    for technique in (
        "ata-sanitize-block-erase",
        "scsi-sanitize-overwrite",
        "ata-security-erase-enhanced",
        "overwrite",
    ):
        assert f"{technique}: part of the capacity is hidden" in reasons
    assert "restore it first (sanitizer restore-capacity)" in refused(PlanRequest(), inspection)


def test_in_failure_mode_a_sanitize_comes_before_the_hidden_blocks() -> None:
    hidden = dataclasses.replace(made.UNKNOWN_HIDDEN, present=YES, by=("block-descriptor",))
    stuck = drive(capabilities(ata=ata(), hidden=hidden, standing=standing(SanitizePhase.FAILED)))
    assert chosen(auto(), stuck) == "ata-sanitize-block-erase"
    assert "could not be read back" not in " ".join(plan(auto(), stuck, PRETENDED).notes)


def test_capacity_of_no_namespace_is_for_the_accepted_scope_to_decide() -> None:
    hidden = dataclasses.replace(made.UNKNOWN_HIDDEN, present=YES, by=("unallocated",))
    spare = drive(capabilities(nvme=made.nvme(unallocated_bytes=1 << 20), hidden=hidden))
    assert chosen(auto(acknowledged_scope=("unallocated",)), spare).startswith("nvme-sanitize-")


def test_where_hidden_capacity_is_unknown_a_security_erase_waits_and_the_rest_says_so() -> None:
    hidden = made.UNKNOWN_HIDDEN
    words = refused(by_name("ata-security-erase-enhanced"), drive(capabilities(ata=ata(), hidden=hidden), "magnetic"))
    assert "restore it first (sanitizer restore-capacity)" in words
    by_drive = plan(auto(), drive(capabilities(ata=ata(), hidden=hidden)), PRETENDED)
    assert "a sanitize command reaches it all the same" in " ".join(by_drive.notes)
    by_host = plan(PlanRequest(), drive(capabilities(ata=ata(), hidden=hidden)), PRETENDED)
    assert "nothing here would reach what is hidden" in " ".join(by_host.notes)


@pytest.mark.parametrize("state", ["locked", "shadowed"])
def test_a_drive_hidden_by_tcg_locking_takes_no_marks_so_nothing_is_planned(state: str) -> None:
    inspection = drive(capabilities(ata=ata(), opal=opal(**{state: YES})))
    for request in (auto("clear"), PlanRequest(), by_name("opal-psid-revert", "clear")):
        assert "have it unlocked first" in refused(request, inspection)


@pytest.mark.parametrize("state", ["removal_running", "removal_interrupted"])
def test_a_data_removal_cut_off_is_ended_by_a_revert_only(state: str) -> None:
    inspection = drive(capabilities(ata=ata(), opal=opal(**{state: YES})))
    assert "data removal is under way or was cut off" in refused(auto("clear"), inspection)
    assert chosen(by_name("opal-psid-revert", "clear"), inspection) == "opal-psid-revert"


def test_a_drive_locked_by_a_password_is_not_planned_for() -> None:
    locked = drive(capabilities(ata=ata(security_enabled=YES, security_locked=YES)))
    assert "unlock it first" in refused(auto("clear"), locked)
    assert "unlock it first" in refused(PlanRequest(), locked)


def test_behind_a_raid_controller_no_drive_is_commanded() -> None:
    assert "a RAID controller stands between" in refused(auto(), drive(capabilities(scsi=made.scsi(), path="raid")))


def test_a_usb_bridge_is_told() -> None:
    planned = plan(auto(), drive(capabilities(ata=ata(), path="usb-bridge")), PRETENDED)
    assert any("USB bridge" in note for note in planned.notes)


@pytest.mark.parametrize(
    ("quirk", "inspection", "technique"),
    [
        ("samsung-evo-crypto-not-trusted", made.ATA_SSD, "ata-sanitize-block-erase"),
        ("samsung-evo-crypto-not-trusted", made.NVME, "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"),
        ("samsung-evo-crypto-not-trusted", made.NVME_CRYPTO_ONLY, None),
        ("intel-660p-sanitize-stalls", made.NVME, None),
        ("lacie-rugged-ssd4-sanitize-blocked", made.ATA_SSD, None),
        ("jmicron-bridge-pass-through", made.ATA_HDD, None),
        ("intel-ssdpekkf-format-unusable", made.NVME, "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"),
        ("a-trait-nobody-knows", made.NVME, None),
    ],
)
def test_a_known_trait_excludes_what_it_spoils(quirk: str, inspection: Inspection, technique: str | None) -> None:
    assert inspection.capabilities is not None
    marked = drive(dataclasses.replace(inspection.capabilities, quirks=(quirk,)), inspection.media)
    if technique is None:
        refused(auto(), marked)
    else:
        assert chosen(auto(), marked) == technique
    assert chosen(PlanRequest(), marked) == "overwrite"


def test_a_trait_against_formatting_leaves_what_else_clears() -> None:
    assert made.NVME.capabilities is not None
    marked = drive(dataclasses.replace(made.NVME.capabilities, quirks=("intel-ssdpekkf-format-unusable",)))
    assert "seen to be unusable after Format NVM" in refused(by_name("nvme-format-user-data", "clear"), marked)


@pytest.mark.parametrize("zoned", [True, None])
def test_no_technique_is_planned_for_a_device_that_writes_in_zones(zoned: bool | None) -> None:
    assert "zones" in refused(auto(), dataclasses.replace(made.ATA_SSD, zoned=zoned))


def test_no_technique_is_planned_without_an_identity() -> None:
    assert "no readable identity" in refused(auto(), dataclasses.replace(made.NVME, identity=None))


@pytest.mark.parametrize(
    ("family", "kind"), [("ata", AtaCapabilities), ("scsi", ScsiCapabilities), ("nvme", NvmeCapabilities)]
)
def test_unknown_everywhere_is_no_technique(family: str, kind: type) -> None:
    unknown = capabilities(
        **{family: made.unknown(kind)},
        path="unknown",
        hidden=made.UNKNOWN_HIDDEN,
        standing=standing(SanitizePhase.UNKNOWN),
    )
    refused(auto(acknowledged_scope=EVERYTHING), drive(unknown, "unknown"))
    refused(auto("clear", acknowledged_scope=EVERYTHING), drive(unknown, "unknown", zoned=None, identity=None))


# --- time -------------------------------------------------------------------------------------------------------------


def test_estimates_are_added_up_and_unknown_stays_unknown() -> None:
    both = plan(auto(), made.NVME, PRETENDED)
    assert both.estimates == (30, 120)
    assert both.estimate_seconds == 150
    half = plan(by_name("nvme-sanitize-crypto-erase+nvme-sanitize-overwrite"), made.NVME, PRETENDED)
    assert half.estimates == (30, None)
    assert half.estimate_seconds is None
    assert plan(PlanRequest(), made.ATA_HDD, PRETENDED).estimate_seconds is None
    assert plan(by_name("overwrite+ata-security-erase-enhanced"), made.ATA_HDD, PRETENDED).estimates == (None, 5400)


# --- a run that goes on -----------------------------------------------------------------------------------------------


def test_a_run_goes_on_with_its_own_steps_while_the_drive_is_busy() -> None:
    request, steps = auto(), ("nvme-sanitize-crypto-erase", "nvme-sanitize-block-erase")
    busy = drive(capabilities(nvme=nvme(block_erase=UNKNOWN), standing=standing(SanitizePhase.IN_PROGRESS)))
    for inspection in (busy, drive(None)):
        again = plan_again(request, inspection, steps, PRETENDED)
        assert (again.steps, again.digest) == (steps, request.digest)
    assert plan_again(request, busy, steps, PRETENDED).level == "purge"


@pytest.mark.parametrize(
    ("request_", "steps", "inspection"),
    [
        (by_name("ata-sanitize-block-erase"), ("ata-sanitize-overwrite",), made.ATA_SSD),
        (auto(), ("ata-sanitise",), made.ATA_SSD),
        (auto(), ("ata-sanitize-overwrite",), dataclasses.replace(made.ATA_SSD, identity=None)),
    ],
)
def test_a_run_does_not_go_on_as_another_one(
    request_: PlanRequest, steps: tuple[str, ...], inspection: Inspection
) -> None:
    with pytest.raises(NoTechnique):
        plan_again(request_, inspection, steps, PRETENDED)
