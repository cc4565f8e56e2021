"""Looks for data nobody declared: memory written to disk, and the folders of running databases."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, Literal, cast

from inventory.contract.v1.devices import AreaSeen, PathStep
from sanitizer import PathResolution

from .databases import DataFolder, data_folders, is_sqlite_file, running
from .engine import Engine

log = logging.getLogger("agents.surveying")

MOST_STEPS: Final = 64
_MOST_AREAS = 512
_LONGEST = 256

Kind = Literal["swap", "core-dump", "postgresql", "mariadb", "sqlite"]


def _running_databases() -> tuple[DataFolder, ...]:
    return data_folders(running(), is_sqlite_file)


def survey(engine: Engine, databases: Callable[[], Sequence[DataFolder]] = _running_databases) -> tuple[AreaSeen, ...]:
    """Every place on this host where data lies without anybody having declared it."""
    found = [_area(cast("Kind", area.kind), area.found, None) for area in engine.memory_areas()]
    for folder in databases():
        place = engine.resolve_path_of(folder.pid, folder.path)
        found.append(_area(cast("Kind", folder.kind), place, folder.process))
    if len(found) > _MOST_AREAS:
        log.warning("%d places with data were found; the service is told of the first %d", len(found), _MOST_AREAS)
    return tuple(found[:_MOST_AREAS])


def _area(kind: Kind, found: PathResolution, process: str | None) -> AreaSeen:
    return AreaSeen(
        kind=kind,
        path=found.path[:_LONGEST],
        process=None if process is None else process[:_LONGEST],
        devices=found.fingerprints,
        unresolved=tuple(text[:500] for text in found.unresolved[:_LONGEST]),
        steps=steps_of(found),
    )


def steps_of(found: PathResolution) -> tuple[PathStep, ...]:
    """The way down in the contract's words; of a very wide one the beginning."""
    return tuple(
        PathStep(above=step.above[:_LONGEST], below=step.below[:_LONGEST], how=step.how[:_LONGEST])
        for step in found.steps[:MOST_STEPS]
    )
