"""What files stand on: lines of witnesses, quorum, versions of the trust root, stamps."""

from __future__ import annotations

import dataclasses

import pytest

from reports.anchor import Anchor, Stamp, open_anchor, stamped
from reports.envelope import envelope_digest
from reports.errors import BadSignature, MalformedDocument, ReportError, UnknownKey
from reports.keys import FileSigner
from reports.tlog import ML_DSA_44, Checkpoint, NoteSigner, sign_checkpoint
from reports.trust import open_chain
from reports.trust_body import LogIdentity, Witnesses, role_key
from reports.verify import verify
from tests.support.evidence import ORIGIN as WORLD_ORIGIN
from tests.support.evidence import World, certified, erasure_statement, with_checkpoint
from tests.support.trust_chain import LOG, ORIGIN, ROOTS, WITNESSES, first, first_body, next_version

CHECKPOINT = Checkpoint(ORIGIN, 31, bytes(range(32)))
AT = 1_795_354_800
WATCHED = first(witnesses=Witnesses(vkeys=tuple(key.vkey for key in WITNESSES), quorum=2))
PIN = envelope_digest(WATCHED)
OWN = sign_checkpoint(CHECKPOINT, LOG, AT)
LINES = [witness.line(CHECKPOINT.text, AT + 60) for witness in WITNESSES]


def _anchor(note: str) -> Anchor:
    return Anchor(trust_roots=(WATCHED,), checkpoint=note)


@pytest.mark.parametrize(
    ("lines", "witnessed"),
    [
        pytest.param([], False, id="nobody"),
        pytest.param([0], False, id="one of two"),
        pytest.param([0, 1], False, id="one of two with both its keys"),
        pytest.param([0, 2], True, id="both"),
        pytest.param([1, 2], True, id="both, one by its other key"),
        pytest.param([0, 1, 2], True, id="all keys"),
    ],
)
def test_a_checkpoint_is_witnessed_once_enough_different_names_signed(lines: list[int], witnessed: bool) -> None:
    opened = open_anchor(_anchor(OWN + "".join(LINES[n] for n in lines)), PIN)
    assert opened.witnessed == witnessed
    assert [one.time for one in opened.cosignatures] == [AT + 60] * len(lines)
    assert opened.checkpoint == CHECKPOINT


def test_without_a_witness_in_the_trust_root_nothing_is_witnessed() -> None:
    plain = first()
    opened = open_anchor(Anchor(trust_roots=(plain,), checkpoint=OWN), envelope_digest(plain))
    assert not opened.witnessed
    with pytest.raises(UnknownKey):
        open_anchor(Anchor(trust_roots=(plain,), checkpoint=OWN + LINES[0]), envelope_digest(plain))


def _own_lines() -> list[str]:
    return [line + "\n" for line in OWN.rpartition("\n\n")[2].split("\n") if line]


@pytest.mark.parametrize(
    ("note", "error"),
    [
        pytest.param(OWN + LINES[2] + LINES[0], UnknownKey, id="witnesses out of order"),
        pytest.param(OWN + LINES[0] + LINES[0], MalformedDocument, id="a witness twice"),
        pytest.param(CHECKPOINT.text + "\n" + LINES[0] + "".join(_own_lines()), UnknownKey, id="a witness before the log"),
        pytest.param(CHECKPOINT.text + "\n" + "".join(reversed(_own_lines())), UnknownKey, id="the log's lines in another order"),
        pytest.param(CHECKPOINT.text + "\n" + _own_lines()[0] + LINES[0], UnknownKey, id="a log key missing"),
        pytest.param(OWN + NoteSigner.generate("x").line(CHECKPOINT.text, AT), UnknownKey, id="a stranger"),
        pytest.param(OWN + WITNESSES[0].line(CHECKPOINT.text.replace("31", "30"), AT), BadSignature, id="of another state"),
        pytest.param(OWN + LINES[0].replace("witness.example/a", "witness.example/b"), UnknownKey, id="under another's name"),
        pytest.param(OWN + "\n", ReportError, id="an empty line"),
        pytest.param(OWN + "— witness.example/a AAAA\n", ReportError, id="half a line"),
    ],
)  # fmt: skip
def test_any_other_line_is_refused(note: str, error: type[ReportError]) -> None:
    with pytest.raises(error):
        open_anchor(_anchor(note), PIN)


def test_stamps_are_over_what_the_log_signed_without_witnesses() -> None:
    trust = open_chain([WATCHED], PIN)[0]
    for note in (OWN, OWN + LINES[0], OWN + "".join(LINES)):
        assert stamped(note, trust) == OWN.encode()


def test_a_stamp_of_an_authority_that_the_trust_root_does_not_name_is_refused() -> None:
    anchor = dataclasses.replace(_anchor(OWN), stamps=(Stamp(authority="nobody", token="AAAA"),))
    with pytest.raises(UnknownKey, match="no time-stamp authority 'nobody'"):
        open_anchor(anchor, PIN)


