"""Does this very build find what it claims to find? Faults are planted in scratch devices in memory, and the engine runs on each.

`cases` says what is planted and what counts as finding it; `scratch` makes the devices; `trial` runs the engine on them.
"""

from .cases import CASES, Case, SelfTest, SelfTestCase
from .trial import build_digest, run_self_test

__all__ = ["CASES", "Case", "SelfTest", "SelfTestCase", "build_digest", "run_self_test"]
