"""Balances, imports and exports by their addresses and by the commands: bodies, versions, problems, files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from inventory.cli import cli
from inventory.domain.roles import Role
from tests.support.http_world import HttpWorld, Person, problem
from tests.support.live_service import free_port

CSV = {"Content-Type": "text/csv"}
LINES = b"Asset tag,Serial number,Model\nBC-1,S1,EX-1\n,,\nBC-2,S2,\nBC-1,S3,\n"


@pytest.fixture
def custodian(world: HttpWorld) -> Person:
    return world.person(Role.CUSTODIAN)


def test_a_balance_is_drawn_up_and_refuses_to_close_with_every_reason(world: HttpWorld, custodian: Person) -> None:
    device = world.call("POST", "/devices", {"asset_tag": "LOST-1"}, who=custodian).get_json()["id"]
    answer = world.call("POST", "/balances", {"scope": "everything"}, who=custodian)
    assert (answer.status_code, answer.get_json()["counts"]["unknown"]) == (201, 1)
    path = answer.headers["Location"]
    page = world.call("GET", f"{path}/differences", who=custodian).get_json()["items"]
    assert {one["code"] for one in page if one["device"] == device} == {"declared-not-observed", "whereabouts-unknown"}
    assert problem(world.call("POST", f"{path}/closing", {"reason": "done"}, who=custodian)) == (
        428,
        "if-match-required",
    )
    tag = {"If-Match": answer.headers["ETag"]}
    refused = world.call("POST", f"{path}/closing", {"reason": "done"}, who=custodian, headers=tag)
    assert problem(refused) == (409, "conflict")
    assert {one["pointer"] for one in refused.get_json()["errors"]} >= {"declared-not-observed"}
    assert world.call("GET", "/balances?closed=true", who=custodian).get_json()["items"] == []


def test_an_import_goes_through_its_states(world: HttpWorld, custodian: Person) -> None:
    sent = world.call("POST", "/imports?name=list.csv", raw=LINES, who=custodian, headers=CSV)
    assert (sent.status_code, sent.get_json()["rows"]) == (201, 3)
    path = sent.headers["Location"]
    preview = world.call("GET", f"{path}/preview", who=custodian).get_json()
    assert preview[0]["facts"] == {"asset_tag": "BC-1", "serial": "S1", "model": "EX-1"}
    wrong = {"ready_made": "generic", "document": {}}
    tag = {"If-Match": sent.headers["ETag"]}
    assert problem(world.call("PUT", f"{path}/mapping", wrong, who=custodian, headers=tag)) == (422, "invalid")
    mapped = world.call("PUT", f"{path}/mapping", {"ready_made": "generic"}, who=custodian, headers=tag)
    assert mapped.get_json()["mapping"]["name"] == "Sanitrail table"
    assert problem(world.call("POST", f"{path}/check", who=custodian, headers=tag)) == (412, "stale-version")
    tried = world.call("POST", f"{path}/check", who=custodian, headers={"If-Match": mapped.headers["ETag"]})
    assert (tried.get_json()["state"], tried.get_json()["counts"]) == ("checked", {"new": 2, "refused": 1})
    (line,) = world.call("GET", f"{path}/lines?outcome=refused", who=custodian).get_json()["items"]
    assert (line["line"], line["problems"][0]["code"]) == (5, "twice")
    done = world.call("POST", f"{path}/run", who=custodian, headers={"If-Match": tried.headers["ETag"]})
    assert done.get_json()["state"] == "finished"
    assert world.call("GET", "/devices/BC-2", who=custodian).status_code == 200
    assert world.call("POST", f"{path}/steps", who=custodian).get_json()["state"] == "finished"


@pytest.mark.parametrize(
    ("raw", "headers", "wanted"),
    [
        (LINES, {"Content-Type": "application/json"}, (415, "unsupported-media-type")),
        (b"", CSV, (411, "length-required")),
        (b"Asset tag\n", CSV, (422, "invalid")),
        (b"\xff\xff\n1", CSV, (422, "invalid")),
    ],
)
def test_what_cannot_be_a_table_is_refused(
    world: HttpWorld, custodian: Person, raw: bytes, headers: dict[str, str], wanted: tuple[int, str]
) -> None:
    answer = world.call("POST", "/imports?name=x", raw=raw, who=custodian, headers=headers)
    assert problem(answer) == wanted


def test_a_table_is_taken_away_narrowed_and_by_who_may(world: HttpWorld, custodian: Person) -> None:
    answer = world.call("GET", "/exports/devices.csv?since=2030-01-01T00:00:00Z", who=custodian)
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=devices.csv"
    assert len(answer.data.splitlines()) == 1
    viewer = world.person(Role.VIEWER)
    assert "custody" not in world.call("GET", "/exports", who=viewer).get_json()
    assert problem(world.call("GET", "/exports/custody.jsonl", who=viewer)) == (403, "forbidden")
    assert problem(world.call("GET", "/exports/secrets.xlsx", who=custodian)) == (404, "not-found")


# -- the commands ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpWorld, str]]:
    port = free_port()
    served = HttpWorld(tmp_path_factory.mktemp("listening"), external_url=f"http://127.0.0.1:{port}")
    server = make_server("127.0.0.1", port, served.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield served, f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    served.close()


def run(url: tuple[HttpWorld, str], *arguments: str) -> Result:
    world, address = url
    env = {"SANITRAIL_CLIENT_SERVER": address, "SANITRAIL_CLIENT_TOKEN": world.person(Role.CUSTODIAN).token}
    return CliRunner().invoke(cli, list(arguments), env=env, catch_exceptions=False)


def test_the_import_command_tries_first_and_takes_over_what_is_good(url: tuple[HttpWorld, str], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(LINES)
    tried = run(url, "import", str(file), "--dry-run")
    assert tried.exit_code == 4
    assert "Line 5: Line 2 of this file has the same asset tag. [twice]" in tried.stdout
    assert "tried without effect" in tried.stdout
    assert len(_devices(url, tmp_path / "none.jsonl")) == 0
    done = run(url, "import", str(file), "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["counts"] == {"new": 2, "refused": 1}
    assert {one["asset_tag"] for one in _devices(url, tmp_path / "two.jsonl")} == {"BC-1", "BC-2"}


def test_the_import_command_reads_a_mapping_of_ones_own(url: tuple[HttpWorld, str], tmp_path: Path) -> None:
    file, mapping = tmp_path / "own.csv", tmp_path / "own.toml"
    file.write_text("Nr;Was\nBC-9;EX-9\n")
    columns = '[columns]\nasset_tag = "Nr"\nmodel = "Was"\n[fixed]\nsource = "own"\n'
    mapping.write_text(f'format = "sanitrail/import-mapping/1"\nname = "own"\n{columns}')
    done = run(url, "import", str(file), "--mapping", str(mapping))
    assert done.exit_code == 0, done.output
    assert "1 new; finished" in done.stdout


def test_the_export_command_never_overwrites(url: tuple[HttpWorld, str], tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    assert run(url, "export", "orders", "-o", str(file), "--since", "2026-01-01").exit_code == 0
    again = run(url, "export", "orders", "-o", str(file))
    assert (again.exit_code, "exists already" in again.output) == (3, True)


def _devices(url: tuple[HttpWorld, str], file: Path) -> list[Any]:
    assert run(url, "export", "devices", "--format", "jsonl", "-o", str(file)).exit_code == 0
    return [json.loads(line) for line in file.read_text().splitlines()]
