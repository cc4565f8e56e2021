"""A disk that proved its capacity on this host: the proof stands in the records that rest on it, and in no other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents import host
from agents.recording import _capacity_proof
from reports.errors import MalformedDocument
from reports.record import CapacityProof, DeviceFacts
from sanitizer import RunResult
from sanitizer.capacity_notes import note_name
from tests.support.evidence import device_facts

NOTE = {
    "blocks": 1000, "block_bytes": 512, "taken": "2026-11-22T09:00:00+00:00", "sent": "5510", "parameters": "00", "after": "ff",
}  # fmt: skip
FACTS: dict[str, Any] = {
    "kind": "scsi", "model": "LAB", "serial": "LAB0001", "wwn": None, "eui64": None, "nguid": None,
    "capacity_bytes": 512_000, "hidden_capacity": "no",
}  # fmt: skip


def _result(**changes: object) -> RunResult:
    return cast("RunResult", SimpleNamespace(device=SimpleNamespace(**{**FACTS, **changes})))


def test_the_note_of_this_very_capacity_is_the_proof() -> None:
    found = _capacity_proof(_result(), NOTE)
    assert found is not None
    assert found.to_dict() == NOTE, "nothing of what was sent and answered is left out"


@pytest.mark.parametrize(
    "changes",
    [{"kind": "ata"}, {"hidden_capacity": "unknown"}, {"hidden_capacity": "yes"}, {"capacity_bytes": 511_488}],
)
def test_a_note_that_says_nothing_of_what_the_run_found_is_no_proof(changes: dict[str, object]) -> None:
    assert _capacity_proof(_result(**changes), NOTE) is None


@pytest.mark.parametrize("note", [None, {}, {**NOTE, "blocks": "1000"}, {k: v for k, v in NOTE.items() if k != "sent"}])
def test_a_note_that_cannot_be_read_is_no_proof(note: dict[str, Any] | None) -> None:
    assert _capacity_proof(_result(), note) is None


def test_the_agent_finds_the_note_where_the_command_left_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANITIZER_STATE_DIR", str(tmp_path))
    assert host.capacity_note(_result()) is None
    (tmp_path / f"maximum-{note_name(FACTS)}.json").write_text(json.dumps(NOTE))
    assert host.capacity_note(_result()) == NOTE
    assert host.capacity_note(_result(serial="LAB0002")) is None


def test_a_record_without_a_proof_reads_as_it_always_did() -> None:
    plain = device_facts()
    assert "capacity_proof" not in plain.to_dict()
    assert DeviceFacts.from_dict(plain.to_dict()) == plain
    proven = dataclasses.replace(plain, capacity_proof=CapacityProof.from_dict(NOTE))
    assert DeviceFacts.from_dict(proven.to_dict()) == proven
    with pytest.raises(MalformedDocument):
        DeviceFacts.from_dict({**plain.to_dict(), "capacity_proof": None})
