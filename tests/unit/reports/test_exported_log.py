"""`sanitrail-verify --log`: what a file cannot know itself is asked of an exported log, and only ever takes away from a yes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from reports.cli import main
from reports.envelope import Envelope, envelope_digest, sign
from reports.errors import ReportError
from reports.exported_log import open_exported_log
from reports.keys import FileSigner
from reports.statements import Correction
from reports.tlog import ED25519_COSIGNATURE, NoteSigner
from reports.verify import verify
from reports.verify_log import ask_log
from tests.support.evidence import TIME, Story, World, certified, erasure_statement
from tests.support.log_folder import write_folder

REASON = "The asset tag on it is of another device."


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def story(world: World) -> Story:
    return certified(world)


def closing(story: Story) -> tuple[Envelope, int]:
    item = story.bundle().certificate
    return item.envelope, item.index


def correct(world: World, envelope: Envelope, index: int, signer: FileSigner | None = None, **changes: object) -> int:
    """A correction in the log, signed by the acceptance key unless told otherwise."""
    fields: dict[str, object] = {
        "action": "void", "document": "SC-1", "document_sha256": envelope_digest(envelope), "document_index": index,
        "replacement": "", "replacement_sha256": None, "reason": REASON, "corrected_by": "p-1", "time": "2026-11-23T09:00:00Z",
        **changes,
    }  # fmt: skip
    body = Correction(**fields)  # type: ignore[arg-type]
    return world.log.append("correction", sign("correction", body.to_dict(), signer or world.acceptance))


def run(file: Path, world: World, log: Path, *more: str) -> Result:
    return CliRunner().invoke(main, [str(file), "--pin", world.pin, "--log", str(log), *more])


def saved(story: Story, folder: Path) -> Path:
    path = folder / "certificate.json"
    path.write_bytes(story.bundle().to_bytes())
    return path


def test_a_document_that_still_counts_is_a_yes_and_says_up_to_when(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    world.log.append_entry(world.log.entries[-1])
    result = run(file, world, write_folder(world.log, tmp_path / "log"))
    assert result.exit_code == 0, result.output
    size = len(world.log.entries)
    assert f"Up to log entry {size - 1} it was neither voided nor superseded" in result.output
    assert "Keys revoked after log entry" not in result.output
    assert f"What happened in the log after entry {size - 1}" in result.output


def test_a_voided_document_is_no_yes(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    index = correct(world, *closing(story))
    result = run(file, world, write_folder(world.log, tmp_path / "log"), "--json")
    assert result.exit_code == 3
    found = json.loads(result.output)[0]
    assert (found["genuine"], found["yes"]) == (True, False)
    assert found["conclusion"].startswith("IT COUNTS NO MORE")
    assert f"(log entry {index})" in found["conclusion"]
    assert REASON in found["conclusion"]


def test_without_the_log_the_same_file_is_still_what_it_was(world: World, story: Story) -> None:
    data = story.bundle().to_bytes()
    correct(world, *closing(story))
    assert verify(data, world.pin).yes


def test_a_superseded_document_names_what_takes_its_place(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    changes: dict[str, Any] = {"action": "supersede", "replacement": "SC-2", "replacement_sha256": "0" * 64}
    correct(world, *closing(story), **changes)
    result = run(file, world, write_folder(world.log, tmp_path / "log"))
    assert result.exit_code == 3
    assert "SC-2 takes its place" in result.output


def test_a_statement_with_a_voided_certificate_inside_is_no_yes(world: World, story: Story, tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    file.write_bytes(erasure_statement(world, [story]).to_bytes())
    log = write_folder(world.log, tmp_path / "log")
    assert run(file, world, log).exit_code == 0
    correct(world, *closing(story))
    assert run(file, world, write_folder(world.log, tmp_path / "later")).exit_code == 3


def test_a_correction_of_another_document_changes_nothing(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    other = certified(world)
    correct(world, *closing(other))
    assert run(file, world, write_folder(world.log, tmp_path / "log")).exit_code == 0


def test_a_correction_by_a_foreign_key_makes_the_log_unusable(world: World, story: Story, tmp_path: Path) -> None:
    correct(world, *closing(story), signer=FileSigner.generate())
    with pytest.raises(ReportError):
        open_exported_log(write_folder(world.log, tmp_path / "log"), world.pin)


def test_a_correction_of_what_came_later_makes_the_log_unusable(world: World, story: Story, tmp_path: Path) -> None:
    correct(world, closing(story)[0], 9_999)
    with pytest.raises(ReportError):
        open_exported_log(write_folder(world.log, tmp_path / "log"), world.pin)


def test_a_key_revoked_since_for_this_run_takes_the_yes(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    world.key_event("revoke", "agent", "h-crm-db-01", world.agent, valid_below=1)
    result = run(file, world, write_folder(world.log, tmp_path / "log"))
    assert result.exit_code == 4
    assert "revoked from index 1" in result.output


def test_a_key_revoked_for_later_runs_alone_takes_nothing(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    world.key_event("revoke", "agent", "h-crm-db-01", world.agent)
    assert run(file, world, write_folder(world.log, tmp_path / "log")).exit_code == 0


def test_a_log_that_tells_another_history_is_a_fork(world: World, story: Story, tmp_path: Path) -> None:
    """The same keys signed two histories: whoever holds an older document notices."""
    data = story.bundle().to_bytes()
    world.log.entries[-1] = world.log.entries[-2]
    entries, envelopes = list(world.log.entries), dict(world.log.envelopes)
    world.log.__init__(world.log.signers)  # type: ignore[misc]
    for raw in entries:
        world.log.append_entry(raw)
    world.log.envelopes.update(envelopes)
    result = run(_put(tmp_path, data), world, write_folder(world.log, tmp_path / "log"))
    assert result.exit_code == 4
    assert "FORKED" in result.output


def _put(folder: Path, data: bytes) -> Path:
    path = folder / "document.json"
    path.write_bytes(data)
    return path


def test_a_log_older_than_the_document_answers_nothing(world: World, story: Story, tmp_path: Path) -> None:
    log = write_folder(world.log, tmp_path / "log")
    later = certified(world)
    assert story
    result = run(saved(later, tmp_path), world, log)
    assert result.exit_code == 4
    assert "export it anew" in result.output


def test_a_log_that_does_not_hold_answers_nothing(world: World, story: Story, tmp_path: Path) -> None:
    file = saved(story, tmp_path)
    log = write_folder(world.log, tmp_path / "log")
    (log / "checkpoint").write_bytes(b"nonsense")
    assert run(file, world, log).exit_code == 5
    assert run(file, world, tmp_path / "nothing").exit_code == 5


def test_a_file_that_is_not_genuine_stays_a_no(world: World, story: Story, tmp_path: Path) -> None:
    log = open_exported_log(write_folder(world.log, tmp_path / "log"), world.pin)
    for data in (b"", b"nonsense", story.bundle().to_bytes()[:-1]):
        result = verify(data, world.pin)
        assert ask_log(result, data, log) is result


def test_lines_of_witnesses_the_trust_root_does_not_name_are_left_out(
    world: World, story: Story, tmp_path: Path
) -> None:
    assert story
    stranger = NoteSigner.generate("stranger.example", ED25519_COSIGNATURE)
    note = world.log.note() + stranger.line(world.log.checkpoint.text, TIME)
    found = open_exported_log(write_folder(world.log, tmp_path / "log", note), world.pin)
    assert found.cosignatures == ()


def test_every_lost_or_altered_file_of_the_folder_is_found(world: World, story: Story, tmp_path: Path) -> None:
    correct(world, *closing(story))
    log = write_folder(world.log, tmp_path / "log")
    files = [file for file in log.rglob("*") if file.is_file()]
    assert {"correction", "key-event", "trust-root"} <= {file.parent.name for file in files}
    for file in files:
        kept = file.read_bytes()
        for altered in (kept[:-1], kept + b" ", kept[:5] + bytes([kept[5] ^ 4]) + kept[6:], b"", b"\xff" * 40):
            file.write_bytes(altered)
            with pytest.raises(ReportError):
                open_exported_log(log, world.pin)
        file.unlink()
        with pytest.raises(ReportError):
            open_exported_log(log, world.pin)
        file.write_bytes(kept)
    assert len(open_exported_log(log, world.pin).corrections) == 1
