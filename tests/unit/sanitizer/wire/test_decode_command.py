"""`sanitizer decode` as a person and as a script meet it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sanitizer.cli import main
from sanitizer.cli.decode import LARGEST

from . import hand_made as made

REPLIES = {
    "ata": made.identify(),
    "nvme": made.controller(),
    "nvme-sanitize": made.sanitize_log(0x0101),
    "scsi": made.inquiry(),
    "sense": made.fixed_sense(2, 0x04, 0x1B),
    "emmc": made.ext_csd(),
}


ROOT = Path(__file__).resolve().parents[4]


def decode(*words: str | Path, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["decode", *map(str, words)], input=given, catch_exceptions=False)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "reply.bin"


@pytest.mark.parametrize("kind", REPLIES)
def test_every_kind_is_explained_in_words_and_in_json(kind: str, capture: Path) -> None:
    capture.write_bytes(REPLIES[kind])
    words, keys = decode(kind, capture), decode(kind, capture, "--json")
    assert (words.exit_code, keys.exit_code) == (0, 0)
    assert len(words.stdout.splitlines()) > 5
    assert isinstance(json.loads(keys.stdout), dict)
    assert (words.stderr, keys.stderr) == ("", "")


def test_no_line_ends_in_blanks_or_is_wider_than_a_reader_bears(capture: Path) -> None:
    for kind, reply in REPLIES.items():
        capture.write_bytes(reply)
        lines = decode(kind, capture).stdout.splitlines()
        assert all(line == line.rstrip() and len(line) <= 130 for line in lines)


@pytest.mark.parametrize("kind", REPLIES)
def test_standard_input_is_a_file_too(kind: str, capture: Path) -> None:
    capture.write_bytes(REPLIES[kind])
    assert decode(kind, "-", given=REPLIES[kind]).stdout == decode(kind, capture).stdout


@pytest.mark.parametrize("kind", REPLIES)
def test_hexadecimal_is_the_same_reply(kind: str, capture: Path) -> None:
    capture.write_bytes(REPLIES[kind])
    raw = decode(kind, capture, "--json").stdout
    for text in (REPLIES[kind].hex(), REPLIES[kind].hex(" ").upper(), " ".join(f"0x{b:02x}," for b in REPLIES[kind])):
        capture.write_text(text + "\n", encoding="ascii")
        assert decode(kind, capture, "--hex", "--json").stdout == raw


def refused(result: Result, reason: str) -> None:
    """One sentence on stderr, nothing on stdout, status 2."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert reason in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("kind", REPLIES)
def test_a_missing_file_is_refused(kind: str, tmp_path: Path) -> None:
    refused(decode(kind, tmp_path / "nowhere"), "there is no such file")


@pytest.mark.parametrize("kind", REPLIES)
def test_an_empty_file_is_refused(kind: str, capture: Path) -> None:
    capture.touch()
    refused(decode(kind, capture), "it is empty")
    refused(decode(kind, "-"), "it is empty")


@pytest.mark.parametrize("kind", REPLIES)
def test_a_huge_file_is_refused_without_being_read_whole(kind: str, capture: Path) -> None:
    with capture.open("wb") as stream:
        stream.truncate(1 << 42)
    refused(decode(kind, capture), f"more than {LARGEST} bytes")


def test_the_largest_capture_is_read(capture: Path) -> None:
    capture.write_bytes(bytes(LARGEST))
    refused(decode("ata", capture), f"got: {LARGEST} bytes")
    capture.write_bytes(bytes(LARGEST + 1))
    refused(decode("ata", capture), "more than")


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_of_another_kind_is_refused(kind: str, capture: Path) -> None:
    capture.write_bytes(b"this is a note about the drive, not a reply of it\n")
    refused(decode(kind, capture), "does not have the form its standard gives it")


def test_a_folder_a_device_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    refused(decode("ata", tmp_path), "it is a folder")
    refused(decode("ata", "/dev/zero"), "it is no regular file")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused(decode("ata", pipe), "it is no regular file")


def test_a_block_device_is_refused_as_what_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Node:
        st_mode = 0o060660

    node = tmp_path / "node"
    node.touch()
    monkeypatch.setattr("sanitizer.cli.decode.os.stat", lambda _path: Node)
    refused(decode("ata", node), "it is a block device")


def test_a_path_no_file_can_have_is_refused() -> None:
    refused(decode("ata", "nul\0byte"), "null")


def test_text_that_is_no_hexadecimal_is_refused(capture: Path) -> None:
    for text in ("45 4x", "123", "é", "0x", "0000: 45 5a"):
        capture.write_text(text, encoding="utf-8")
        refused(decode("ata", capture, "--hex"), "")
        assert decode("ata", capture, "--hex").exit_code == 2


def test_in_json_mode_an_error_is_json_too(capture: Path) -> None:
    capture.write_bytes(b"short")
    result = decode("ata", capture, "--json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert (error["code"], error["details"]["expected"], error["details"]["got"]) == (
        "malformed-reply",
        "512 bytes",
        "5 bytes",
    )


def test_the_form_of_a_reply_can_be_named(capture: Path) -> None:
    capture.write_bytes(bytes([0, 0x03, 0, 2, 0x48, 0x1F]))
    assert json.loads(decode("scsi", capture, "--form", "opcode", "--json").stdout)["supported"] is True
    assert decode("scsi", capture).exit_code == 2
    capture.write_bytes(bytes(4096))
    assert json.loads(decode("nvme", capture, "--form", "namespace", "--json").stdout)["exists"] is False


def test_the_command_that_was_answered_can_be_named(capture: Path) -> None:
    capture.write_bytes(made.descriptor_sense(1, 0, 0x1D, made.ata_return(count=0x4000, lba=0x8000)))
    found = json.loads(decode("sense", capture, "--answers", "sanitize-status-ext", "--json").stdout)
    assert found["sanitize_status"]["in_progress"] is True


def test_a_name_from_a_device_cannot_write_to_the_terminal(capture: Path) -> None:
    capture.write_bytes(made.inquiry({16: b"\x1b[2J\x07EVIL"}))
    result = decode("scsi", capture, "--form", "inquiry")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "\\x1b[2J\\x07EVIL" in result.stdout


EXAMPLES = [
    ("ata identify.bin", made.identify({128: 0x0029})),
    ("nvme-sanitize sanitize-log.bin", made.sanitize_log(0x0101, command=4)),
    (
        "sense sense.bin --answers sanitize-status-ext",
        made.descriptor_sense(1, 0, 0x1D, made.ata_return(count=0x4000, lba=0x8000)),
    ),
    ("scsi vpd-b2.bin --json", made.vpd(0xB2, b"\x00\x80\x02\x00")),
    ("ata cut-off.bin", made.identify()[:100]),
]


@pytest.mark.parametrize(("words", "reply"), EXAMPLES, ids=[words for words, _ in EXAMPLES])
def test_the_page_about_it_shows_what_it_really_says(
    words: str, reply: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(words.split()[1]).write_bytes(reply)
    result = decode(*words.split())
    page = (ROOT / "docs" / "decode.md").read_text(encoding="utf-8")
    assert f"$ sanitizer decode {words}\n{result.stdout}{result.stderr}```" in page


def test_the_page_about_it_names_every_kind_and_every_key() -> None:
    page = (ROOT / "docs" / "decode.md").read_text(encoding="utf-8")
    for kind in REPLIES:
        assert f"`{kind}`" in page, kind
