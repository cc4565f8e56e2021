"""The table's other half: every technique on every kind of drive, asked directly in this process, without a kernel in between.

The drives and what must come of each are those of the in-process tests; here they become lines of the printed table. What a
kernel, its drivers and a power cut add to it is the other half's (`cells.py`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sanitizer.planning import HOST
from sanitizer.stretch import Hooks
from sanitizer.techniques.base import Escrow

from . import test_in_process_combined as combined
from . import test_in_process_keys as keys
from . import test_in_process_nvme as nvme
from . import test_in_process_nvme_runs as nvme_runs
from . import test_in_process_recovery as recovery
from . import test_in_process_scsi as scsi
from . import ways_out
from .drives.medium import Medium
from .drives.nvme_asking import drive
from .drives.nvme_world import mmc_world, nvme_world
from .drives.opal import PSID
from .drives.scsi_world import scsi_world
from .emulated import SECRET

HOW = "in-process"
KINDS = {"ata": "SATA", "scsi": "SAS", "nvme": "NVMe", "mmc": "eMMC", "opal": "NVMe with Opal", "luks": "SATA"}


class Row(NamedTuple):
    """One line of the table."""

    technique: str
    personality: str
    expected: str
    observed: str
    medium: str
    seconds: float
    wrong: str
    how: str
    detail: str = ""
    """What the program said, for a line that is wrong."""


def truth_of(blocks: int, spare: int) -> str:
    """What the medium really holds, in words."""
    if blocks:
        return f"{blocks} blocks left"
    return f"{spare} stale copies" if spare else "nothing left"


Left = tuple[int, int]
"""Blocks a host can address, and spare ones, that still hold the secret."""


def left(medium: Medium) -> Left:
    """See `Left`."""
    blocks, spare = medium.remains(SECRET)
    return len(blocks), len(spare)


def _row(technique: str, name: str, outcomes: tuple[str, str], truth: Left, kept: int, began: float) -> Row:
    expected, observed = outcomes
    wrong = "" if observed == expected else "unexpected"
    if observed == scsi.GOOD and truth[0] != kept:
        wrong = "A LIE WAS BELIEVED"
    drive = f"{KINDS[technique.removeprefix(f'{HOST}+').partition('-')[0]]}: {name}"
    return Row(technique, drive, *outcomes, truth_of(*truth), time.monotonic() - began, wrong, HOW)


def _scsi(folder: Path) -> Iterator[Row]:
    ata = [
        (name, kind, technique)
        for name, kind in scsi.ATA_KINDS.items()
        for technique in (*scsi.ATA_SANITIZE, *scsi.SECURITY)
    ]
    sas = [
        (name, kind, technique)
        for name, kind in scsi.SCSI_KINDS.items()
        for technique in (*scsi.SCSI_SANITIZE, scsi.FORMAT)
    ]
    bridges = [
        (f"USB bridge, {habit}", scsi.Kind(build=scsi.behind(habit), sanitize=sanitized, other=other), technique)
        for habit, (sanitized, other) in scsi.BRIDGES.items()
        for technique in (scsi.ATA_SANITIZE[1], scsi.SECURITY[0])
    ]
    for number, (name, kind, technique) in enumerate([*ata, *sas, *bridges]):
        began = time.monotonic()
        target = kind.build()
        bare, escrowed = scsi.bare_of(target), list[Escrow]()
        request = scsi.asked(technique, acknowledged_signatures=kind.signatures)
        journals = folder / f"scsi-{number}"
        journals.mkdir()
        world = scsi_world(target)
        if kind.restored:
            world.restore(journals / "capacity")
        observed = world.outcome(request, journals, Hooks(escrow=escrowed.append))
        expected = kind.sanitize if "-sanitize-" in technique else kind.other
        row = _row(technique, name, (expected, observed), left(bare.medium), 0, began)
        stuck = ways_out.of_scsi(bare, escrowed)
        yield row._replace(wrong="LOCKED WITHOUT A WAY OUT", detail=stuck) if stuck else row


def _nvme(folder: Path) -> Iterator[Row]:
    drives = [
        (name, kind, technique) for name, kind in nvme.KINDS.items() for technique in (*nvme.SANITIZE, *nvme.FORMAT)
    ]
    for number, (name, kind, technique) in enumerate(drives):
        began = time.monotonic()
        controller, plain = kind.build(), technique in nvme.FORMAT
        request = nvme.asked(
            technique,
            acknowledged_scope=kind.scope,
            acknowledged_signatures=kind.signatures,
            no_deallocate=kind.no_deallocate and not plain,
        )
        journals = folder / f"nvme-{number}"
        journals.mkdir()
        observed = nvme_world(controller).outcome(request, journals)
        expected, kept = kind.expects(technique), kind.spared if plain else 0
        row = _row(technique, name, (expected, observed), left(controller.subsystem.medium), kept, began)
        stuck = ways_out.of_nvme(controller)
        yield row._replace(wrong="LOCKED WITHOUT A WAY OUT", detail=stuck) if stuck else row


def _combined(folder: Path) -> Iterator[Row]:
    for number, (technique, name, kind) in enumerate(combined.cells()):
        began = time.monotonic()
        made = combined.made(technique, kind.faults)
        journals = folder / f"combined-{number}"
        journals.mkdir()
        escrowed = list[Escrow]()
        hooks = Hooks(escrow=escrowed.append, secret=made.secret)
        observed = made.world.outcome(combined.asked(technique), journals, hooks)
        row = _row(technique, name, (kind.expects(technique), observed), made.left(), 0, began)
        stuck = made.stuck(escrowed)
        yield row._replace(wrong="LOCKED WITHOUT A WAY OUT", detail=stuck) if stuck else row
    for number, (name, expected) in enumerate(nvme.COMBINED.items()):
        if name in combined.KINDS:
            continue
        began, special = time.monotonic(), nvme.KINDS[name]
        controller = special.build()
        request = nvme.asked(nvme.BOTH, acknowledged_signatures=special.signatures, no_deallocate=special.no_deallocate)
        journals = folder / f"both-{number}"
        journals.mkdir()
        observed = nvme_world(controller).outcome(request, journals)
        yield _row(nvme.BOTH, name, (expected, observed), left(controller.subsystem.medium), 0, began)


def _recovered(folder: Path) -> Iterator[Row]:
    """Drives that hide their medium, brought back first; the technique is that of the ordinary run that follows."""
    for number, (interface, state) in enumerate(recovery.CELLS):
        began = time.monotonic()
        locked = recovery.DRIVES[interface](False)
        prepare, _ = recovery.STATES[state]
        prepare(locked.opal)
        journals = folder / f"recovered-{number}"
        journals.mkdir()
        locked.world.recover(recovery.asked(locked.world), journals / "records", PSID)
        observed = locked.world.outcome(recovery.purge(locked), journals / "runs")
        name = f"hidden by Opal ({state}), recovered first"
        yield _row(locked.technique, name, (scsi.GOOD, observed), left(locked.medium), 0, began)


def _opal(folder: Path) -> Iterator[Row]:
    for number, (name, (prepare, expected)) in enumerate(nvme_runs.OPAL_KINDS.items()):
        for technique, secret in zip(nvme_runs.REVERTS, (PSID, nvme_runs.OWNER), strict=True):
            began, controller = time.monotonic(), drive()
            prepare(nvme.opal_of(controller))
            journals = folder / f"{technique}-{number}"
            journals.mkdir()
            observed = nvme_world(controller).outcome(nvme.asked(technique), journals, Hooks(secret=secret))
            row = _row(technique, name, (expected, observed), left(controller.subsystem.medium), 0, began)
            stuck = ways_out.of_nvme(controller)
            yield row._replace(wrong="LOCKED WITHOUT A WAY OUT", detail=stuck) if stuck else row


def _mmc(folder: Path) -> Iterator[Row]:
    for number, (name, (build, *expected)) in enumerate(nvme.MMC_KINDS.items()):
        for technique, outcome in zip(nvme.MMC, expected, strict=True):
            began = time.monotonic()
            device = build()
            journals = folder / f"{technique}-{number}"
            journals.mkdir()
            observed = mmc_world(device).outcome(nvme.asked(technique), journals)
            truth = int("user" in device.remains(SECRET)), 0
            yield _row(technique, name, (outcome, observed), truth, 0, began)


def _keys(folder: Path) -> Iterator[Row]:
    for number, (name, kind) in enumerate(keys.KINDS.items()):
        began, disk = time.monotonic(), kind.build()
        had = keys.keys_left(disk)
        journals = folder / f"keys-{number}"
        journals.mkdir()
        observed = scsi_world(disk).outcome(kind.request, journals)
        left_over = keys.keys_left(disk)
        row = _row(keys.TECHNIQUE, name, (kind.expected, observed), (left_over, 0), 0, began)
        untouched = observed.startswith("refused") and left_over == had
        yield row._replace(medium="untouched" if untouched else "no key left" if not left_over else row.medium)


def rows() -> list[Row]:
    """All of them; a minute or two of one processor."""
    with tempfile.TemporaryDirectory(prefix="lab-journals-") as folder:
        place = Path(folder)
        return [
            *_scsi(place),
            *_nvme(place),
            *_combined(place),
            *_opal(place),
            *_recovered(place),
            *_mmc(place),
            *_keys(place),
        ]
