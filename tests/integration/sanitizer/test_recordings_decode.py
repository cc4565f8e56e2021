"""Our reading of real replies equals an independent decoder's, key by key; and damage to them crashes nothing."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sanitizer.cli import main
from sanitizer.wire import MalformedReply
from sanitizer.wire.explain import explain_ata, explain_emmc, explain_nvme, explain_scsi, explain_sense
from tests.support.capabilities import RECORDINGS, requires_recordings

KINDS = {"ata": explain_ata, "nvme": explain_nvme, "scsi": explain_scsi, "sense": explain_sense, "emmc": explain_emmc}
"""Folder of recordings, which is also the name of the `decode` command."""

NOT_DECODED: dict[str, dict[str, str]] = {"ata": {}, "nvme": {}, "scsi": {}, "sense": {}, "emmc": {}}
"""Keys of the independent readings that we do not give, each with the reason why not."""

MINE_ONLY: dict[str, dict[str, str]] = {"ata": {}, "nvme": {}, "scsi": {}, "sense": {}, "emmc": {}}
"""Keys we give that the independent readings have not, each with the reason why."""


_READINGS = [(kind, path) for kind in KINDS for path in sorted((RECORDINGS / kind).glob("*.expected.json"))]

pytestmark = requires_recordings
each_recording = pytest.mark.parametrize(
    ("kind", "reading"),
    _READINGS or [("none", Path("none"))],  # one case without the folder, so that its absence is named
    ids=[f"{kind}-{path.name.removesuffix('.expected.json')}" for kind, path in _READINGS] or ["no-recordings"],
)


def _flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value


def _recorded(reading: Path) -> bytes:
    named = json.loads(reading.read_text(encoding="utf-8"))["file"]
    return (reading.parent / str(named)).read_bytes()


def _expected(reading: Path) -> dict[str, object]:
    return dict(_flat(json.loads(reading.read_text(encoding="utf-8"))["expected"]))


@each_recording
def test_our_json_is_the_independent_reading(kind: str, reading: Path) -> None:
    named = json.loads(reading.read_text(encoding="utf-8"))["file"]
    result = CliRunner().invoke(main, ["decode", kind, str(reading.parent / named), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    ours, theirs = dict(_flat(json.loads(result.stdout))), _expected(reading)
    both = ours.keys() & theirs.keys()
    assert both, "no key in common"
    assert {key: ours[key] for key in both} == {key: theirs[key] for key in both}
    assert theirs.keys() - ours.keys() == NOT_DECODED[kind].keys() & theirs.keys(), "a key without a reason"
    assert ours.keys() - theirs.keys() == MINE_ONLY[kind].keys() & ours.keys(), "a key without a reason"


@each_recording
def test_the_words_name_what_the_reading_names(kind: str, reading: Path) -> None:
    shown = CliRunner().invoke(main, ["decode", kind, "-"], input=_recorded(reading), catch_exceptions=False)
    assert shown.exit_code == 0
    theirs = _expected(reading)
    for key in ("serial", "model", "firmware", "vendor", "product", "wwn", "emmc_version"):
        if theirs.get(key):
            assert str(theirs[key]) in shown.stdout, key


@pytest.mark.parametrize("kind", KINDS)
def test_every_recording_the_index_lists_is_read(kind: str) -> None:
    index = (RECORDINGS / "INDEX.md").read_text(encoding="utf-8")
    listed = re.findall(rf"^\| {kind} \| (\S.*?) \|", index, re.MULTILINE)
    read = [path.name.removesuffix(".expected.json") for path in (RECORDINGS / kind).glob("*.expected.json")]
    assert sorted(read) == sorted(listed)
    assert read


@pytest.mark.parametrize("kind", KINDS)
def test_every_listed_reason_is_still_needed(kind: str) -> None:
    theirs: set[str] = set()
    ours: set[str] = set()
    for reading in (RECORDINGS / kind).glob("*.expected.json"):
        theirs |= _expected(reading).keys()
        ours |= dict(_flat(KINDS[kind](_recorded(reading)).keys)).keys()
    assert NOT_DECODED[kind].keys() <= theirs - ours
    assert MINE_ONLY[kind].keys() <= ours - theirs
    assert all([*NOT_DECODED[kind].values(), *MINE_ONLY[kind].values()])


@each_recording
def test_damaged_recordings_crash_nothing(kind: str, reading: Path) -> None:
    good = _recorded(reading)
    chance = random.Random(reading.name)  # noqa: S311 - damage for a test, no secret
    for _ in range(200):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 9)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        for damaged in (data, data[: chance.randrange(len(data))]):
            for explain in KINDS.values():
                try:
                    explain(bytes(damaged))
                except MalformedReply:
                    continue


def test_the_test_itself_sees_a_wrong_reading() -> None:
    """A bit altered in a recording must make the comparison differ; else it compares nothing."""
    reading = next((RECORDINGS / "ata").glob("Samsung_SSD_860*.expected.json"))
    altered = bytearray(_recorded(reading))
    altered[2 * 128] ^= 0x08  # frozen
    ours = dict(_flat(explain_ata(altered).keys))
    theirs = _expected(reading)
    assert {key for key in theirs if ours[key] != theirs[key]} == {"security.frozen", "security.w128", "checksum.valid"}
