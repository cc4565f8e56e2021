"""Both databases for every test here that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import database_url, new_postgres, postgres_server
from tests.support.inventory_world import World, make_world

__all__ = ["database_url", "new_postgres", "postgres_server", "world"]


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A whole company on each kind of database."""
    made = make_world(tmp_path / "data", database_url)
    yield made
    made.close()
