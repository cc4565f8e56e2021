"""What certificates, reports and the verifier say of runs with the drives' own commands."""

from __future__ import annotations

from typing import Any

import pytest

from reports import claims, documents
from reports.drive_words import bytes_words, technique_words
from reports.errors import MalformedDocument
from reports.findings.techniques import TECHNIQUES
from reports.language import ENGLISH, LANGUAGES, speaker
from reports.orders import Plan
from reports.record import SanitizationRecord
from reports.verify import verify
from reports.verify_steps import Verification
from tests.support.evidence import Story, World, certified, with_part
from tests.support.purge_evidence import (
    ata_command,
    ata_status,
    command,
    crypto_erase,
    enhanced_erase,
    nvme_format,
    nvme_status,
    purge_record,
    sampled_purge,
)
from tests.unit.reports.test_certificate import FORBIDDEN

MAGNETIC: dict[str, Any] = {"kind": "ata", "media": "magnetic", "transport": "sata", "nguid": None, "wwn": "naa.5"}
FORMAT_SETTING = "nvme-format-user-data-is-purge"
OVERWRITTEN = purge_record(
    command(
        technique="ata-sanitize-overwrite",
        command="SANITIZE DEVICE / OVERWRITE EXT",
        opcode="b4",
        sent=ata_command(0xB4, 0x14),
        before=ata_status(0),
        after=ata_status(),
    ),
    **MAGNETIC,
)
RECORDS = {
    "block erase": purge_record(),
    "sampled": sampled_purge(),
    "combined": purge_record(crypto_erase(1), command(2)),
    "enhanced": purge_record(*enhanced_erase(), **MAGNETIC),
    "key only": with_part(purge_record(crypto_erase()), "verification", expected="no-canary"),
    "pattern": with_part(OVERWRITTEN, "verification", expected="no-canary+pattern:00000000"),
}


def _everything(record: SanitizationRecord) -> str:
    said = claims.derive(record)
    return " ".join(
        [
            *(claim.text for claim in said.granted),
            *said.exceptions,
            *said.not_covered,
            claims.details_words(record),
            claims.verification_words(record),
            technique_words(record.method.technique),
        ]
    )


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_a_purge_is_claimed_with_the_commands_it_rests_on(record: SanitizationRecord) -> None:
    said = claims.derive(record)
    claim = said.find("purge")
    assert claim.clause == claims.PURGE_CLAUSE
    last = record.method.commands[-1]
    assert f"{last.command} (opcode {last.opcode}h)" in claim.text
    assert [one.field for one in claim.evidence if one.field.startswith("method.commands")]
    assert said.find("same-medium")


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_no_document_promises_what_nobody_can_know(record: SanitizationRecord) -> None:
    words = f"{_everything(record)} {ENGLISH.say('claims.means-purge')}".lower()
    assert not [word for word in FORBIDDEN if word in words.split() or f"{word} " in words]
    assert "were overwritten" not in words


@pytest.mark.parametrize("technique", sorted(TECHNIQUES))
def test_every_technique_has_words(technique: str) -> None:
    for language in LANGUAGES:
        assert speaker(language).word("technique", technique)
        assert speaker(language).word("does", technique)


def test_what_a_key_erase_rests_on_is_said() -> None:
    said = claims.derive(RECORDS["key only"])
    assert any("rests on the drive's encryption" in text for text in said.not_covered)
    assert any("Only keys were destroyed" in text for text in said.exceptions)
    assert "is not defined" in said.find("verified-full").text


def test_what_the_commands_of_nvme_leave_alone_is_said() -> None:
    assert any("boot partitions" in text for text in claims.derive(RECORDS["block erase"]).not_covered)
    assert not any("boot partitions" in text for text in claims.derive(RECORDS["enhanced"]).not_covered)


def test_a_pattern_that_had_to_be_found_is_named() -> None:
    assert "0x00000000 everywhere" in claims.verification_words(RECORDS["pattern"])


def test_a_certificate_of_purge_names_technique_opcode_and_raw_status() -> None:
    view = documents.certificate_view(certified(World(), purge_record()).bundle())
    rows = {row.label: row.value for row in view["work"]}
    assert rows["Method"] == f"Purge ({claims.PURGE_CLAUSE})"
    assert rows["Technique"] == "NVMe Sanitize, block erase"
    assert view["means"] == ENGLISH.say("claims.means-purge")
    (shown,) = view["commands"]
    assert shown.command == "Sanitize, Block Erase"
    assert shown.about.startswith("opcode 84h, ")
    assert shown.about.endswith("; accepted: yes; the drive reports: success")
    assert shown.after.startswith("ffff0101 02000000")
    assert shown.after.endswith("and 480 more bytes")


