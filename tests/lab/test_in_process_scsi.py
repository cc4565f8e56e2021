"""Every ATA and SCSI technique on every kind of emulated drive, by the real engine in this process.

What must come of each is written by hand, from the standards and from what the product promises. Two things are looked at: what
the product said, and what the medium holds. A success over blocks that still hold data is the one thing that may never be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanitizer.capability import Tri
from sanitizer.planning import PlanRequest
from sanitizer.stretch import Hooks
from sanitizer.techniques.base import Escrow

from .drives.ata import AtaDrive
from .drives.ata_identify import AtaModel
from .drives.clock import ManualClock
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.opal import PSID, Opal
from .drives.ports import ScsiBlocks
from .drives.sat import SataDisk
from .drives.scsi import ScsiDisk
from .drives.scsi_pages import ScsiModel
from .drives.scsi_world import scsi_world
from .drives.sense import Layout
from .drives.usb_bridge import Habit, UsbBridge
from .drives.world import World
from .verdicts import verdict_of
from .ways_out import THEIRS, of_scsi

SECRET = b"SECRET-CRM-ROW42"
BLOCKS = 4096
ATA_SANITIZE = ("ata-sanitize-crypto-scramble", "ata-sanitize-block-erase", "ata-sanitize-overwrite")
SECURITY = ("ata-security-erase", "ata-security-erase-enhanced")
SCSI_SANITIZE = ("scsi-sanitize-overwrite", "scsi-sanitize-block-erase", "scsi-sanitize-crypto-erase")
FORMAT = "scsi-format-unit"
BY_ADDRESS = {"ata-security-erase", FORMAT}
"""Techniques that write blocks by their addresses: copies where no host can look stay, on honest drives too."""

GOOD = "succeeded"
FAILED, STALLED, RESIDUAL = "failed: technique-failed", "failed: technique-stalled", "failed: residual"
NO, DORMANT = "refused: no-technique", "refused: dormant-member"
UNREADABLE = ("unreadable-area",)

Target = SataDisk | ScsiDisk | UsbBridge


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A drive and what must come of it."""

    build: Callable[[], Target]
    sanitize: str = GOOD
    other: str = GOOD
    """Of the security erases, and of FORMAT UNIT."""
    signatures: tuple[str, ...] = ()
    blind: bool = False
    """What is left lies where no host can look."""
    restored: bool = False
    """Whether its operator has `restore-capacity` at it first."""


def medium(block_bytes: int = 512, **faults: object) -> Medium:
    made = Medium(BLOCKS, block_bytes=block_bytes, faults=Faults(**faults), clock=ManualClock())  # type: ignore[arg-type]
    made.fill(SECRET)
    return made


def ata(
    model: AtaModel | None = None,
    layout: Layout = "descriptor",
    change: Callable[[SataDisk], object] | None = None,
    **faults: object,
) -> Callable[[], SataDisk]:
    def build() -> SataDisk:
        size = model.sector_bytes if model else 512
        disk = SataDisk(AtaDrive(medium(size, **faults), model=model), layout=layout)
        if change is not None:
            change(disk)
        return disk

    return build


def scsi(
    model: ScsiModel | None = None,
    layout: Layout = "fixed",
    change: Callable[[ScsiDisk], object] | None = None,
    block_bytes: int = 512,
    **faults: object,
) -> Callable[[], ScsiDisk]:
    def build() -> ScsiDisk:
        disk = ScsiDisk(medium(block_bytes, **faults), model=model, layout=layout)
        if change is not None:
            change(disk)
        return disk

    return build


def behind(habit: Habit) -> Callable[[], UsbBridge]:
    return lambda: UsbBridge(ata()(), habit)


def locked(disk: SataDisk) -> None:
    disk.ata.security.execute(0xF1, bytes(2) + THEIRS + bytes(478))
    disk.ata.security.power_on()


def hides(**blocks: int) -> Callable[[SataDisk], object]:
    return lambda disk: disk.ata.capacity.hide(**blocks)


