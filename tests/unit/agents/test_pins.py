"""What this host believes, and that nothing but its own rules changes it: checkpoints, alarms, rosters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents import pins as pinning
from agents import roster_refusals
from agents.errors import CheckpointRefused, LogForked, StateDamaged, TrustRootRefused, Unreachable
from agents.log_watch import position_of
from agents.pins import PinStore
from agents.rosters import read
from agents.state import StateDirectory
from inventory.contract.v1.common import LogPosition
from reports.canonical import canonical, to_base64
from reports.envelope import envelope_digest, payload_digest, sign
from reports.keys import FileSigner
from reports.tlog import ML_DSA_44, Checkpoint, NoteSigner, TileHashes, consistency_proof, sign_checkpoint
from reports.trust import open_chain
from reports.trust_body import LogIdentity, role_key
from tests.support.evidence import ORIGIN, TIME, MemoryLog, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(tmp_path: Path, world: World) -> PinStore:
    state = StateDirectory(tmp_path / "state")
    state.prepare()
    store = PinStore(state)
    store.replace(pinning.make([world.trust_root], world.pin, read(world.rosters[-1][0]), world.log.note()))
    return store


def prover(log: MemoryLog) -> Any:  # noqa: ANN401
    return lambda old, new: consistency_proof(TileHashes(log), old, new)


def unasked(_old: int, _new: int) -> tuple[bytes, ...]:
    raise AssertionError("no proof was needed")


def test_pins_come_back_as_they_were_stored(store: PinStore, world: World) -> None:
    pins = store.require()
    assert pins.trust.pin == world.pin
    assert pins.roster is not None
    assert pins.roster.sha256 == payload_digest(world.rosters[-1][0])
    assert pins.checkpoint == world.log.checkpoint


def test_another_trust_root_is_not_pinned(world: World) -> None:
    with pytest.raises(TrustRootRefused):
        pinning.make([World().trust_root], world.pin, None, world.log.note())


def rotated(world: World) -> None:
    """The next version of the trust root replaces the log's keys and the one that accepts."""
    fresh = [NoteSigner.generate(ORIGIN), NoteSigner.generate(ORIGIN, ML_DSA_44)]
    keys = open_chain(world.trust_roots, world.pin)[-1].body.keys
    accepting = FileSigner.generate()
    world.log.signers[:] = fresh
    world.new_version(
        log=LogIdentity(origin=ORIGIN, vkeys=tuple(signer.vkey for signer in fresh)),
        keys=(*keys, role_key("acceptance", accepting, "acceptance-v2", 3)),
    )
    world.acceptance = accepting


def test_a_checkpoint_by_new_keys_counts_once_the_trust_root_was_followed(store: PinStore, world: World) -> None:
    old = store.require()
    rotated(world)
    with pytest.raises(CheckpointRefused):
        store.advance(world.log.note(), prover(world.log))
    assert store.require() == old
    assert store.follow_trust(world.trust_roots).body.version == 2
    assert store.require().checkpoint == old.checkpoint, "the last one by the old keys is kept, and still read back"
    store.advance(world.log.note(), prover(world.log))
    pins = store.require()
    assert pins.checkpoint == world.log.checkpoint
    assert world.acceptance.key_id in pins.acceptance_keys(pins.checkpoint.size)
    assert pins.pin == world.pin
    with pytest.raises(CheckpointRefused):
        store.advance(old.note, unasked)


def test_a_shorter_chain_of_a_replica_changes_nothing(store: PinStore, world: World) -> None:
    rotated(world)
    store.follow_trust(world.trust_roots)
    assert store.follow_trust(world.trust_roots[:1]).body.version == 2
    assert len(store.require().roots) == 2


def test_a_version_that_its_predecessors_root_key_did_not_sign_is_refused(store: PinStore, world: World) -> None:
    before = store.require()
    stranger = FileSigner.generate()
    world.new_version(stranger, root_keys=(to_base64(stranger.public_key_der),))
    with pytest.raises(TrustRootRefused):
        store.follow_trust(world.trust_roots)
    with pytest.raises(TrustRootRefused):
        store.follow_trust(world.trust_roots[1:])
    with pytest.raises(TrustRootRefused):
        store.follow_trust(World().trust_roots)
    assert store.require() == before
    assert store.alarms() == ()


