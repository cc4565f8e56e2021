"""Every test starts from UTC and a quiet environment."""

from __future__ import annotations

import os
import time

os.environ["TZ"] = "UTC"
time.tzset()
for name in [key for key in os.environ if key.startswith("SANITRAIL_")]:
    del os.environ[name]