EVERYWHERE: Mapping[str, tuple[dict[str, object], str, str]] = {
    "good": ({}, GOOD, GOOD),
    "slow": ({"seconds": 7200}, GOOD, GOOD),
    "fails half-way": ({"seconds": 10, "fail_at": 0.5}, FAILED, FAILED),
    "refuses": ({"refuses": frozenset({"sanitize", "security", "erase-unit", "format"})}, FAILED, FAILED),
    "succeeded long ago": ({"succeeded_before": True}, GOOD, GOOD),
    "succeeded long ago, loses ours": ({"succeeded_before": True, "reset": "lost"}, GOOD, GOOD),
    "lies: nothing": ({"erases": "nothing"}, RESIDUAL, RESIDUAL),
    "lies: first megabyte": ({"erases": "first-megabyte"}, RESIDUAL, RESIDUAL),
    "lies: all but one block": ({"erases": "all-but-one-block"}, RESIDUAL, RESIDUAL),
    "misses the last block": ({"kept": ((BLOCKS - 1, 1),)}, RESIDUAL, RESIDUAL),
    "changes its serial number": ({"new_serial": "OTHER"}, "failed: identity-changed", "failed: identity-changed"),
    "reset, lost": ({"reset": "lost"}, GOOD, GOOD),
    "reset, carried on": ({"reset": "carried-on"}, GOOD, GOOD),
    "reset, carried on slowly": ({"reset": "carried-on", "seconds": 30}, GOOD, GOOD),
    "bad sectors, reading": ({"bad_reads": ((1000, 8),)}, "failed: unreadable", "failed: unreadable"),
    "bad sectors, writing": ({"bad_writes": ((1000, 8),)}, "failed: unwritable-region", "failed: unwritable-region"),
    "no capacity meanwhile": ({"seconds": 30, "capacity_during": "zero"}, GOOD, GOOD),
    "capacity not told meanwhile": ({"seconds": 30, "capacity_during": "refused"}, GOOD, GOOD),
    "no capacity afterwards": ({"capacity_after": "zero"}, "failed: capacity-changed", "failed: capacity-changed"),
}
"""Faults of drives of either interface, with what must come of a sanitize and of the other techniques."""


def common(build: Callable[..., Callable[[], Target]]) -> dict[str, Kind]:
    return {
        name: Kind(build=build(**faults), sanitize=sanitized, other=other)
        for name, (faults, sanitized, other) in EVERYWHERE.items()
    }


