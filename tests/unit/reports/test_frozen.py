"""Documents of earlier versions, verified for ever."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest

from reports.canonical import sha256_hex
from reports.pack.verify import verify_pack
from reports.renewals import read_renewals
from reports.verify import verify
from reports.verify_steps import Verification

FROZEN = Path(__file__).parents[2] / "frozen"
PINNED = [path.parent for path in FROZEN.glob("*/pin")]
DOCUMENTS = sorted(path for folder in PINNED for path in folder.glob("*") if path.suffix in {".json", ".pdf", ".zip"})
RENEWED = sorted(path for path in DOCUMENTS if (path.parent / "renewals").is_dir() and path.suffix != ".zip")
REPORTS = frozenset({"unsuccessful-run", "lot-report", "destruction-report"})
"""What says itself that something is missing: genuine for ever, and never a yes."""
KINDS = {
    "bundle", "bundle-clear", "unsuccessful-run", "erasure-statement", "lot", "lot-beside", "lot-report", "processor",
    "destruction", "destruction-report", "audit-pack",
}  # fmt: skip


def _pin(path: Path) -> str:
    return (path.parent / "pin").read_text(encoding="ascii").strip()


@cache
def _beside(folder: Path) -> dict[str, bytes]:
    contents = [path.read_bytes() for path in folder.glob("*.json")]
    return {sha256_hex(data): data for data in contents}


def _verify(path: Path, pin: str) -> Verification:
    if path.suffix == ".zip":
        return verify_pack(io.BytesIO(path.read_bytes()), pin)
    return verify(path.read_bytes(), pin, _beside(path.parent).get)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def test_there_is_something_of_every_kind_to_verify() -> None:
    assert {path.stem for path in DOCUMENTS} >= KINDS
    assert {path.suffix for path in DOCUMENTS} == {".json", ".pdf", ".zip"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_a_document_that_said_yes_says_yes(path: Path) -> None:
    found = _verify(path, _pin(path))
    assert found.genuine, found.conclusion
    assert found.yes is (path.stem not in REPORTS), found.conclusion


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_under_another_pin_it_says_no(path: Path) -> None:
    found = _verify(path, "0" * 64)
    assert not found.yes
    assert not found.genuine


@pytest.mark.parametrize("path", RENEWED, ids=_name)
def test_its_witnesses_and_its_bounds_in_time_are_still_read_and_renewed(path: Path) -> None:
    renewals = read_renewals((path.parent / "renewals" / "renewals.json").read_bytes(), _pin(path))
    found = verify(path.read_bytes(), _pin(path), _beside(path.parent).get, renewals=renewals)
    facts = {fact.label: fact.value for fact in found.facts}
    assert facts["Witnesses"] == "Witnessed by witness.example.net, witness.example.org"
    assert "time-stamped by" in facts["Existed before"]
    assert facts["Stamped again"].startswith("22 November 2027")
    assert ("Ordered after" in facts) is (path.stem in {"bundle", "bundle-clear", "unsuccessful-run"})
