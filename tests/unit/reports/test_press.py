"""The printing process: the same bytes, replaced in time, and nothing lost when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.bundle import DestructionBundle
from reports.errors import PrintingFailed, UnknownLanguage
from reports.pdf import render
from reports.press import Press
from tests.support.evidence import Story, World


@pytest.fixture(scope="module")
def file() -> DestructionBundle:
    return Story(World()).order().run().accept().validate().certify().bundle()


@pytest.fixture
def press() -> Iterator[Press]:
    made = Press(documents=2)
    yield made
    made.close()


def process(press: Press) -> int | None:
    child = press._child
    return child.pid if child is not None else None


def test_it_prints_what_printing_here_gives_and_is_replaced_in_time(press: Press, file: DestructionBundle) -> None:
    assert press.render(file, language="pt") == render(file, language="pt")
    first = process(press)
    assert first is not None
    press.render(file)
    assert process(press) is None, "two documents, then the process has gone"
    assert not Path(f"/proc/{first}").exists()


def test_a_process_that_dies_loses_one_document_and_the_next_is_printed(press: Press, file: DestructionBundle) -> None:
    press.render(file)
    found = process(press)
    assert found is not None
    os.kill(found, signal.SIGSTOP)  # so that it cannot answer before it dies
    press._seconds = 0.05
    with pytest.raises(PrintingFailed):
        press.render(file)
    press._seconds = 600
    assert press.render(file).startswith(b"%PDF-")
    assert process(press) != found


def test_a_process_found_dead_is_started_again(press: Press, file: DestructionBundle) -> None:
    press.render(file)
    child = press._child
    assert child is not None
    child.kill()
    child.wait()
    assert press.render(file).startswith(b"%PDF-")


def test_an_unknown_language_is_told_before_anything_is_started(press: Press, file: DestructionBundle) -> None:
    with pytest.raises(UnknownLanguage):
        press.render(file, language="xx")
    assert process(press) is None


def test_the_process_ends_with_whoever_started_it() -> None:
    child = subprocess.Popen([sys.executable, "-m", "reports.press"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    out, _ = child.communicate(b"", timeout=60)
    assert (out, child.returncode) == (b"", 0)
