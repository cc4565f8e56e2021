"""One cell of the table: one technique on one kind of drive, by the real product in the guest, and the truth from outside."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, cast

from sanitizer.run import RunResult

from .drives.sat import SataDisk
from .drives.usb_bridge import UsbBridge
from .emulated import Emulated, Kind
from .in_process import Row, truth_of
from .personalities import NOTHING, SUCCEEDED, TECHNIQUES, Personality
from .rig import Rig
from .verdicts import verdict_of
from .vm import Result

ATTACHED = {"sata": "sata", "sas": "sas", "nvme": ""}
EVERY_TECHNIQUE = ("good", "lies: nothing")
MECHANISMS = (
    "ata-sanitize-block-erase",
    "ata-security-erase",
    "scsi-sanitize-block-erase",
    "nvme-sanitize-block-erase",
)
CELL_SECONDS = 150.0
"""No command of a cell may take longer."""


@dataclass(frozen=True)
class Cell:
    """What is tried on what."""

    technique: str
    personality: Personality
    kind: Kind
    number: int

    @property
    def expected(self) -> str:
        """See `Personality.expects`."""
        return self.personality.expects(self.technique)

    @property
    def serial(self) -> str:
        """Of the drive made for it; every cell has a fresh one."""
        return f"LAB{self.number:05d}"

    @property
    def words(self) -> list[str]:
        """The plan, as the command line takes it."""
        level = "clear" if self.technique.split("-")[1] in {"security", "format"} else "purge"
        plan = ["--method", level, "--technique", self.technique, "--verification", self.personality.verification]
        return [*plan, *self.personality.options]


@dataclass(frozen=True)
class Seen:
    """What came of it."""

    outcome: str
    blocks: int
    """Blocks that hold data, a host's own or the program's marks: written, and not erased since."""
    spare: int
    """Copies where no host can look."""
    locked: str
    """Empty, or why the drive is locked without a way out."""
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """A cell and what came of it."""

    cell: Cell
    seen: Seen

    @property
    def wrong(self) -> str:
        """Why this cell may not stand, empty when it may."""
        seen, personality = self.seen, self.cell.personality
        if seen.locked:
            return seen.locked
        if seen.outcome == SUCCEEDED and seen.blocks != (
            personality.neighbours if "-format-" in self.cell.technique else 0
        ):
            return "A LIE WAS BELIEVED"
        if seen.outcome == SUCCEEDED and seen.spare and not (personality.beyond_sight or overwrites(self.cell)):
            return "stale copies were left by an honest drive"
        if seen.outcome != self.cell.expected:
            return "unexpected"
        return ""

    def row(self, how: str) -> Row:
        """As a line of the table."""
        cell, seen = self.cell, self.seen
        drive = f"{'USB' if cell.personality.attached else cell.kind.upper()}: {cell.personality.name}"
        truth = truth_of(seen.blocks, seen.spare)
        return Row(
            cell.technique, drive, cell.expected, seen.outcome, truth, seen.seconds, self.wrong, how, seen.detail
        )


def overwrites(cell: Cell) -> bool:
    """Techniques that write by address never reach spare blocks, on any drive: that is why they are Clear."""
    return cell.technique in {"scsi-format-unit", "ata-security-erase", "nvme-format-user-data", "nvme-format-crypto"}


def all_cells() -> list[Cell]:
    """Every technique on the drives of `EVERY_TECHNIQUE`; on all others one technique of each mechanism, without the formats.

    All techniques on all drives are the in-process half's, where a cell takes milliseconds.
    """
    from .personalities import ALL  # noqa: PLC0415 - a table, replaced by tests of this module

    wanted = [
        (technique, personality, kind)
        for personality in ALL
        for kind, techniques in TECHNIQUES.items()
        for technique in techniques
        if personality.expects(technique) != NOTHING
        and (personality.name in EVERY_TECHNIQUE or technique in (*MECHANISMS, *personality.also))
    ]
    return [Cell(*each, number) for number, each in enumerate(wanted, start=1)]


def run(rig: Rig, cell: Cell) -> Finding:
    """Build the drive, plug it in, let the product at it, look at the medium, take it out."""
    began = time.monotonic()
    drive = cell.personality.build(cell.kind, cell.serial)
    drive.plug(rig)
    try:
        outcome, detail = sanitized(rig, cell, drive)
        locked = way_out(rig, cell, drive)
        blocks, spare = drive.remains()
    finally:
        drive.unplug(rig)
    return Finding(cell, Seen(outcome, blocks, spare, locked, time.monotonic() - began, detail))


def product(rig: Rig, cell: Cell, drive: Emulated, *arguments: str) -> Result:
    """A command of the product about this drive."""
    attached = cell.personality.attached or ATTACHED[cell.kind]
    name = drive.node.removeprefix("/dev/")
    return rig.vm.product(
        *arguments,
        timeout=CELL_SECONDS,
        pace=cell.personality.pace,
        attached={name: attached} if attached else {},
        environment={"SANITIZER_JOURNAL_DIR": journal(cell), "SANITIZER_STATE_DIR": f"{journal(cell)}/capacity"},
    )


def journal(cell: Cell) -> str:
    """Where the run's journal is kept, seen from the guest."""
    return f"/run/lab-journals/{cell.number}"


