from __future__ import annotations

from collections.abc import Iterable

import pytest

from sanitizer.wire import MalformedReply
from sanitizer.wire.explain import (
    Answer,
    Explanation,
    NvmeForm,
    ScsiForm,
    explain_ata,
    explain_emmc,
    explain_nvme,
    explain_nvme_sanitize,
    explain_scsi,
    explain_sense,
)

from . import hand_made as made


def said(explanation: Explanation, label: str) -> str:
    """The one value under a label."""
    found = [value for group in explanation.groups for name, value in group.rows if name == label]
    assert len(found) == 1, (label, found)
    return found[0]


def warned(explanation: Explanation, word: str) -> bool:
    return any(word in sentence for sentence in explanation.attention)


def words_of(explanation: Explanation) -> Iterable[str]:
    yield explanation.title
    yield from explanation.attention
    for group in explanation.groups:
        yield group.title
        for label, value in group.rows:
            yield label
            yield value


EVERYTHING = [
    explain_ata(made.identify()),
    explain_nvme(made.controller()),
    explain_nvme(made.namespace()),
    *(explain_nvme_sanitize(made.sanitize_log(status)) for status in (0, 0x101, 1, 2, 3, 4, 7)),
    explain_scsi(made.inquiry()),
    explain_sense(made.fixed_sense(3, 0x31, 0x03)),
    explain_emmc(made.ext_csd()),
]


@pytest.mark.parametrize("explanation", EVERYTHING, ids=lambda each: each.title)
def test_no_explanation_claims_what_only_a_verdict_may(explanation: Explanation) -> None:
    text = " ".join(words_of(explanation)).lower()
    for word in ("purged", "unrecoverable", "compliant", "certified", "securely", "guarantee"):
        assert word not in text


@pytest.mark.parametrize("explanation", EVERYTHING, ids=lambda each: each.title)
def test_attention_is_whole_sentences(explanation: Explanation) -> None:
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in explanation.attention)


def test_unknown_is_said_as_unknown_and_never_as_no() -> None:
    explanation = explain_ata(made.identify({59: 0xFFFF, 83: 0, 128: 0xFFFF}))
    assert said(explanation, "Host protected area (HPA)") == "supported: unknown, on: yes"
    assert said(explanation, "Locked") == "unknown"
    assert said(explanation, "Cryptographic scramble") == "unknown"
    assert explanation.keys["security"] == {**_security(explanation), "locked": None, "supported": None}


def _security(explanation: Explanation) -> dict[str, object]:
    security = explanation.keys["security"]
    assert isinstance(security, dict)
    return security


ATA_WARNINGS = [
    ({128: 0x0029}, "frozen"),
    ({128: 0x0007, 85: 0x0402}, "locked"),
    ({128: 0x0003, 85: 0x0402}, "password is set"),
    ({0: 0x8580}, "not the reply of an ATA drive"),
    ({0: 0x0044}, "incomplete"),
    ({128: 0x0020}, "do not"),
    ({}, "hidden area"),
]


@pytest.mark.parametrize(("words", "word"), ATA_WARNINGS)
def test_what_stands_in_the_way_is_pointed_out(words: dict[int, int], word: str) -> None:
    assert warned(explain_ata(made.identify(words)), word)


def test_what_does_not_stand_in_the_way_is_not_pointed_out() -> None:
    explanation = explain_ata(made.identify({82: 0x0002, 83: 0x4400}))
    assert explanation.attention == ()


def test_a_broken_checksum_is_pointed_out() -> None:
    broken = bytearray(made.identify())
    broken[100] ^= 1
    explanation = explain_ata(broken)
    assert warned(explanation, "altered on its way")
    assert explanation.keys["checksum"] == {"signature_a5": True, "valid": False}


def test_an_absent_checksum_is_neither_valid_nor_invalid() -> None:
    assert explain_ata(made.identify(checksum=False)).keys["checksum"] == {"signature_a5": False, "valid": None}


