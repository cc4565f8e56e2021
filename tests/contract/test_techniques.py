"""What the sanitizer says a technique reaches is what a record of it is judged to have reached, and real runs are judged so."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports.drive_words import technique_words
from reports.findings.techniques import DRIVE, SETTINGS, level_of
from reports.record import (
    CommandFacts,
    DeviceFacts,
    MethodFacts,
    PassFacts,
    RunFacts,
    SanitizationRecord,
    Segment,
    VerificationFacts,
)
from reports.verdict import Verdict, judge
from sanitizer.capability import Capabilities
from sanitizer.errors import SanitizerError
from sanitizer.planning import DISPUTES, PASSWORD, PlanRequest
from sanitizer.run import RunResult
from sanitizer.stretch import Hooks
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Parameters
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.ata_identify import AtaModel
from tests.lab.drives.clock import ManualClock
from tests.lab.drives.emmc import EmmcDevice, EmmcModel
from tests.lab.drives.faults import Faults
from tests.lab.drives.medium import Medium
from tests.lab.drives.nvme_asking import drive as nvme_drive
from tests.lab.drives.nvme_world import mmc_world, nvme_world
from tests.lab.drives.ports import ScsiBlocks
from tests.lab.drives.sat import SataDisk
from tests.lab.drives.scsi import ScsiDisk
from tests.lab.drives.scsi_pages import ScsiModel
from tests.lab.drives.scsi_world import scsi_world
from tests.lab.drives.world import World
from tests.support import made_up_drives as made_up
from tests.support.evidence import good_record, with_part

ASKED: dict[str, Capabilities] = {
    "ata": made_up.capabilities(ata=made_up.ata()),
    "scsi": made_up.capabilities(scsi=made_up.scsi()),
    "nvme": made_up.capabilities(nvme=made_up.nvme()),
    "mmc": made_up.capabilities(mmc=made_up.mmc()),
    "opal": made_up.capabilities(opal=made_up.opal()),
    "luks": made_up.capabilities(),
}
MEDIA = ("magnetic", "flash", "virtual", "unknown")
CHOICES = [(), *((word,) for word in sorted(SETTINGS)), tuple(sorted(SETTINGS))]
HDD, SSD = AtaModel(rotation=7200, sanitize=frozenset({"overwrite"}), trim=False), AtaModel()


def capabilities_for(name: str) -> Capabilities:
    return ASKED[name.split("-", 1)[0]]


def test_every_technique_of_the_sanitizer_is_one_a_record_can_name() -> None:
    assert set(TECHNIQUES) <= set(DRIVE)
    assert set(DISPUTES) == set(SETTINGS)
    assert all(technique_words(one) != one for one in (*DRIVE, "overwrite"))


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
def test_what_is_promised_is_what_is_judged(name: str) -> None:
    for media, settings in itertools.product(MEDIA, CHOICES):
        reach = TECHNIQUES[name].reach(capabilities_for(name), media, Parameters(settings=settings))
        assert reach.level == level_of(name, media, settings), (media, settings)
        raised = level_of(name, media) != level_of(name, media, settings)
        assert reach.setting == (DRIVE[name].setting if raised else None), (media, settings)


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
@pytest.mark.parametrize("no_deallocate", [False, True])
def test_what_a_technique_leaves_behind_is_what_the_verdict_looks_for(name: str, no_deallocate: bool) -> None:
    left = TECHNIQUES[name].aftermath(capabilities_for(name), Parameters(no_deallocate=no_deallocate))
    assert ("" if left == "undefined" else left) in DRIVE[name].content


def test_passwords_are_known_for_what_they_are() -> None:
    assert set(PASSWORD) == {name for name, rule in DRIVE.items() if rule.password}


# --- the verdict on real runs ---------------------------------------------------------------------------------------------


def recorded(result: RunResult, **changes: Any) -> SanitizationRecord:  # noqa: ANN401 - parts of the record
    """The record of a run of the real engine, with an order and a policy that asked for exactly this."""
    assert result.device is not None
    method, run = dataclasses.asdict(result.method), dataclasses.asdict(result.run)
    method["passes"] = tuple(PassFacts(**one) for one in method["passes"])
    method["commands"] = tuple(CommandFacts.from_dict(one) for one in method["commands"])
    run["segments"] = tuple(Segment(**one) for one in run["segments"])
    record = dataclasses.replace(
        good_record(),
        device=DeviceFacts(**dataclasses.asdict(result.device)),
        method=MethodFacts(**method),
        verification=VerificationFacts(**dataclasses.asdict(result.verification)),
        run=RunFacts(**run),
    )
    record = with_part(record, "policy", required_method=result.method.requested)
    return SanitizationRecord.from_dict(dataclasses.replace(record, **changes).to_dict())


def medium(**faults: Any) -> Medium:  # noqa: ANN401 - fields of Faults
    """Two mebibytes full of somebody's data."""
    made = Medium(4096, faults=Faults(**{"seconds": 5, **faults}), clock=ManualClock())
    made.fill(b"SECRET-CRM-ROW42")
    return made


