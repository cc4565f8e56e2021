"""`python -m tests.lab`: prints technique x drive, expected and observed; leaves with 1 when a cell is not as expected."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .cells import all_cells
from .kernel import ROOT, KernelMissing
from .table import notes, rendered, run_all, tell, tested

TESTED = ROOT / "docs" / "techniques-tested.json"


def main() -> int:
    """Run the cells asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("--technique", default="", help="only techniques whose name contains this")
    parser.add_argument("--drive", default="", help="only personalities whose name contains this")
    parser.add_argument("--write", action="store_true", help=f"write {TESTED.relative_to(ROOT)}")
    asked = parser.parse_args()
    every = all_cells()
    cells = [each for each in every if asked.technique in each.technique and asked.drive in each.personality.name]
    if asked.write and len(cells) < len(every):
        parser.error("--write needs all cells")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lab-table-") as folder:
        try:
            findings = run_all(cells, Path(folder), tell)
        except KernelMissing as error:
            sys.stderr.write(f"{error}\n")
            return 2
    sys.stdout.write(rendered(findings) + "\n\n" + "\n".join(notes(findings)) + "\n")
    sys.stdout.write(f"{time.monotonic() - began:.0f} seconds in all.\n")
    if asked.write:
        TESTED.write_text(tested(findings))
    return 1 if any(each.wrong for each in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
