"""A host's new key: made beside the old one, taken up once the service knows it, cut off anywhere in between."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agents import enrolment, keys
from agents.cli import main
from agents.state import StateDirectory
from reports.keys import FileSigner
from reports.root_keys import read_public
from tests.support.agent_world import AgentWorld


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(AgentWorld(tmp_path).settings.state_dir)


def run(state: StateDirectory, *options: str) -> Result:
    return CliRunner().invoke(main, ["--state-dir", str(state.root), "replace-key", *options, "--json"])


def answering(monkeypatch: pytest.MonkeyPatch, status: str = "confirmed", host: str = "H-0001") -> list[str]:
    """The service answers so; the ids of the keys that asked."""
    asked: list[str] = []

    def opened(_server: str, own: keys.AgentKeys, *_rest: object) -> Any:  # noqa: ANN401 - a stand-in
        asked.append(own.signer.key_id)
        return SimpleNamespace(enrolment=lambda: SimpleNamespace(status=status, host=host))

    monkeypatch.setattr("agents.cli.replacing.assembly.open_client", opened)
    return asked


def test_a_new_key_is_made_once_and_taken_up_when_the_service_knows_it(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = FileSigner.load(state.key_file)
    first, again = (json.loads(run(state).output) for _ in range(2))
    assert first == again
    new = FileSigner.load(state.path("next.pem"))
    assert first["fingerprint"].replace(" ", "") == new.key_id
    assert read_public(Path(first["public_key"]).read_bytes()) == new.public_key_der
    assert FileSigner.load(state.key_file).key_id == old.key_id, "nothing has changed yet"
    asked = answering(monkeypatch)
    assert run(state, "--finish").exit_code == 0
    assert asked == [new.key_id]
    found = keys.load(state)
    assert found is not None
    assert (found.signer.key_id, set(found.public)) == (new.key_id, {old.key_id, new.key_id})
    enrolled = enrolment.load(state)
    assert enrolled is not None
    assert enrolled.key_id == new.key_id


@pytest.mark.parametrize(("status", "host"), [("pending", "H-0001"), ("rejected", "H-0001"), ("confirmed", "H-0002")])
def test_the_old_key_stays_until_the_new_one_counts(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, status: str, host: str
) -> None:
    old = FileSigner.load(state.key_file).key_id
    assert run(state, "--finish").exit_code == 3, "no new key was made"
    run(state)
    answering(monkeypatch, status, host)
    assert run(state, "--finish").exit_code == 3
    assert FileSigner.load(state.key_file).key_id == old


def test_it_waits_for_records_that_the_old_key_signed(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    run(state)
    answering(monkeypatch)
    waiting = state.path("outbox") / "one.json"
    waiting.parent.mkdir(exist_ok=True)
    waiting.write_text("{}")
    done = run(state, "--finish")
    assert done.exit_code == 3
    assert "not delivered yet" in done.output


def test_cut_off_between_its_two_moves_it_goes_on(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    run(state)
    new = FileSigner.load(state.path("next.pem")).key_id
    old = FileSigner.load(state.key_file).key_id
    state.key_file.rename(state.path(f"former-{old[:16]}.pem"))
    answering(monkeypatch)
    assert run(state, "--finish").exit_code == 0
    assert FileSigner.load(state.key_file).key_id == new
