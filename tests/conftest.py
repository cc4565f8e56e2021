"""Every test starts from UTC and a quiet environment, and keeps its files in memory."""

from __future__ import annotations

import os
import re
import time

import pytest
from hypothesis import HealthCheck, settings

from tests.support import memory

os.environ["TZ"] = "UTC"
time.tzset()
for name in [key for key in os.environ if key.startswith("SANITRAIL_")]:
    del os.environ[name]
memory.begin()
# What takes long on a busy machine is no fault of the code under test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Long texts and bytes are no names: they may hold fresh keys, and every process must find the same names."""
    return argname if isinstance(val, str | bytes) and len(val) > 60 else None


LONGEST = ("tests/browser", "tests/integration/sanitizer", "tests/integration", "tests/year", "tests/contract")
"""What takes long per test comes first, so that the end is many small ones and no worker waits for the other's last story."""
APART = ("tests/browser/", "tests/integration/sanitizer/", "tests/integration/agents/")
"""Folders of few long tests that share little: each may go to either worker."""


@pytest.hookimpl(tryfirst=True)  # the groups are read in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process takes a whole module: what it shares is made once, and numbered tests (the steps of a story) stay in order."""
    items.sort(key=_turn)
    for item in items:
        module = item.nodeid.split("::")[0]
        story = re.match(r"test_\d+_", item.name)
        if story or not (module.startswith(APART) or item.get_closest_marker("xdist_group")):
            item.add_marker(pytest.mark.xdist_group(module))


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, folder in enumerate(LONGEST) if item.nodeid.startswith(folder)), len(LONGEST))
