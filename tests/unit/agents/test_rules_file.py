"""The rules count only if nobody but root can have written them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents import local_rules, rules_file
from agents.refusals import LocalRulesUnusable
from tests.support.capabilities import requires_loop

pytestmark = requires_loop  # the capability "root": the file must be root's


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "local-rules.toml"
    path.write_text(local_rules.EXAMPLE)
    path.chmod(0o644)
    return path


def test_roots_own_file_is_in_force(file: Path) -> None:
    assert rules_file.load(file).max_devices_per_hour == 4


def test_it_is_read_afresh_each_time(file: Path) -> None:
    rules_file.load(file)
    file.write_text(local_rules.EXAMPLE.replace("max_devices_per_hour = 4", "max_devices_per_hour = 1"))
    assert rules_file.load(file).max_devices_per_hour == 1


def test_a_missing_file_refuses_everything(tmp_path: Path) -> None:
    with pytest.raises(LocalRulesUnusable, match="no such file"):
        rules_file.load(tmp_path / "none.toml")


def test_a_file_of_somebody_else_refuses_everything(file: Path) -> None:
    os.chown(file, 12345, 0)
    with pytest.raises(LocalRulesUnusable, match="12345"):
        rules_file.load(file)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_others_can_write_refuses_everything(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(LocalRulesUnusable, match="can be written"):
        rules_file.load(file)


def test_a_folder_others_can_write_refuses_everything(file: Path) -> None:
    file.parent.chmod(0o777)
    try:
        with pytest.raises(LocalRulesUnusable, match="can be written"):
            rules_file.load(file)
    finally:
        file.parent.chmod(0o700)


def test_a_symbolic_link_refuses_everything(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    with pytest.raises(LocalRulesUnusable, match="symbolic link"):
        rules_file.load(link)


def test_a_folder_in_its_place_refuses_everything(tmp_path: Path) -> None:
    with pytest.raises(LocalRulesUnusable):
        rules_file.load(tmp_path)


def test_rules_that_are_not_understood_refuse_everything(file: Path) -> None:
    file.write_text("allowed_methods = 7")
    with pytest.raises(LocalRulesUnusable):
        rules_file.load(file)


def test_bytes_that_are_no_text_refuse_everything(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LocalRulesUnusable):
        rules_file.load(file)
