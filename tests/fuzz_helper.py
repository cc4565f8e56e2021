"""The helper against a carrier that lies in every way: `python -m tests.fuzz_helper SECONDS [SEED]`, as long as one likes.

Half of the time bytes of frames are changed, cut out and put in. The other half a whole agent works, with an approved order and
a hold in force, while answers of the service are altered on their way: values swapped for others of any kind, names left out,
parts of earlier answers put in. Whatever the carrier does, the helper ends no otherwise than by its own errors, and nothing is
written to the medium: only a signed answer without a hold would allow it, and the carrier holds no key.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import random
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from agents.carried import Carriers, NotCarried
from agents.errors import AgentError
from agents.exchange import Ask, Failed, Told
from tests.support.agent_world import AgentWorld
from tests.unit.agents.test_carrier import ASK, HONEST, ME, hostile

Counts = Counter[str]
_SCALARS: tuple[Any, ...] = (None, True, False, 0, -1, 1 << 63, 1.5, "", "x" * 4096, "\x00", [], {}, [[]], {"a": {}})


def frames(chance: random.Random, count: int, counts: Counts) -> None:
    """Honest frames with bytes changed, cut out and put in."""
    pool = Carriers(Path("/nonexistent"), ME, 0.02)
    for _ in range(count):
        noise = bytearray(HONEST)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(noise))
            noise[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 3))
        with hostile(lambda _, data=bytes(noise): data, pool):  # type: ignore[misc]
            counts["frames"] += 1
            try:
                answer, _ = pool.exchange(Ask(1, "GET", ASK.url, (), 20), b"", 1.0)
            except NotCarried:
                counts["frames refused"] += 1
                continue
            assert isinstance(answer, Told | Failed)


def altered(chance: random.Random, value: Any, pool: list[Any]) -> Any:  # noqa: ANN401 - JSON of any shape
    """The same document with one place changed."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:  # noqa: ANN401 - as above
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            places.append((node, key))
            walk(node[key])

    walk(value)
    if not places:
        return value
    node, key = chance.choice(places)
    what = chance.randrange(4)
    if what == 0:
        node[key] = copy.deepcopy(chance.choice(_SCALARS))
    elif what == 1:
        del node[key]
    elif what == 2 and isinstance(node[key], str) and node[key]:
        at = chance.randrange(len(node[key]))
        node[key] = node[key][:at] + chance.choice("0aZ-=") + node[key][at + 1 :]
    else:
        node[key] = copy.deepcopy(chance.choice(pool)) if pool else None
    return value


def a_life(seed: int, counts: Counts) -> None:
    """One agent from its start on, with a hold on its order and a carrier that alters answers by chance."""
    chance = random.Random(seed)  # noqa: S311 - repeatable noise
    earlier: list[Any] = []
    with tempfile.TemporaryDirectory(prefix="sanitrail-fuzz-") as folder:
        world = AgentWorld(Path(folder))
        world.service.holds.append("Hold AZ-1: Litigation.")
        world.order()

        def alter(name: str, reply: dict[str, Any]) -> dict[str, Any]:
            counts["answers"] += 1
            earlier.append(reply)
            if name.endswith("/holds") and chance.random() < 0.5:
                reply = {**reply, "clear": True, "reasons": []}
            for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 1, 2, 5))):
                reply = altered(chance, reply, earlier)
                counts["answers altered"] += 1
            return reply if isinstance(reply, dict) else {}

        world.service.alter = alter
        for _ in range(3):
            for step in (world.start, world.lease, world.work, world.deliver):
                try:
                    step()
                except (AgentError, OSError) as error:
                    counts[f"refused: {type(error).__name__}"] += 1
            world.system.clock += 400
        assert world.system.drive.writes == 0, f"seed {seed}: written under a hold"
        counts["lives"] += 1


def main(seconds: float, seed: int) -> None:
    """Until the time is up; says how much was tried."""
    logging.disable(logging.CRITICAL)
    counts: Counts = Counter()
    end = time.monotonic() + seconds
    chance = random.Random(seed)  # noqa: S311 - repeatable noise
    sys.unraisablehook = lambda told: counts.update(["unraisable"]) or sys.__unraisablehook__(told)
    threading.excepthook = lambda told: counts.update(["thread died"]) or threading.__excepthook__(told)
    while time.monotonic() < end:
        frames(chance, 100, counts)
        for _ in range(5):
            a_life(seed := seed + 1, counts)
    with contextlib.suppress(OSError):
        counts["descriptors open"] = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted only
    counts["threads"] = threading.active_count()
    counts["most MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    for name, number in sorted(counts.items()):
        sys.stdout.write(f"{name}: {number}\n")
    assert not counts["unraisable"]
    assert not counts["thread died"]


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 1)
