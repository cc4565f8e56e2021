"""`sanitrail` against a listening service: from the first administrator to an approved, leased order."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from inventory.cli import cli
from inventory.cli.client import Client
from inventory.contract.v1 import endpoints
from inventory.contract.v1.orders import LeaseReply
from inventory.domain.roles import Role
from reports.keys import FileSigner
from tests.integration.inventory_http.test_agents import enrol
from tests.support.http_world import PASSWORD, HttpWorld, MovableClock, Person
from tests.support.live_service import free_port
from tests.support.signed_requests import AgentKey

FINGERPRINT = "ab" * 32
DEVICE: dict[str, Any] = {
    "path": "/dev/sdx",
    "identity": {
        "kind": "ata", "vendor": "ExampleCo", "model": "EX-1", "serial": "S1", "wwn": None, "eui64": None, "nguid": None,
        "capacity_bytes": 1 << 30, "logical_block_bytes": 512, "fingerprint": FINGERPRINT,
    },
    "firmware": "1", "media": "magnetic", "transport": "sata", "slot": None, "removable": False,
    "hidden_capacity": "no", "obstacles": [],
}  # fmt: skip


@dataclass
class Listening:
    """A world that listens, and commands run against it."""

    world: HttpWorld
    url: str
    folder: Path
    keys: dict[str, Path] = field(default_factory=dict)

    def run(self, *arguments: str, who: Person | None = None, text: str = "", server: str | None = None) -> Result:
        env = {"SANITRAIL_CLIENT_SERVER": server or self.url, "SANITRAIL_CLIENT_TOKEN": who.token if who else ""}
        return CliRunner().invoke(cli, list(arguments), input=text, env=env, catch_exceptions=False)

    def json(self, *arguments: str, who: Person) -> Any:  # noqa: ANN401 - any JSON
        result = self.run(*arguments, "--json", who=who)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    clock = MovableClock(dt.datetime.now(tz=dt.UTC).replace(microsecond=0))
    world = HttpWorld(tmp_path, clock=clock, external_url=url, base=url)
    server = make_server("127.0.0.1", port, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Listening(world, url, tmp_path)
    server.shutdown()
    thread.join()
    server.server_close()
    world.close()


def approvers(service: Listening, count: int = 2) -> list[Person]:
    """People with a registered, confirmed key each, and a roster they have signed."""
    found = []
    for number in range(count):
        somebody = service.world.newcomer({Role.APPROVER})
        file = service.folder / f"approver-{number}.pem"
        made = json.loads(service.run("approver-key", "new", str(file), "--json").stdout)
        service.keys[somebody.ref] = file
        registered = service.run("approver-key", "register", "--key", str(file), who=somebody)
        assert registered.exit_code == 0, registered.output
        confirmed = service.world.call(
            "POST", f"/approver-keys/{made['key_id']}/confirmation", who=service.world.administrator
        )
        assert confirmed.status_code == 200, confirmed.text
        found.append(somebody)
    ids = [FileSigner.load(service.keys[person.ref]).key_id for person in found]
    proposed = service.world.call(
        "POST",
        "/roster/proposals",
        {"key_ids": ids, "quorum": 2, "minimum_approvals": 2},
        who=service.world.administrator,
    )
    assert proposed.status_code == 201, proposed.text
    for person in found:
        signed = service.run("roster", "sign", "--key", str(service.keys[person.ref]), "--yes", who=person)
        assert signed.exit_code == 0, signed.output
    assert service.world.call("GET", "/roster", who=found[0]).get_json()["version"] == 1
    return found


def order(service: Listening) -> tuple[str, AgentKey]:
    """An order for a retired device that an agent has seen."""
    world = service.world
    agent = enrol(world)
    seen = {"taken": world.clock.now().isoformat(), "devices": [DEVICE], "paths": []}
    observed = world.signed(agent.key, "PUT", endpoints.AGENT_OBSERVATION, seen)
    assert observed.status_code == 200, observed.text
    number = observed.get_json()["devices"][FINGERPRINT]
    officer = world.person(Role.PRIVACY_OFFICER)
    data_set = {"name": "CRM", "category": "moderate", "owner": "Sales"}
    assert world.call("POST", "/data-sets", data_set, who=officer).status_code == 201
    since = (world.clock.now() - dt.timedelta(days=90)).isoformat()
    holding = {"device": number, "data_set": "CRM", "kind": "primary", "since": since}
    held = world.call("POST", "/holdings", holding, who=officer)
    assert held.status_code == 201, held.text
    keeper = world.person(Role.CUSTODIAN, Role.OPERATOR)
    etag = world.call("GET", f"/devices/{number}", who=keeper).headers["ETag"]
    retired = world.call(
        "POST",
        f"/devices/{number}/events",
        {"event": "retire", "reason": "old"},
        who=keeper,
        headers={"If-Match": etag},
    )
    assert retired.status_code == 200, retired.text
    plan = {"method": "clear", "technique": "overwrite", "pattern_set": "zeros", "verification": "full"}
    made = world.call("POST", "/orders", {"device": number, "plan": plan, "reason": "lease ends"}, who=keeper)
    assert made.status_code == 201, made.text
    ident: str = made.get_json()["id"]
    return ident, agent.key


def test_two_approvers_approve_with_their_own_files_and_the_agent_gets_its_lease(listening: Listening) -> None:
    first, second = approvers(listening)
    number, agent = order(listening)
    waiting = listening.world.signed(agent, "POST", endpoints.AGENT_LEASES, {})
    assert LeaseReply.model_validate_json(waiting.data).lease is None
    for person, state in ((first, "requested"), (second, "approved")):
        done = listening.run("approve", number, "--key", str(listening.keys[person.ref]), "--yes", "--json", who=person)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["state"] == state
        assert "EX-1" in done.stderr
        assert "clear by overwrite" in done.stderr
    lease = LeaseReply.model_validate_json(listening.world.signed(agent, "POST", endpoints.AGENT_LEASES, {}).data).lease
    assert lease is not None
    assert len(lease.approvals) == 2


def test_nothing_is_signed_without_a_yes(listening: Listening) -> None:
    (first, _) = approvers(listening)
    number, _ = order(listening)
    declined = listening.run("approve", number, "--key", str(listening.keys[first.ref]), who=first, text="n\n")
    assert declined.exit_code == 1
    assert listening.world.call("GET", f"/orders/{number}", who=first).get_json()["approvals_given"] == 0


def test_another_persons_key_approves_nothing(listening: Listening) -> None:
    first, second = approvers(listening)
    number, _ = order(listening)
    refused = listening.run("approve", number, "--key", str(listening.keys[second.ref]), "--yes", who=first)
    assert refused.exit_code == 3
    assert "roster" in refused.output


def swap_payload(ready: dict[str, Any]) -> None:
    sealed = json.loads(base64.b64decode(ready["payload"]))
    sealed["device_label"] = "a harmless disk"
    ready["payload"] = base64.b64encode(json.dumps(sealed).encode()).decode()


def swap_digest(ready: dict[str, Any]) -> None:
    ready["body"]["order_sha256"] = "0" * 64


def swap_both_digests(ready: dict[str, Any]) -> None:
    ready["order_sha256"] = ready["body"]["order_sha256"] = "0" * 64


def no_order(ready: dict[str, Any]) -> None:
    ready["payload"] = base64.b64encode(b"{}").decode()


@pytest.mark.parametrize("lie", [swap_payload, swap_digest, swap_both_digests, no_order])
def test_a_service_that_shows_one_order_and_wants_another_signed_is_refused(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, lie: Callable[[dict[str, Any]], None]
) -> None:
    (first, _) = approvers(listening)
    number, _ = order(listening)
    honest = Client.get

    def lying(client: Client, path: str) -> Any:  # noqa: ANN401 - as the method it stands for
        reply = honest(client, path)
        if path.endswith("/signing"):
            lie(reply)
        return reply

    monkeypatch.setattr(Client, "get", lying)
    refused = listening.run("approve", number, "--key", str(listening.keys[first.ref]), "--yes", who=first)
    assert refused.exit_code == 3
    assert "Do not approve" in refused.output
    assert listening.world.call("GET", f"/orders/{number}", who=first).get_json()["approvals_given"] == 0


def test_people_tokens_and_enrolment_tokens_are_made_from_the_command_line(listening: Listening) -> None:
    boss = listening.world.administrator
    made = listening.json("people", "add", "ada", "--name", "Ada", "--role", "viewer", "--role", "operator", who=boss)
    assert made["person"]["login"] == "ada"
    listed = listening.json("people", "list", who=boss)
    assert "ada" in {person["login"] for person in listed}
    assert len(listening.run("enrol-token", who=boss).stdout.strip()) > 20
    entered = listening.world.call("POST", "/welcome", {"secret": made["link"]["secret"], "password": PASSWORD})
    assert entered.status_code == 201
    token = listening.run("token", "create", "mine", "--role", "viewer", "--login", "ada", text=PASSWORD + "\n")
    assert token.exit_code == 0, token.output
    secret = token.stdout.strip().splitlines()[-1]
    reply = listening.world.call("GET", "/session", headers={"Authorization": f"Bearer {secret}"})
    assert reply.get_json()["roles"] == ["viewer"]


def test_refusals_are_sentences_with_their_code(listening: Listening) -> None:
    nobody = listening.run("people", "list")
    assert (nobody.exit_code, "not-signed-in" in nobody.output) == (3, True)
    viewer = listening.world.person(Role.VIEWER)
    forbidden = listening.run("enrol-token", who=viewer)
    assert (forbidden.exit_code, "forbidden" in forbidden.output) == (3, True)


def test_a_token_is_not_sent_in_clear_to_another_machine(listening: Listening) -> None:
    result = listening.run("people", "list", who=listening.world.administrator, server="http://sanitrail.example.org")
    assert result.exit_code == 2
    assert "https" in result.output


def test_a_service_that_is_not_there_is_unreachable(listening: Listening) -> None:
    result = listening.run("people", "list", server=f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 5


def test_a_key_file_is_never_overwritten(listening: Listening) -> None:
    file = listening.folder / "mine.pem"
    assert listening.run("approver-key", "new", str(file)).exit_code == 0
    before = file.read_bytes()
    assert listening.run("approver-key", "new", str(file)).exit_code == 3
    assert file.read_bytes() == before
    assert file.stat().st_mode & 0o777 == 0o600


def test_how_far_somebody_sees_is_said_from_the_command_line(listening: Listening) -> None:
    boss = listening.world.administrator
    site = listening.world.call("POST", "/sites", {"name": "Lisbon"}, who=boss).get_json()["id"]
    made = listening.json("people", "add", "sofia", "--name", "Sofia", "--role", "custodian", "--site", site, who=boss)
    assert made["person"]["sites"] == [site]
    ref = made["person"]["ref"]
    wider = listening.json("people", "scope", ref, "--everywhere", "--reason", "She travels.", who=boss)
    assert wider["sees"].startswith("Sees everything")
