"""Every NVMe and eMMC technique on every kind of emulated drive, by the real engine in this process.

What must come of each is written by hand, from the standards and from what the product promises. Two things are looked at: what
the product said, and what the medium holds. A success over blocks that still hold data is the one thing that may never be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanitizer.planning import PlanRequest
from sanitizer.run import RunResult

from .drives.emmc import EmmcDevice, EmmcModel
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.nvme import NvmeController
from .drives.nvme_asking import SECRET, drive
from .drives.nvme_identify import NvmeNamespace, NvmeTraits
from .drives.nvme_status import Status
from .drives.nvme_world import mmc_world, nvme_world
from .drives.opal import Opal
from .verdicts import verdict_of
from .ways_out import of_nvme

SANITIZE = ("nvme-sanitize-crypto-erase", "nvme-sanitize-block-erase", "nvme-sanitize-overwrite")
FORMAT = ("nvme-format-user-data", "nvme-format-crypto")
MMC = ("mmc-sanitize", "mmc-secure-trim")
BOTH = "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"

GOOD = "succeeded"
FAILED, STALLED, RESIDUAL = "failed: technique-failed", "failed: technique-stalled", "failed: residual"
NO = "refused: no-technique"
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A drive and what must come of it."""

    build: Callable[[], NvmeController]
    sanitize: str = GOOD
    block: str = ""
    """Of a block erase, where it is another than that of the other sanitize actions."""
    form: str = GOOD
    scope: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    no_deallocate: bool = False
    blind: bool = False
    """What is left lies where no host can look."""
    spared: int = 0
    """Blocks of others that a format must leave alone."""

    def expects(self, technique: str) -> str:
        """What must come of one technique."""
        if technique in FORMAT:
            return self.form
        return self.block or self.sanitize if technique == SANITIZE[1] else self.sanitize


def made(change: Callable[[NvmeController], object] | None = None, **faults: object) -> Callable[[], NvmeController]:
    def build() -> NvmeController:
        controller = drive(faults=Faults(**faults))  # type: ignore[arg-type]  # field names, by row
        if change is not None:
            change(controller)
        return controller

    return build


def cut(*namespaces: tuple[int, int, set[int]], fna: int = 4) -> Callable[[], NvmeController]:
    """A drive of 2 MiB cut into namespaces: first MiB, MiBs, controllers."""

    def build() -> NvmeController:
        found = [
            NvmeNamespace(nsid=at, start=start * MIB, size=size * MIB, attached=set(attached), shared=len(attached) > 1)
            for at, (start, size, attached) in enumerate(namespaces, start=1)
        ]
        return drive(
            namespaces=found, controllers=(1, 2) if {2} & found[0].attached else (1,), traits=NvmeTraits(fna=fna)
        )

    return build


def like(**traits: object) -> Callable[[], NvmeController]:
    return lambda: drive(traits=NvmeTraits(**traits))  # type: ignore[arg-type]  # field names, by row


def unmaps_only(**traits: object) -> Callable[[], NvmeController]:
    """Forgets where the blocks are, erases none, and answers for what it has forgotten with zeros."""
    return lambda: drive(faults=Faults(erases="nothing"), traits=NvmeTraits(hides=True, **traits))  # type: ignore[arg-type]


def opal_of(controller: NvmeController) -> Opal:
    opal = controller.subsystem.opal
    assert opal is not None
    return opal


def firmware_waits(controller: NvmeController) -> None:
    controller.subsystem.sanitizer.activation_pending = Status.ACTIVATION_NEEDS_CONVENTIONAL_RESET


def half_formatted(controller: NvmeController) -> None:
    controller.subsystem.traits.keeps_format_progress = True
    controller.subsystem.namespaces[0].format_percent_left = 75


def other_is_protected(controller: NvmeController) -> None:
    controller.subsystem.namespaces[1].write_protected = True


ALL_SCOPES = ("other-namespaces", "other-controllers", "unallocated")
UNREADABLE = ("unreadable-area",)
TWO = cut((0, 1, {1}), (1, 1, {1}))
UNATTACHED = cut((0, 1, {1}), (1, 1, set()))
SHARED = cut((0, 2, {1, 2}))
HALF = cut((0, 1, {1}))