def sata(model: AtaModel, **faults: Any) -> World[ScsiBlocks]:  # noqa: ANN401 - fields of Faults
    return scsi_world(SataDisk(AtaDrive(medium(**faults), model=model)))


def sas(model: ScsiModel, **faults: Any) -> World[ScsiBlocks]:  # noqa: ANN401 - fields of Faults
    return scsi_world(ScsiDisk(medium(**faults), model=model))


def asked(technique: str, level: str, **changes: Any) -> PlanRequest:  # noqa: ANN401 - fields of the plan
    return PlanRequest(method=level, technique=technique, pattern_set="canaries", verification="full", **changes)


HOOKS = Hooks(escrow=lambda _: None)
DISK, FLASH = ScsiModel(rotation=10000, unmap=False), ScsiModel(rotation=1)
RUNS: dict[str, tuple[Callable[..., World[ScsiBlocks]], Any]] = {
    "ata-sanitize-crypto-scramble": (sata, SSD),
    "ata-sanitize-block-erase": (sata, SSD),
    "ata-sanitize-overwrite": (sata, HDD),
    "ata-security-erase": (sata, HDD),
    "ata-security-erase-enhanced": (sata, HDD),
    "overwrite+ata-security-erase-enhanced": (sata, HDD),
    "scsi-sanitize-crypto-erase": (sas, FLASH),
    "scsi-sanitize-block-erase": (sas, FLASH),
    "scsi-sanitize-overwrite": (sas, DISK),
    "scsi-format-unit": (sas, DISK),
}


def highest(technique: str, media: str, settings: tuple[str, ...] = ()) -> str:
    levels = {level_of(step, media, settings) for step in technique.split("+")}
    return "purge" if "purge" in levels else "clear"


@pytest.mark.parametrize("technique", sorted(RUNS))
def test_a_real_run_is_judged_to_reach_what_was_planned(technique: str, tmp_path: Path) -> None:
    make, model = RUNS[technique]
    world = make(model)
    level = highest(technique, world.media)
    result = world.wipe(asked(technique, level), tmp_path, HOOKS)
    assert result.run.error is None
    record = recorded(result)
    if technique.startswith("scsi-") and record.device.hidden_capacity == "unknown":
        assert (
            "sanitize" in technique or judge(record).outcome == "unknown"
        )  # only sanitize covers what nobody can ask for
        record = with_part(record, "device", hidden_capacity="no")
    verdict = judge(record)
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", level, "full"), verdict.reasons


@pytest.mark.parametrize("technique", sorted(RUNS))
@pytest.mark.parametrize("lie", ["nothing", "first-megabyte", "all-but-one-block"])
def test_no_lying_drive_is_ever_judged_sanitized(technique: str, lie: str, tmp_path: Path) -> None:
    make, model = RUNS[technique]
    world = make(model, erases=lie)
    try:
        result = world.wipe(asked(technique, highest(technique, world.media)), tmp_path, HOOKS)
    except SanitizerError:
        return
    verdict = judge(recorded(result))
    assert (verdict.outcome, verdict.method) in {("failed", "none"), ("partial", "none"), ("unknown", "none")}


def judged_nvme(technique: str, level: str, tmp_path: Path, settings: tuple[str, ...] = ()) -> Verdict:
    world = nvme_world(nvme_drive(faults=Faults(seconds=5)))
    result = world.wipe(asked(technique, level, settings=settings), tmp_path)
    assert result.run.error is None
    return judge(recorded(result))


@pytest.mark.parametrize("technique", [*sorted(name for name in TECHNIQUES if name.startswith("nvme-")),
                                       "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"])  # fmt: skip
def test_a_real_nvme_run_is_judged_to_reach_what_was_planned(technique: str, tmp_path: Path) -> None:
    level = highest(technique, "flash")
    verdict = judged_nvme(technique, level, tmp_path)
    assert (verdict.outcome, verdict.method) == ("sanitized", level), verdict.reasons


@pytest.mark.parametrize("technique", ["nvme-format-user-data", "nvme-format-crypto"])
def test_a_decided_dispute_is_in_the_record_of_a_real_run(technique: str, tmp_path: Path) -> None:
    setting = DRIVE[technique].setting
    assert setting is not None
    verdict = judged_nvme(technique, "purge", tmp_path, (setting,))
    assert (verdict.outcome, verdict.method) == ("sanitized", "purge"), verdict.reasons
    assert "classification-by-setting" in {reason.code for reason in verdict.cautions}


@pytest.mark.parametrize(
    ("technique", "level"), [("mmc-sanitize", "purge"), ("mmc-sanitize", "clear"), ("mmc-secure-trim", "clear")]
)
def test_a_real_emmc_run_reaches_no_more_than_it_was_planned_for(technique: str, level: str, tmp_path: Path) -> None:
    result = mmc_world(EmmcDevice(medium(), EmmcModel(secure_erase=True))).wipe(asked(technique, level), tmp_path)
    assert result.run.error is None
    verdict = judge(recorded(result))
    assert (verdict.outcome, verdict.method) == ("sanitized", level), verdict.reasons