def test_two_well_signed_versions_of_one_number_are_an_alarm(store: PinStore, world: World) -> None:
    world.new_version()
    store.follow_trust(world.trust_roots)
    other = [world.trust_roots[0]]
    world.trust_roots.pop()
    rotated(world)
    other.append(world.trust_roots[-1])
    with pytest.raises(LogForked, match="Two trust roots of version 2"):
        store.follow_trust(other)
    assert store.require().trust.pin != envelope_digest(other[-1])
    assert len(store.alarms()) == 1


def test_pins_of_the_first_version_are_read_and_written_anew(store: PinStore, world: World, tmp_path: Path) -> None:
    file = tmp_path / "state/pins.json"
    stored = json.loads(file.read_bytes())
    (stored["trust_root"],) = stored.pop("trust_roots")
    file.write_bytes(canonical({**stored, "schema": "sanitrail-agent/pins/1"}))
    assert store.require().pin == world.pin
    rotated(world)
    store.follow_trust(world.trust_roots)
    assert len(json.loads(file.read_bytes())["trust_roots"]) == 2


def test_a_longer_log_is_taken_with_its_proof(store: PinStore, world: World) -> None:
    world.add_roster()
    store.advance(world.log.note(), prover(world.log))
    assert store.require().checkpoint == world.log.checkpoint
    assert store.alarms() == ()


def test_an_older_checkpoint_of_the_same_history_changes_nothing(store: PinStore, world: World) -> None:
    old = world.log.note()
    world.add_roster()
    newest = store.advance(world.log.note(), prover(world.log))
    assert store.advance(old, prover(world.log)) == newest
    assert store.require().checkpoint == newest


def test_the_same_checkpoint_needs_no_proof(store: PinStore, world: World) -> None:
    assert store.advance(world.log.note(), unasked) == world.log.checkpoint


def test_two_logs_of_the_same_size_are_a_proven_fork_and_stay_one(store: PinStore, world: World) -> None:
    lie = Checkpoint(ORIGIN, world.log.checkpoint.size, b"\1" * 32)
    with pytest.raises(LogForked) as forked:
        store.advance(sign_checkpoint(lie, world.log.signers, TIME), unasked)
    assert forked.value.proven
    assert len(store.alarms()) == 1
    world.add_roster()
    store.advance(world.log.note(), prover(world.log))
    assert len(store.alarms()) == 1, "a log that forked once is not trusted again because it is consistent today"


def test_a_rewritten_log_has_no_proof_and_raises_an_alarm(store: PinStore, world: World) -> None:
    other = MemoryLog(world.log.signers)
    for n in range(world.log.frontier.size + 3):
        other.append_entry(b"rewritten %d" % n)
    with pytest.raises(LogForked):
        store.advance(other.note(), prover(other))
    assert len(store.alarms()) == 1
    assert store.require().checkpoint == world.log.checkpoint


def test_a_wrong_proof_is_settled_by_a_right_one(store: PinStore, world: World, tmp_path: Path) -> None:
    world.add_roster()
    with pytest.raises(LogForked):
        store.advance(world.log.note(), lambda _old, _new: ())
    assert store.alarms()
    store.advance(world.log.note(), prover(world.log))
    assert store.alarms() == ()
    assert list((tmp_path / "state/alarms").glob("settled-*")), "the evidence stays"


def test_a_proof_that_cannot_be_fetched_concludes_nothing(store: PinStore, world: World) -> None:
    known = store.require().checkpoint
    world.add_roster()

    def away(_old: int, _new: int) -> tuple[bytes, ...]:
        raise Unreachable("away")

    with pytest.raises(Unreachable):
        store.advance(world.log.note(), away)
    assert store.require().checkpoint == known
    assert store.alarms() == ()


