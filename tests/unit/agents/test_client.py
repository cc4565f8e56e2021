"""Every request signed, every failure one of two families, every reply bounded and read strictly."""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from agents.backoff import Backoff, jittered
from agents.client import Client
from agents.clock import ClockWatch, SystemClock
from agents.errors import (
    AgentError,
    Conflict,
    NotEnrolled,
    Rejected,
    ReplyUnreadable,
    RequestRefused,
    Retry,
    SchemaRefused,
    ServerBusy,
    SignatureRefused,
    Unreachable,
)
from agents.link import MAX_REPLY, Reply, Request
from agents.network import Network
from agents.signing import sign_request
from inventory.auth.signatures import SignatureRefused as ServiceRefuses
from inventory.auth.signatures import SignedMessage, verify
from inventory.contract.v1.agents import Heartbeat
from reports.keys import FileSigner, KeyKind
from tests.support.fake_service import FakeService

KEY = FileSigner.generate()
BASE = "https://sanitrail.example"
Answer = Callable[[httpx2.Request], httpx2.Response]


def client(answer: Answer, **options: Any) -> Client:  # noqa: ANN401 - as Client
    watch = ClockWatch(SystemClock(), 120.0)
    settings: dict[str, Any] = {"connect_timeout": 1.0, "reply_timeout": 5.0, **options}
    return Client(BASE, KEY, watch, Network(transport=httpx2.MockTransport(answer), **settings))


class Unused:
    """A link nobody may use."""

    def exchange(self, request: Request) -> Reply:
        raise AssertionError(request)

    def close(self) -> None: ...


def replying(status: int, body: object = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _request: httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(data))


def problem(status: int, code: str) -> Answer:
    document = {
        "type": f"urn:sanitrail:problem:{code}",
        "title": "No",
        "status": status,
        "detail": "Because.",
        "code": code,
    }
    return replying(status, document)


# --- signatures -------------------------------------------------------------------------------------------------------


def seen_by_the_service(request: httpx2.Request) -> SignedMessage:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedMessage(method=request.method, url=str(request.url), headers=headers, body=request.content)


def verified(message: SignedMessage) -> str:
    return verify(message, {KEY.key_id: KEY.verifying_key.key}.get, lambda: dt.datetime.now(dt.UTC)).nonce


def captured(call: Callable[[Client], object]) -> httpx2.Request:
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(503, stream=httpx2.ByteStream(b""))

    with pytest.raises(Retry):
        call(client(answer))
    return requests[0]


HEARTBEAT = Heartbeat(
    agent_version="1", boot_id="b", time=dt.datetime.now(dt.UTC), running=(), outbox=0, checkpoint=None
)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.heartbeat(HEARTBEAT),
        lambda c: c.lease(),
        lambda c: c.enrolment(),
        lambda c: c.rosters(3),
        lambda c: c.consistency(1, 2),
        lambda c: c.checkpoint(),
        lambda c: c.trust_roots(),
    ],
    ids=["post", "post-without-fields", "get", "get-with-query", "get-with-two", "get-text", "get-public"],
)
def test_the_services_own_verification_accepts_every_request(call: Callable[[Client], object]) -> None:
    assert verified(seen_by_the_service(captured(call)))


def test_no_two_requests_share_a_nonce() -> None:
    nonces = {verified(seen_by_the_service(captured(lambda c: c.lease()))) for _ in range(20)}
    assert len(nonces) == 20


@pytest.mark.parametrize("what", ["method", "url", "query", "body", "type", "created"])
def test_nothing_can_be_changed_on_the_way(what: str) -> None:
    message = seen_by_the_service(captured(lambda c: c.heartbeat(HEARTBEAT)))
    headers = dict(message.headers)
    changes: dict[str, dict[str, Any]] = {
        "method": {"method": "PUT"},
        "url": {"url": message.url.replace("sanitrail.example", "other.example")},
        "query": {"url": message.url + "?again=1"},
        "body": {"body": message.body.replace(b'"outbox":0', b'"outbox":1')},
        "type": {"headers": {**headers, "content-type": "text/plain"}},
        "created": {
            "headers": {**headers, "signature-input": headers["signature-input"].replace("created=1", "created=2")}
        },
    }
    with pytest.raises(ServiceRefuses):
        verified(SignedMessage(**{**vars(message), **changes[what]}))


