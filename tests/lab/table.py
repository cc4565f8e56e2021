"""All cells, several at a time in one machine, and the table they make."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cells import Cell, Finding, Seen, run
from .rig import Rig
from .vm import LabError

AT_ONCE = 4
"""Cells in one machine: while one waits for its drive, another has the processor."""

COLUMNS = ("technique", "drive", "expected", "observed", "medium", "seconds", "")


def run_all(cells: Sequence[Cell], folder: Path, told: Callable[[Finding], None]) -> list[Finding]:
    """Every cell in one machine; what the machine itself fell over is tried once more, alone in a fresh one.

    Args:
        cells: Which.
        folder: For the machines' files.
        told: Called with each finding as it comes, from several threads.
    """
    findings: dict[int, Finding] = {}
    again: list[Cell] = []
    lock = threading.Lock()
    with Rig(folder / "all", bays=AT_ONCE) as rig:
        rig.boot().load_product()

        def attempt(cell: Cell) -> None:
            try:
                found = run(rig, cell)
            except LabError as error:
                sys.stderr.write(f"to be tried again: {cell.technique} on {cell.personality.name!r}: {error}\n")
                with lock:
                    again.append(cell)
                return
            with lock:
                findings[cell.number] = found
            told(found)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(attempt, cells))
    for cell in sorted(again, key=lambda each: each.number):
        findings[cell.number] = found = alone(cell, folder / str(cell.number))
        told(found)
    return [findings[cell.number] for cell in cells]


def alone(cell: Cell, folder: Path) -> Finding:
    """One cell in a machine of its own; if that fails too, the lab's own error is what was observed."""
    began = time.monotonic()
    try:
        with Rig(folder, bays=1) as rig:
            rig.boot().load_product()
            return run(rig, cell)
    except LabError as error:
        return Finding(cell, Seen("the lab failed", 0, 0, "", time.monotonic() - began, str(error)))


def rows(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """The table's lines as texts."""
    return [
        (
            each.cell.technique,
            each.cell.personality.name,
            each.cell.expected,
            each.seen.outcome,
            each.seen.truth,
            f"{each.seen.seconds:.1f}",
            each.wrong,
        )
        for each in findings
    ]


def rendered(findings: Sequence[Finding]) -> str:
    """The table for people."""
    lines = [COLUMNS, *rows(findings)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(COLUMNS))]
    texts = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "-" * (sum(widths) + 2 * len(widths)), *texts[1:]])


def notes(findings: Sequence[Finding]) -> list[str]:
    """What must be said beside the table."""
    wrong = [each for each in findings if each.wrong]
    blind = [each for each in findings if each.cell.personality.beyond_sight and each.seen.spare]
    said = [f"{len(findings)} cells, {len(wrong)} of them unexpected."]
    if blind:
        said.append(
            f"{len(blind)} times a drive kept stale copies where no host can look, and said nothing of it: no reading"
            " back can find that out. Whoever must exclude it combines techniques, or destroys the medium."
        )
    said += [f"{each.cell.technique} on {each.cell.personality.name!r}: {each.seen.detail}" for each in wrong]
    return said


def tested(findings: Sequence[Finding]) -> str:
    """For `docs/techniques-tested.json`: what was run, and what came of it."""
    entries = [
        {
            "technique": each.cell.technique,
            "personality": each.cell.personality.name,
            "expected": each.cell.expected,
            "observed": each.seen.outcome,
            "how": "emulated drive, real kernel",
        }
        for each in findings
    ]
    return json.dumps(entries, indent=1) + "\n"


def tell(finding: Finding) -> None:
    """One line as it comes, so that somebody who watches sees it move."""
    mark = finding.wrong.upper() or "ok"
    name = f"{finding.cell.technique} on {finding.cell.personality.name!r}"
    sys.stderr.write(f"{finding.seen.seconds:6.1f} s  {name}: {finding.seen.outcome} [{mark}]\n")
    sys.stderr.flush()
