"""The power goes in the middle of five runs, each at another step; after it is back, every run is settled in the truth.

One cut serves all of them: five drives are at five steps when it comes. The journals lie on the share, which stands for the
durable storage of a host; drives and media are objects of this process, and lose what was only in their caches.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from .cells import outcome_of
from .drives.erasure import Phase
from .drives.sat import SataDisk
from .emulated import Emulated, nvme, sas, sata
from .rig import Rig
from .vm import LabError, Result

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

LONG = 600.0
"""Seconds an erase takes, so that the cut comes in its middle."""
SLOW = 0.05
"""Seconds added to every command, so that the cut comes between two of them."""


@dataclass
class Run:
    """One run that is cut off."""

    technique: str
    drive: Emulated
    reached: Callable[[], bool]
    """Whether the run is where the cut shall find it."""
    fingerprint: str = ""
    outcome: str = ""
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def journal(self) -> str:
        return f"/lab/journals/{self.drive.serial}"

    def asked(self, rig: Rig, *words: str) -> Result:
        return rig.vm.product(*words, "--json", timeout=400, environment={"SANITIZER_JOURNAL_DIR": self.journal})

    def plan(self) -> list[str]:
        level = "clear" if "-security-" in self.technique else "purge"
        return ["--technique", self.technique, "--method", level, "--verification", "representative"]

    def escrow(self) -> list[str]:
        return ["--escrow-file", f"{self.journal}/escrow"] if "-security-" in self.technique else []

    def begin(self, rig: Rig) -> None:
        """Start the wipe; it will not come back."""
        rig.vm.run(f"mkdir -p {self.journal}").checked()
        planned = self.asked(rig, "plan", *self.plan(), self.drive.node).checked()
        self.fingerprint = planned.document["fingerprint"]
        words = ["wipe", "--confirm", self.fingerprint, *self.plan(), *self.escrow(), self.drive.node]
        threading.Thread(target=self._wipe, args=(rig, words), daemon=True).start()

    def _wipe(self, rig: Rig, words: list[str]) -> None:
        with contextlib.suppress(LabError):
            self.outcome = str(outcome_of(self.asked(rig, *words)))

    def resume(self, rig: Rig) -> None:
        """After the power is back: find the run, go on with it."""
        runs = self.asked(rig, "status").checked().document
        assert len(runs) == 1, runs
        escrow = ["--escrow-file", f"{self.journal}/escrow-again"] if self.escrow() else []
        words = ["resume", runs[0]["run_id"], "--device", self.drive.node, "--confirm", self.fingerprint, *escrow]
        self.outcome, said = outcome_of(self.asked(rig, *words))
        self.after = {"said": said}


def mid_erase(drive: Emulated) -> Callable[[], bool]:
    return lambda: drive.medium.erasure.operation.phase is Phase.RUNNING


def mid_security_erase(drive: Emulated) -> Callable[[], bool]:
    assert isinstance(drive.target, SataDisk)
    security = drive.target.ata.security
    return lambda: security.erasure.operation.phase is Phase.RUNNING


def marking(drive: Emulated) -> Callable[[], bool]:
    return lambda: drive.medium.blocks - drive.old() > 100


def verifying(drive: Emulated) -> Callable[[], bool]:
    """As soon as the erase is over, the drive becomes slow: the run is then in its verification for long."""
    seen: list[int] = []

    def reached() -> bool:
        medium = drive.medium
        if medium.erasure.operation.phase is not Phase.SUCCEEDED:
            return False
        medium.faults.latency = SLOW
        seen.append(medium.commands)
        return medium.commands > seen[0] + 40

    return reached


def five() -> dict[str, Run]:
    """The drives and what shall be under way on each."""
    made = {
        "marking": sata("LABCUT1", mib=8),
        "sanitizing": sata("LABCUT2", mib=8),
        "erasing": sata("LABCUT3", mib=8),
        "verifying": sas("LABCUT4", mib=8),
        "nvme": nvme("LABCUT5", mib=8),
    }
    made["marking"].faults.latency = SLOW
    for name in ("sanitizing", "erasing", "nvme"):
        made[name].faults.seconds = LONG
    return {
        "marking": Run("ata-sanitize-block-erase", made["marking"], marking(made["marking"])),
        "sanitizing": Run("ata-sanitize-overwrite", made["sanitizing"], mid_erase(made["sanitizing"])),
        "erasing": Run("ata-security-erase", made["erasing"], mid_security_erase(made["erasing"])),
        "verifying": Run("scsi-sanitize-block-erase", made["verifying"], verifying(made["verifying"])),
        "nvme": Run("nvme-sanitize-block-erase", made["nvme"], mid_erase(made["nvme"])),
    }


@pytest.fixture(scope="module")
def runs(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """Five runs, cut off and resumed."""
    found = five()
    with Rig(tmp_path_factory.mktemp("power"), bays=4) as rig:
        rig.boot().load_product()
        for run in found.values():
            run.drive.plug(rig)
        for run in found.values():
            run.begin(rig)
        end = time.monotonic() + 240
        while not all([run.reached() for run in found.values()]):  # noqa: C419 - each must be asked each time
            early = {name: run.outcome for name, run in found.items() if run.outcome}
            assert not early, early
            assert time.monotonic() < end, {name: run.reached() for name, run in found.items()}
            time.sleep(0.05)
        rig.power_cut()
        for run in found.values():
            run.drive.faults.seconds = 2.0
            run.drive.faults.latency = 0.0
        rig.boot().load_product()
        for run in found.values():
            run.drive.find(rig)
        for run in found.values():
            run.resume(rig)
        yield found


def test_cut_while_marking_the_run_goes_on_and_succeeds(runs: dict[str, Run]) -> None:
    run = runs["marking"]
    assert run.outcome == "succeeded", run.after
    assert run.drive.remains() == (0, 0)


@pytest.mark.parametrize("name", ["sanitizing", "nvme"])
def test_cut_while_the_drive_sanitizes_it_goes_on_by_itself_and_is_waited_for(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert run.outcome == "succeeded", run.after
    assert run.drive.remains() == (0, 0)
    assert run.drive.medium.erasure.begun == 1, "it was begun anew"


def test_cut_during_a_security_erase_no_success_and_no_lock_remain(runs: dict[str, Run]) -> None:
    run = runs["erasing"]
    assert isinstance(run.drive.target, SataDisk)
    security = run.drive.target.ata.security
    blocks, _ = run.drive.remains()
    assert (run.outcome == "succeeded") <= (blocks == 0), run.after
    assert security.user is None, run.after


def test_cut_while_verifying_the_run_goes_on_and_succeeds(runs: dict[str, Run]) -> None:
    run = runs["verifying"]
    assert run.outcome == "succeeded", run.after
    assert run.drive.remains() == (0, 0)
    assert run.drive.medium.erasure.begun == 1