def test_a_request_of_an_hour_ago_is_stale() -> None:
    request = httpx2.Request("GET", f"{BASE}/api/v1/agent/enrolment")
    sign_request(request, None, KEY, dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    with pytest.raises(ServiceRefuses):
        verified(seen_by_the_service(request))


# --- what comes back --------------------------------------------------------------------------------------------------

FAILURES: list[tuple[str, Answer, type[AgentError]]] = [
    ("schema", problem(422, "invalid-body"), SchemaRefused),
    ("malformed", problem(400, "malformed-json"), SchemaRefused),
    ("too-large", problem(413, "body-too-large"), SchemaRefused),
    ("too-large-for-proxy", replying(413, b"<html>"), SchemaRefused),
    ("signature", problem(401, "signature-refused"), SignatureRefused),
    ("revoked", problem(401, "not-signed-in"), NotEnrolled),
    ("pending", problem(403, "agent-not-trusted"), NotEnrolled),
    ("forbidden", problem(403, "forbidden"), RequestRefused),
    ("missing", problem(404, "not-found"), RequestRefused),
    ("conflict", problem(409, "illegal-transition"), Conflict),
    ("replayed", problem(409, "replayed"), Conflict),
    ("busy", problem(503, "busy"), ServerBusy),
    ("limited", problem(429, "too-many-requests"), ServerBusy),
    ("defect", replying(500, b"oops"), ServerBusy),
    ("gateway", replying(502, b"<html>"), ServerBusy),
    ("login-page", replying(401, b"<html>"), ReplyUnreadable),
    ("wrong-service", replying(404, b"<html>"), ReplyUnreadable),
    ("redirect", replying(302, b"", location="https://evil.example/"), ReplyUnreadable),
    ("not-json", replying(200, b"<html>"), ReplyUnreadable),
    ("other-json", replying(200, {"lease": None, "and": 1}), ReplyUnreadable),
    ("duplicate-key", replying(200, b'{"lease": null, "lease": null}'), ReplyUnreadable),
    ("list", replying(200, []), ReplyUnreadable),
    ("empty", replying(200, b""), ReplyUnreadable),
    ("compressed", replying(200, b"\x1f\x8b", **{"content-encoding": "gzip"}), ReplyUnreadable),
    ("endless", replying(200, b" " * (MAX_REPLY + 1)), ReplyUnreadable),
]


@pytest.mark.parametrize(("answer", "kind"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_every_failure_is_a_retry_or_a_rejection(answer: Answer, kind: type[AgentError]) -> None:
    with pytest.raises(AgentError) as failed:
        client(answer).lease()
    assert type(failed.value) is kind
    assert isinstance(failed.value, Retry) != isinstance(failed.value, Rejected)


def _transport_failures() -> Iterator[type[httpx2.RequestError]]:
    waiting = [httpx2.RequestError]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting.extend(kind.__subclasses__())


@pytest.mark.parametrize("kind", sorted(set(_transport_failures()), key=str), ids=str)
def test_whatever_the_transport_raises_is_unreachable(kind: type[httpx2.RequestError]) -> None:
    def fail(request: httpx2.Request) -> httpx2.Response:
        raise kind("it broke", request=request)

    with pytest.raises(Unreachable):
        client(fail).lease()


def test_an_answer_that_trickles_is_given_up() -> None:
    class Clock(SystemClock):
        moment = 0.0

        def monotonic(self) -> float:
            self.moment += 3.0
            return self.moment

    class Trickle(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" "

    clock = Clock()
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, stream=Trickle()))
    link = Network(connect_timeout=1.0, reply_timeout=10.0, transport=transport, monotonic=clock.monotonic)
    slow = Client(BASE, KEY, ClockWatch(clock, 120.0), link)
    with pytest.raises(Unreachable, match="did not end"):
        slow.lease()


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    pulled = 0

    class Endless(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            nonlocal pulled
            for _ in range(100):
                pulled += 1 << 20
                yield b" " * (1 << 20)

    with pytest.raises(ReplyUnreadable, match="larger"):
        client(lambda _request: httpx2.Response(200, stream=Endless())).lease()
    assert pulled <= MAX_REPLY + (1 << 20)


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    watch = ClockWatch(SystemClock(), 120.0)
    alone = Client(f"http://127.0.0.1:{port}", KEY, watch, Network(connect_timeout=1.0, reply_timeout=2.0))
    with pytest.raises(Unreachable):
        alone.lease()
    alone.close()


def test_proxies_and_authorities_of_the_environment_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    service = FakeService()
    server = service.serve()
    try:
        watch = ClockWatch(SystemClock(), 120.0)
        direct = Client(service.base, KEY, watch, Network(connect_timeout=2.0, reply_timeout=5.0))
        try:
            assert direct.checkpoint().startswith(service.world.log.checkpoint.text)
        finally:
            direct.close()
    finally:
        server.shutdown()
        server.server_close()


def test_plain_http_to_another_machine_is_not_even_prepared() -> None:
    with pytest.raises(ValueError, match="https"):
        Client("http://sanitrail.example", KEY, ClockWatch(SystemClock(), 1.0), Unused())


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("https://Sanitrail.example:443", "https://sanitrail.example/"),
        ("https://sanitrail.example:8443", "https://sanitrail.example:8443/"),
        ("http://[::1]:80", "http://[::1]/"),
        ("https://löschen.example", "https://xn--lschen-wxa.example/"),
    ],
)
def test_what_is_signed_is_the_address_that_is_asked(server: str, address: str) -> None:
    asked: list[httpx2.Request] = []
    signed: list[Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(503, stream=httpx2.ByteStream(b""))

    class Watched(Network):
        def exchange(self, request: Request, seconds: float | None = None) -> Reply:
            signed.append(request)
            return super().exchange(request, seconds)

    link = Watched(connect_timeout=1.0, reply_timeout=1.0, transport=httpx2.MockTransport(answer))
    with pytest.raises(Retry):
        Client(server, KEY, ClockWatch(SystemClock(), 120.0), link).lease()
    assert str(asked[0].url) == signed[0].url
    assert signed[0].url.startswith(address)
    assert verified(seen_by_the_service(asked[0]))


def test_a_proof_for_other_sizes_is_not_the_one_asked_for() -> None:
    with pytest.raises(ReplyUnreadable):
        client(replying(200, {"old": 1, "new": 3, "hashes": []})).consistency(1, 2)


def test_retry_after_is_heard_in_seconds_and_as_a_date() -> None:
    with pytest.raises(ServerBusy) as busy:
        client(replying(503, b"", **{"retry-after": "7"})).lease()
    assert busy.value.after == 7.0
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    with pytest.raises(ServerBusy) as busy:
        client(replying(503, b"", **{"retry-after": soon.strftime("%a, %d %b %Y %H:%M:%S GMT")})).lease()
    assert busy.value.after is not None
    assert 50 < busy.value.after <= 60
    with pytest.raises(ServerBusy) as busy:
        client(replying(503, b"", **{"retry-after": "a while"})).lease()
    assert busy.value.after is None


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_the_kind_of_the_key_decides_how_a_request_is_signed(kind: KeyKind) -> None:
    key, request = FileSigner.generate(kind), httpx2.Request("POST", f"{BASE}/api", content=b"x")
    request.headers["content-type"] = "text/plain"
    sign_request(request, b"x", key, dt.datetime.now(dt.UTC))
    seen = verify(
        seen_by_the_service(request), {key.key_id: key.verifying_key.key}.get, lambda: dt.datetime.now(dt.UTC)
    )
    assert seen.key_id == key.key_id


def test_a_refused_signature_names_the_clocks_when_they_differ() -> None:
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    document = {"type": "x", "title": "No", "status": 401, "detail": "No.", "code": "signature-refused"}
    answer = replying(401, document, date=yesterday.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    with pytest.raises(SignatureRefused, match=r"1 day.* ahead of the service's"):
        client(answer).lease()


# --- pauses -----------------------------------------------------------------------------------------------------------


def test_pauses_grow_to_their_ceiling_with_full_jitter() -> None:
    asked: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    backoff = Backoff(2.0, 30.0, draw)
    assert [backoff.failed() for _ in range(6)] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert {low for low, _ in asked} == {0.0}
    backoff.succeeded()
    assert backoff.failed() == 2.0


def test_a_pause_is_never_shorter_than_asked_nor_absurdly_long() -> None:
    backoff = Backoff(2.0, 30.0, lambda low, _high: low)
    assert backoff.failed(after=10.0) == 10.0
    assert backoff.failed(after=86_400.0) == 30.0


def test_many_failures_do_not_overflow() -> None:
    backoff = Backoff(2.0, 30.0, lambda _low, high: high)
    backoff.failures = 10_000
    assert backoff.failed() == 30.0


def test_regular_messages_drift_apart() -> None:
    assert jittered(10.0, lambda low, _high: low) == pytest.approx(9.0)
    assert jittered(10.0, lambda _low, high: high) == pytest.approx(11.0)
