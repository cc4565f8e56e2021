"""Evidence beside a document: found by digest, whatever it is called; what is not there is no yes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from reports import beside as finder
from reports.beside import Beside
from reports.cli import main
from tests.support.documents import Lot, three_media
from tests.support.evidence import World


@pytest.fixture(scope="module")
def made() -> tuple[World, Lot, bytes]:
    world = World()
    lot = three_media(world)
    lot.evidence = "beside"
    return world, lot, lot.issue().to_bytes()


def _lay(lot: Lot, folder: Path, names: list[str]) -> None:
    for name, (_, file) in zip(names, lot.media, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file.to_bytes())


def test_a_folder_with_all_the_evidence_is_a_yes_and_without_one_file_it_is_not(
    made: tuple[World, Lot, bytes], tmp_path: Path
) -> None:
    world, lot, data = made
    (tmp_path / "lot.json").write_bytes(data)
    _lay(lot, tmp_path, ["media/a.json", "media/whatever it is called.JSON", "c.json"])
    arguments = [str(tmp_path / "lot.json"), "--pin", world.pin]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    finder.beside.cache_clear()
    (tmp_path / "c.json").unlink()
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 3
    assert "NOT CHECKED IN FULL" in result.output


def test_a_file_that_is_altered_beside_is_as_one_that_is_not_there(
    made: tuple[World, Lot, bytes], tmp_path: Path
) -> None:
    _, lot, _ = made
    _lay(lot, tmp_path, ["a.json", "b.json", "c.json"])
    found = Beside(tmp_path)
    digest = lot.lines[0].bundle_sha256
    assert found(digest) == lot.media[0][1].to_bytes()
    (tmp_path / "a.json").write_bytes(b"{}")
    assert found(digest) is None
    assert found("0" * 64) is None


def test_folders_further_beneath_and_other_files_are_not_looked_at(
    made: tuple[World, Lot, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, lot, _ = made
    _lay(lot, tmp_path, ["far/beneath/a.json", "b.txt", "c.json"])
    found = Beside(tmp_path)
    assert [found(line.bundle_sha256) is not None for line in lot.lines] == [False, False, True]
    monkeypatch.setattr(finder, "MAX_FILES", 0)
    assert Beside(tmp_path)(lot.lines[2].bundle_sha256) is None


def test_what_cannot_be_read_is_not_there(made: tuple[World, Lot, bytes], tmp_path: Path) -> None:
    _, lot, _ = made
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing in it")
    (tmp_path / "link.json").symlink_to(tmp_path / "nowhere")
    assert Beside(tmp_path)(lot.lines[0].bundle_sha256) is None
