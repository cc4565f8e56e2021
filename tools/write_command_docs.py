"""Writes docs/commands.md: the `--help` of every command, as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = {
    "sanitizer": "Look at, plan, sanitize and verify the devices of one host, by hand.",
    "sanitrail-agent": "The host daemon and what its administrator needs.",
    "sanitrail-helper": "The half of an installed agent that touches devices; started by systemd, never by hand.",
    "sanitrail": "The service and its administration.",
    "sanitrail-verify": "The offline verifier: with the witness, all a bare installation contains.",
    "sanitrail-witness": "For another organisation: signs the state of a log only if it extends the last one signed.",
}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "COLUMNS": "100", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


def _help(*words: str) -> str:
    program = str(Path(sys.executable).parent / words[0])
    done = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return done.stdout.strip()


def _subcommands(text: str) -> list[str]:
    _, _, after = text.partition("Commands:\n")
    return re.findall(r"^  ([a-z][a-z0-9-]*)(?:\s|$)", after.split("\n\n")[0], re.MULTILINE)


def _section(words: tuple[str, ...], level: int) -> list[str]:
    text = _help(*words)
    parts = [f"{'#' * level} `{' '.join(words)}`", "```\n" + text + "\n```"]
    for name in _subcommands(text):
        parts += _section((*words, name), min(level + 1, 4))
    return parts


def main() -> None:
    """Write the page."""
    parts = ["# Commands", "What each command says of itself; a test compares this page with the programs."]
    for command, words in COMMANDS.items():
        section = _section((command,), 2)
        parts += [section[0], words, *section[1:]]
    (ROOT / "docs" / "commands.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