@pytest.mark.parametrize(
    ("word", "text"),
    [(0x00FF, "more than 508 minutes"), (0x8100, "about 512 minutes"), (0, "no estimate")],
)
def test_erase_times_are_said_with_their_uncertainty(word: int, text: str) -> None:
    assert said(explain_ata(made.identify({89: word})), "Normal erase") == text


@pytest.mark.parametrize("status", [0x0101, 0x0001, 0x0104])
def test_a_success_in_the_log_is_always_said_to_prove_nothing_by_itself(status: int) -> None:
    explanation = explain_nvme_sanitize(made.sanitize_log(status))
    assert warned(explanation, "years old")
    assert said(explanation, "The controller reports").startswith("the most recent operation completed")
    assert warned(explanation, "written since") is not bool(status & 0x100)


@pytest.mark.parametrize("status", [0x0000, 0x0002, 0x0003, 0x0005])
def test_what_is_no_success_is_not_called_one(status: int) -> None:
    text = " ".join(words_of(explain_nvme_sanitize(made.sanitize_log(status))))
    assert "success" not in text


def test_progress_is_shown_while_a_sanitize_runs() -> None:
    explanation = explain_nvme_sanitize(made.sanitize_log(2, progress=0x8000))
    assert said(explanation, "Progress") == "50.0 % (32768 of 65536)"
    assert warned(explanation, "cannot be stopped")


@pytest.mark.parametrize(
    ("state", "word"), [(0x12, "refuses input and output"), (0x00, "does not say"), (0x34, "refuses input and output")]
)
def test_a_failed_sanitize_says_whether_the_drive_refuses_commands(state: int, word: str) -> None:
    assert warned(explain_nvme_sanitize(made.sanitize_log(3, state=state)), word)


def test_the_two_identify_replies_are_told_apart() -> None:
    assert explain_nvme(made.controller()).title == "NVMe Identify Controller"
    assert explain_nvme(made.namespace()).title == "NVMe Identify Namespace"


@pytest.mark.parametrize("data", [bytes(4096), b"\xff" * 4096, b"\x01" * 4096])
def test_what_looks_like_neither_must_be_named(data: bytes) -> None:
    with pytest.raises(MalformedReply, match="--form"):
        explain_nvme(data)
    assert explain_nvme(data, NvmeForm.CONTROLLER).title == "NVMe Identify Controller"
    assert explain_nvme(data, NvmeForm.NAMESPACE).title == "NVMe Identify Namespace"


def test_hidden_capacity_of_a_subsystem_is_pointed_out() -> None:
    explanation = explain_nvme(made.controller({296: (10**9).to_bytes(16, "little")}))
    assert warned(explanation, "no namespace")
    assert said(explanation, "Of that in no namespace") == "1.0 GB (1000000000 bytes)"


SCSI_FORMS = [
    (made.inquiry(), "SCSI standard INQUIRY"),
    (made.inquiry()[:36], "SCSI standard INQUIRY"),
    (made.vpd(0x00, b"\x00\x80"), "SCSI VPD page 00h, supported pages"),
    (made.vpd(0x80, b"HANDMADE0001"), "SCSI VPD page 80h, unit serial number"),
    (made.vpd(0x80, b"HANDMADE0001") + bytes(40), "SCSI VPD page 80h, unit serial number"),
    (made.vpd(0x83, made.designator(3, bytes(8))), "SCSI VPD page 83h, device identification"),
]


@pytest.mark.parametrize(("data", "title"), SCSI_FORMS)
def test_inquiry_and_pages_are_told_apart(data: bytes, title: str) -> None:
    assert explain_scsi(data).title == title


def test_a_page_that_looks_like_inquiry_too_must_be_named() -> None:
    """A serial number of 34 characters: length 22h is also response format 2."""
    both = made.vpd(0x80, b"HANDMADE SERIAL NUMBER OF 34 CHARS")
    assert len(both) == 38
    with pytest.raises(MalformedReply, match="both"):
        explain_scsi(both)
    assert explain_scsi(both, ScsiForm.VPD).keys["serial"] == "HANDMADE SERIAL NUMBER OF 34 CHARS"


