"""docs/techniques.md says what the code says, and claims no run that the lab has not left in its list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sanitizer.planning import COMBINATIONS, DISPUTES, HOST
from sanitizer.techniques import TECHNIQUES
from tools import write_technique_docs as docs

PAGE = (docs.ROOT / "docs" / "techniques.md").read_text(encoding="utf-8")
RAN = docs.Cell("ata-sanitize-overwrite", "good", "succeeded", "succeeded", "vm-6.1")
LIED = docs.Cell("ata-sanitize-overwrite", "lies", "failed: residual", "succeeded", "vm-6.1")


def test_the_page_is_what_the_generator_writes() -> None:
    assert docs.page() == PAGE, "run: python -m tools.write_technique_docs"


def test_every_technique_and_every_dispute_is_on_the_page() -> None:
    for name in (HOST, *TECHNIQUES):
        assert f"| `{name}` |" in PAGE
    for name in DISPUTES:
        assert f"### {name}\n" in PAGE


def test_the_labs_list_names_what_exists() -> None:
    known = {HOST, *TECHNIQUES}
    for cell in docs.cells():
        assert set(cell.technique.split("+")) <= known, cell


def test_what_is_not_in_the_list_was_not_run() -> None:
    assert docs.how_run("nvme-sanitize-overwrite", [RAN, LIED]) == "not run"
    assert docs.how_run("ata-sanitize-overwrite", [RAN, LIED]) == "vm-6.1: 1 of 2 as expected"
    for steps in COMBINATIONS:
        assert docs.how_run("+".join(steps), [RAN, LIED]) == "not run"


def test_a_run_that_came_out_otherwise_stands_out() -> None:
    text = "\n".join(docs.run([RAN, LIED]))
    assert "2 cells, 1 of them not as expected." in text
    assert "### ATA, vm-6.1" in text
    assert "| lies | **succeeded** instead of failed: residual |" in text
    assert "| good | succeeded |" in text


def test_a_success_over_a_lie_that_nobody_can_see_is_marked_and_explained() -> None:
    for name in ("SATA: lies: spare blocks", "NVMe: lies: unmaps only"):
        assert f"| {name} | succeeded (!) |" in "\n".join(docs.run([RAN._replace(personality=name)]))
    assert f"| {RAN.personality} | succeeded |" in "\n".join(docs.run([RAN]))
    found = RAN._replace(
        personality="NVMe: lies: unmaps only", expected="failed: residual", observed="failed: residual"
    )
    assert "(!)" not in "\n".join(docs.run([found])).split("as expected.")[1]
    assert "## What no reading can find out" in PAGE


def test_what_was_run_on_one_drive_only_is_a_dash_on_another() -> None:
    other = RAN._replace(technique="ata-sanitize-block-erase", personality="slow")
    assert "| slow | succeeded | - |" in "\n".join(docs.run([RAN, other]))


def test_a_list_of_another_form_is_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "techniques-tested.json"
    monkeypatch.setattr(docs, "TESTED", path)
    assert docs.cells() == []
    path.write_text(json.dumps([{**RAN._asdict(), "passed": True}]))
    with pytest.raises(TypeError):
        docs.cells()
    path.write_text(json.dumps([RAN._asdict()]))
    assert docs.cells() == [RAN]
