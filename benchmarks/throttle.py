"""Devices of a known speed: a control group that limits the bytes a second each device gets from the tools in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from . import undo
from .bed import Bed, Device
from .case import Case, Command, Stages
from .errors import CannotMeasure, SetupFailed

_V1 = Path("/sys/fs/cgroup/blkio")
_V2 = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def limited(bed: Bed, devices: Sequence[Device], rate: int) -> Iterator[Path]:
    """A control group in which reading and writing each device is limited to `rate` bytes a second.

    Yields the file a process writes its number to in order to enter.

    Raises:
        CannotMeasure: this kernel, or this container, lets nobody limit block devices.
    """
    group = _root() / f"sanitrail-bench-{os.getpid()}"
    bed.tell("group", str(group))
    with _made(group, [device.node for device in devices], rate) as entrance:
        yield entrance


@contextlib.contextmanager
def slowed(nodes: Sequence[str], rate: int) -> Iterator[Path]:
    """The same for devices that are no part of a bed. Raises `CannotMeasure`, as `limited`."""
    with _made(_root() / f"sanitrail-bays-{os.getpid()}", nodes, rate) as entrance:
        yield entrance


@contextlib.contextmanager
def _made(group: Path, nodes: Sequence[str], rate: int) -> Iterator[Path]:
    try:
        group.mkdir()
        for node in nodes:
            _limit(group, node, rate)
    except OSError as error:
        undo.remove_group(group)
        raise CannotMeasure(f"devices cannot be slowed down: {error.strerror} ({error.filename})") from error
    try:
        yield group / "cgroup.procs"
    finally:
        problem = undo.remove_group(group)
        if problem is not None:
            raise SetupFailed(problem)


def _root() -> Path:
    if (_V1 / "blkio.throttle.write_bps_device").exists() or (_V1 / "cgroup.procs").exists():
        return _V1
    controllers = _V2 / "cgroup.subtree_control"
    try:
        if "io" not in controllers.read_text().split():
            controllers.write_text("+io")
    except OSError as error:
        raise CannotMeasure(f"devices cannot be slowed down: no io controller ({error.strerror})") from error
    return _V2


def _limit(group: Path, node: str, rate: int) -> None:
    number = Path(node).stat().st_rdev
    name = f"{os.major(number)}:{os.minor(number)}"
    if group.parent == _V1:
        for way in ("read", "write"):
            (group / f"blkio.throttle.{way}_bps_device").write_text(f"{name} {rate}")
    else:
        (group / "io.max").write_text(f"{name} rbps={rate} wbps={rate}")


def inside(case: Case, entrance: Path) -> Case:
    """The same case with every process entering the control group before it becomes the tool."""

    def enter(command: Command) -> Command:
        return ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(entrance), *command)

    def stages(devices: Sequence[Device]) -> Stages:
        return [[enter(command) for command in stage] for stage in case.stages(devices)]

    return replace(case, stages=stages)
