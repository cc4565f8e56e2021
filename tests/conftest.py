"""Every test starts from UTC and a quiet environment."""

from __future__ import annotations

import os
import re
import time

import pytest

os.environ["TZ"] = "UTC"
time.tzset()
for name in [key for key in os.environ if key.startswith("SANITRAIL_")]:
    del os.environ[name]


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Long texts and bytes are no names: they may hold fresh keys, and every process must find the same names."""
    return argname if isinstance(val, str | bytes) and len(val) > 60 else None


@pytest.hookimpl(tryfirst=True)  # the groups are read in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with numbers are the steps of one story: one process takes the whole module, in order."""
    for item in items:
        if re.match(r"test_\d+_", item.name):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))
