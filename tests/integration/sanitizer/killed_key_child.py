"""A process that destroys the keys of a container and is killed by SIGKILL at a given step: device, journals, step."""

from __future__ import annotations

import sys
from pathlib import Path

from sanitizer import engine
from sanitizer.planning import ANSWERS, PlanRequest
from sanitizer.settings import Settings
from sanitizer.stretch import Hooks
from tests.integration.sanitizer.killed_child import Countdown, CountedSystem
from tests.integration.sanitizer.wiping import SEED, cleared

SETTINGS = Settings(threads=1, checkpoint_bytes=512 << 10, small_block_bytes=256 << 10)
REQUEST = PlanRequest(
    technique="luks-crypto-erase", pattern_set="keyed-stream-then-zeros", answers=tuple(ANSWERS), verification="full"
)


def main(path: str, journals: Path, step: int) -> None:
    """Begin a run and die."""
    countdown = Countdown(step)
    outcome = engine.sanitize(
        CountedSystem(countdown), SETTINGS, cleared(path, REQUEST), "run-1", journals, SEED, Hooks()
    )
    sys.stdout.write(f"{outcome.state} {countdown.count}\n")