KINDS: Mapping[str, Kind] = {
    "good": Kind(build=made()),
    "slow": Kind(build=made(seconds=7200)),
    "fails half-way": Kind(build=made(seconds=10, fail_at=0.5), sanitize=FAILED, form=FAILED),
    "stands still like a 660p": Kind(build=made(seconds=100, stall_at=0.01), sanitize=STALLED, form=STALLED),
    "refuses": Kind(build=made(refuses=frozenset({"sanitize", "format"})), sanitize=FAILED, form=FAILED),
    "failed before": Kind(build=made(failed_before=True), sanitize="refused: dormant-member", form=NO),
    "failed before, unreadable accepted": Kind(build=made(failed_before=True), form=NO, signatures=UNREADABLE),
    "succeeded long ago, and lies": Kind(
        build=made(succeeded_before=True, erases="nothing"), sanitize=RESIDUAL, form=RESIDUAL
    ),
    "succeeded long ago, loses ours": Kind(build=made(succeeded_before=True, reset="lost")),
    "lies: nothing": Kind(build=made(erases="nothing"), sanitize=RESIDUAL, form=RESIDUAL),
    "lies: first megabyte": Kind(build=made(erases="first-megabyte"), sanitize=RESIDUAL, form=RESIDUAL),
    "lies: all but one block": Kind(build=made(erases="all-but-one-block"), sanitize=RESIDUAL, form=RESIDUAL),
    "lies: spare blocks": Kind(build=made(erases="not-spare"), blind=True),
    "lies: unmaps only": Kind(
        build=unmaps_only(),
        sanitize=RESIDUAL,
        block=GOOD,  # where nobody says that erased blocks can be read, they are deallocated with it
        form=RESIDUAL,
        blind=True,
    ),
    "lies: unmaps only, readable after a block erase": Kind(
        build=unmaps_only(nodmmas=2), sanitize=RESIDUAL, form=RESIDUAL
    ),
    "lies: unmaps only, always deallocates": Kind(build=unmaps_only(sanicap=0x20000007), form=RESIDUAL, blind=True),
    "lies: unmaps only, not to deallocate": Kind(
        build=unmaps_only(),
        sanitize=RESIDUAL,
        form=RESIDUAL,
        no_deallocate=True,
    ),
    "not to deallocate": Kind(build=made(seconds=10), no_deallocate=True),
    "not to deallocate, inhibited": Kind(build=like(sanicap=0x20000007), sanitize=NO, no_deallocate=True),
    "changes its serial number": Kind(
        build=made(new_serial="OTHER"), sanitize="failed: identity-changed", form="failed: identity-changed"
    ),
    "a format was cut off, and is told of for ever": Kind(build=made(half_formatted)),
    "vanishes": Kind(
        build=made(seconds=10, vanish_at=0.5), sanitize="interrupted: device-gone", form="interrupted: device-gone"
    ),
    "reset, lost": Kind(build=made(reset="lost")),
    "reset, carried on": Kind(build=made(reset="carried-on", seconds=30)),
    "two namespaces": Kind(build=TWO, sanitize=NO, spared=2048),
    "two namespaces, accepted": Kind(build=TWO, scope=ALL_SCOPES, spared=2048),
    "second namespace unattached": Kind(build=UNATTACHED, sanitize=NO, spared=2048),
    "second namespace unattached, accepted": Kind(build=UNATTACHED, scope=ALL_SCOPES, spared=2048),
    "shared namespace": Kind(build=SHARED, sanitize=NO, form=NO),
    "shared namespace, accepted": Kind(build=SHARED, scope=ALL_SCOPES),
    "unallocated capacity": Kind(build=HALF, sanitize=NO, spared=2048),
    "unallocated capacity, accepted": Kind(build=HALF, scope=ALL_SCOPES, spared=2048),
    "format is for all namespaces": Kind(build=cut((0, 1, {1}), (1, 1, {1}), fna=7), sanitize=NO, form=NO),
    "format is for all namespaces, accepted": Kind(
        build=cut((0, 1, {1}), (1, 1, {1}), fna=7), scope=ALL_SCOPES, blind=True
    ),
    "write-protected": Kind(build=made(write_protected=True), sanitize=NO, form=NO),
    "another is write-protected": Kind(
        build=lambda: _changed(TWO(), other_is_protected), sanitize=NO, scope=ALL_SCOPES, spared=2048
    ),
    "takes any namespace number": Kind(build=like(strict_nsid=False)),
    "no sanitize": Kind(build=like(sanicap=0), sanitize=NO),
    "no format": Kind(build=like(oacs=0x9), form=NO),
    "no namespace management, no security": Kind(build=like(oacs=0x2)),
    "estimates": Kind(build=like(seconds={"overwrite": 160, "block": 20, "crypto": 2})),
    "firmware waits for a reset": Kind(build=made(firmware_waits), sanitize=FAILED),
    "bad sectors, reading": Kind(
        build=made(bad_reads=((1000, 8),)), sanitize="failed: unreadable", form="failed: unreadable"
    ),
    "bad sectors, writing": Kind(
        build=made(bad_writes=((1000, 8),)), sanitize="failed: unwritable-region", form="failed: unwritable-region"
    ),
    "no capacity meanwhile": Kind(build=made(seconds=30, capacity_during="zero")),
    "capacity not told meanwhile": Kind(build=made(seconds=30, capacity_during="refused")),
    "no capacity afterwards": Kind(
        build=made(capacity_after="zero"), sanitize="failed: capacity-changed", form="failed: capacity-changed"
    ),
    "locked by Opal": Kind(build=made(lambda one: opal_of(one).lock()), sanitize=NO, form=NO),
    "shadowed by Opal": Kind(build=made(lambda one: opal_of(one).shadow()), sanitize=NO, form=NO),
    "blocks of 4,096 bytes": Kind(build=lambda: drive(namespaces=[NvmeNamespace(1, 0, 2 * MIB, shift=12)])),
}


