"""A company on SQLite for every test: a copy, so that nobody sees what another did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.inventory_world import World, copied_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with copied_world(tmp_path / "data") as copy:
        yield copy


@pytest.fixture
def residue(world: World) -> World:
    """CRM data lay on the disk; the path is unmounted, the disk is still in service."""
    world.hold_data()
    world.unmount()
    return world
