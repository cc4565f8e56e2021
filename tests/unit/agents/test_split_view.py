"""A service that shows two histories to two hosts: found out as soon as one sees the other's checkpoint, and not forgotten."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents import assembly
from agents.cli import main
from agents.config import Settings
from agents.errors import LogForked, RequestRefused, SchemaRefused, SignatureRefused, Unreachable
from agents.pins import PinStore
from reports.tlog import TileHashes, consistency_proof
from tests.support.evidence import MemoryLog
from tests.support.fake_service import FakeService


class Host:
    """One enrolled host, worked by its own commands."""

    def __init__(self, state_dir: Path, service: FakeService) -> None:
        self.state_dir = state_dir
        self.service = service
        self.settings = Settings(state_dir=state_dir, server=service.base)
        done = self.run(
            "enrol", "--server", service.base, "--token", service.new_token(), "--trust-root", service.world.pin
        )
        assert (state_dir / "pins.json").exists(), done.output
        self.store = PinStore(assembly.open_state(self.settings))

    def run(self, *words: str, text: str = "") -> Result:
        return CliRunner().invoke(main, ["--state-dir", str(self.state_dir), *words], input=text)

    def note(self) -> str:
        return self.run("log", "show").output

    def beat(self) -> None:
        """What the next heartbeat of its service tells it."""
        log = self.service.world.log
        self.store.advance(log.note(), prover(log))


def prover(log: MemoryLog) -> Callable[[int, int], Sequence[bytes]]:
    """As the service answers."""

    def prove(old: int, new: int) -> Sequence[bytes]:
        if new > log.frontier.size:
            raise SchemaRefused(422, "invalid", "No such sizes.")
        return consistency_proof(TileHashes(log), old, new)

    return prove


def serving(service: FakeService) -> Iterator[FakeService]:
    server = service.serve()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def honest() -> Iterator[FakeService]:
    yield from serving(FakeService())


@pytest.fixture
def other(honest: FakeService) -> Iterator[FakeService]:
    """The same service with the same keys, showing somebody else another history from here on."""
    second = FakeService()
    second.world = copy.copy(honest.world)
    second.world.log = MemoryLog(honest.world.log.signers)
    for raw in honest.world.log.entries:
        second.world.log.append_entry(raw)
    yield from serving(second)


def diverge(honest: FakeService, other: FakeService, mine: int, theirs: int) -> None:
    for number in range(mine):
        honest.world.log.append_entry(b"shown to one %d" % number)
    for number in range(theirs):
        other.world.log.append_entry(b"shown to the other %d" % number)


@pytest.mark.parametrize(("mine", "theirs"), [(1, 1), (1, 3), (3, 1), (300, 2)])
def test_either_host_finds_it_out_with_the_others_checkpoint(
    honest: FakeService, other: FakeService, tmp_path: Path, mine: int, theirs: int
) -> None:
    first, second = Host(tmp_path / "a", honest), Host(tmp_path / "b", other)
    diverge(honest, other, mine, theirs)
    first.beat()
    second.beat()
    assert first.store.alarms() == second.store.alarms() == (), "each alone sees nothing wrong"
    for host, stranger in ((first, second), (second, first)):
        known = host.note()
        found = host.run("log", "compare", "-", text=stranger.note())
        assert found.exit_code == 3, found.output
        assert "[log-forked]" in found.output
        assert host.store.alarms()
        assert host.note() == known, "it does not move to the other history"
        status = host.run("status")
        assert "ALARM" in status.output


def test_an_alarm_of_a_split_view_outlives_every_heartbeat_that_looks_fine(
    honest: FakeService, other: FakeService, tmp_path: Path
) -> None:
    first, second = Host(tmp_path / "a", honest), Host(tmp_path / "b", other)
    diverge(honest, other, 1, 3)
    first.beat()
    second.beat()
    first.run("log", "compare", "-", text=second.note())
    for _ in range(3):
        diverge(honest, other, 1, 0)
        first.beat()
        assert first.store.alarms()


def test_hosts_that_saw_one_history_agree_and_the_one_behind_catches_up(honest: FakeService, tmp_path: Path) -> None:
    first, second = Host(tmp_path / "a", honest), Host(tmp_path / "b", honest)
    honest.world.log.append_entry(b"more")
    second.beat()
    found = first.run("log", "compare", "-", "--json", text=second.note())
    assert found.exit_code == 0, found.output
    said = json.loads(found.output)
    assert (said["same_history"], said["newest"]) == (True, len(honest.world.log.entries))
    assert second.run("log", "compare", "-", text=first.note()).exit_code == 0
    assert first.store.alarms() == ()


@pytest.mark.parametrize("text", ["", "nonsense", "records.example.org/log\n1\nAAAA\n\n"])
def test_what_is_no_checkpoint_of_this_log_is_refused_without_an_alarm(
    honest: FakeService, tmp_path: Path, text: str
) -> None:
    host = Host(tmp_path / "a", honest)
    found = host.run("log", "compare", "-", text=text)
    assert found.exit_code == 3
    assert "[checkpoint-refused]" in found.output
    assert host.store.alarms() == ()


def test_a_log_that_became_shorter_is_an_alarm(honest: FakeService, tmp_path: Path) -> None:
    """An old backup was restored: the service cannot prove what it signed before."""
    host = Host(tmp_path / "a", honest)
    honest.world.log.append_entry(b"more")
    host.beat()
    kept = honest.world.log.entries[:-1]
    honest.world.log = MemoryLog(honest.world.log.signers)
    for raw in kept:
        honest.world.log.append_entry(raw)
    found = host.run("log", "compare", "-", text=honest.world.log.note())
    assert found.exit_code == 3
    assert "gives no proof" in found.output
    assert host.store.alarms()


@pytest.mark.parametrize("refusal", [SchemaRefused(422, "invalid", "x"), RequestRefused(404, "not-found", "x")])
def test_a_service_that_refuses_the_proof_has_none(honest: FakeService, tmp_path: Path, refusal: Exception) -> None:
    host = Host(tmp_path / "a", honest)
    honest.world.log.append_entry(b"more")

    def refuse(_old: int, _new: int) -> Sequence[bytes]:
        raise refusal

    with pytest.raises(LogForked):
        host.store.advance(honest.world.log.note(), refuse)
    assert host.store.alarms()
    host.beat()
    assert host.store.alarms() == (), "with the proof it is settled"


@pytest.mark.parametrize("failure", [Unreachable("away"), SignatureRefused(401, "x", "clock")])
def test_a_service_that_could_not_be_asked_proves_nothing_against_itself(
    honest: FakeService, tmp_path: Path, failure: Exception
) -> None:
    host = Host(tmp_path / "a", honest)
    honest.world.log.append_entry(b"more")

    def fail(_old: int, _new: int) -> Sequence[bytes]:
        raise failure

    with pytest.raises(type(failure)):
        host.store.advance(honest.world.log.note(), fail)
    assert host.store.alarms() == ()
