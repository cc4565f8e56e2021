"""An agent leaves a state alone that a newer one wrote, and notes in which form its own is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents import assembly, doctor
from agents.clock import SystemClock
from agents.config import Settings
from agents.errors import StateDamaged, StateNewer
from agents.state import FORMAT, FORMAT_FILE, FORMAT_SCHEMA, StateDirectory


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return assembly.open_state(Settings(state_dir=tmp_path / "state"))


def test_whoever_owns_the_state_notes_its_form_and_a_state_of_before_is_of_the_first(state: StateDirectory) -> None:
    assert state.require_known_format() == 1
    assert not state.path(FORMAT_FILE).exists(), "looking changes nothing"
    with state.owned():
        assert state.read(FORMAT_FILE, FORMAT_SCHEMA) == {"format": FORMAT, "schema": FORMAT_SCHEMA}


def test_a_newer_form_stops_every_command_before_anything_is_changed(state: StateDirectory) -> None:
    state.write(FORMAT_FILE, FORMAT_SCHEMA, {"format": FORMAT + 1})
    before = sorted(path.name for path in state.root.iterdir())
    with pytest.raises(StateNewer):
        assembly.open_state(Settings(state_dir=state.root))
    with pytest.raises(StateNewer), state.owned():
        pass
    assert [name for name in sorted(path.name for path in state.root.iterdir()) if name != "lock"] == before
    assert json.loads(state.path(FORMAT_FILE).read_bytes())["format"] == FORMAT + 1
    found = doctor.looks(doctor.here(Settings(state_dir=state.root), SystemClock().now))
    assert "state-newer" in {finding.code for finding in found}


@pytest.mark.parametrize("form", [None, 0, "1", True, 1.5])
def test_a_form_nobody_can_read_is_no_form(state: StateDirectory, form: object) -> None:
    state.path(FORMAT_FILE).write_text(json.dumps({"schema": FORMAT_SCHEMA, "format": form}))
    with pytest.raises(StateDamaged):
        state.require_known_format()
