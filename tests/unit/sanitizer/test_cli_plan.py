"""What `sanitizer plan` says to a person, and the command it ends with."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sanitizer import api
from sanitizer.capability import SanitizePhase
from sanitizer.cli import main
from sanitizer.cli.explaining import WIDTH, explain
from sanitizer.errors import MountedFilesystem, SecurityLocked
from sanitizer.inspection import Inspection
from sanitizer.planning import DISPUTES, PlanRequest, plan
from tests.support import made_up_drives as made
from tests.support.made_up_drives import capabilities, drive, nvme, standing

TERABYTE = 1_000_000_000_000
Say = Callable[..., Result]


def large(inspection: Inspection) -> Inspection:
    assert inspection.identity is not None
    identity = dataclasses.replace(inspection.identity, capacity_bytes=TERABYTE)
    return dataclasses.replace(inspection, identity=identity, capacity_bytes=TERABYTE)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Say:
    def run(inspection: Inspection, *words: str) -> Result:
        monkeypatch.setattr(api, "inspect", lambda _path: inspection)
        return CliRunner().invoke(main, ["plan", "/dev/sim", *words])

    return run


def flat(result: Result) -> str:
    return " ".join(result.output.split())


def test_a_purge_is_explained_step_by_step_with_clauses_and_times(said: Say) -> None:
    result = said(large(made.NVME), "--method", "purge")
    assert result.exit_code == 0
    text = flat(result)
    steps = [
        "1. Mark the medium",
        "2. NVMe Sanitize, crypt",
        "3. NVMe Sanitize, block",
        "4. Look at the drive",
        "5. Read",
    ]
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    assert "It reaches purge" in text
    assert "SP 800-88 Rev. 2, 3.1.2" in text
    assert "The drive says: about 30 s." in text
    assert "the drive itself says about 3 min for its own part" in text
    assert "about 112 min at 150 MB/s" in text
    assert "no canary may be left, and every block read must hold one and the same byte" in text
    assert "goes on by itself after a power cut" in text


def test_the_last_command_does_what_was_shown(said: Say) -> None:
    result = said(
        made.NVME_TWO, "--method", "purge", "--accept-scope", "other-namespaces", "--verification", "representative"
    )
    typed = next(line for line in result.output.splitlines() if line.strip().startswith("sanitizer wipe"))
    assert shlex.split(typed) == [
        *("sanitizer", "wipe", "/dev/sim", "--method", "purge"),
        *("--technique", "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"),
        *("--verification", "representative", "--accept-scope", "other-namespaces"),
    ]
    assert "It destroys the other namespaces (2) too." in flat(result)
    again = said(made.NVME_TWO, *shlex.split(typed)[3:], "--json")
    assert json.loads(again.output)["technique"] == "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"


def test_every_word_of_the_request_is_in_the_command(said: Say) -> None:
    words = [
        *("--method", "clear", "--technique", "nvme-sanitize-overwrite", "--firmware-pattern", "00ff00ff"),
        *("--no-deallocate", "--acknowledge", "zfs-member", "--setting", "opal-revert-is-purge"),
        *("--answer", "no-key-outside", "--accept-scope", "unallocated"),
    ]
    document = json.loads(said(made.NVME, *words, "--json").output)
    typed = shlex.split(document["command"])
    assert typed[:3] == ["sanitizer", "wipe", "/dev/sim"]
    assert sorted(typed[3:]) == sorted(words)
    assert json.loads(said(made.NVME, *typed[3:], "--json").output)["plan_sha256"] == document["plan_sha256"]


@pytest.mark.parametrize(("method", "technique"), [("clear", "overwrite"), ("purge", "ata-sanitize-overwrite")])
def test_without_a_technique_clear_overwrites_and_purge_chooses(said: Say, method: str, technique: str) -> None:
    assert json.loads(said(made.ATA_HDD, "--method", method, "--json").output)["technique"] == technique


def test_the_plain_overwrite_keeps_its_digest(said: Say) -> None:
    document = json.loads(said(made.ATA_HDD, "--json").output)
    assert document["plan_sha256"] == PlanRequest().digest
    assert (document["level"], document["passes"]) == ("clear", 1)


def test_a_security_erase_tells_of_the_password_and_its_file(said: Say) -> None:
    text = flat(said(made.ATA_OLD_HDD, "--method", "purge"))
    assert "given a password first" in text
    assert "--escrow-file FILE" in text
    assert "keep the power on" in text


def test_what_was_not_taken_is_told_with_each_reason(said: Say) -> None:
    result = said(made.NVME_BLOCK_ONLY, "--method", "purge")
    text = flat(result)
    assert "What was not taken, and why:" in text
    assert "overwrite Reaches clear, never purge." in text
    assert "nvme-format-user-data Reaches clear on this medium, not purge" in text
    assert "The drive does not speak ATA" in text


def test_no_plan_is_explained_with_what_a_person_can_decide(said: Say) -> None:
    result = said(made.NVME_TWO, "--method", "purge")
    assert result.exit_code == 3
    text = flat(result)
    assert "nothing less is done in its place" in text
    assert "accept it by the word other-namespaces" in text
    assert "--accept-scope WORD" in text
    assert "sanitizer wipe" not in text


def test_a_drive_at_work_is_to_be_settled_first(said: Say) -> None:
    busy = drive(capabilities(nvme=nvme(), standing=standing(SanitizePhase.IN_PROGRESS)))
    result = said(busy, "--method", "purge")
    assert result.exit_code == 3
    assert "sanitizer settle /dev/sim" in result.output


def test_obstacles_are_told_and_end_in_a_refusal(said: Say) -> None:
    mounted = dataclasses.replace(made.ATA_SSD, obstacles=(MountedFilesystem(mount_points=("/mnt",)),))
    result = said(mounted, "--method", "purge")
    assert result.exit_code == 3
    assert "What stands against it now:" in result.output
    assert "[mounted-filesystem]" in result.output


def test_what_stands_against_a_named_technique_is_told_rather_than_that_it_does_not_fit(said: Say) -> None:
    locked = drive(capabilities(ata=made.ata(security_enabled=made.YES, security_locked=made.YES)))
    locked = dataclasses.replace(locked, obstacles=(SecurityLocked(attempts_exhausted="no"),))
    named = said(locked, "--technique", "ata-security-erase", "--json")
    assert json.loads(named.output)["error"]["code"] == "security-locked"
    assert "[security-locked]" in said(locked, "--technique", "ata-security-erase").output
    chosen = said(locked, "--technique", "auto", "--json")
    assert json.loads(chosen.output)["error"]["code"] == "no-technique"


def test_json_of_a_refusal_holds_every_reason(said: Say) -> None:
    result = said(made.NVME_OLD, "--method", "purge", "--json")
    assert result.exit_code == 3
    error = json.loads(result.output)["error"]
    assert error["code"] == "no-technique"
    assert "overwrite: reaches clear, never purge" in error["details"]["reasons"]


def requests() -> list[tuple[Inspection, PlanRequest]]:
    every: dict[str, Any] = {"method": "purge", "technique": "auto", "pattern_set": "canaries"}
    clear = PlanRequest(pattern_set="gutmann-scrub", verification="representative")
    drives = (made.NVME, made.ATA_SSD, made.ATA_OLD_HDD, made.SAS_HDD)
    return [(each, PlanRequest(**every)) for each in drives] + [(made.ATA_HDD, clear)]


@pytest.mark.parametrize(("inspection", "request_"), requests())
def test_no_line_but_the_command_is_wider_than_the_page(inspection: Inspection, request_: PlanRequest) -> None:
    lines = "\n".join(explain(plan(request_, large(inspection)), large(inspection), ())).splitlines()
    assert [line for line in lines if len(line) > WIDTH and "sanitizer wipe" not in line] == []


@pytest.mark.parametrize("command", ["plan", "wipe", "resume", "settle", "unlock", "restore-capacity", "recover"])
def test_help_fits_the_page(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"], terminal_width=100).output
    assert [line for line in text.splitlines() if len(line) > WIDTH] == []


def test_an_unknown_setting_is_told_the_names(said: Say) -> None:
    result = said(made.NVME, "--setting", "everything-is-purge")
    assert result.exit_code == 2
    assert all(name in result.output for name in DISPUTES)