@pytest.mark.parametrize("spoil", ["other-log", "one-key-missing", "garbage", "altered"])
def test_a_checkpoint_the_pinned_log_did_not_sign_is_refused_without_alarm(
    store: PinStore, world: World, spoil: str
) -> None:
    notes = {
        "other-log": World().log.note(),
        "one-key-missing": sign_checkpoint(world.log.checkpoint, world.log.signers[:1], TIME),
        "garbage": "hello",
        "altered": world.log.note().replace(f"\n{world.log.checkpoint.size}\n", f"\n{world.log.checkpoint.size + 1}\n"),
    }
    with pytest.raises(CheckpointRefused):
        store.advance(notes[spoil], unasked)
    assert store.alarms() == ()


def test_a_position_of_the_known_history_is_accepted(store: PinStore, world: World) -> None:
    early = position_of(world.log.checkpoint)
    store.require_contains(early, unasked)
    world.add_roster()
    store.advance(world.log.note(), prover(world.log))
    store.require_contains(early, prover(world.log))


@pytest.mark.parametrize(
    "changes",
    [{"root": to_base64(b"\1" * 32)}, {"origin": "another.example/log"}, {"size": 10_000}],
    ids=["root", "origin", "size"],
)
def test_a_position_outside_the_known_history_raises_an_alarm(
    store: PinStore, world: World, changes: dict[str, Any]
) -> None:
    position = LogPosition(**{**position_of(world.log.checkpoint).model_dump(), **changes})
    with pytest.raises(LogForked):
        store.require_contains(position, prover(world.log))
    assert store.alarms()


def test_rosters_are_followed_step_by_step_and_kept(store: PinStore, world: World) -> None:
    world.add_roster()
    world.add_roster()
    chain = [envelope for envelope, _ in world.rosters[1:]]
    assert store.follow_rosters(chain).roster.version == 3
    pinned = store.require().roster
    assert pinned is not None
    assert pinned.roster.version == 3


def test_good_steps_before_a_bad_one_are_kept(store: PinStore, world: World) -> None:
    world.add_roster()
    bad = sign("roster", world.roster_body(3, payload_digest(world.rosters[-1][0])), world.approvers[0])
    with pytest.raises(roster_refusals.RosterQuorumMissing):
        store.follow_rosters([world.rosters[-1][0], bad])
    pinned = store.require().roster
    assert pinned is not None
    assert pinned.roster.version == 2


def test_a_pinned_roster_is_not_replaced_by_hand(store: PinStore, world: World) -> None:
    other = World()
    with pytest.raises(roster_refusals.RosterOutOfOrder):
        store.pin_roster([other.rosters[0][0]], payload_digest(other.rosters[0][0]))
    same = world.rosters[0][0]
    assert store.pin_roster([same], payload_digest(same)).roster.version == 1


def test_without_a_roster_a_person_pins_the_first(tmp_path: Path, world: World) -> None:
    state = StateDirectory(tmp_path / "fresh")
    state.prepare()
    store = PinStore(state)
    store.replace(pinning.make([world.trust_root], world.pin, None, world.log.note()))
    with pytest.raises(StateDamaged):
        store.follow_rosters([world.rosters[0][0]])
    store.pin_roster([world.rosters[0][0]], payload_digest(world.rosters[0][0]))
    assert store.require().roster is not None


def test_altered_pins_are_not_believed(store: PinStore, tmp_path: Path) -> None:
    file = tmp_path / "state/pins.json"
    pin = store.require().trust.pin
    file.write_bytes(file.read_bytes().replace(pin.encode(), b"0" * 64))
    with pytest.raises(StateDamaged):
        store.require()


def test_missing_pins_are_not_made_up(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    state.prepare()
    with pytest.raises(StateDamaged):
        PinStore(state).require()


def test_enrolling_again_settles_every_alarm_and_keeps_the_evidence(
    store: PinStore, world: World, tmp_path: Path
) -> None:
    lie = Checkpoint(ORIGIN, world.log.checkpoint.size, b"\1" * 32)
    with pytest.raises(LogForked):
        store.advance(sign_checkpoint(lie, world.log.signers, TIME), unasked)
    store.replace(store.require())
    assert store.alarms() == ()
    assert list((tmp_path / "state/alarms").glob("settled-forked-*"))