ATA_KINDS: Mapping[str, Kind] = common(ata) | {
    "slow": Kind(build=ata(AtaModel(erase_minutes=240, enhanced_minutes=240), seconds=7200)),
    "reset, lost": Kind(build=ata(reset="lost"), other=FAILED),
    "succeeded long ago, loses ours": Kind(build=ata(succeeded_before=True, reset="lost"), other=FAILED),
    "slower than it says": Kind(build=ata(seconds=7200), other="failed: unanswered-destructive-command"),
    "stands still": Kind(build=ata(seconds=100, stall_at=0.01), sanitize=STALLED, other=FAILED),
    "vanishes": Kind(
        build=ata(seconds=10, vanish_at=0.5), sanitize="interrupted: device-gone", other="interrupted: locked-by-us"
    ),
    "lies: spare blocks": Kind(build=ata(erases="not-spare"), blind=True),
    "failed before": Kind(build=ata(failed_before=True), sanitize=DORMANT, other=NO),
    "failed before, unreadable accepted": Kind(build=ata(failed_before=True), signatures=UNREADABLE, other=NO),
    "write-protected": Kind(
        build=ata(write_protected=True), sanitize="refused: read-only-device", other="refused: read-only-device"
    ),
    "magnetic": Kind(build=ata(AtaModel.magnetic(sanitize=frozenset({"crypto", "block", "overwrite"})))),
    "erased reads as ones": Kind(build=ata(AtaModel(erased_byte=0xFF))),
    "crypto scramble leaves zeros": Kind(build=ata(AtaModel(crypto_noise=False))),
    "says that sectors are left": Kind(
        build=ata(seconds=10, fail_at=0.9, remainder=True), sanitize=FAILED, other=FAILED
    ),
    "frozen": Kind(build=ata(frozen=True), other=NO),
    "sanitize frozen": Kind(build=ata(sanitize_frozen=True), sanitize=NO),
    "locked": Kind(build=ata(change=locked), sanitize=NO, other=NO),
    "no sanitize": Kind(build=ata(AtaModel(sanitize=frozenset())), sanitize=NO),
    "no security": Kind(build=ata(AtaModel(security=False, enhanced=False)), other=NO),
    "hides by HPA": Kind(build=ata(change=hides(hpa=96)), sanitize=NO, other=NO),
    "hides by DCO": Kind(build=ata(change=hides(dco=96)), sanitize=NO, other=NO),
    "hides by AMAX": Kind(
        build=ata(AtaModel(hpa=False, dco=False, amax=True), change=hides(amax=96)), sanitize=NO, other=NO
    ),
    "hides by HPA, restored": Kind(build=ata(change=hides(hpa=96)), restored=True),
    "hides by AMAX, restored": Kind(
        build=ata(AtaModel(hpa=False, dco=False, amax=True), change=hides(amax=96)), restored=True
    ),
    "hides, and answers no question about it": Kind(
        build=ata(change=hides(hpa=96), refuses=frozenset({"hpa"})), sanitize=NO, other=NO
    ),
    "lies: hidden area": Kind(build=ata(change=hides(hpa=96), erases="not-hidden"), sanitize=NO, other=NO),
    "blocks of 4,096 bytes": Kind(build=ata(AtaModel(sector_bytes=4096))),
    "sense as of libata": Kind(build=ata(layout="libata")),
    "sense as of an old libata": Kind(build=ata(layout="libata-old")),
    "sense in fixed format": Kind(build=ata(layout="fixed")),
    "sense in old fixed format": Kind(build=ata(layout="fixed-old"), other=NO),
    "sense in fixed format and no other": Kind(
        build=ata(layout="fixed", refuses=frozenset({"modes"})), sanitize="failed: unanswered-destructive-command"
    ),
    "sense in fixed format, fails half-way": Kind(
        build=ata(layout="fixed", seconds=10, fail_at=0.5), sanitize=FAILED, other=FAILED
    ),
    "sense in fixed format, lies": Kind(build=ata(layout="fixed", erases="nothing"), sanitize=RESIDUAL, other=RESIDUAL),
    "answers slowly": Kind(build=ata(latency=2.0)),
    "answers too slowly": Kind(build=ata(latency=100.0), sanitize=NO, other=NO),
    "refuses only the erase": Kind(build=ata(refuses=frozenset({"erase-unit"})), other=FAILED),
}
BRIDGES: Mapping[Habit, tuple[str, str]] = {
    "passes": (GOOD, NO),
    "refuses": (NO, NO),
    "swallows": (NO, NO),
    "pretends": (NO, NO),
    "only-12": (NO, NO),
    "truncates-sense": (NO, NO),
}
SCSI_KINDS: Mapping[str, Kind] = common(scsi) | {
    "stands still": Kind(build=scsi(seconds=100, stall_at=0.01), sanitize=STALLED, other=STALLED),
    "vanishes": Kind(
        build=scsi(seconds=10, vanish_at=0.5), sanitize="interrupted: device-gone", other="interrupted: device-gone"
    ),
    "lies: spare blocks": Kind(build=scsi(erases="not-spare"), blind=True),
    "failed before": Kind(build=scsi(failed_before=True), sanitize=DORMANT, other=NO),
    "failed before, unreadable accepted": Kind(build=scsi(failed_before=True), signatures=UNREADABLE, other=NO),
    "write-protected": Kind(build=scsi(write_protected=True), sanitize=NO, other=NO),
    "flash": Kind(build=scsi(ScsiModel.flash()), other=NO),
    "crypto erase leaves zeros": Kind(build=scsi(ScsiModel(crypto_noise=False))),
    "descriptor sense": Kind(build=scsi(layout="descriptor")),
    "does not report its commands": Kind(build=scsi(ScsiModel(opcodes=False)), sanitize=NO, other=NO),
    "no sanitize": Kind(build=scsi(ScsiModel(sanitize=frozenset())), sanitize=NO),
    "formats fast": Kind(build=scsi(ScsiModel(format="fast")), blind=True),
    "formats nothing": Kind(build=scsi(ScsiModel(format="nothing")), other=RESIDUAL),
    "blocks of 4,096 bytes": Kind(build=scsi(block_bytes=4096)),
    "blocks of 520 bytes": Kind(build=scsi(block_bytes=520), sanitize="refused: odd-block-size", other=NO),
    "reads are good after the erase": Kind(
        build=scsi(ScsiModel(write_after_block_erase=1, write_after_crypto_erase=1))
    ),
    "removable": Kind(build=scsi(ScsiModel(removable=True))),
    "answers slowly": Kind(build=scsi(latency=2.0)),
    "answers too slowly": Kind(build=scsi(latency=100.0), sanitize=NO, other=NO),
    "good, capacity proven": Kind(build=scsi(), restored=True),
    "formats nothing, capacity proven": Kind(build=scsi(ScsiModel(format="nothing")), other=RESIDUAL, restored=True),
    "short stroked, restored": Kind(build=scsi(change=lambda disk: disk.hide(96)), restored=True),
    "short stroked": Kind(build=scsi(change=lambda disk: disk.hide(96)), sanitize=NO, other=NO),
    "lies: hidden area": Kind(
        build=scsi(change=lambda disk: disk.hide(96), erases="not-hidden"), sanitize=NO, other=NO
    ),
}


