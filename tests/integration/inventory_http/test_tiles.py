"""A plain tile client of another hand reads the log over HTTP without signing in, and from the exported folder alike."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.services import transparency, witnesses
from inventory.services.log_export import export
from inventory.settings import Witness
from tests.support.capabilities import requires_tool
from tests.support.inventory_world import World, copied_world
from tests.support.live_service import free_port, serving
from tests.support.witnessed import name_witnesses
from tests.support.witnesses import NAME, prepare
from tests.support.witnesses import serving as witnessing

JUDGE = Path(__file__).resolve().parents[2] / "judges" / "tiles.mjs"
pytestmark = [pytest.mark.reference_tool, pytest.mark.xdist_group("tiles"), requires_tool("node")]


def judged(address: str, pin: str) -> str:
    done = subprocess.run(["node", str(JUDGE), address, pin], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode == 0) == done.stdout.startswith("yes"), done.stderr
    return done.stdout


@pytest.fixture
def company(tmp_path: Path) -> Iterator[World]:
    """With a witness that has signed, and a log of more than two full tiles."""
    with copied_world(tmp_path / "data") as copy:
        keys = prepare(tmp_path / "w", *copy.context.ledger.vkeys)
        name_witnesses(copy.context, keys)
        with copy.context.writing() as session:
            for number in range(600):
                digest = hashlib.sha256(b"%d" % number).hexdigest()
                copy.context.ledger.append(session, "acceptance", digest, "filling")
        with witnessing(tmp_path / "w") as running:
            said = copy.context.settings.model_copy(update={"witnesses": (Witness(name=NAME, url=running.url),)})
            object.__setattr__(copy.context, "settings", said)
            assert witnesses.ask_all(copy.context) == 1
        yield copy


def test_over_http_and_from_the_folder_it_is_the_same_log(company: World, tmp_path: Path) -> None:
    pin = transparency.trust(company.context).pin
    export(company.context, tmp_path / "x")
    from_folder = judged(str(tmp_path / "x"), pin)
    company.close()
    port = free_port()
    with serving(company.folder, port):
        assert judged(f"http://127.0.0.1:{port}/api/v1/log", pin) == from_folder
    assert from_folder.startswith("yes: 6")
    assert judged(str(tmp_path / "x"), "0" * 64).startswith("no: no version is the pinned one")


@pytest.mark.parametrize(
    "name", ["checkpoint", "tile/0/000", "tile/1/000.p/2", "tile/entries/001", "trust-root/0.json"]
)
def test_the_judge_finds_one_altered_bit(company: World, tmp_path: Path, name: str) -> None:
    pin = transparency.trust(company.context).pin
    export(company.context, tmp_path / "x")
    file = tmp_path / "x" / name
    data = file.read_bytes()
    file.write_bytes(data[:70] + bytes([data[70] ^ 1]) + data[71:] if len(data) > 70 else b"x" + data[1:])
    assert judged(str(tmp_path / "x"), pin).startswith("no: ")
