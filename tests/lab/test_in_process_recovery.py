"""Drives that hide their medium behind TCG locking are brought back, which claims nothing, and then sanitized like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sanitizer.clearance import Confirmation
from sanitizer.errors import JournalDamaged, Refused, TechniqueFailed
from sanitizer.inspection import Inspection
from sanitizer.journal import peek
from sanitizer.planning import PlanRequest
from sanitizer.reverting import BY_LABEL, BY_OWNER, Recovery, RecoveryRequest

from .drives.ata import AtaDrive
from .drives.ata_identify import AtaModel
from .drives.clock import ManualClock
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.nvme_asking import SECRET, drive
from .drives.nvme_identify import NvmeNamespace
from .drives.nvme_world import nvme_world
from .drives.opal import MSID, PSID, Opal
from .drives.sat import SataDisk
from .drives.scsi import ScsiDisk
from .drives.scsi_world import scsi_world
from .drives.world import RUN, World

OWNER = b"somebody else's password"
BLOCKS = 4096


@dataclass
class Locked:
    """A drive with Opal, on a host."""

    world: World[Any]
    opal: Opal
    medium: Medium
    technique: str
    """That it is sanitized with once it is back."""


def on_nvme(lies: bool = False, **more: Any) -> Locked:  # noqa: ANN401 - hands on
    controller = drive(faults=Faults(erases="nothing") if lies else None, **more)
    opal = controller.subsystem.opal
    assert isinstance(opal, Opal)
    return Locked(nvme_world(controller), opal, controller.subsystem.medium, "nvme-sanitize-block-erase")


def behind_scsi(ata: bool, lies: bool) -> Locked:
    medium = Medium(BLOCKS, clock=ManualClock())
    medium.fill(SECRET)

    def eradicate() -> None:
        if not lies:
            medium.new_key()
            medium.scrub(0, medium.blocks, None)
            medium.spare.clear()

    opal = Opal(eradicate, now=medium.clock.now)
    made = AtaDrive(medium, model=AtaModel(trusted=True), tper=opal)
    target = SataDisk(made) if ata else ScsiDisk(medium, tper=opal)
    technique = "ata-sanitize-block-erase" if ata else "scsi-sanitize-block-erase"
    return Locked(scsi_world(target), opal, medium, technique)


DRIVES: Mapping[str, Callable[[bool], Locked]] = {
    "nvme": on_nvme,
    "ata": lambda lies: behind_scsi(True, lies),
    "scsi": lambda lies: behind_scsi(False, lies),
}


def cut_off(opal: Opal) -> None:
    """A revert whose removal of data was cut off by a power cut."""
    opal.interrupted = True


def removes_slowly(opal: Opal) -> None:
    opal.lock(OWNER)
    opal.removal_seconds = 600.0


STATES: Mapping[str, tuple[Callable[[Opal], None], tuple[str, ...]]] = {
    "locked": (lambda opal: opal.lock(OWNER), ("locked",)),
    "shadowed": (lambda opal: opal.shadow(OWNER), ("locked", "shadowed")),
    "reverted half-way": (cut_off, ("removal-interrupted",)),
    "removes in the background": (removes_slowly, ("locked",)),
}


CELLS = [(interface, state) for interface in DRIVES for state in STATES]


def asked(world: World[Any], technique: str = BY_LABEL, scope: tuple[str, ...] = ()) -> RecoveryRequest:
    fingerprint = world.inspect().fingerprint or ""
    return RecoveryRequest(technique=technique, confirmation=Confirmation(fingerprint=fingerprint), scope=scope)


def purge(locked: Locked) -> PlanRequest:
    return PlanRequest(method="purge", technique=locked.technique, pattern_set="canaries", verification="full")


def recorded(records: Path) -> list[dict[str, Any]]:
    return peek(records, RUN)[0]


@pytest.mark.parametrize("technique", [BY_LABEL, BY_OWNER])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("interface", DRIVES)
def test_a_drive_that_hides_its_medium_is_brought_back_and_then_sanitized(
    interface: str, state: str, technique: str, tmp_path: Path
) -> None:
    locked = DRIVES[interface](False)
    prepare, before = STATES[state]
    prepare(locked.opal)
    assert locked.world.outcome(purge(locked), tmp_path / "runs") == "refused: no-technique"
    secret = PSID if technique == BY_LABEL else MSID if state == "reverted half-way" else OWNER
    recovery = locked.world.recover(asked(locked.world, technique), tmp_path / "records", secret)
    assert (recovery.before, recovery.after, recovery.in_service) == (before, (), True)
    assert [(one["command"], one["accepted"], one["reported"]) for one in recovery.commands] == [
        ("TCG Revert", "yes", "success")
    ]
    assert locked.world.outcome(purge(locked), tmp_path / "runs") == "succeeded"
    assert locked.medium.remains(SECRET) == ([], [])


@pytest.mark.parametrize("interface", DRIVES)
def test_what_was_sent_is_kept_without_the_password_and_nothing_is_claimed(interface: str, tmp_path: Path) -> None:
    locked = DRIVES[interface](False)
    locked.opal.lock(OWNER)
    recovery = locked.world.recover(asked(locked.world), tmp_path, PSID)
    entries = recorded(tmp_path)
    kinds = [entry["kind"] for entry in entries]
    assert kinds[:3] == ["begun", "step", "command-sending"]
    assert kinds[3:] == ["command-answered", "command-settled", "ended"]
    assert entries[-1]["result"] == recovery.to_dict() | {"before": ["locked"], "after": []} | listed(recovery)
    assert recovery.to_dict()["claims"] == "nothing"
    text = (tmp_path / RUN / "journal").read_bytes()
    assert PSID not in text
    assert PSID.hex().encode() not in text
    (tmp_path / RUN / "journal").write_bytes(text.replace(b'"locked"', b'"LOCKED"', 1))
    with pytest.raises(JournalDamaged):  # not one line of it can be changed
        recorded(tmp_path)


def listed(recovery: Recovery) -> dict[str, Any]:
    return {"also_destroyed": list(recovery.also_destroyed), "commands": list(recovery.commands)}


def test_a_drive_that_says_it_reverted_and_kept_everything_is_found_out_by_the_run_that_follows(tmp_path: Path) -> None:
    locked = on_nvme(lies=True)
    locked.opal.lock(OWNER)
    assert locked.world.recover(asked(locked.world), tmp_path / "records", PSID).in_service
    assert locked.medium.remains(SECRET)[0]
    assert locked.world.outcome(purge(locked), tmp_path / "runs") == "failed: residual"


@pytest.mark.parametrize("interface", DRIVES)
@pytest.mark.parametrize("secret", [b"X" * 32, OWNER.ljust(32)])
def test_another_number_opens_nothing_and_is_told(interface: str, secret: bytes, tmp_path: Path) -> None:
    locked = DRIVES[interface](False)
    locked.opal.lock(OWNER)
    with pytest.raises(TechniqueFailed, match="another number") as failed:
        locked.world.recover(asked(locked.world), tmp_path, secret)
    assert failed.value.touched == "no"
    assert (locked.opal.reverts, locked.opal.locked) == (0, True)
    assert recorded(tmp_path)[-1] | {"t": "", "m": 0} == {
        "kind": "ended", "error": "technique-failed", "touched": "no", "result": None, "t": "", "m": 0,
    }  # fmt: skip


def refusal(locked: Locked, tmp_path: Path, request: RecoveryRequest | None = None, secret: bytes = PSID) -> Refused:
    with pytest.raises(Refused) as refused:
        locked.world.recover(request or asked(locked.world), tmp_path / "records", secret)
    assert locked.opal.reverts == 0
    assert len(locked.medium.remains(SECRET)[0]) == BLOCKS
    assert not locked.world.claimed
    return refused.value


def test_a_drive_that_hides_nothing_is_for_an_ordinary_run(tmp_path: Path) -> None:
    locked = on_nvme()
    assert "plan an ordinary run" in refusal(locked, tmp_path).summarize()
    locked.opal.own(OWNER)
    assert "plan an ordinary run" in refusal(locked, tmp_path).summarize()


def test_a_removal_under_way_is_let_end(tmp_path: Path) -> None:
    locked = on_nvme()
    locked.opal.lock(OWNER)
    locked.opal.removing = True
    assert "under way" in refusal(locked, tmp_path).summarize()


def test_another_fingerprint_is_no_confirmation(tmp_path: Path) -> None:
    locked = on_nvme()
    locked.opal.lock(OWNER)
    other = replace(asked(locked.world), confirmation=Confirmation(fingerprint="0" * 64))
    assert refusal(locked, tmp_path, other).code == "confirmation-missing"
    assert not (tmp_path / "records").exists()


def test_a_number_of_another_length_is_not_tried(tmp_path: Path) -> None:
    locked = on_nvme()
    locked.opal.lock(OWNER)
    assert "it needs the PSID" in refusal(locked, tmp_path, secret=b"short").summarize()
    assert recorded(tmp_path / "records")[-1]["error"] == "no-technique"


def two_namespaces() -> Locked:
    half = BLOCKS * 512 // 2
    return on_nvme(namespaces=[NvmeNamespace(nsid=1, start=0, size=half), NvmeNamespace(nsid=2, start=half, size=half)])


def test_what_else_the_revert_destroys_must_be_accepted_by_its_word(tmp_path: Path) -> None:
    locked = two_namespaces()
    locked.opal.lock(OWNER)
    assert "other-namespaces" in refusal(locked, tmp_path).summarize()
    request = asked(locked.world, scope=("other-namespaces",))
    recovery = locked.world.recover(request, tmp_path / "records", PSID)
    assert recovery.in_service
    assert "other namespaces" in recovery.also_destroyed[0]


@pytest.mark.parametrize("look", [1, 2, 3])
def test_what_comes_into_the_way_before_the_command_keeps_it_from_being_sent(look: int, tmp_path: Path) -> None:
    from sanitizer.errors import NeighbourInUse  # noqa: PLC0415 - beside its only use

    locked = two_namespaces()
    locked.opal.lock(OWNER)
    request = asked(locked.world, scope=("other-namespaces",))
    inspect, looks = locked.world.inspect_open, [look]

    def mounted(device: Any) -> Inspection:  # noqa: ANN401 - hands on
        looks[0] -= 1
        found = inspect(device)
        if looks[0] > 0:
            return found
        return replace(
            found, obstacles=(NeighbourInUse(neighbour="/dev/other", because=("mounted",)), *found.obstacles)
        )

    locked.world.inspect_open = mounted  # type: ignore[method-assign]  # the world changes
    assert refusal(locked, tmp_path, request).code == "neighbour-in-use"
    if look == 3:  # the last look is right before the command
        kinds = [entry["kind"] for entry in recorded(tmp_path / "records")]
        assert kinds[-3:] == ["command-sending", "command-withheld", "ended"]


def test_a_drive_attached_anew_meanwhile_is_another(tmp_path: Path) -> None:
    locked = on_nvme()
    locked.opal.lock(OWNER)
    request = asked(locked.world)
    inspect, looks = locked.world.inspect_open, [0]

    def swapped(device: Any) -> Inspection:  # noqa: ANN401 - hands on
        looks[0] += 1
        return replace(inspect(device), disk_sequence=looks[0])

    locked.world.inspect_open = swapped  # type: ignore[method-assign]  # the world changes
    assert refusal(locked, tmp_path, request).code == "device-changed"


def test_a_drive_that_stays_locked_is_told_of_as_that(tmp_path: Path) -> None:
    locked = on_nvme()
    locked.opal.lock(OWNER)
    revert = locked.opal.revert

    def again() -> None:
        revert()
        locked.opal.shadowed = locked.opal.locked = True

    locked.opal.revert = again  # type: ignore[method-assign]  # a drive of its own kind
    recovery = locked.world.recover(asked(locked.world), tmp_path, PSID)
    assert (recovery.in_service, recovery.after) == (False, ("locked", "shadowed"))
