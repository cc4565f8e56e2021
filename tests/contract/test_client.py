"""The client against the real service on loopback: typed answers, one act for one request, and any way to show who asks."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from client import Outgoing, Refused, Service, Token, Transport, Unreachable, replies
from inventory.contract.v1.agents import EnrolmentReply
from inventory.contract.v1.endpoints import AGENT_ENROLMENT, ENROLMENTS, PREFIX
from inventory.contract.v1.lifecycle import DeviceDeclare, DeviceEvent, DeviceEvents
from inventory.contract.v1.organisation import SiteCreate
from inventory.domain.roles import Role
from tests.support import signed_requests
from tests.support.console_world import LateApplication, serving
from tests.support.http_world import HttpWorld


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpWorld, str]]:
    late = LateApplication()
    with serving(late) as address:
        world = HttpWorld(tmp_path_factory.mktemp("client"), base=address, external_url=address)
        late.app = world.app
        yield world, address
        world.close()


def service(served: tuple[HttpWorld, str], *roles: Role) -> Service:
    world, address = served
    return Service(address, Token(world.person(*roles).token))


def test_a_device_is_declared_read_and_changed(served: tuple[HttpWorld, str]) -> None:
    custodian = service(served, Role.CUSTODIAN)
    made = custodian.declare(DeviceDeclare(asset_tag="AT-1", serial="S-1", source="shelf"))
    assert custodian.device("AT-1").id == made.id
    moved = custodian.change_state(made, DeviceEvent(event="place_in_service", reason="It is installed."))
    assert (moved.state, moved.version > made.version) == ("in_service", True)
    with pytest.raises(Refused) as stale:
        custodian.change_state(made, DeviceEvent(event="retire", reason="An old reading of it."))
    assert stale.value.code == "stale-version"


def test_a_list_is_read_page_after_page(served: tuple[HttpWorld, str]) -> None:
    custodian = service(served, Role.CUSTODIAN)
    for number in range(3):
        custodian.declare(DeviceDeclare(asset_tag=f"PG-{number}", source="shelf"))
    listed = list(custodian.every("/devices", replies.DeviceSummary, text="PG-"))
    assert [one.asset_tag for one in listed] == ["PG-0", "PG-1", "PG-2"]


def test_many_devices_are_changed_line_by_line(served: tuple[HttpWorld, str]) -> None:
    custodian = service(served, Role.CUSTODIAN)
    number = custodian.declare(DeviceDeclare(asset_tag="MN-1", source="shelf")).id
    events = DeviceEvents(devices=(number, "D-999999"), event="report_missing", reason="Not on the shelf.")
    first, second = custodian.change_states(events)
    assert (first.done, first.state, second.code) == (True, "missing", "not-found")


def test_a_refusal_is_the_services_problem_with_its_code(served: tuple[HttpWorld, str]) -> None:
    with pytest.raises(Refused) as refused:
        service(served, Role.VIEWER).add_site(SiteCreate(name="Lisbon"))
    assert (refused.value.code, refused.value.problem.status) == ("forbidden", 403)


def test_an_agent_shows_who_it_is_by_signing_where_a_script_carries_a_token(served: tuple[HttpWorld, str]) -> None:
    """The proof sees method, address and body: all that RFC 9421 signs."""
    world, address = served
    key = signed_requests.AgentKey()
    _enrol(world, key)

    def signed(request: Outgoing) -> Mapping[str, str]:
        prepared = signed_requests.Outgoing(request.method, request.url, dict(request.headers), request.body or b"")
        before = dict(prepared.headers)
        key.sign(prepared, created=world.clock.now())
        return {name: value for name, value in prepared.headers.items() if name not in before}

    path = AGENT_ENROLMENT.removeprefix(PREFIX)
    assert Service(address, signed).call("GET", path, EnrolmentReply).status == "pending"
    with pytest.raises(Refused) as stranger:
        Service(address).call("GET", path, EnrolmentReply)
    assert stranger.value.problem.status == 401


def _enrol(world: HttpWorld, key: signed_requests.AgentKey) -> None:
    made = world.call("POST", "/enrolment-tokens", {"note": "client"}, who=world.administrator).get_json()
    message = {
        "token": made["secret"],
        "public_key": base64.b64encode(key.public_der).decode(),
        "host_name": "client-1",
        "machine_id_sha256": "1" * 64,
        "agent_version": "0.1.0",
        "kernel": "6.1",
    }
    answer = world.signed(key, "POST", ENROLMENTS, message)
    assert answer.status_code in {200, 201}, answer.text


REPLIES: list[tuple[type[BaseModel], str, str]] = [
    (replies.Device, "get", "/devices/{device}"),
    (replies.Order, "get", "/orders/{order}"),
    (replies.Case, "get", "/cases/{case}"),
]
ROWS: list[tuple[type[BaseModel], str]] = [
    (replies.DeviceSummary, "/devices"),
    (replies.OrderSummary, "/orders"),
    (replies.Case, "/cases"),
    (replies.ExceptionEntry, "/exceptions"),
    (replies.Location, "/locations"),
    (replies.Site, "/sites"),
    (replies.Team, "/teams"),
]


@pytest.fixture(scope="module")
def document(served: tuple[HttpWorld, str]) -> dict[str, Any]:
    found: dict[str, Any] = served[0].call("GET", "/openapi.json").get_json()
    return found


def schema_of(document: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
    """What the document says the address answers; of a list, what it says of a row."""
    answers = document["paths"][f"{PREFIX}{path}"][method]["responses"]
    schema = next(answers[code] for code in ("200", "201") if code in answers)["content"]["application/json"]["schema"]
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        elif "items" in schema:
            schema = schema["items"]
        elif "items" in schema.get("properties", {}):
            schema = schema["properties"]["items"]
        else:
            return dict(schema)


@pytest.mark.parametrize(("model", "path"), [*((model, path) for model, _, path in REPLIES), *ROWS])
def test_what_the_client_reads_is_what_the_document_promises(
    document: dict[str, Any], model: type[BaseModel], path: str
) -> None:
    promised = schema_of(document, path)["properties"]
    assert set(model.model_fields) <= set(promised)
    for name, field in model.model_fields.items():
        nullable = {"type": "null"} in promised[name].get("anyOf", ())
        assert nullable <= (type(None) in getattr(field.annotation, "__args__", ())), f"{name} may be null"


# -- a service that fails ---------------------------------------------------------------------------------------------------


class Faulty(BaseHTTPRequestHandler):
    """Answers what the test told it to, and remembers what it was asked."""

    answers: ClassVar[list[tuple[int, str, bytes]]] = []
    asked: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        self.asked.append(self.headers["Idempotency-Key"])
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self._answer()

    def _answer(self) -> None:
        status, kind, body = self.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def faulty() -> Iterator[str]:
    Faulty.answers, Faulty.asked = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_create_whose_answer_was_lost_is_asked_again_with_the_same_key(faulty: str) -> None:
    Faulty.answers[:] = [(502, "text/html", b"<html>"), (201, "application/json", b"{}")]
    Transport(faulty, wait=lambda _: None).ask("POST", "/api/v1/devices", b"{}", creates=True)
    first, second = Faulty.asked
    assert first == second is not None


def test_an_update_is_never_asked_twice(faulty: str) -> None:
    Faulty.answers[:] = [(502, "text/html", b"<html>")]
    with pytest.raises(Unreachable, match="look before asking again") as lost:
        Transport(faulty, wait=lambda _: None).ask("POST", "/api/v1/devices/D-1/move", b"{}")
    assert (lost.value.changed, len(Faulty.asked)) == ("maybe", 1)


def test_a_proof_is_not_carried_to_another_address(faulty: str) -> None:
    Faulty.answers[:] = [(302, "text/html", b"")] * 3
    with pytest.raises(Unreachable, match="Nothing has changed"):
        Transport(faulty, Token("secret"), wait=lambda _: None).ask("GET", "/api/v1/devices")
    assert set(Faulty.asked) == {"/api/v1/devices"}


@pytest.mark.parametrize("server", ["http://example.org", "ftp://x", "https://x/api", "x", "https://x?y=1"])
def test_a_token_crosses_no_network_in_clear(server: str) -> None:
    with pytest.raises(ValueError, match="the server"):
        Transport(server, Token("secret"))


def test_a_token_is_not_printed() -> None:
    assert "secret" not in repr(Token("secret"))