@pytest.mark.parametrize("data", [bytes(36), made.vpd(0x83, made.designator(3, bytes(8)))[:-1], b"\x00" * 8])
def test_a_scsi_reply_that_looks_like_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedReply, match="neither"):
        explain_scsi(data)


def test_what_is_no_disk_is_said_to_be_none() -> None:
    assert warned(explain_scsi(made.inquiry({0: b"\x05"})), "no disk")
    assert not warned(explain_scsi(made.inquiry()), "no disk")


def test_supported_commands_say_how_each_sanitize_stands() -> None:
    one = explain_scsi(bytes([0, 0x03, 0, 2, 0x48, 0x1F]), ScsiForm.OPCODE)
    assert said(one, "Supported") == "as the standard has it"
    listed = explain_scsi(bytes([0, 0, 0, 8, 0x48, 0, 0, 2, 0, 1, 0, 10]), ScsiForm.OPCODES)
    assert (said(listed, "SANITIZE block erase"), said(listed, "SANITIZE overwrite")) == ("yes", "no")
    cut_off = explain_scsi(bytes([0, 0, 0, 16, 0x48, 0, 0, 2, 0, 1, 0, 10]), ScsiForm.OPCODES)
    assert said(cut_off, "SANITIZE overwrite") == "unknown"
    assert warned(cut_off, "cut off")


def test_registers_are_shown_only_where_they_cannot_be_anything_else() -> None:
    address = made.fixed_sense(3, 0x11, 0x00, {0: b"\xf0", 3: b"\x00\x50\x40\x01"})
    assert "ata_registers" not in explain_sense(address).keys
    assert "ata_registers" in explain_sense(address, Answer.ATA_PASS_THROUGH).keys
    returned = made.descriptor_sense(1, 0x00, 0x1D, made.ata_return(count=0x4000, lba=0x8000))
    assert "ata_registers" in explain_sense(returned).keys
    assert "sanitize_status" not in explain_sense(returned).keys


def test_an_answer_without_registers_is_malformed_only_if_it_should_have_some() -> None:
    plain = made.fixed_sense(5, 0x20, 0x00)
    assert explain_sense(plain).keys["asc"] == 0x20
    with pytest.raises(MalformedReply, match="registers"):
        explain_sense(plain, Answer.SANITIZE_STATUS_EXT)


def test_sanitize_status_is_explained_from_its_registers() -> None:
    running = made.descriptor_sense(1, 0x00, 0x1D, made.ata_return(count=0x4000, lba=0x8000))
    explanation = explain_sense(running, Answer.SANITIZE_STATUS_EXT)
    assert (said(explanation, "In progress"), said(explanation, "Progress")) == ("yes", "50.0 % (32768 of 65536)")
    aborted = made.descriptor_sense(11, 0, 0, made.ata_return(status=0x51, error=4, lba=1))
    assert "NOT sanitized" in said(explain_sense(aborted, Answer.SANITIZE_STATUS_EXT), "Refused, because")


def test_emmc_areas_outside_the_user_area_are_pointed_out() -> None:
    explanation = explain_emmc(made.ext_csd())
    assert warned(explanation, "boot areas")
    assert warned(explanation, "replay-protected")
    assert said(explanation, "Boot areas") == "two of 4.2 MB (4194304 bytes)"
    assert not warned(explain_emmc(made.ext_csd({226: b"\0"})), "boot areas")


def test_wear_is_not_read_from_bytes_older_devices_do_not_have() -> None:
    assert said(explain_emmc(made.ext_csd({192: b"\x05"})), "Wear, type A") == "not reported before 5.0"
    assert said(explain_emmc(made.ext_csd()), "Wear, type A") == "10 to 20 % used"