def asked(technique: str, **more: object) -> PlanRequest:
    method = "purge" if "-sanitize-" in technique else "clear"
    return PlanRequest(method=method, technique=technique, pattern_set="canaries", verification="full", **more)  # type: ignore[arg-type]


def bare_of(target: Target) -> SataDisk | ScsiDisk:
    found = target.target if isinstance(target, UsbBridge) else target
    assert isinstance(found, (SataDisk, ScsiDisk))
    return found


def check(kind: Kind, technique: str, journals: Path) -> None:
    target = kind.build()
    bare, kept = bare_of(target), list[Escrow]()
    world = scsi_world(target)
    if kind.restored:
        assert world.restore(journals / "capacity").after.present is Tri.NO
    request = asked(technique, acknowledged_signatures=kind.signatures)
    observed = world.outcome(request, journals, Hooks(escrow=kept.append))
    assert observed == (kind.sanitize if "-sanitize-" in technique else kind.other)
    blocks, spare = bare.medium.remains(SECRET)
    if observed.startswith("refused"):
        assert (len(blocks), len(spare)) == (BLOCKS, 16)
    elif observed == GOOD:
        assert not blocks
        assert not spare or kind.blind or technique in BY_ADDRESS
    judged(world, observed, request)
    assert of_scsi(bare, kept) == ""


def judged(world: World[ScsiBlocks], observed: str, request: PlanRequest) -> None:
    """What the engine calls a success is one for whoever judges the record, but for what hides or may hide from the host."""
    if world.result is None:
        assert observed.startswith("refused")
        return
    verdict, device = verdict_of(world.result), world.result.device
    assert device is not None
    sanitize = "-sanitize-" in request.technique
    if observed != GOOD:
        assert verdict.outcome not in {"sanitized", "partial"}
    elif device.hidden_capacity == "yes":
        raise AssertionError("nothing may be planned while capacity is hidden")
    elif device.hidden_capacity == "unknown" and not sanitize:  # SAS disks do not say, and nothing there was reached
        assert verdict.outcome == "unknown"
    else:
        magnetic = request.technique == SECURITY[1] and device.media == "magnetic"
        assert (verdict.outcome, verdict.method) == ("sanitized", "purge" if magnetic else request.method)


@pytest.mark.parametrize("technique", [*ATA_SANITIZE, *SECURITY])
@pytest.mark.parametrize("name", ATA_KINDS)
def test_each_technique_on_each_kind_of_sata_drive(name: str, technique: str, tmp_path: Path) -> None:
    check(ATA_KINDS[name], technique, tmp_path)


@pytest.mark.parametrize("technique", [ATA_SANITIZE[1], SECURITY[0]])
@pytest.mark.parametrize("habit", BRIDGES)
def test_techniques_behind_each_kind_of_usb_bridge(habit: Habit, technique: str, tmp_path: Path) -> None:
    sanitized, other = BRIDGES[habit]
    check(Kind(build=behind(habit), sanitize=sanitized, other=other), technique, tmp_path)


