"""Undoes what a benchmark set up, however the benchmark ended.

The benchmark starts this process first, in a session of its own, and holds the other end of its standard input. Each
line names something to undo: `child PID`, `server PID`, `file MAJOR:MINOR INODE`, `queue NODE SETTING VALUE`,
`group PATH`; each is answered with `noted`. When the pipe closes, because the benchmark is done or because it was
killed, the guardian ends the children it was told of, puts queue settings back, detaches the loop devices over the
files, ends the servers of files, unmounts and removes the folders: in this order, for a loop device over a file that is
served no more can no longer be told from others. The ordinary end takes the same way as the violent one.

usage: python -m benchmarks.guardian FOLDER...
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from pathlib import Path

from . import undo


class Guardian:
    """What must be undone, gathered line by line."""

    def __init__(self, folders: list[Path], benchmark: int) -> None:
        self.folders = folders
        self.benchmark = benchmark
        self.children: dict[str, list[int]] = {"child": [], "server": []}
        self.files: list[undo.Backing] = []
        self.queues: list[tuple[str, str, str]] = []
        self.groups: list[Path] = []

    def learn(self, line: str) -> None:
        """Note one thing to undo."""
        what, *rest = line.split()
        if what in self.children:
            self._watch(what, int(rest[0]))
        elif what == "file":
            self.files.append(undo.Backing(rest[0], int(rest[1])))
        elif what == "queue":
            node, setting, value = rest
            self.queues.append((node, setting, value))
        elif what == "group":
            self.groups.append(Path(rest[0]))

    def _watch(self, what: str, pid: int) -> None:
        """Hold a descriptor of the child, so that its number can never mean another process."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        ours = _parent(pid) == self.benchmark
        known = [*self.children[what], descriptor]
        self.children[what] = [each for each in known if not _ended(each) and (ours or each != descriptor)]
        for each in set(known) - set(self.children[what]):
            os.close(each)

    def _end(self, what: str) -> None:
        for child in self.children[what]:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
        for child in self.children[what]:
            select.select([child], [], [], 10)

    def _detach(self) -> list[str]:
        ours = [(node, backing) for node, backing in undo.attached().items() if backing in self.files]
        return [problem for node, backing in ours if (problem := undo.detach(node, backing))]

    def undo(self) -> list[str]:
        """Undo everything; returns what went wrong."""
        problems: list[str] = []
        self._end("child")
        problems += [p for queue in self.queues if (p := undo.restore_queue(*queue, self.files))]
        problems += self._detach()
        self._end("server")
        for folder in self.folders:
            problems += undo.remove_folder(folder)
        problems += self._detach()  # one that was just being attached when the benchmark was killed
        problems += [p for group in self.groups if (p := undo.remove_group(group))]
        return problems


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def _ended(descriptor: int) -> bool:
    """A pidfd is readable once its process has ended."""
    return bool(select.select([descriptor], [], [], 0)[0])


def main() -> int:
    """Listen until the pipe closes, then undo."""
    # A terminal's Ctrl-C and a closing session reach the whole group; the benchmark is meant, not its guardian.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    guardian = Guardian([Path(argument) for argument in sys.argv[1:]], os.getppid())
    print("ready", flush=True)
    for line in sys.stdin:
        guardian.learn(line)
        with contextlib.suppress(BrokenPipeError):
            print("noted", flush=True)
    problems = guardian.undo()
    for problem in problems:
        print(f"benchmark not fully undone: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
