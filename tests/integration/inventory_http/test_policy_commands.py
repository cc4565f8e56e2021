"""The policy as its administrator handles it: a file, checked, compared, previewed, put in force; and questions over the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inventory.cli import cli
from inventory.domain.roles import Role
from tests.integration.inventory_http.test_command_line import Listening, listening
from tests.support.http_world import HttpWorld, problem

__all__ = ["listening"]


def offline(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["policy", *arguments])


def test_from_export_to_adoption(listening: Listening, tmp_path: Path) -> None:
    admin, viewer = listening.world.administrator, listening.world.newcomer({Role.VIEWER})
    file, same = tmp_path / "policy.toml", tmp_path / "same.toml"
    done = listening.run("policy", "export", "--following", "-o", str(file), who=viewer)
    assert done.exit_code == 0, done.output
    again = listening.run("policy", "export", "--following", "-o", str(file), who=viewer)
    assert again.exit_code == 3, "never overwrites"
    same.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    assert offline("diff", str(same), str(file)).stdout == "They demand the same.\n"

    file.write_text(file.read_text(encoding="utf-8").replace("photographs = 1", "photographs = 3"), encoding="utf-8")
    checked = offline("check", str(file))
    assert checked.exit_code == 0, checked.output
    digest = checked.stdout.splitlines()[0].rpartition(" ")[2]
    assert offline("diff", str(same), str(file)).stdout == "photographs of a destruction: 1 -> 3\n"
    broken = tmp_path / "broken.toml"
    broken.write_text(file.read_text(encoding="utf-8").replace('"destroy"', '"clear"', 1), encoding="utf-8")
    refused = offline("check", str(broken))
    assert refused.exit_code == 3
    assert "[invalid]" in refused.output

    seen = listening.run("policy", "preview", str(file), who=viewer)
    assert "photographs of a destruction: 1 -> 3" in seen.stdout
    assert "No standing record loses its effect." in seen.stdout
    adopt = ("policy", "adopt", str(file), "--reason", "decided by the board")
    assert listening.run(*adopt, who=viewer).exit_code == 3
    other = listening.run(*adopt, "--digest", "0" * 64, who=admin)
    assert other.exit_code == 3
    assert "not the one that was reviewed" in other.output
    taken = listening.run(*adopt, "--digest", digest, who=admin)
    assert taken.exit_code == 0, taken.output
    shown = listening.run("policy", "show", who=viewer)
    assert "sp-800-88:2, in force since" in shown.stdout
    assert "photographs 3" in shown.stdout
    assert listening.json("policy", "show", who=viewer)["sha256"] == digest
    kept = listening.run("policy", "export", who=viewer)
    assert kept.stdout == file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path_factory.mktemp("policy"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "body", [{}, {"document": {}, "file": "x"}, {"file": "x = "}, {"document": {"schema": []}}], ids=str
)
def test_a_preview_takes_a_document_or_a_file_and_says_what_is_wrong(world: HttpWorld, body: dict[str, object]) -> None:
    answer = world.call("POST", "/policies/previews", body, who=world.person(Role.VIEWER))
    assert problem(answer) == (422, "invalid")


def test_a_change_is_announced_asked_about_and_withdrawn(world: HttpWorld) -> None:
    custodian, viewer = world.person(Role.CUSTODIAN), world.person(Role.VIEWER)
    device = world.call("POST", "/devices", {"asset_tag": "AT-Q1"}, who=custodian).get_json()["id"]
    change = {"kind": "resale", "reason": "nobody needs it"}
    assert problem(world.call("POST", f"/devices/{device}/changes", change, who=viewer)) == (403, "forbidden")
    assert problem(world.call("POST", f"/devices/{device}/changes", {**change, "kind": "agent_silent"}, who=custodian)) == (
        422, "invalid-body",
    )  # fmt: skip
    past = {**change, "due": (world.clock.now() - dt.timedelta(days=1)).isoformat()}
    assert problem(world.call("POST", f"/devices/{device}/changes", past, who=custodian)) == (422, "invalid")
    asked = world.call("POST", f"/devices/{device}/changes", change, who=custodian)
    assert asked.status_code == 201, asked.text
    question = asked.get_json()
    listed = world.call("GET", "/questions?open=false", who=viewer).get_json()["items"]
    assert [item["id"] for item in listed] == [question["id"]], "never attached to anything: answered at once"
    assert question["answer"] == "gate_open"
    one = world.call("GET", f"/questions/{question['id']}", who=viewer)
    assert one.get_json()["steps"] == []
    late = world.call(
        "POST", f"/questions/{question['id']}/withdrawal", {"reason": "it stays with us"}, who=custodian,
        headers={"If-Match": asked.headers["ETag"]},
    )  # fmt: skip
    assert problem(late) == (409, "conflict")