def test_a_failed_command_is_shown_in_the_report() -> None:
    failed = command(reported="failed", after=nvme_status(2, 3))
    record = with_part(purge_record(failed), "run", state="failed", error_code="technique-failed", error="It failed.")
    story = Story(World(), record).order().run().accept()
    view = documents.unsuccessful_view(story.unsuccessful(validated=False))
    assert view["commands"][0].about.endswith("the drive reports: failure")
    assert view["alarm"] == "This medium is not sanitized. Outcome: failed."


def test_the_verifier_prints_every_command_and_every_byte_of_it() -> None:
    world = World()
    story = certified(world, purge_record(crypto_erase(1), command(2)))
    result = verify(story.bundle().to_bytes(), world.pin)
    assert result.yes
    told = result.to_dict()
    assert [one["opcode"] for one in told["commands"]] == ["84", "84"]
    assert told["commands"][1] == command(2).to_dict()
    assert "Sanitize, Block Erase" in told["facts"]["Command 2"]
    assert told["facts"]["Method reached"] == "purge"


# --- the record obeys the plan ------------------------------------------------------------------------------------------


def _clear(record: SanitizationRecord) -> SanitizationRecord:
    return with_part(with_part(record, "method", requested="clear"), "policy", required_method="clear")


def _ordered(record: SanitizationRecord, **plan: Any) -> Verification:  # noqa: ANN401 - fields of the plan
    """A run under this plan, certified by the rules."""
    world = World()
    story = Story(world, record, order_changes={"plan": plan}).order().run().accept().validate().certify()
    return verify(story.bundle().to_bytes(), world.pin)


def test_a_setting_nobody_ordered_counts_for_nobody() -> None:
    record = purge_record(nvme_format(setting=FORMAT_SETTING))
    assert _ordered(record, settings=[FORMAT_SETTING]).yes
    assert "nobody ordered" in _checked(record)


def _checked(record: SanitizationRecord, **plan: Any) -> str:  # noqa: ANN401 - fields of the plan
    """What the verifier says of a run that an insider certified without asking any rule."""
    world = World()
    honest = certified(world, _clear(purge_record()))
    story = Story(world, record, order_changes={"plan": plan}).order().run().accept().validate()
    story.certificate_envelope, story.certified_at = honest.certificate_envelope, honest.certified_at
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    result = verify(story.bundle().to_bytes(), world.pin)
    assert not result.genuine
    return result.conclusion


def test_another_technique_than_ordered_is_refused() -> None:
    assert "technique" in _checked(purge_record(), technique="nvme-sanitize-crypto-erase")


def test_another_pattern_than_ordered_is_refused() -> None:
    assert "the drive's pattern" in _checked(RECORDS["pattern"], firmware_pattern="deadbeef")


def test_the_best_technique_may_be_left_to_the_agent() -> None:
    assert _ordered(purge_record(), technique="auto").yes


PLAN = {
    "method": "purge",
    "technique": "auto",
    "pattern_set": "canaries",
    "verification": "full",
    "acknowledged_signatures": [],
}


def test_a_plan_leaves_defaults_out_and_reads_back_the_same() -> None:
    assert Plan.from_dict(PLAN).to_dict() == PLAN
    more = {**PLAN, "settings": [FORMAT_SETTING], "no_deallocate": True, "answers": ["no-key-outside"]}
    assert Plan.from_dict(more).to_dict() == more


@pytest.mark.parametrize(
    "default", [{"settings": []}, {"no_deallocate": False}, {"firmware_pattern": ""}, {"answers": []}]
)
def test_a_default_that_is_written_out_is_another_spelling_and_refused(default: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument, match="left out"):
        Plan.from_dict({**PLAN, **default})


@pytest.mark.parametrize("value", [None, [], "text"])
def test_only_objects_are_plans(value: object) -> None:
    with pytest.raises(MalformedDocument):
        Plan.from_dict(value)


def test_long_bytes_are_cut_on_paper() -> None:
    assert bytes_words("") == "none"
    assert bytes_words("00" * 32).count("00000000") == 8
    assert bytes_words("00" * 33).endswith("and 1 more bytes")
