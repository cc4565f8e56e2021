"""`sanitrail log`: what an operator types, what it answers, how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inventory.cli import cli
from inventory.services import transparency
from tests.support.inventory_world import World, copied_world
from tests.support.witnessed import name_witnesses
from tests.support.witnesses import NOBODY


@pytest.fixture
def company(tmp_path: Path) -> Iterator[World]:
    with copied_world(tmp_path / "data") as copy:
        yield copy


def run(world: World, *words: str) -> Result:
    return CliRunner().invoke(cli, ["log", *words], env={"SANITRAIL_DATA_DIR": str(world.folder)})


def test_a_log_is_exported_and_checked_without_its_database(company: World, tmp_path: Path) -> None:
    pin = transparency.trust(company.context).pin
    size = transparency.checkpoint(company.context).size
    done = run(company, "export", str(tmp_path / "x"))
    assert f"holds {size} entries ({size} new" in done.output, done.output
    company.close()
    (company.folder / "inventory.db").unlink()
    checked = run(company, "fsck", "--folder", str(tmp_path / "x"), "--pin", pin, "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.output)["size"] == size
    spaced = " ".join(pin[at : at + 8].upper() for at in range(0, 64, 8))
    assert run(company, "fsck", "--folder", str(tmp_path / "x"), "--pin", spaced).exit_code == 0


def test_an_altered_folder_is_exit_code_four(company: World, tmp_path: Path) -> None:
    pin = transparency.trust(company.context).pin
    run(company, "export", str(tmp_path / "x"))
    (tmp_path / "x" / "trust-root" / "0.json").write_text("{}")
    done = run(company, "fsck", "--folder", str(tmp_path / "x"), "--pin", pin)
    assert done.exit_code == 4
    assert "is not the log, whole and unaltered" in done.output


def test_a_folder_is_never_checked_against_a_pin_of_its_own(company: World, tmp_path: Path) -> None:
    run(company, "export", str(tmp_path / "x"))
    assert run(company, "fsck", "--folder", str(tmp_path / "x")).exit_code == 2


def test_a_restore_that_is_not_needed_says_so_and_one_that_is_impossible_too(company: World, tmp_path: Path) -> None:
    run(company, "export", str(tmp_path / "x"))
    done = run(company, "restore", str(tmp_path / "x"))
    assert done.exit_code == 0, done.output
    assert "0 came back" in done.output
    refused = run(company, "restore", str(tmp_path / "nothing"))
    assert refused.exit_code == 3
    assert "[log-refused]" in refused.output


def test_the_witness_list_says_that_there_is_none(company: World) -> None:
    done = run(company, "witnesses")
    assert done.exit_code == 0
    assert "unwitnessed" in done.output


def test_a_witness_without_an_address_is_exit_code_four(company: World) -> None:
    name_witnesses(company.context, NOBODY)
    done = run(company, "witnesses", "--json")
    assert done.exit_code == 4
    assert "no address" in done.output


def test_the_keys_a_witness_needs_are_printed(company: World) -> None:
    assert run(company, "vkeys").output.splitlines() == list(company.context.ledger.vkeys)
