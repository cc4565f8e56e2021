"""A verifier in another language, written from the formats, judges the same files as ours and comes to the same answer."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reports.canonical import sha256_hex
from reports.enrolled import key_change
from reports.envelope import Envelope, envelope_digest, sign, unverified_body
from reports.keys import FileSigner
from reports.tlog import ED25519_COSIGNATURE, NoteSigner
from reports.trust import open_chain
from reports.trust_body import Witnesses, role_key
from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.evidence import Story, World, certified, good_record, with_checkpoint, with_part
from tests.support.purge_evidence import crypto_erase, purge_record, sampled_purge
from tests.support.second_judge import JUDGE, File, broken, handed_over, judged, node
from tests.unit.reports import test_cheats as cheats
from tests.unit.reports.test_key_erasure import GOOD as KEYS_DESTROYED

REPORTS = {"unsuccessful-run", "lot-report", "destruction-report"}
"""Frozen files that are genuine and no yes."""
TESTS = Path(__file__).resolve().parents[2]
PINNED = [path.parent for path in (TESTS / "frozen").glob("*/pin")]
FROZEN = sorted(path for folder in PINNED for path in folder.glob("*.json") if path.stem not in REPORTS)
ALTERED = 60
BEYOND_IT = {"verdict", "certificate"}
"""Our checks that the other verifier says it does not make: whether the record suffices, and what the certificate says of it."""
RECORDS = (
    good_record(),
    purge_record(),
    sampled_purge(),
    with_part(purge_record(crypto_erase()), "verification", expected="no-canary"),
    KEYS_DESTROYED,
)

pytestmark = [pytest.mark.reference_tool, pytest.mark.xdist_group("independent-verifier"), requires_tool("node")]


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_frozen_evidence_is_a_yes_in_both(path: Path) -> None:
    pin = (path.parent / "pin").read_text(encoding="ascii").strip()
    done = node(str(path), pin)
    said = json.loads(done.stdout)
    assert (done.returncode, said["yes"]) == (0, True), said
    beside = {sha256_hex(one.read_bytes()): one.read_bytes() for one in path.parent.glob("*.json")}
    assert verify(path.read_bytes(), pin, beside.get).yes
    assert all(one["ok"] for one in said["checks"])
    assert any("sanitization" in one for one in said["notChecked"])


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_under_another_pin_it_is_a_no(path: Path) -> None:
    done = node(str(path), "0" * 64)
    assert done.returncode == 1
    assert broken(json.loads(done.stdout)) == ["trust-root"]


def test_wrong_usage_is_no_yes() -> None:
    done = subprocess.run(["node", str(JUDGE), str(FROZEN[0])], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert not done.stdout


def test_an_empty_folder_is_no_yes(tmp_path: Path) -> None:
    assert node("--batch", str(tmp_path)).returncode == 1


def test_fresh_evidence_is_a_yes_in_both(tmp_path: Path) -> None:
    """Logs of many sizes, rosters that followed one another, a key revoked later, the drives' own commands."""
    files = []
    for number in range(8):
        world = World()
        for filler in range(number):
            world.log.append_entry(b"%d" % filler)
        if number % 2:
            world.add_roster()
        story = certified(world, RECORDS[number % len(RECORDS)])
        for filler in range(3 * number):
            world.log.append_entry(b"later %d" % filler)
        if number % 3:
            world.key_event("revoke", "agent", "h-crm-db-01", world.agent)
        data = story.bundle().to_bytes()
        files.append(File(f"world {number}", data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert [file.ours.yes for file in files] == [True] * len(files)
    assert {name: broken(one) for name, one in said.items()} == {file.name: [] for file in files}


def test_versions_of_the_trust_root_and_changes_of_keys_are_read_alike(tmp_path: Path) -> None:
    """A chain of versions under each pin, witnesses, rotated and ended keys; and every way in which they do not fit."""
    files = []
    for offset in (-1, 0, 1):
        world = World()
        story = certified(world)
        accepting, enrolling = open_chain(world.trust_roots, world.pin)[-1].body.keys
        key, size = FileSigner.generate(), world.log.frontier.size
        watch = NoteSigner.generate("witness.example", ED25519_COSIGNATURE)
        world.new_version(
            keys=(
                dataclasses.replace(accepting, until_index=story.certified_at + offset),
                enrolling,
                role_key("acceptance", key, "acceptance-v2", size),
            ),
            witnesses=Witnesses(vkeys=(watch.vkey,), quorum=1),
        )
        agent = FileSigner.generate()
        body = key_change(
            "rotate",
            "agent",
            "h-crm-db-01",
            agent.public_key_der,
            "2026-11-01T10:00:00Z",
            until_index=world.log.frontier.size,
            replaces=world.agent.key_id,
        )
        envelope = sign("key-event", body.to_dict(), world.enrolment)
        world.events.append((envelope, world.log.append("key-event", envelope)))
        bundle = story.bundle()
        bundle = with_checkpoint(bundle, bundle.anchor.checkpoint + watch.line(world.log.checkpoint.text, 60))
        for number, one in enumerate(world.trust_roots):
            pin = envelope_digest(one)
            data = bundle.to_bytes()
            files.append(File(f"offset {offset}, pin {number}", data, pin, verify(data, pin)))
        chain = bundle.anchor.trust_roots
        for name, roots in (("short", chain[:1]), ("turned", chain[::-1]), ("twice", (*chain, chain[1]))):
            anchor = dataclasses.replace(bundle.anchor, trust_roots=roots)
            data = dataclasses.replace(bundle, anchor=anchor).to_bytes()  # type: ignore[call-arg]  # of /2
            files.append(File(f"offset {offset}, {name}", data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert {name: one["yes"] for name, one in said.items()} == {file.name: file.ours.yes for file in files}
    assert [file.ours.yes for file in files].count(True) == 2


@pytest.fixture(scope="module")
def cheating() -> list[File]:
    """Every file that the tests of cheats hand to our verifier."""
    return handed_over(cheats)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, cheating: list[File]) -> dict[str, dict[str, Any]]:
    """What the other verifier says of all of them."""
    return judged(tmp_path_factory.mktemp("cheats"), cheating)


def test_cheats_are_a_no_in_both(cheating: list[File], said: dict[str, dict[str, Any]]) -> None:
    within = [file for file in cheating if file.failed not in BEYOND_IT]
    assert {file.name: said[file.name]["yes"] for file in within} == {file.name: file.ours.yes for file in within}
    assert len([file for file in within if not file.ours.yes]) > 80
    assert len([file for file in within if file.ours.yes]) >= 5


def test_each_of_its_checks_catches_somebody(cheating: list[File], said: dict[str, dict[str, Any]]) -> None:
    reasons = {name for file in cheating for name in broken(said[file.name])}
    assert reasons == {one["name"] for one in said[cheating[0].name]["checks"]} - {"form"}


def test_what_it_does_not_judge_it_names(cheating: list[File], said: dict[str, dict[str, Any]]) -> None:
    passed = [file for file in cheating if said[file.name]["yes"] and not file.ours.yes]
    assert {file.failed for file in passed} == {"certificate"}
    for file in passed:
        assert any(one.startswith("certificate-words") for one in said[file.name]["notChecked"])


LIES: list[tuple[str, tuple[str, ...], object, str]] = [
    ("record", ("schema",), "sanitrail/sanitization-record/2", "record"),
    ("record", ("order", "id"), "O-other", "record"),
    ("record", ("order", "sha256"), "9" * 64, "record"),
    ("record", ("order", "nonce"), "9" * 32, "record"),
    ("record", ("order", "after_origin"), "other.example/log", "record"),
    ("record", ("order", "after_size"), 1, "record"),
    ("record", ("order", "approvals"), [], "record"),
    ("record", ("policy", "sha256"), "9" * 64, "record"),
    ("record", ("method", "technique"), "luks-crypto-erase", "record"),
    ("record", ("verification", "kind"), "none", "record"),
    ("record", ("operator_ref",), "p-other", "record"),
    ("acceptance", ("order_sha256",), "9" * 64, "acceptance"),
    ("acceptance", ("record_sha256",), "9" * 64, "acceptance"),
    ("acceptance", ("approvals",), [], "acceptance"),
    ("acceptance", ("device", "fingerprint"), "9" * 64, "acceptance"),
    ("acceptance", ("host", "agent_key"), "9" * 64, "acceptance"),
    ("acceptance", ("checks", "token_current"), "unknown", "acceptance"),
    ("validation", ("record_sha256",), "9" * 64, "decision"),
    ("validation", ("acceptance_sha256",), "9" * 64, "decision"),
    ("validation", ("policy_id",), "lenient-1", "decision"),
    ("validation", ("policy_sha256",), "9" * 64, "decision"),
    ("validation", ("validator", "ref"), "p-approver-1", "decision"),
    ("certificate", ("record_sha256",), "9" * 64, "decision"),
    ("certificate", ("acceptance_sha256",), "9" * 64, "decision"),
    ("certificate", ("validation_sha256",), "9" * 64, "decision"),
]
"""A field of a statement, what is put there before the right key signs it, and the check that must refuse it."""


def _with_lie(world: World, kind: str, path: tuple[str, ...], value: object) -> bytes:
    story = Story(world, good_record()).order().run()

    def lie(envelope: Envelope, wire: Any, signer: FileSigner) -> Envelope:  # noqa: ANN401 - any kind
        body = place = unverified_body(envelope, wire)
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        return sign(wire, body, signer)

    if kind == "record":
        story.record_envelope = lie(story.record_envelope, "sanitization-record", world.agent)
    story.accept()
    if kind == "acceptance":
        story.acceptance = lie(story.acceptance, kind, world.acceptance)
        story.accepted_at = world.log.append("acceptance", story.acceptance)
    story.validate()
    if kind == "validation":
        story.validation = lie(story.validation, kind, world.acceptance)
        story.validated_at = world.log.append("validation", story.validation)
    digests = {
        "record_sha256": envelope_digest(story.record_envelope),
        "acceptance_sha256": envelope_digest(story.acceptance),
        "validation_sha256": envelope_digest(story.validation),
    }
    story.certificate_envelope = sign(
        "certificate", {**certified(world).certificate.to_dict(), **digests}, world.acceptance
    )
    if kind == "certificate":
        story.certificate_envelope = lie(story.certificate_envelope, kind, world.acceptance)
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    return story.bundle().to_bytes()


def test_a_lie_under_the_right_signature_is_a_no_in_both(tmp_path: Path) -> None:
    world = World()
    files = []
    for kind, path, value, _ in LIES:
        data = _with_lie(world, kind, path, value)
        files.append(File(f"{kind} {path}", data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert [file.name for file in files if file.ours.yes] == []
    expected = {f"{kind} {path}": [check] for kind, path, _, check in LIES}
    assert {name: broken(one) for name, one in said.items()} == expected


def test_altered_bytes_are_a_no_in_both(tmp_path: Path) -> None:
    world = World()
    data = certified(world).bundle().to_bytes()
    rng = random.Random("altered bytes")  # noqa: S311 - repeatable places
    files = []
    for place in rng.sample(range(len(data)), ALTERED):
        altered = bytearray(data)
        altered[place] ^= 1 << rng.randrange(8)
        files.append(File(f"byte {place}", bytes(altered), world.pin, verify(bytes(altered), world.pin)))
    said = judged(tmp_path, files)
    assert [file.name for file in files if file.ours.yes or said[file.name]["yes"]] == []


@pytest.mark.parametrize("line", [4, 5])
def test_every_signature_of_the_log_counts(tmp_path: Path, line: int) -> None:
    """A bit of each log signature, also of the one that a Node without ML-DSA has to compute."""
    world = World()
    good = certified(world).bundle()
    files = []
    for back in (2, 3, 9, 60):
        lines = good.anchor.checkpoint.split("\n")
        body = lines[line].rstrip("=")
        other = "A" if body[-back] != "A" else "B"
        lines[line] = lines[line][: len(body) - back] + other + lines[line][len(body) - back + 1 :]
        data = with_checkpoint(good, "\n".join(lines)).to_bytes()
        files.append(File(f"{back} from the end", data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert [file.failed for file in files] == ["checkpoint"] * 4
    assert [broken(one) for one in said.values()] == [["checkpoint"]] * 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"acceptance":', b'{"acceptance":0,"acceptance":'),
        (b'{"acceptance":', b'{ "acceptance":'),
        (b'{"acceptance":', b'\xef\xbb\xbf{"acceptance":'),
        (b'"format"', b'"\\u0066ormat"'),
        (b'"index":', b'"index":0'),
        (b'"format":', b'"extra":1.0,"format":'),
        (b'"format":', b'"extra":"\\ud800","format":'),
        (b'"format":', b'"extra":1,"format":'),
        (b'"format":"sanitrail/destruction-bundle/2"', b'"format":"sanitrail/destruction-bundle/3"'),
    ],
)
def test_another_spelling_is_a_no_in_both(tmp_path: Path, old: bytes, new: bytes) -> None:
    world = World()
    data = certified(world).bundle().to_bytes().replace(old, new, 1)
    file = File("spelling", data, world.pin, verify(data, world.pin))
    said = judged(tmp_path, [file])
    assert not file.ours.yes
    assert broken(said["spelling"]) == ["form"]


def test_nothing_but_node_itself_is_used() -> None:
    assert shutil.which("node") is not None
    for path in JUDGE.parent.glob("*.mjs"):
        text = path.read_text(encoding="utf-8")
        imported = [line.split('"')[1] for line in text.splitlines() if line.startswith("import ")]
        assert all(name.startswith(("node:", "./")) for name in imported)
        assert "require(" not in text
