"""How a host becomes known, and that it pins only what a person compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents import assembly, enrolment, host, keys
from agents.client import Client
from agents.clock import ClockWatch, SystemClock
from agents.config import Settings
from agents.enrolment import Proposal
from agents.errors import CheckpointRefused, EnrolmentRefused, NotEnrolled, StateDamaged, TrustRootRefused, Unreachable
from agents.keys import AgentKeys
from agents.network import Network
from agents.pins import PinStore
from agents.state import StateDirectory
from reports.envelope import payload_digest
from reports.keys import fingerprint_words
from tests.support.evidence import World
from tests.support.fake_service import FakeService


class Newcomer:
    """A host before its enrolment."""

    def __init__(self, folder: Path) -> None:
        self.service = FakeService()
        self.settings = Settings(state_dir=folder / "state", server=self.service.base)
        self.state: StateDirectory = assembly.open_state(self.settings)
        self.keys: AgentKeys = keys.load_or_create(self.state)
        self.client = self.client_of(self.keys)
        self.token = self.service.new_token()

    def client_of(self, own: AgentKeys) -> Client:
        watch = ClockWatch(SystemClock(), 120.0)
        link = Network(connect_timeout=1, reply_timeout=5, transport=self.service.transport())
        return Client(self.service.base, own.signer, watch, link)

    def propose(self) -> Proposal:
        described = host.describe(self.state, self.keys.signer.key_id)
        return enrolment.propose(self.client, self.service.base, self.token, self.keys, described)

    @property
    def pin(self) -> str:
        return self.service.world.pin

    @property
    def roster(self) -> str:
        return payload_digest(self.service.world.rosters[-1][0])


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path)


def test_it_introduces_itself_and_waits_for_a_person(newcomer: Newcomer) -> None:
    proposal = newcomer.propose()
    pins = enrolment.compare(proposal, newcomer.pin, newcomer.roster)
    found = enrolment.accept(newcomer.state, PinStore(newcomer.state), proposal, pins)
    assert found.status == "pending"
    assert enrolment.load(newcomer.state) == found
    assert PinStore(newcomer.state).require().roster is not None
    assert proposal.reply.fingerprint == fingerprint_words(newcomer.keys.signer.key_id)


def test_nothing_but_the_key_is_stored_before_a_person_has_compared(newcomer: Newcomer) -> None:
    newcomer.propose()
    assert PinStore(newcomer.state).load() is None
    assert enrolment.load(newcomer.state) is None


@pytest.mark.parametrize("wrong", ["trust-root", "roster", "not-a-digest"])
def test_other_digests_than_expected_are_refused(newcomer: Newcomer, wrong: str) -> None:
    expected = {
        "trust-root": (World().pin, newcomer.roster),
        "roster": (newcomer.pin, "0" * 64),
        "not-a-digest": ("yes", newcomer.roster),
    }[wrong]
    with pytest.raises(EnrolmentRefused):
        enrolment.compare(newcomer.propose(), *expected)


def test_a_roster_nobody_compared_is_not_pinned(newcomer: Newcomer) -> None:
    assert enrolment.compare(newcomer.propose(), newcomer.pin, None).roster is None


def test_a_lost_answer_costs_nothing(newcomer: Newcomer) -> None:
    newcomer.service.fault = lambda name: "after" if name == "POST /enrolments" else None
    with pytest.raises(Unreachable):
        newcomer.propose()
    newcomer.service.fault = lambda _name: None
    assert newcomer.propose().reply.status == "pending"


def test_a_token_somebody_else_used_is_worth_nothing(newcomer: Newcomer, tmp_path: Path) -> None:
    other = assembly.open_state(Settings(state_dir=tmp_path / "other"))
    stranger = keys.load_or_create(other)
    enrolment.propose(
        newcomer.client_of(stranger), newcomer.service.base, newcomer.token, stranger, host.describe(other, "x")
    )
    with pytest.raises(NotEnrolled):
        newcomer.propose()


def _other_fingerprint(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "fingerprint": "0" * 64}


def _other_log(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "log_origin": "evil.example/log"}


def _other_log_keys(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "log_keys": [signer.vkey for signer in World().log.signers]}


def _other_pin(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "trust_root_sha256": "0" * 64}


def _other_checkpoint(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "checkpoint": World().log.note()}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_other_fingerprint, EnrolmentRefused),
        (_other_log, EnrolmentRefused),
        (_other_log_keys, EnrolmentRefused),
        (_other_pin, TrustRootRefused),
        (_other_checkpoint, CheckpointRefused),
    ],
)
def test_an_answer_that_does_not_hold_together_is_refused(
    newcomer: Newcomer, spoil: Callable[[dict[str, Any]], dict[str, Any]], reason: type[Exception]
) -> None:
    newcomer.service.alter = lambda name, reply: spoil(reply) if name == "POST /enrolments" else reply
    with pytest.raises(reason):
        newcomer.propose()


def test_a_swapped_trust_root_is_refused(newcomer: Newcomer) -> None:
    swapped = {"trust_roots": [World().trust_root]}
    newcomer.service.alter = lambda name, reply: swapped if name == "GET /log/trust-roots" else reply
    with pytest.raises(TrustRootRefused):
        newcomer.propose()


def test_a_new_key_puts_the_old_one_aside_and_still_reads_what_it_signed(newcomer: Newcomer) -> None:
    renewed = keys.load_or_create(newcomer.state, renew=True)
    assert renewed.signer.key_id != newcomer.keys.signer.key_id
    assert set(renewed.public) == {renewed.signer.key_id, newcomer.keys.signer.key_id}


def test_a_key_others_can_read_is_not_used(newcomer: Newcomer) -> None:
    newcomer.state.key_file.chmod(0o644)
    with pytest.raises(StateDamaged):
        keys.load(newcomer.state)


def test_a_state_directory_others_can_enter_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(StateDamaged):
        StateDirectory(tmp_path / "open").prepare()


def test_an_agent_is_not_built_without_enrolment(newcomer: Newcomer) -> None:
    with pytest.raises(EnrolmentRefused):
        assembly.build(newcomer.settings, state=newcomer.state)


def test_the_machine_id_itself_never_leaves(newcomer: Newcomer) -> None:
    described = host.describe(newcomer.state, "x")
    machine_id = Path("/etc/machine-id")
    assert len(described.machine_id_sha256) == 64
    if machine_id.exists():
        assert machine_id.read_text().strip() not in described.machine_id_sha256
