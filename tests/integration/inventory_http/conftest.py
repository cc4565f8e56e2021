"""One world a module: tests that need their own make it themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import database_url, new_postgres, postgres_server
from tests.support.http_world import HttpWorld

__all__ = ["database_url", "new_postgres", "postgres_server"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path_factory.mktemp("world"))
    yield made
    made.close()