def test_witnesses_are_those_of_the_version_in_force() -> None:
    body = first_body(witnesses=Witnesses(vkeys=tuple(key.vkey for key in WITNESSES), quorum=2))
    alone = Witnesses(vkeys=(WITNESSES[2].vkey,), quorum=1)
    second = next_version(WATCHED, body, *ROOTS[:2], witnesses=alone)
    anchor = Anchor(trust_roots=(WATCHED, second), checkpoint=OWN + LINES[2])
    assert open_anchor(anchor, PIN).witnessed
    with pytest.raises(UnknownKey):
        open_anchor(dataclasses.replace(anchor, checkpoint=OWN + LINES[0]), PIN)


# -- whole files


def _rotated(world: World, *, until: int | None = None) -> None:
    """New keys of the log and a new one that accepts; the old one counts below `until`, where one is given."""
    fresh = [NoteSigner.generate(WORLD_ORIGIN), NoteSigner.generate(WORLD_ORIGIN, ML_DSA_44)]
    accepting, enrolling = open_chain(world.trust_roots, world.pin)[-1].body.keys
    key = FileSigner.generate()
    size = world.log.frontier.size
    world.log.signers[:] = fresh
    world.new_version(
        log=LogIdentity(origin=WORLD_ORIGIN, vkeys=tuple(signer.vkey for signer in fresh)),
        keys=(
            dataclasses.replace(accepting, until_index=until),
            enrolling,
            role_key("acceptance", key, "acceptance-v2", size),
        ),
    )
    world.acceptance = key


def test_evidence_under_new_keys_holds_under_every_pin() -> None:
    world = World()
    _rotated(world)
    data = certified(world).bundle().to_bytes()
    for envelope in world.trust_roots:
        found = verify(data, envelope_digest(envelope))
        assert found.yes, found.conclusion
    assert "version 2" in dict(found.facts)["Trust root"]


def test_evidence_of_before_holds_under_the_trust_root_of_its_time() -> None:
    """A file made before a rotation keeps saying yes; the later pin does not know it."""
    world = World()
    story = certified(world)
    before = story.bundle().to_bytes()
    _rotated(world)
    assert verify(before, world.pin).yes
    assert not verify(before, envelope_digest(world.trust_roots[-1])).genuine
    after = story.bundle().to_bytes()
    assert verify(after, world.pin).yes
    assert verify(after, envelope_digest(world.trust_roots[-1])).yes


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_what_a_stolen_key_accepted_counts_below_the_index_only(offset: int) -> None:
    world = World()
    story = certified(world)
    _rotated(world, until=story.certified_at + offset)
    found = verify(story.bundle().to_bytes(), world.pin)
    assert found.yes == (offset == 1)


def test_a_checkpoint_by_the_old_log_keys_does_not_stand_beside_the_new_version() -> None:
    """Whoever stole the log's old keys signs nothing that a file of today rests on."""
    world = World()
    story = certified(world)
    thief = list(world.log.signers)
    _rotated(world)
    note = sign_checkpoint(world.log.checkpoint, thief, 0)
    found = verify(with_checkpoint(story.bundle(), note).to_bytes(), world.pin)
    assert [check.code for check in found.checks if check.state == "failed"] == ["checkpoint"]


def test_a_file_cannot_leave_out_a_version_it_rests_on() -> None:
    world = World()
    _rotated(world)
    bundle = certified(world).bundle()
    short = dataclasses.replace(bundle.anchor, trust_roots=bundle.anchor.trust_roots[:1])
    found = verify(dataclasses.replace(bundle, anchor=short).to_bytes(), world.pin)  # type: ignore[call-arg]
    assert not found.genuine


def test_a_statement_holds_with_bundles_of_an_earlier_version() -> None:
    world = World()
    story = certified(world)
    early = story.bundle()
    _rotated(world)
    story.bundle = lambda: early  # type: ignore[method-assign]
    file = erasure_statement(world, [story])
    for envelope in world.trust_roots:
        found = verify(file.to_bytes(), envelope_digest(envelope))
        assert found.yes, found.conclusion


def test_a_statement_does_not_hold_with_bundles_of_another_version_of_the_same_number() -> None:
    """Both are signed by the root key, both stand in the log: only one of them is in the statement's chain."""
    world = World()
    first_fork = world.new_version()
    story = certified(world)
    early = story.bundle()
    assert first_fork is world.trust_roots.pop()
    _rotated(world)
    story.bundle = lambda: early  # type: ignore[method-assign]
    found = verify(erasure_statement(world, [story]).to_bytes(), world.pin)
    assert "another trust root" in found.conclusion


def test_a_single_root_key_is_said_plainly() -> None:
    world = World()
    found = verify(certified(world).bundle().to_bytes(), world.pin)
    assert any("One root key alone" in line for line in found.not_proven)
    assert dict(found.facts)["Trust root"] == "version 1, 1 of 1 root key must sign"
    assert any(line.startswith("Unwitnessed") for line in found.not_proven)
