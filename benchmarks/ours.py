"""This project's engine as a case: its public library functions in a process of their own, and its command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .bed import Device
from .case import Case, Command, Stages
from .shell import find

ZERO, RANDOM = "zeros", "keyed-stream"


def process(devices: Sequence[Device], journals: Path, pattern: str, verification: str) -> Command:
    """The command that sanitizes devices through the library, all at once, as an agent would."""
    root = str(Path(__file__).resolve().parents[1])
    # -c instead of -m: the measured process must not depend on the folder it runs in.
    start = f"import sys; sys.path.insert(0, {root!r}); from benchmarks.engine_process import main; sys.exit(main())"
    nodes = tuple(device.node for device in devices)
    return (
        sys.executable,
        "-c",
        start,
        "--pattern",
        pattern,
        "--verification",
        verification,
        "--journals",
        str(journals),
        *nodes,
    )


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


def command_line() -> str | None:
    """The `sanitizer` command of this installation."""
    beside = Path(sys.executable).with_name("sanitizer")
    return str(beside) if beside.exists() else find("sanitizer")


def wipe_command(command: str, device: Device, journals: Path) -> Command:
    """The command line's way to overwrite a device with zeros, without verification and without questions."""
    return (
        command,
        "wipe",
        device.node,
        "--pattern",
        ZERO,
        "--verify",
        "none",
        "--journal-dir",
        str(journals),
        "--yes",
    )
