"""The daemon, killed by SIGKILL at a named place: `python -m tests.support.agent_killed CONFIG before|after PLACE`.

PLACE is `disk TEXT` (a durable change of the agent's state whose description begins so, such as `disk write runs/`), or
`journal KIND` (an entry of the sanitizer's journal, such as `journal first-write`). Only this test program knows of such
places: the agent itself has no crash points.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from agents import assembly, config
from agents.daemon import Daemon
from agents.durable import Disk
from agents.notify import Notifier
from sanitizer.journal import Journal

_T = TypeVar("_T")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killer:
    """Dies before or after the first effect whose description begins with the place."""

    def __init__(self, when: str, place: str) -> None:
        self._when = when
        self._place = place

    def around(self, name: str, effect: Callable[[], _T]) -> _T:
        """Do it, or die."""
        here = name.startswith(self._place)
        if here and self._when == "before":
            _die()
        value = effect()
        if here:
            _die()
        return value


class KilledDisk(Disk):
    """The real disk functions around which the process may die."""

    def __init__(self, killer: Killer) -> None:
        self._killer = killer

    def write_file(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        name = f"disk write {path.parent.name}/{path.name}"
        self._killer.around(name, lambda: super(KilledDisk, self).write_file(path, data, mode))

    def remove(self, path: Path) -> None:
        name = f"disk remove {path.parent.name}/{path.name}"
        self._killer.around(name, lambda: super(KilledDisk, self).remove(path))


def main() -> None:
    """The daemon as `sanitrail-agent run` builds it, but for the disk and the journal."""
    file, when, place = Path(sys.argv[1]), sys.argv[2], " ".join(sys.argv[3:])
    killer = Killer(when, place)
    append = Journal.append

    def killed_append(journal: Journal, kind: str, fields: dict[str, Any]) -> None:
        killer.around(f"journal {kind}", lambda: append(journal, kind, fields))

    Journal.append = killed_append  # type: ignore[method-assign, assignment]  # this program exists to do that
    settings = config.load(file, {})
    state = assembly.open_state(settings, KilledDisk(killer))
    with state.owned():
        Daemon(assembly.build(settings, state=state), Notifier(None, None)).run()


if __name__ == "__main__":
    main()
