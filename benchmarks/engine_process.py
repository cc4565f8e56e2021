"""The measured process: sanitizes devices through the library's public functions, one thread a device.

Prints one JSON object: how each run ended, and the CPU seconds of the runs without the interpreter's start.
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sanitizer


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def sanitize(node: str, request: sanitizer.PlanRequest, journals: Path) -> dict[str, Any]:
    """Inspect, plan, clear and sanitize one device; the facts the benchmark needs."""
    inspection = sanitizer.inspect(node)
    plan = sanitizer.plan(request, inspection)
    confirmation = sanitizer.Confirmation(fingerprint=inspection.fingerprint or "")
    clearance = sanitizer.clear(inspection, plan, confirmation, datetime.now(UTC))
    run_id = f"benchmark-{secrets.token_hex(8)}"
    told: list[int] = []
    result = sanitizer.sanitize(
        clearance,
        run_id,
        journals,
        sample_seed=secrets.token_hex(16),
        progress=lambda progress: told.append(progress.bytes_done),
        stop=threading.Event(),
    )
    if result.state in {"succeeded", "failed", "refused"}:
        sanitizer.discard_journal(journals, run_id)
    return {
        "node": node,
        "state": result.state,
        "error_code": result.error_code,
        "error": result.run.error,
        "unwritten": [list(span) for each in result.method.passes for span in each.unwritten],
        "residual": [list(span) for span in result.verification.residual],
        "unreadable": [list(span) for span in result.verification.unreadable],
        "failed_writes": sum(each.failed_writes for each in result.method.passes),
        "verified": result.verification.completed and result.verification.kind == "full",
        "progress_calls": len(told),
    }


def main() -> int:
    """Exit 0 when every run succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pattern", default="zeros")
    parser.add_argument("--verification", default="none", choices=("none", "representative", "full"))
    parser.add_argument("--journals", type=Path, required=True)
    parser.add_argument("nodes", nargs="+")
    options = parser.parse_args()
    request = sanitizer.PlanRequest(pattern_set=options.pattern, verification=options.verification)
    cpu, began = _cpu(), time.monotonic()
    with ThreadPoolExecutor(len(options.nodes)) as threads:
        runs = list(threads.map(lambda node: sanitize(node, request, options.journals), options.nodes))
    told = {"runs": runs, "cpu": _cpu() - cpu, "seconds": time.monotonic() - began}
    print(json.dumps(told))
    return 0 if all(run["state"] == "succeeded" for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
