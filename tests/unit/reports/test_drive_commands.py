"""Runs with the drives' own commands: what earns Purge, and that one altered field takes it away."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.findings.techniques import DRIVE, HOST, SETTINGS, TECHNIQUES, level_of, steps_of
from reports.record import CommandFacts, SanitizationRecord
from reports.verdict import judge
from tests.support.evidence import CAPACITY, good_record, one_pass, with_part, with_pass
from tests.support.purge_evidence import (
    NVME_CRYPTO_ERASE,
    ata_command,
    ata_status,
    command,
    crypto_erase,
    enhanced_erase,
    identify,
    nvme_format,
    nvme_status,
    purge_record,
    sampled_purge,
)

GOOD = purge_record()
MAGNETIC: dict[str, Any] = {"kind": "ata", "media": "magnetic", "transport": "sata", "nguid": None, "wwn": "naa.5"}
SENSE_FAILED = "72033103" + "00" * 4
SENSE_BUSY = "7202041b" + "00" * 4
SENSE_NONE = "72000000" + "00" * 4
FORMAT_SETTING = "nvme-format-user-data-is-purge"


def only(**changes: Any) -> SanitizationRecord:  # noqa: ANN401 - any field of the command
    return purge_record(command(**changes), technique="nvme-sanitize-block-erase")


def scsi(**changes: Any) -> SanitizationRecord:  # noqa: ANN401 - any field of the command
    fields: dict[str, Any] = {
        "technique": "scsi-sanitize-block-erase",
        "command": "SANITIZE, BLOCK ERASE",
        "opcode": "48",
        "sent": "48820000000000000000",
        "answer": "",
        "before": "",
        "after": SENSE_NONE,
        **changes,
    }
    return purge_record(command(**fields), technique="scsi-sanitize-block-erase", kind="scsi", transport="sas")


def ata(**changes: Any) -> SanitizationRecord:  # noqa: ANN401 - any field of the command
    fields: dict[str, Any] = {
        "technique": "ata-sanitize-block-erase",
        "command": "SANITIZE DEVICE / BLOCK ERASE EXT",
        "opcode": "b4",
        "sent": ata_command(0xB4, 0x12),
        "answer": ata_status(0x4000),
        "before": ata_status(0),
        "after": ata_status(),
        **changes,
    }
    flash = {**MAGNETIC, "media": "flash"}
    return purge_record(command(**fields), technique="ata-sanitize-block-erase", **flash)


def erased(**changes: Any) -> SanitizationRecord:  # noqa: ANN401 - any field of the erase itself
    return purge_record(*enhanced_erase(**changes), **MAGNETIC)


def emmc(*commands: CommandFacts) -> SanitizationRecord:
    return purge_record(*commands, technique="mmc-sanitize", kind="mmc", transport="mmc")


def mmc(number: int, opcode: int, argument: int) -> CommandFacts:
    fields: dict[str, Any] = {
        "technique": "mmc-sanitize",
        "command": f"CMD{opcode}",
        "opcode": f"{opcode:02x}",
        "sent": (bytes((opcode,)) + argument.to_bytes(4, "big")).hex(),
        "before": "",
        "after": "00000900",
    }
    return command(number, **fields)


ERASE, SANITIZE = mmc(1, 38, 0), mmc(2, 6, 0x03A50101)


def formatted(setting: str | None = None) -> SanitizationRecord:
    record = purge_record(nvme_format(setting=setting))
    return with_part(with_part(record, "method", requested="clear"), "policy", required_method="clear")


def codes(record: SanitizationRecord) -> list[str]:
    return [reason.code for reason in judge(record).reasons]


# --- what earns which level -------------------------------------------------------------------------------------------


def test_a_sanitize_command_with_its_status_and_its_canaries_gone_is_purge() -> None:
    verdict = judge(GOOD)
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "purge", "full")
    assert codes(GOOD) == ["spare-areas-reported", "unmapped-unread"]
    assert verdict.reaches("purge", "full")
    assert not verdict.reaches("destroy", "none")


def test_a_sample_tried_by_canaries_on_exactly_that_sample_is_purge_too() -> None:
    verdict = judge(sampled_purge())
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "purge", "representative")


def test_a_combination_reaches_the_highest_of_its_steps() -> None:
    record = purge_record(crypto_erase(1), command(2))
    assert (judge(record).outcome, judge(record).method) == ("sanitized", "purge")
    assert codes(record) == ["spare-areas-reported", "unmapped-unread"]


def test_overwriting_before_a_firmware_erase_reaches_what_the_erase_does() -> None:
    record = purge_record(*enhanced_erase(), technique="overwrite+ata-security-erase-enhanced", **MAGNETIC)
    assert (judge(record).outcome, judge(record).method) == ("sanitized", "purge")


def test_an_enhanced_erase_is_purge_on_a_hard_disk_and_clear_on_flash() -> None:
    assert judge(purge_record(*enhanced_erase(), **MAGNETIC)).method == "purge"
    flash = judge(purge_record(*enhanced_erase(), **{**MAGNETIC, "media": "flash"}))
    assert (flash.method, flash.outcome) == ("clear", "partial")
    assert {"method-below-request", "method-below-policy"} <= {reason.code for reason in flash.reasons}


def test_a_disputed_classification_counts_only_where_the_commands_state_the_setting() -> None:
    assert (judge(formatted()).outcome, judge(formatted()).method) == ("sanitized", "clear")
    decided = judge(formatted(FORMAT_SETTING))
    assert (decided.outcome, decided.method) == ("sanitized", "purge")
    assert "classification-by-setting" in {reason.code for reason in decided.cautions}


def test_a_key_erase_alone_says_that_it_rests_on_encryption() -> None:
    record = with_part(purge_record(crypto_erase()), "verification", expected="no-canary")
    assert (judge(record).outcome, judge(record).method) == ("sanitized", "purge")
    assert {"crypto-erase-only", "content-undefined", "spare-areas-reported", "unmapped-unread"} == set(codes(record))


def test_a_read_back_of_blocks_that_stayed_allocated_is_one_of_the_media() -> None:
    """Bit 9 of command dword 10 (NDAS), and no content that a drive could make up."""
    for sent, expected, unread in (
        ("8400000000000000" + "02020000", "no-canary", False),
        ("8400000000000000" + "02000000", "no-canary", True),
        ("8400000000000000" + "02020000", "no-canary+uniform:00", True),
        ("84", "no-canary", False),
        ("zz" * 28, "no-canary", False),
    ):
        record = with_part(only(sent=sent), "verification", expected=expected)
        assert ("unmapped-unread" in codes(record)) is unread, (sent, expected)
    disk = with_part(purge_record(*enhanced_erase(), **MAGNETIC), "verification", expected="no-canary+zeros")
    assert "unmapped-unread" not in codes(disk)


def test_a_scsi_sanitize_is_read_by_its_sense() -> None:
    assert judge(scsi()).method == "purge"


def test_an_ata_sanitize_is_read_by_its_registers() -> None:
    assert judge(ata()).method == "purge"


def test_sense_data_without_registers_contradict_nothing() -> None:
    """The sanitizer makes no success of them; the verdict only looks for the opposite of one."""
    assert judge(ata(after=SENSE_NONE)).method == "purge"


def test_an_emmc_sanitize_reaches_purge_only_where_the_planner_was_asked_for_it() -> None:
    """Whether areas beside the user area exist stands in no record; the planner knows."""
    record = emmc(ERASE, SANITIZE)
    assert (judge(record).outcome, judge(record).method) == ("sanitized", "purge")
    clear = with_part(with_part(record, "method", requested="clear"), "policy", required_method="clear")
    assert (judge(clear).outcome, judge(clear).method) == ("sanitized", "clear")


# --- one altered field ------------------------------------------------------------------------------------------------

LATER = command(2, reported="failed")
ALTERED: list[tuple[str, SanitizationRecord, str, str]] = [
    ("no command", with_part(GOOD, "method", commands=()), "command-missing", "unknown"),
    ("one step of two", purge_record(command(), technique="nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"),
     "command-missing", "unknown"),
    ("other opcode", only(opcode="80"), "command-missing", "unknown"),
    ("steps in another order", purge_record(command(1), crypto_erase(2),
     technique="nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"), "command-out-of-order", "unknown"),
    ("a step not named", purge_record(crypto_erase(1), command(2), technique="nvme-sanitize-block-erase"),
     "command-unexpected", "unknown"),
    ("commands of an overwrite", with_part(good_record(), "method", commands=(command(),)),
     "command-unexpected", "unknown"),
    ("refused by the drive", only(accepted="no"), "command-refused", "failed"),
    ("failed by the drive", only(reported="failed"), "command-failed", "failed"),
    ("still at work", only(reported="in-progress"), "command-unsettled", "unknown"),
    ("end not known", only(reported="unknown"), "command-unsettled", "unknown"),
    ("failed after success", purge_record(command(1), LATER), "command-failed", "failed"),
    ("unanswered and stale", only(accepted="unknown", answered_at=None, answer="", before=nvme_status(2)),
     "command-unsettled", "unknown"),
    ("unanswered format", purge_record(nvme_format(accepted="unknown", after="00")), "command-unsettled", "unknown"),
    ("no status", only(after=""), "command-status-missing", "unknown"),
    ("no answer", purge_record(nvme_format(answer="")), "command-status-missing", "unknown"),
    ("status of a failure", only(after=nvme_status(2, 0x0003)), "command-status-differs", "unknown"),
    ("status at work", only(after=nvme_status(2, 0x0002)), "command-status-differs", "unknown"),
    ("status of never", only(after=nvme_status(2, 0x0100)), "command-status-differs", "unknown"),
    ("status of another operation", only(after=nvme_status(4)), "command-status-differs", "unknown"),
    ("status cut off", only(after="ffff0101"), "command-status-differs", "unknown"),
    ("another action sent", only(sent=NVME_CRYPTO_ERASE), "command-status-differs", "unknown"),
    ("sent cut off", only(sent="84"), "command-status-differs", "unknown"),
    ("format without erase", purge_record(nvme_format(sent="80" + "00" * 31)), "command-status-differs", "unknown"),
    ("sense of a failure", scsi(after=SENSE_FAILED), "command-status-differs", "unknown"),
    ("fixed sense of a failure", scsi(after="70000300000000000000000031030000"), "command-status-differs", "unknown"),
    ("sense at work", scsi(after=SENSE_BUSY), "command-status-differs", "unknown"),
    ("another service action", scsi(sent="48810000000000000000"), "command-status-differs", "unknown"),
    ("status of an aborted controller", only(answer="0007"), "command-status-differs", "unknown"),
    ("format answered with an error", purge_record(nvme_format(answer="010a")), "command-status-differs", "unknown"),
    ("another ATA feature", ata(sent=ata_command(0xB4, 0x11)), "command-status-differs", "unknown"),
    ("ATA status only", ata(sent=ata_command(0xB4)), "command-status-differs", "unknown"),
    ("ATA still at work", ata(after=ata_status(0x4000)), "command-status-differs", "unknown"),
    ("ATA never done", ata(after=ata_status(0)), "command-status-differs", "unknown"),
    ("ATA aborted", ata(after=ata_status(0x8000, error=4, status=0x51)), "command-status-differs", "unknown"),
    ("a password left", erased(after=identify(0x23)), "command-status-differs", "unknown"),
    ("a lock left", erased(after=identify(0x25)), "command-status-differs", "unknown"),
    ("no identify data", erased(after="ec" * 16), "command-status-differs", "unknown"),
    ("another ATA command", erased(sent=ata_command(0xF1)), "command-status-differs", "unknown"),
    ("eMMC switch of something else", emmc(ERASE, mmc(2, 6, 0x03B30001)), "command-status-differs", "unknown"),
    ("eMMC sanitize without erase", emmc(mmc(1, 6, 0x03A50101)), "command-missing", "unknown"),
    ("another SCSI command", scsi(sent="49820000000000000000"), "command-status-differs", "unknown"),
    ("numbers", only(number=2), "facts-contradict", "unknown"),
    ("bytes that are none", only(answer="0"), "command-malformed", "unknown"),
    ("upper-case bytes", only(before="FF"), "command-malformed", "unknown"),
    ("no bytes sent", only(sent=""), "command-malformed", "unknown"),
    ("no name", only(command=" "), "command-malformed", "unknown"),
    ("accepted", only(accepted="perhaps"), "unknown-word", "unknown"),
    ("reported", only(reported="done"), "unknown-word", "unknown"),
    ("setting unknown", only(setting="everything-is-purge"), "unknown-word", "unknown"),
    ("newer field", only(extra={"newer": 1}), "unknown-field", "unknown"),
    ("setting of another technique", only(setting=FORMAT_SETTING), "setting-does-not-fit", "unknown"),
    ("setting of a hard disk", purge_record(*enhanced_erase(setting="enhanced-erase-is-purge-on-flash"), **MAGNETIC),
     "setting-does-not-fit", "unknown"),
    ("answer without its time", only(answered_at=None), "facts-contradict", "unknown"),
    ("time", only(sent_at="09:07"), "times-unusable", "unknown"),
    ("answered before sent", only(answered_at="2026-11-22T09:06:00Z"), "times-unusable", "unknown"),
    ("sent before the run", only(sent_at="2026-11-22T09:00:00Z"), "times-unusable", "unknown"),
    ("a preparing command refused", purge_record(
        dataclasses.replace(enhanced_erase()[0], accepted="no"), *enhanced_erase()[1:], **MAGNETIC),
     "command-incomplete", "failed"),
    ("a preparing command unanswered", purge_record(
        dataclasses.replace(enhanced_erase()[0], accepted="unknown"), *enhanced_erase()[1:], **MAGNETIC),
     "command-incomplete", "unknown"),
    ("password over USB", purge_record(*enhanced_erase(), **{**MAGNETIC, "transport": "usb"}),
     "password-over-bridge", "unknown"),
    ("another kind of device", purge_record(kind="mmc"), "technique-does-not-fit", "unknown"),
    ("unknown step", with_part(GOOD, "method", technique="nvme-sanitize-block-erase+hammer"), "unknown-word", "unknown"),
    ("overwrite last", with_part(GOOD, "method", technique="nvme-sanitize-block-erase+overwrite"),
     "unknown-word", "unknown"),
    # the canaries
    ("no canaries", with_part(GOOD, "method", passes=()), "canaries-missing", "unknown"),
    ("zeros for canaries", with_pass(GOOD, pattern="zeros", key_sha256=None), "canaries-missing", "unknown"),
    ("canaries without key", with_pass(GOOD, key_sha256=None), "pattern-uncommitted", "unknown"),
    ("canaries not flushed", with_pass(GOOD, flushed=False), "pass-not-flushed", "unknown"),
    ("another pattern set", with_part(GOOD, "method", pattern_set="keyed-stream"), "canaries-missing", "unknown"),
    ("canaries twice", with_part(GOOD, "method", passes=(GOOD.method.passes[0], one_pass(2))),
     "canaries-missing", "unknown"),
    ("fewer canaries than read back", with_pass(GOOD, bytes_written=CAPACITY - 512), "canaries-missing", "unknown"),
    ("fewer canaries than sampled", with_pass(sampled_purge(), bytes_written=512), "canaries-missing", "unknown"),
    ("sampled canaries before an overwrite", with_part(sampled_purge(), "method",
     technique="overwrite+nvme-sanitize-block-erase"), "canaries-missing", "unknown"),
    ("a canary not written", with_pass(GOOD, bytes_written=CAPACITY - 512, unwritten=((0, 512),)),
     "canary-unwritten", "partial"),
    # the read-back
    ("not read back", with_part(GOOD, "verification", kind="none"), "not-verified", "unknown"),
    ("residual", with_part(GOOD, "verification", residual=((0, 512),)), "residual", "failed"),
    ("compared with the canaries", with_part(GOOD, "verification", expected="keyed-stream"),
     "expected-content-differs", "unknown"),
    ("label of nobody", with_part(GOOD, "verification", expected="no-canary+ones"), "expected-content-differs", "unknown"),
    ("pattern after a block erase", with_part(GOOD, "verification", expected="no-canary+pattern:00000000"),
     "expected-content-differs", "unknown"),
    ("zeros after a key erase", purge_record(crypto_erase()), "expected-content-differs", "unknown"),
    # the medium
    ("hidden areas", purge_record(hidden_capacity="yes"), "hidden-capacity", "partial"),
    ("hidden areas, and no sanitize", purge_record(nvme_format(), hidden_capacity="unknown"),
     "hidden-capacity-unknown", "unknown"),
    # enough for nobody
    ("less than requested", with_part(formatted(), "method", requested="purge"), "method-below-request", "partial"),
    ("less than the policy's", with_part(formatted(), "policy", required_method="purge"),
     "method-below-policy", "partial"),
    ("destroy", with_part(GOOD, "policy", required_method="destroy"), "method-below-policy", "partial"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "code", "outcome"), [row[1:] for row in ALTERED], ids=[row[0] for row in ALTERED])
def test_one_altered_field_takes_purge_away(record: SanitizationRecord, code: str, outcome: str) -> None:
    verdict = judge(record)
    assert code in {reason.code for reason in verdict.blocking}
    assert verdict.outcome == outcome
    assert not verdict.reaches("purge", "none")
    if code not in {"method-below-policy", "method-below-request"}:
        assert verdict.method == "none"


CAUTIONS: list[tuple[str, SanitizationRecord, str]] = [
    ("flash beyond the definition", formatted(), "flash-medium"),
    ("hidden areas not ruled out", purge_record(hidden_capacity="unknown"), "hidden-capacity-unread"),
    ("an earlier failure", purge_record(command(1, reported="failed", after=nvme_status(2, 3)), command(2)),
     "command-repeated"),
    ("a lost answer", only(accepted="unknown", answered_at=None, answer=""), "command-unanswered"),
    ("only keys", with_part(purge_record(crypto_erase()), "verification", expected="no-canary"), "crypto-erase-only"),
    ("undefined content", with_part(GOOD, "verification", expected="no-canary"), "content-undefined"),
    ("a setting", formatted(FORMAT_SETTING), "classification-by-setting"),
    ("spare areas", GOOD, "spare-areas-reported"),
    ("answers without the media", GOOD, "unmapped-unread"),
    ("answers without the media, SATA", ata(), "unmapped-unread"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "code"), [row[1:] for row in CAUTIONS], ids=[row[0] for row in CAUTIONS])
def test_what_limits_a_drives_word_is_said_and_takes_nothing_away(record: SanitizationRecord, code: str) -> None:
    verdict = judge(record)
    assert code in {reason.code for reason in verdict.cautions}
    assert verdict.outcome == "sanitized"


ROWS = [row[1] for row in ALTERED] + [row[1] for row in CAUTIONS]


@pytest.mark.parametrize("reason", [reason for record in ROWS for reason in judge(record).reasons])
def test_reasons_are_sentences_that_name_their_fields(reason: Any) -> None:  # noqa: ANN401 - a named tuple
    assert reason.text[0].isupper() or reason.text[0].isdigit()
    assert reason.text.endswith(".")
    assert reason.fields


# --- failed, cut off, refused -----------------------------------------------------------------------------------------


def test_a_failed_command_makes_a_failed_run_and_never_a_partial_one() -> None:
    ended = (dataclasses.replace(GOOD.run.segments[0], ended_by="failed"),)
    run = {"state": "failed", "error_code": "technique-failed", "error": "The drive failed.", "segments": ended}
    record = with_part(only(reported="failed", after=nvme_status(2, 3)), "run", **run)
    record = with_part(record, "verification", kind="full", unreadable=((0, 512),))
    assert (judge(record).outcome, judge(record).method) == ("failed", "none")


def test_a_run_cut_off_while_the_drive_works_is_interrupted() -> None:
    record = with_part(only(reported="in-progress"), "run", state="interrupted", error_code="stopped")
    assert (judge(record).outcome, judge(record).method) == ("interrupted", "none")


def test_a_refusal_with_a_command_the_drive_accepted_contradicts_itself() -> None:
    record = with_part(with_part(GOOD, "run", state="refused", touched="no"), "method", passes=())
    assert judge(record).outcome == "unknown"
    assert "facts-contradict" in codes(record)


def test_a_refusal_by_the_drive_before_anything_happened_stays_a_refusal() -> None:
    record = with_part(only(accepted="no", reported="failed"), "run", state="refused", touched="no")
    assert judge(with_part(record, "method", passes=())).outcome == "refused"


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", sorted(TECHNIQUES))
@pytest.mark.parametrize("media", ["magnetic", "flash", "virtual", "unknown"])
def test_by_default_only_dedicated_commands_reach_purge(step: str, media: str) -> None:
    purge = "-sanitize-" in step or step == "mmc-sanitize"
    purge = purge or (step == "ata-security-erase-enhanced" and media == "magnetic")
    assert level_of(step, media) == ("purge" if purge and media != "virtual" else "clear")


@given(step=st.sampled_from(sorted(TECHNIQUES)), settings=st.sets(st.sampled_from(sorted(SETTINGS))))
def test_settings_only_raise_and_only_their_own_technique(step: str, settings: set[str]) -> None:
    for media in ("magnetic", "flash", "unknown"):
        plain, decided = level_of(step, media), level_of(step, media, settings)
        own = DRIVE[step].setting if step != HOST else None
        assert decided == plain or (decided == "purge" and own in settings)
    assert level_of(step, "virtual", settings) == "clear"


@pytest.mark.parametrize("text", ["", "+", "overwrite+", "overwrite+overwrite", "opal-revert+overwrite", "nuke"])
def test_steps_that_make_no_sense_are_no_technique(text: str) -> None:
    assert steps_of(text) is None
    assert level_of(text, "magnetic", SETTINGS) == "none"
