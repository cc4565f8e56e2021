"""Documents of earlier versions, verified for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.verify import verify

FROZEN = Path(__file__).parents[2] / "frozen"
DOCUMENTS = sorted(path for path in FROZEN.glob("*/*") if path.suffix in {".json", ".pdf"})


def _pin(path: Path) -> str:
    return (path.parent / "pin").read_text(encoding="ascii")


def test_there_is_something_to_verify() -> None:
    assert {path.suffix for path in DOCUMENTS} == {".json", ".pdf"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_document_that_said_yes_says_yes(path: Path) -> None:
    found = verify(path.read_bytes(), _pin(path))
    assert found.yes, found.conclusion


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_under_another_pin_it_says_no(path: Path) -> None:
    found = verify(path.read_bytes(), "0" * 64)
    assert not found.yes
    assert not found.genuine
