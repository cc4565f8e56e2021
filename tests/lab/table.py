"""All cells, in as many machines as there are processors, and the table they make."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from multiprocessing.util import Finalize
from pathlib import Path

from tools import write_technique_docs

from .cells import Cell, Finding, Seen, all_cells, run
from .in_process import Row
from .personalities import SUCCEEDED
from .rig import Rig
from .vm import LabError

COLUMNS = ("technique", "drive", "how", "expected", "observed", "medium", "seconds", "")


class Worker:
    """One process with one machine. Cells follow one another in it: side by side they would only wait for its processor."""

    rig: Rig | None = None

    @classmethod
    def run(cls, number: int) -> Seen:
        """One cell, by its number. What the machine itself fell over is tried once more in a fresh one."""
        cell = all_cells()[number - 1]
        began = time.monotonic()
        reason = ""
        for _ in range(2):
            try:
                return run(cls._booted(), cell).seen
            except LabError as error:
                reason = str(error)
                sys.stderr.write(f"{cell.technique} on {cell.personality.name!r}: a fresh machine, because: {reason}\n")
                cls.close()
        return Seen("the lab failed", 0, 0, "", time.monotonic() - began, reason)

    @classmethod
    def _booted(cls) -> Rig:
        if cls.rig is None:
            cls.rig = Rig(Path(tempfile.mkdtemp(prefix="lab-rig-")), bays=1)
            Finalize(None, cls.close, exitpriority=10)
            threading.Thread(target=cls._orphaned, daemon=True).start()
            cls.rig.boot().load_product()
        return cls.rig

    @classmethod
    def _orphaned(cls) -> None:
        """End with the process that asked, however it ends."""
        parent = parent_process()
        if parent is not None:
            parent.join()
            cls.close()
            os._exit(1)

    @classmethod
    def close(cls) -> None:
        """End the machine."""
        if cls.rig is not None:
            cls.rig.close()
            shutil.rmtree(cls.rig.folder, ignore_errors=True)
            cls.rig = None


def run_all(cells: Sequence[Cell], workers: int, told: Callable[[Finding], None]) -> list[Finding]:
    """Every cell, with as many machines as there are workers.

    Args:
        cells: Which.
        workers: Processes; each machine keeps one processor busy.
        told: Called with each finding as it comes.
    """
    findings: dict[int, Finding] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(Worker.run, cell.number): cell for cell in cells}
        for done in as_completed(waiting):
            finding = Finding(waiting[done], done.result())
            findings[finding.cell.number] = finding
            told(finding)
    return [findings[cell.number] for cell in cells]


def rendered(rows: Sequence[Row]) -> str:
    """The table for people."""
    told = [
        (
            each.technique,
            each.personality,
            each.how,
            each.expected,
            each.observed,
            each.medium,
            f"{each.seconds:.1f}",
            each.wrong,
        )
        for each in rows
    ]
    lines = [COLUMNS, *told]
    widths = [max(len(line[at]) for line in lines) for at in range(len(COLUMNS))]
    texts = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "-" * (sum(widths) + 2 * len(widths)), *texts[1:]])


def notes(rows: Sequence[Row]) -> list[str]:
    """What must be said beside the table."""
    wrong = [each for each in rows if each.wrong]
    blind = [each for each in rows if each.observed == SUCCEEDED and _unseen(each)]
    said = [f"{len(rows)} cells, {len(wrong)} of them unexpected."]
    if blind:
        said.append(
            f"{len(blind)} times a drive kept what no host can see (stale copies in spare blocks, blocks it only unmapped), and"
            " said nothing of it: no reading back can find that out. Whoever must exclude it destroys the medium."
        )
    said += [f"{each.technique} on {each.personality!r}: {each.detail}" for each in wrong]
    return said


def _unseen(row: Row) -> bool:
    return any(word in row.personality for word in write_technique_docs.UNREADABLE_LIES)


def tested(rows: Sequence[Row]) -> str:
    """For `docs/techniques-tested.json`: what was run, and what came of it."""
    kept = ("technique", "personality", "expected", "observed", "how")
    return json.dumps([{name: getattr(each, name) for name in kept} for each in rows], indent=1) + "\n"


def tell(finding: Finding) -> None:
    """One line as it comes, so that somebody who watches sees it move."""
    mark = finding.wrong.upper() or "ok"
    name = f"{finding.cell.technique} on {finding.cell.personality.name!r}"
    sys.stderr.write(f"{finding.seen.seconds:6.1f} s  {name}: {finding.seen.outcome} [{mark}]\n")
    sys.stderr.flush()
