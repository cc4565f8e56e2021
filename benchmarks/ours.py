"""This project's engine as a case: its public library functions in a process of their own, and its command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .bed import Device
from .case import Case, Command, Stages
from .shell import call

ZERO, RANDOM = "zeros", "keyed-stream"


def process(devices: Sequence[Device], journals: Path, pattern: str, verification: str) -> Command:
    """The command that sanitizes devices through the library, all at once, as an agent would."""
    nodes = tuple(device.node for device in devices)
    return (
        sys.executable, "-m", "benchmarks.engine_process", "--pattern", pattern, "--verification", verification,
        "--journals", str(journals), *nodes,
    )  # fmt: skip


def engine(journals: Path, pattern: str, *, verify: bool = False, key: str = "") -> Case:
    """The engine with one pattern set, without verification or with a full one."""
    verification = "full" if verify else "none"

    def stages(devices: Sequence[Device]) -> Stages:
        return [[process(devices, journals, pattern, verification)]]

    return Case(
        key or f"sanitrail-{pattern}{'-verify' if verify else ''}",
        f"sanitrail {pattern}{', full verification' if verify else ''}",
        stages,
        reads=1 if verify else 0,
    )


def command_line(devices: Sequence[Device], journals: Path) -> list[Command]:
    """The command line as an operator types it: zeros, the least verification it offers, fingerprints at hand."""
    command = (sys.executable, "-m", "sanitizer.cli")
    made: list[Command] = []
    for device in devices:
        shown = json.loads(call(*command, "show", "--json", device.node))
        made.append(
            (
                *command, "wipe", device.node, "--pattern-set", ZERO, "--verification", "representative",
                "--journal-dir", str(journals), "--confirm", str(shown["fingerprint"]), "--json",
            )
        )  # fmt: skip
    return made
