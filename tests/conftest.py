"""Every test starts from UTC and a quiet environment."""

from __future__ import annotations

import os
import time

os.environ["TZ"] = "UTC"
time.tzset()
for name in [key for key in os.environ if key.startswith("SANITRAIL_")]:
    del os.environ[name]


def pytest_make_parametrize_id(config: object, val: object, argname: str) -> str | None:
    """Long texts and bytes are no names: they may hold fresh keys, and every process must find the same names."""
    return argname if isinstance(val, str | bytes) and len(val) > 60 else None
