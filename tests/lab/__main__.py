"""`python -m tests.lab`: prints technique x drive, expected and observed; leaves with 1 when a cell is not as expected."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time

from tools import write_technique_docs

from . import in_process
from .cells import all_cells
from .kernel import ROOT, Kernel, KernelMissing
from .table import notes, rendered, run_all, tell, tested

TESTED = ROOT / "docs" / "techniques-tested.json"


def main() -> int:
    """Run the cells asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("--technique", default="", help="only techniques with this in their name (a pattern)")
    parser.add_argument("--drive", default="", help="only drives with this in their name (a pattern)")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="machines at a time")
    parser.add_argument(
        "--write", action="store_true", help=f"write {TESTED.relative_to(ROOT)} and the page made of it"
    )
    parser.add_argument("--vm-only", action="store_true", help="leave out what needs no machine")
    asked = parser.parse_args()
    every = all_cells()
    cells = [
        each
        for each in every
        if re.search(asked.technique, each.technique) and re.search(asked.drive, each.personality.name)
    ]
    if asked.write and (len(cells) < len(every) or asked.vm_only):
        parser.error("--write needs all cells")
    began = time.monotonic()
    try:
        kernel = Kernel.find()
    except KernelMissing as error:
        sys.stderr.write(f"{error}\n")
        return 2
    how = "vm-" + ".".join(kernel.release.split(".")[:2])
    findings = run_all(cells, asked.workers, tell)
    table = [each.row(how) for each in findings]
    if not asked.vm_only:
        table += [
            each
            for each in in_process.rows()
            if re.search(asked.technique, each.technique) and re.search(asked.drive, each.personality)
        ]
    sys.stdout.write(rendered(table) + "\n\n" + "\n".join(notes(table)) + "\n")
    sys.stdout.write(f"{time.monotonic() - began:.0f} seconds in all.\n")
    if asked.write:
        TESTED.write_text(tested(table))
        write_technique_docs.main()
    return 1 if any(each.wrong for each in table) else 0


if __name__ == "__main__":
    sys.exit(main())
