"""`sanitrail-verify --renewals`: an old file and the newest stamp, and nothing where the renewals do not hold."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from reports.cli import main
from reports.renewals import build_renewals
from tests.support.capabilities import requires_tool
from tests.support.dated import DatedWorld
from tests.support.evidence import certified

pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


def test_the_command_says_when_the_log_was_stamped_again(tmp_path: Path) -> None:
    world = DatedWorld(tmp_path / "tsa")
    old = tmp_path / "old.json"
    old.write_bytes(certified(world).bundle().to_bytes())
    size = len(world.log.entries)
    world.add_roster()
    renewals = tmp_path / "renewals.json"
    renewals.write_bytes(build_renewals(world.anchor(), {size: world.log.consistency(size)}).to_bytes())

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*arguments, "--pin", world.pin])
        return done.exit_code, done.output

    code, said = run(str(old), "--renewals", str(renewals))
    assert code == 0, said
    assert "Stamped again" in said
    assert "contains the one this file rests on" in said
    renewals.write_bytes(renewals.read_bytes().replace(b"stamps", b"stomps"))
    code, said = run(str(old), "--renewals", str(renewals))
    assert code == 5
    assert "renews nothing" in said
    code, said = run(str(old), "--renewals", str(tmp_path / "absent"))
    assert code == 5
    assert "cannot be read" in said


def test_a_pack_is_not_renewed_as_a_whole(tmp_path: Path) -> None:
    world = DatedWorld(tmp_path / "tsa")
    renewals = tmp_path / "renewals.json"
    renewals.write_bytes(build_renewals(world.anchor(), {}).to_bytes())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x", "y")
    pack = tmp_path / "pack.zip"
    pack.write_bytes(packed.getvalue())
    done = CliRunner().invoke(main, [str(pack), "--pin", world.pin, "--renewals", str(renewals)])
    assert done.exit_code == 5
    assert "file by file" in done.output
