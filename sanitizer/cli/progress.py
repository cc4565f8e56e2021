"""Progress of several runs on one terminal: bars where somebody looks, a line now and then where a log is written."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import click

from sanitizer.run import Progress

from .output import duration, size

_LINE_EVERY_PERCENT = 10
_LINE_EVERY_SECONDS = 60.0
"""While a drive works by itself no bytes are counted."""


class Listener(Protocol):
    """Takes progress of one run."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""
        ...


class Display:
    """Shows all runs of this command; quiet when the output is for a program."""

    def __init__(self, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet = quiet
        self._clock = clock
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._told: dict[str, int] = {}
        self._states: dict[str, tuple[str, float]] = {}
        """What each run was last told to be in, and when."""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            self._bars = _rich_bars()
            if self._bars is not None:
                self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def listener(self, name: str) -> Listener:
        """Where the run on device `name` reports to."""

        def listen(progress: Progress) -> None:
            if self._quiet:
                return
            with self._lock:
                if self._bars is not None:
                    self._bar(name, progress)
                else:
                    self._line(name, progress)

        return listen

    def _bar(self, name: str, progress: Progress) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=progress.bytes_total or 1, told="")
        self._bars.update(
            self._tasks[name], completed=progress.bytes_done, total=progress.bytes_total or 1, told=_told(progress)
        )

    def _line(self, name: str, progress: Progress) -> None:
        percent = 100 * progress.bytes_done // progress.bytes_total if progress.bytes_total else 0
        state, since = self._states.get(name, ("", 0.0))
        waiting = progress.state == "settling" == state and self._clock() - since >= _LINE_EVERY_SECONDS
        begun = progress.state == "settling" != state
        further = percent >= self._told.get(name, 0)
        if not (further or waiting or begun):
            self._states[name] = (progress.state, since)
            return
        self._told[name] = percent // _LINE_EVERY_PERCENT * _LINE_EVERY_PERCENT + _LINE_EVERY_PERCENT
        self._states[name] = (progress.state, self._clock())
        amount = f"{percent} %, " if progress.bytes_total else ""
        click.echo(f"{name}: {amount}{_told(progress)}", err=True)


def _told(progress: Progress) -> str:
    words = [progress.state]
    if progress.state == "executing":
        words = [f"pass {progress.pass_number} of {progress.passes}"]
    if progress.state == "settling":
        words = ["the drive is settling its work"]
    if progress.bytes_per_second and progress.state != "settling":
        words.append(f"{size(progress.bytes_per_second)}/s")
    if progress.state in {"executing", "settling", "verifying"}:
        words.append(duration(progress.seconds_left))
    if progress.errors:
        words.append(f"{progress.errors} errors")
    return ", ".join(words)


def _rich_bars() -> Any:  # noqa: ANN401 - rich is optional; without it lines are printed
    try:
        from rich.console import Console  # noqa: PLC0415 - optional, and slow to import
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn  # noqa: PLC0415 - as above
        from rich.progress import Progress as Bars  # noqa: PLC0415 - as above
    except ImportError:
        return None
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[told]}"),
        console=Console(stderr=True),
    )
