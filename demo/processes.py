"""The programs under demonstration, started as an operator starts them; ended by their own process id, never by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent


class ProgramFailed(Exception):
    """A command ended otherwise than it should; the message carries its own words."""


def _environment(extra: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SANITRAIL_")}
    return {**kept, **extra}


def command(*words: str, env: dict[str, str], stdin: str | None = None, expect: tuple[int, ...] = (0,)) -> str:
    """Run one of our commands to its end; its standard output."""
    done = subprocess.run(
        [str(BIN / words[0]), *words[1:]],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(env),
        timeout=300,
    )
    if done.returncode not in expect:
        said = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise ProgramFailed(f"{' '.join(words)} ended with {done.returncode}: {said}")
    return done.stdout


def command_json(*words: str, env: dict[str, str], expect: tuple[int, ...] = (0,)) -> Any:  # noqa: ANN401 - whatever it prints
    """As `command`, for one that prints JSON."""
    return json.loads(command(*words, env=env, expect=expect))


@dataclass
class Programs:
    """The daemons that run, each with its log file."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *words: str, env: dict[str, str]) -> None:
        """Start a daemon; what it says goes to `<name>.log`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(BIN / words[0]), *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(env),
                start_new_session=True,
            )

    def said(self, name: str) -> str:
        """What a daemon has said so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def wait_for(self, name: str, ready: Callable[[], Any], seconds: float = 60) -> Any:  # noqa: ANN401 - what `ready` gives
        """Wait until `ready` gives something true; a daemon that ended meanwhile is named with its last words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ended = self.running[name].poll()
            if ended is not None:
                raise ProgramFailed(f"{name} ended with {ended}: {self.said(name)[-1500:]}")
            found = ready()
            if found:
                return found
            time.sleep(0.2)
        raise ProgramFailed(
            f"{name}: nothing happened within {seconds:.0f} s. Its last words: {self.said(name)[-1500:]}"
        )

    def stop(self, name: str) -> None:
        """Ask one to end, and wait for it."""
        process = self.running.pop(name, None)
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self) -> None:
        """End everything, in the other order."""
        for name in reversed(list(self.running)):
            self.stop(name)
