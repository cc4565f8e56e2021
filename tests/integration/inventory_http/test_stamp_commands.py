"""The commands about time, as an operator runs them: by network, by file, and where nothing is set up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from inventory.cli.log import log_group
from inventory.clock import SystemClock
from inventory.services import setup
from inventory.settings import Settings
from reports.renewals import read_renewals
from tests.support.capabilities import requires_tool
from tests.support.time_authority import LocalAuthority, serving
from tests.support.timed import trust_authorities

pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


def _run(config: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(log_group, [*arguments, "--config", str(config)])
    return done.exit_code, done.output


def test_from_nothing_to_renewals(tmp_path: Path) -> None:
    config, data = tmp_path / "sanitrail.toml", tmp_path / "data"
    config.write_text(f'data_dir = "{data}"\n', encoding="utf-8")
    setup.initialise(Settings(data_dir=data), SystemClock()).database.close()

    code, said = _run(config, "stamp")
    assert code == 3
    assert "keys propose" in said
    assert _run(config, "stamps")[1].startswith("No time authority is named")
    assert _run(config, "renewals", "--out", str(tmp_path / "r.json"))[0] == 3

    near, far = LocalAuthority(tmp_path / "near", name="Near"), LocalAuthority(tmp_path / "far", name="Far")
    context = setup.open_inventory(Settings(data_dir=data), SystemClock())
    trust_authorities(context, near, far)
    pin = setup.trust(context).pin
    context.database.close()
    with serving(near) as server:
        config.write_text(
            f'data_dir = "{data}"\n[[time_authorities]]\nname = "Near"\nurl = "{server.url}"\n', encoding="utf-8"
        )
        server.lie = "error-status"
        code, said = _run(config, "stamp")
        assert code == 4
        assert "HTTP status 503" in said
        assert _run(config, "stamps")[0] == 4
        server.lie = ""
        code, said = _run(config, "restamp", "--json")
        assert code == 0, said
        assert json.loads(said)[0]["authority"] == "Near"
        assert json.loads(said)[0]["stamped"].endswith("Z")
        assert _run(config, "stamps")[0] == 0

    question, answer = tmp_path / "q.tsq", tmp_path / "a.tsr"
    code, said = _run(config, "stamp-request", "Far", "--out", str(question))
    assert code == 0, said
    assert _run(config, "stamp-request", "Far", "--out", str(question))[0] == 3, "no file is overwritten"
    assert _run(config, "stamp-request", "Nobody", "--out", str(tmp_path / "n"))[0] == 3
    answer.write_bytes(far.reply(question.read_bytes()))
    code, said = _run(config, "stamp-import", str(answer))
    assert code == 0, said
    assert said.startswith("Far: ")
    assert _run(config, "stamp-import", str(answer))[0] == 3
    answer.write_bytes(b"junk")
    assert _run(config, "stamp-import", str(answer))[0] == 3

    out = tmp_path / "renewals.json"
    assert _run(config, "renewals", "--out", str(out))[0] == 0
    assert read_renewals(out.read_bytes(), pin).stamp.authority == "Far"
