"""The witness, killed (SIGKILL) right before its n-th effect after a request came in: a write, an fsync, a rename, an answer."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))

from witness import memory, server
from witness.cli import main

effects = [int(sys.argv.pop(1))]
armed = [False]


def counted(effect: Callable[..., Any]) -> Callable[..., Any]:
    """The effect, or the end."""

    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the effect takes
        if armed[0]:
            effects[0] -= 1
            if effects[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return effect(*args, **kwargs)

    return run


def arming(judge: Callable[..., Any]) -> Callable[..., Any]:
    """From the decision on, effects count."""

    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the original
        armed[0] = True
        return judge(*args, **kwargs)

    return run


EFFECTS: tuple[tuple[Any, str], ...] = (
    (os, "open"),
    (os, "fsync"),
    (pathlib.Path, "replace"),
    (server._Handler, "_answer"),
)
for owner, name in EFFECTS:
    setattr(owner, name, counted(getattr(owner, name)))
decision: Any = memory
decision.judge = arming(decision.judge)

if __name__ == "__main__":
    main()