def _changed(controller: NvmeController, change: Callable[[NvmeController], object]) -> NvmeController:
    change(controller)
    return controller


def asked(technique: str, **more: object) -> PlanRequest:
    method = "purge" if "sanitize" in technique else "clear"
    return PlanRequest(method=method, technique=technique, pattern_set="canaries", verification="full", **more)  # type: ignore[arg-type]


def agrees(result: RunResult | None, observed: str, method: str, *, hidden: bool = False) -> None:
    """What the engine calls a success is one for whoever judges the record, and nothing else is."""
    if result is None:
        assert observed.startswith("refused")
        return
    verdict = verdict_of(result)
    if observed == GOOD and hidden:
        assert verdict.outcome == "partial"  # the record cannot say that the command reached it
    elif observed == GOOD:
        assert (verdict.outcome, verdict.method) == ("sanitized", method)
    else:
        assert verdict.outcome not in {"sanitized", "partial"}


@pytest.mark.parametrize("technique", [*SANITIZE, *FORMAT])
@pytest.mark.parametrize("name", KINDS)
def test_each_technique_on_each_kind_of_nvme_drive(name: str, technique: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    controller = kind.build()
    plain = technique in FORMAT
    request = asked(
        technique,
        acknowledged_scope=kind.scope,
        acknowledged_signatures=kind.signatures,
        no_deallocate=kind.no_deallocate and not plain,
    )
    world = nvme_world(controller)
    observed = world.outcome(request, tmp_path)
    assert observed == kind.expects(technique)
    agrees(world.result, observed, request.method, hidden=controller.subsystem.unallocated > 0)
    blocks, spare = controller.subsystem.medium.remains(SECRET)
    if observed.startswith("refused"):
        assert (len(blocks), len(spare)) == (4096, 16)
    elif observed == GOOD:
        assert len(blocks) == (kind.spared if plain else 0)
        assert not spare or kind.blind or plain
    assert of_nvme(controller) == ""


def card(model: EmmcModel | None = None, **faults: object) -> EmmcDevice:
    device = EmmcDevice(Medium(4096, faults=Faults(**faults)), model or EmmcModel(secure_erase=True))  # type: ignore[arg-type]
    device.fill(SECRET)
    return device


MMC_KINDS: Mapping[str, tuple[Callable[[], EmmcDevice], str, str]] = {
    "good": (card, GOOD, GOOD),
    "erased reads as ones": (lambda: card(EmmcModel(erased_byte=0xFF, secure_erase=True)), GOOD, GOOD),
    "slow": (lambda: card(seconds=3600), GOOD, GOOD),
    "fails half-way": (lambda: card(seconds=10, fail_at=0.5), FAILED, FAILED),
    "stalls": (
        lambda: card(seconds=10, stall_at=0.5),
        "failed: unanswered-destructive-command",
        "failed: unanswered-destructive-command",
    ),
    "refuses": (lambda: card(refuses=frozenset({"sanitize", "erase"})), FAILED, FAILED),
    "refuses sanitize": (  # the kernel sends it, and makes an errno of the refusal
        lambda: card(refuses=frozenset({"sanitize"})),
        "failed: unanswered-destructive-command",
        GOOD,
    ),
    "lies: nothing": (lambda: card(erases="nothing"), RESIDUAL, RESIDUAL),
    "lies: first megabyte": (lambda: card(erases="first-megabyte"), RESIDUAL, RESIDUAL),
    "lies: all but one block": (lambda: card(erases="all-but-one-block"), RESIDUAL, RESIDUAL),
    "changes its name": (
        lambda: card(new_serial="OTHER"),
        "interrupted: identity-mismatch",
        "failed: identity-changed",
    ),
    "vanishes": (lambda: card(seconds=10, vanish_at=0.5), "interrupted: device-gone", "interrupted: device-gone"),
    "reset, lost": (lambda: card(reset="lost"), GOOD, GOOD),
    "reset, carried on": (lambda: card(reset="carried-on"), GOOD, GOOD),
    "no sanitize": (lambda: card(EmmcModel(sanitize=False, secure_erase=True)), NO, GOOD),
    "no secure trim": (lambda: card(EmmcModel()), GOOD, NO),
    "general purpose area": (lambda: card(EmmcModel(secure_erase=True, general_units=(1, 0, 0, 0))), NO, GOOD),
    "bad sectors, reading": (lambda: card(bad_reads=((100, 8),)), "failed: unreadable", "failed: unreadable"),
    "bad sectors, writing": (
        lambda: card(bad_writes=((100, 8),)),
        "failed: unwritable-region",
        "failed: unwritable-region",
    ),
}


@pytest.mark.parametrize("technique", MMC)
@pytest.mark.parametrize("name", MMC_KINDS)
def test_each_technique_on_each_kind_of_emmc_device(name: str, technique: str, tmp_path: Path) -> None:
    build, sanitized, trimmed = MMC_KINDS[name]
    device = build()
    world = mmc_world(device)
    observed = world.outcome(asked(technique), tmp_path)
    assert observed == (sanitized if technique == "mmc-sanitize" else trimmed)
    agrees(world.result, observed, asked(technique).method)
    if observed == GOOD:
        assert "user" not in device.remains(SECRET)


COMBINED = {
    "good": GOOD,
    "slow": GOOD,
    "fails half-way": FAILED,
    "lies: first megabyte": RESIDUAL,
    "failed before, unreadable accepted": GOOD,
    "not to deallocate": GOOD,
    "reset, lost": GOOD,
    "no capacity meanwhile": GOOD,
    "changes its serial number": "interrupted: identity-mismatch",
    "no capacity afterwards": "interrupted: identity-mismatch",
}
"""What the second step is proven against before it is sent stands here too."""


@pytest.mark.parametrize("name", COMBINED)
def test_two_techniques_one_after_the_other(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    controller = kind.build()
    request = asked(BOTH, acknowledged_signatures=kind.signatures, no_deallocate=kind.no_deallocate)
    assert nvme_world(controller).outcome(request, tmp_path) == COMBINED[name]
    if COMBINED[name] == GOOD:
        assert controller.subsystem.medium.remains(SECRET) == ([], [])
