"""`sanitrail-verify`: exit codes, readable output, nothing that steers a terminal."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reports import cli
from reports.cli import EXIT_CODES, main
from reports.statements import OpenObligation
from reports.verify import verify
from tests.support.evidence import Story, World, certified, erasure_statement, good_record, with_part

WORLD = World()
HONEST = certified(WORLD)
BUNDLE = HONEST.bundle().to_bytes()
FAILED = Story(WORLD, with_part(good_record(), "run", state="failed", error="x", error_code="x")).order().run().accept()
OPEN = OpenObligation(obligation="b", data_set="d", medium="m", kind="medium-sanitized", why="Not yet.", due="")


def _run(*arguments: str, charset: str = "utf-8") -> Result:
    return CliRunner(charset=charset).invoke(main, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.json").write_bytes(BUNDLE)
    (tmp_path / "altered.json").write_bytes(
        BUNDLE.replace(b"records.example.org/log\\n", b"records.example.orh/log\\n")
    )
    (tmp_path / "report.json").write_bytes(FAILED.unsuccessful().to_bytes())
    (tmp_path / "open.json").write_bytes(erasure_statement(WORLD, [HONEST], still_open=(OPEN,)).to_bytes())
    (tmp_path / "statement.json").write_bytes(erasure_statement(WORLD, [HONEST]).to_bytes())
    (tmp_path / "garbage.json").write_bytes(b"\0\xff garbage")
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "beneath" / "2026").mkdir(parents=True)
    (tmp_path / "beneath" / "2026" / "good.json").write_bytes(BUNDLE)
    (tmp_path / "beneath" / "statement.json").write_bytes(erasure_statement(WORLD, [HONEST]).to_bytes())
    (tmp_path / "beneath" / "read.me").write_text("not asked for")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "read.me").write_text("no document")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["good.json"], 0),
        (["statement.json"], 0),
        (["good.json", "statement.json"], 0),
        (["report.json"], 3),
        (["open.json"], 3),
        (["altered.json"], 4),
        (["garbage.json"], 5),
        (["empty.pdf"], 5),
        (["missing.json"], 5),
        (["."], 5),
        (["good.json", "report.json"], 3),
        (["good.json", "altered.json"], 4),
        (["garbage.json", "good.json"], 5),
        (["beneath"], 0),
        (["beneath", "report.json"], 3),
        (["beneath", "altered.json"], 4),
        (["nothing"], 5),
    ],
)
def test_exit_codes(folder: Path, names: list[str], code: int) -> None:
    paths = [str(folder / name) for name in names]
    for more in ([], ["--json"]):
        result = _run(*paths, "--pin", WORLD.pin, *more)
        assert result.exit_code == code, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)


def test_another_pin_is_no_yes(folder: Path) -> None:
    assert _run(str(folder / "good.json"), "--pin", "0" * 64).exit_code == 4
    assert _run(str(folder / "good.json"), "--pin", "what?").exit_code == 5


def test_usage(folder: Path) -> None:
    assert _run().exit_code == 2
    assert _run(str(folder / "good.json")).exit_code == 2
    assert _run("--pin", WORLD.pin).exit_code == 2


def test_help_lists_every_exit_code() -> None:
    text = _run("--help").output
    for code, meaning in EXIT_CODES.items():
        assert f"{code}  {meaning}" in text


def test_a_yes_shows_checks_facts_and_what_is_not_proven(folder: Path) -> None:
    text = _run(str(folder / "good.json"), "--pin", WORLD.pin).output
    assert text.count("✓") == 14
    for word in ("WD-WCC6Y3TN7F2K", "C-2026-000123", "22 November 2026", "2 people", "Proven:", "Not proven:", "YES:"):
        assert word in text


def test_a_no_says_what_failed_and_shows_no_facts(folder: Path) -> None:
    text = _run(str(folder / "altered.json"), "--pin", WORLD.pin).output
    assert "✗ The log's keys signed its state" in text
    assert "NO: do not rely on this file." in text
    assert "WD-WCC6Y3TN7F2K" not in text
    assert "Proven:" not in text


def test_json_is_one_list_with_the_same_answer(folder: Path) -> None:
    result = _run(str(folder / "good.json"), str(folder / "garbage.json"), "--pin", WORLD.pin, "--json")
    good, garbage = json.loads(result.output)
    assert (good["yes"], good["genuine"], good["kind"]) == (True, True, "certificate")
    assert good["facts"]["Serial number"] == "WD-WCC6Y3TN7F2K"
    assert (garbage["yes"], garbage["kind"], garbage["error_codes"]) == (False, "unreadable", ["malformed-document"])


def test_text_from_a_file_does_not_steer_the_terminal(tmp_path: Path) -> None:
    world = World()
    story = certified(world, good_record(model="EX\x1b]0;owned\x07\x1b[2J\u202e500"))
    (tmp_path / "b.json").write_bytes(story.bundle().to_bytes())
    text = _run(str(tmp_path / "b.json"), "--pin", world.pin).output
    assert "YES" in text
    assert not set(text) & {"\x1b", "\x07", "\u202e"}


def test_an_ascii_terminal_gets_ascii(folder: Path) -> None:
    result = CliRunner(charset="ascii").invoke(main, [str(folder / "good.json"), "--pin", WORLD.pin])
    assert result.exit_code == 0
    assert result.output.isascii()
    assert "[ok] The trust root is the pinned one" in result.output


def test_a_fault_of_our_own_is_exit_code_1_and_stops_no_other_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(data: bytes, pin: str, *more: object, **named: object) -> object:
        if data == BUNDLE:
            raise ZeroDivisionError("a bug")
        return verify(data, pin)

    monkeypatch.setattr(cli, "verify", faulty)
    result = _run(str(folder / "good.json"), "--pin", WORLD.pin)
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output
    both = _run(str(folder / "good.json"), str(folder / "statement.json"), "--pin", WORLD.pin)
    assert both.exit_code == 1
    assert "YES" in both.output


def test_one_bad_document_among_a_folders_good_ones_is_shown_in_full_and_counts(folder: Path) -> None:
    (folder / "beneath" / "2026" / "altered.json").write_bytes((folder / "altered.json").read_bytes())
    done = _run(str(folder / "beneath"), "--pin", WORLD.pin)
    assert done.exit_code == 4
    assert done.output.count("\nyes  ") + done.output.startswith("yes  ") == 2
    assert "NO: do not rely on this file" in done.output
    assert "2  genuine, a full yes" in done.output
    assert "1  failed: do not rely on them" in done.output


def test_a_folder_as_json_is_one_list_a_folder_before_those_beneath_it(folder: Path) -> None:
    done = _run(str(folder / "beneath"), "--pin", WORLD.pin, "--json")
    told = json.loads(done.output)
    assert [Path(each["file"]).name for each in told] == ["statement.json", "good.json"]
    assert all(each["yes"] for each in told)


def test_what_is_no_document_of_ours_is_not_passed_over(folder: Path) -> None:
    (folder / "beneath" / "notes.json").write_text("{}")
    assert _run(str(folder / "beneath"), "--pin", WORLD.pin).exit_code == 5
    assert _run(str(folder / "beneath"), "--pin", WORLD.pin, "--only", "good.json").exit_code == 0


def test_a_dangling_link_in_a_folder_is_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "beneath" / "gone.json").symlink_to(folder / "nowhere.json")
    assert _run(str(folder / "beneath"), "--pin", WORLD.pin).exit_code == 5


def test_a_folder_beneath_that_cannot_be_listed_is_no_yes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root lists everything, so the refusal is the operating system's answer, not a mode of the folder."""
    genuine = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("2026"):
            raise PermissionError(13, "Permission denied", str(path))
        return genuine(path)

    monkeypatch.setattr(os, "scandir", refusing)
    done = _run(str(folder / "beneath"), "--pin", WORLD.pin)
    assert done.exit_code == 5
    assert "Permission denied" in done.output


def test_a_name_in_capitals_is_a_document_like_any_other(folder: Path) -> None:
    (folder / "beneath" / "ALTERED.JSON").write_bytes((folder / "altered.json").read_bytes())
    assert _run(str(folder / "beneath"), "--pin", WORLD.pin).exit_code == 4
