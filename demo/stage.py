"""What the newcomer sees: numbered steps, facts beneath them, progress bars; and what is kept: the summary.

A step that ends without an exception happened; every other way out is recorded as failed, and the run's exit code follows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.text import Text


class StepFailed(Exception):
    """A step did not truly happen; the message says what was expected and what was found."""


@dataclass
class Step:
    """One step of the story and how it ended."""

    name: str
    title: str
    outcome: str = "running"
    seconds: float = 0.0
    facts: dict[str, object] = field(default_factory=dict)


class Stage:
    """Prints the story and keeps its summary."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps: list[Step] = []

    def title(self, text: str, beneath: str) -> None:
        """The headline, once."""
        self.console.print()
        self.console.print(Panel(Text(beneath, style="dim"), title=f"[bold]{text}", title_align="left", padding=(0, 2)))

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Step]:
        """One step; its facts are printed as they are learnt through `say`."""
        step = Step(name, title)
        self.steps.append(step)
        self.console.print()
        self.console.print(f"[bold cyan]{len(self.steps):>2}[/]  [bold]{title}")
        began = time.monotonic()
        try:
            yield step
        except BaseException as error:
            step.outcome = "failed"
            step.facts["error"] = f"{type(error).__name__}: {error}"
            raise
        else:
            step.outcome = "done"
        finally:
            step.seconds = round(time.monotonic() - began, 3)

    def say(self, text: str, style: str = "") -> None:
        """One line beneath the current step."""
        self.console.print(Padding(Text.from_markup(text, style=style), (0, 0, 0, 4)))

    def good(self, text: str) -> None:
        """Something proven."""
        self.say(f"[green]✓[/] {text}")

    def refused(self, text: str) -> None:
        """A guard that did its work."""
        self.say(f"[yellow]✋[/] {text}")

    def quote(self, lines: list[str]) -> None:
        """Something read from outside: bytes of the disk, an answer of the service."""
        for line in lines:
            self.console.print(Padding(Text(line, style="magenta"), (0, 0, 0, 6)))

    def progress(self) -> Progress:
        """A bar for bytes, with rate and remaining time."""
        return Progress(
            TextColumn("    {task.description:<10}"),
            BarColumn(bar_width=38),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=self.console,
            transient=False,
        )

    def write_summary(self, path: Path, **facts: object) -> None:
        """`summary.json`: steps with outcome and seconds, and what an auditor needs to start."""
        document = {**facts, "steps": [asdict(step) for step in self.steps]}
        path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