@pytest.mark.parametrize("technique", [*SCSI_SANITIZE, FORMAT])
@pytest.mark.parametrize("name", SCSI_KINDS)
def test_each_technique_on_each_kind_of_sas_drive(name: str, technique: str, tmp_path: Path) -> None:
    check(SCSI_KINDS[name], technique, tmp_path)


@pytest.mark.parametrize("need", [2, 3])
@pytest.mark.parametrize("technique", SCSI_SANITIZE)
def test_a_disk_whose_reads_fail_after_the_erase_is_overwritten_or_left(
    need: int, technique: str, tmp_path: Path
) -> None:
    build = scsi(ScsiModel(write_after_block_erase=need, write_after_crypto_erase=need))
    check(Kind(build=build, sanitize=GOOD if technique.endswith("overwrite") else NO), technique, tmp_path)


@pytest.mark.parametrize("silent_at", [20, 40, 60])
@pytest.mark.parametrize("technique", [ATA_SANITIZE[1], SCSI_SANITIZE[1]])
def test_a_drive_that_goes_silent_ends_no_run_well(technique: str, silent_at: int, tmp_path: Path) -> None:
    disk = (ata if technique.startswith("ata") else scsi)(seconds=600)()
    world = scsi_world(disk)
    tick = disk.medium.tick

    def counted() -> None:
        disk.medium.faults.silent = disk.medium.commands >= silent_at
        tick()

    disk.medium.tick = counted  # type: ignore[method-assign]  # the drive dies at a command, whichever that is
    assert world.outcome(asked(technique), tmp_path) != GOOD


# Opal


def owned(opal: Opal) -> None:
    opal.own(b"the owner's")


def goes_on(opal: Opal) -> None:
    owned(opal)
    opal.removal_seconds = 600.0


OPAL_KINDS: Mapping[str, tuple[Callable[[Opal], object], bool, bytes, str]] = {
    "owned": (owned, False, PSID, GOOD),
    "goes on removing": (goes_on, False, PSID, GOOD),
    "another label's number": (owned, False, b"X" * 32, FAILED),
    "no number": (owned, False, b"", NO),
    "never activated": (lambda _opal: None, False, PSID, NO),
    "lies: nothing": (owned, True, PSID, RESIDUAL),
}


@pytest.mark.parametrize("interface", ["ata", "scsi"])
@pytest.mark.parametrize("name", OPAL_KINDS)
def test_a_psid_revert_on_each_kind_of_drive(name: str, interface: str, tmp_path: Path) -> None:
    prepare, lies, secret, expected = OPAL_KINDS[name]
    made = medium()

    def eradicate() -> None:
        if not lies:
            made.new_key()
            made.scrub(0, made.blocks, None)
            made.spare.clear()

    opal = Opal(eradicate, now=made.clock.now)
    prepare(opal)
    drive = AtaDrive(made, model=AtaModel(trusted=True), tper=opal)
    target = SataDisk(drive) if interface == "ata" else ScsiDisk(made, tper=opal)
    world = scsi_world(target)
    assert world.outcome(asked("opal-psid-revert"), tmp_path, Hooks(secret=secret)) == expected
    assert opal.reverts == (1 if expected in {GOOD, RESIDUAL} else 0)
    if expected == GOOD:
        assert made.remains(SECRET) == ([], [])


@pytest.mark.parametrize("shadowed", [False, True])
@pytest.mark.parametrize("technique", ["overwrite", ATA_SANITIZE[0], SECURITY[1]])
def test_a_drive_behind_opal_is_not_taken_for_an_empty_one(technique: str, shadowed: bool, tmp_path: Path) -> None:
    made = medium()
    opal = Opal(lambda: None)
    opal.shadow() if shadowed else opal.lock()
    world = scsi_world(SataDisk(AtaDrive(made, model=AtaModel(trusted=True), tper=opal)))
    request = PlanRequest() if technique == "overwrite" else asked(technique)
    assert world.outcome(request, tmp_path).startswith("refused")
    assert len(made.remains(SECRET)[0]) == BLOCKS