def sanitized(rig: Rig, cell: Cell, drive: Emulated) -> tuple[str, str]:
    """The outcome in two words, and what the product said."""
    if cell.personality.restored:
        shown = product(rig, cell, drive, "show", "--json", drive.node).checked().document
        product(rig, cell, drive, "restore-capacity", "--json", "--confirm", shown["fingerprint"], drive.node).checked()
    planned = product(rig, cell, drive, "plan", "--json", *cell.words, drive.node)
    if planned.status:
        return outcome_of(planned)
    rig.vm.run(f"mkdir -p {journal(cell)}").checked()
    fingerprint = planned.document["fingerprint"]
    escrow = ("--escrow-file", f"{journal(cell)}/escrow") if "-security-" in cell.technique else ()
    words = ("wipe", "--json", "--confirm", fingerprint, *escrow, *cell.words, drive.node)
    return outcome_of(product(rig, cell, drive, *words))


def outcome_of(result: Result) -> tuple[str, str]:
    """In the table's words: succeeded, or refused, failed or interrupted with the error's code."""
    try:
        document = json.loads(result.out)
    except ValueError:
        return f"broken: exit {result.status}", (result.out + result.err)[-3000:]
    said = json.dumps(document)[:3000]
    if isinstance(document, list):
        document = document[0]
    if "obstacles" in document:
        codes = sorted({each["code"] for each in document["obstacles"]})
        return f"refused: {', '.join(codes)}", said
    if "error" in document:
        kind = {3: "refused", 5: "interrupted"}.get(result.status, "failed")
        return f"{kind}: {document['error']['code']}", said
    return outcome_of_run(document, result.status), said


def outcome_of_run(document: dict[str, Any], status: int) -> str:
    """Of a run's result. An exit status that contradicts it is no success."""
    run = document.get("run", {})
    state = run.get("state", "unknown")
    if state == SUCCEEDED:
        verdict = verdict_of(cast("RunResult", Told(document)))
        if status:
            return f"succeeded with exit {status}"
        return SUCCEEDED if verdict.outcome == "sanitized" else verdict.outcome
    return f"{state}: {run.get('error_code') or 'no code'}"


class Told:
    """A run's result as the command printed it, for those who take it as an object."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.run_id: str = document["run_id"]
        self._document = document

    def to_dict(self) -> dict[str, Any]:
        """As `RunResult.to_dict`."""
        return self._document


def way_out(rig: Rig, cell: Cell, drive: Emulated) -> str:
    """Whether our password still stands on the drive, and if so, whether what was kept of it opens the drive."""
    target = drive.target.target if isinstance(drive.target, UsbBridge) else drive.target
    if not isinstance(target, SataDisk) or cell.personality.name == "locked" or drive.medium.gone:
        return ""
    if target.ata.security.user is None:
        return ""
    drive.faults.refuses = frozenset()
    drive.faults.frozen = False
    drive.unplug(rig)  # a power cycle: now it really is locked
    drive.plug(rig)
    unlocked = product(rig, cell, drive, "unlock", "--json", "--password-file", f"{journal(cell)}/escrow", drive.node)
    if target.ata.security.user is not None:
        return f"LOCKED WITHOUT A WAY OUT: {(unlocked.out + unlocked.err)[-300:]}"
    return ""
