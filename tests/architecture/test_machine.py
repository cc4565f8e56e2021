"""A machine on which nothing is installed by hand: what the tests call, `make test` installs."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.capabilities import PACKAGES

BOOTSTRAP = Path(__file__).resolve().parents[2] / "tools" / "bootstrap"


def _installed(purpose: str) -> set[str]:
    lists = dict(re.findall(r'^packages_(\w+)="([^"]*)"$', BOOTSTRAP.read_text(), re.MULTILINE))
    words = lists[purpose].split()
    while any(word.startswith("$") for word in words):
        words = [
            inner
            for word in words
            for inner in (lists[word.removeprefix("$packages_")].split() if word.startswith("$") else [word])
        ]
    return set(words)


def test_every_tool_of_the_tests_is_installed_before_them() -> None:
    # Those of the lab's tests, too: pytest reads their files, and a capability that is missing there stops the whole run.
    installed = _installed("test") | {"bash"}
    assert installed >= PACKAGES, f"tools/bootstrap does not install {sorted(PACKAGES - installed)}"


def test_the_lab_has_the_judges_too() -> None:
    assert _installed("lab") >= _installed("judges") - {"dpkg", "man-db", "systemd"}
