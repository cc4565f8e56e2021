"""What a request's signature must be before anything of the request is believed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from inventory.auth.signatures import COVERED_WITH_BODY, SKEW, SignatureRefused, SignedMessage, verify
from tests.support.signed_requests import AgentKey, Outgoing

NOW = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.UTC)
URL = "https://sanitrail.example.org/api/v1/agent/heartbeat"
BODY = b'{"a":1}'


def now() -> dt.datetime:
    return NOW


@pytest.fixture
def agent() -> AgentKey:
    return AgentKey()


def outgoing(method: str = "POST", body: bytes = BODY, url: str = URL) -> Outgoing:
    headers = {"content-type": "application/json"} if body else {}
    return Outgoing(method, url, headers, body)


def message(request: Outgoing) -> SignedMessage:
    return SignedMessage(request.method, request.url, dict(request.headers), request.body)


def accept(request: SignedMessage, agent: AgentKey) -> str:
    return verify(request, {agent.key_id: agent.private.public_key()}.get, now).nonce


def refuse(request: SignedMessage, agent: AgentKey) -> None:
    with pytest.raises(SignatureRefused):
        accept(request, agent)


def test_an_honest_request_is_accepted(agent: AgentKey) -> None:
    signed = agent.sign(outgoing(), created=NOW, nonce="0" * 24)
    verified = verify(message(signed), {agent.key_id: agent.private.public_key()}.get, now)
    assert (verified.key_id, verified.nonce, verified.created) == (agent.key_id, "0" * 24, NOW)


def test_a_key_of_another_kind_is_no_way_around_its_algorithm(agent: AgentKey) -> None:
    request = agent.sign(outgoing(), created=NOW)
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(SignatureRefused):
        verify(message(request), {agent.key_id: stranger}.get, now)


def test_an_honest_request_without_a_body_is_accepted(agent: AgentKey) -> None:
    accept(message(agent.sign(outgoing("GET", b""), created=NOW)), agent)


@pytest.mark.parametrize("offset", [-SKEW, SKEW, dt.timedelta(0)])
def test_a_clock_a_minute_off_is_accepted(agent: AgentKey, offset: dt.timedelta) -> None:
    accept(message(agent.sign(outgoing(), created=NOW + offset)), agent)


@pytest.mark.parametrize(
    "offset", [-SKEW - dt.timedelta(seconds=1), SKEW + dt.timedelta(seconds=1), dt.timedelta(days=1)]
)
def test_a_stale_or_early_request_is_refused(agent: AgentKey, offset: dt.timedelta) -> None:
    refuse(message(agent.sign(outgoing(), created=NOW + offset)), agent)


def test_an_expired_signature_is_refused(agent: AgentKey) -> None:
    signed = agent.sign(outgoing(), created=NOW - dt.timedelta(seconds=20), expires=NOW - dt.timedelta(seconds=10))
    refuse(message(signed), agent)


def _other_signature(field: str) -> str:
    """The field with one character of its value exchanged: `sig1=:BASE64:`."""
    label, _, value = field.partition("=:")
    return f"{label}=:{'B' if value[0] == 'A' else 'A'}{value[1:]}"


def test_each_altered_part_is_refused(agent: AgentKey) -> None:
    good = message(agent.sign(outgoing(), created=NOW))
    accept(good, agent)
    altered = [
        replace(good, body=b'{"a":2}'),
        replace(good, body=b""),
        replace(good, url=URL + "?x=1"),
        replace(good, url=URL.replace("heartbeat", "leases")),
        replace(good, url=URL.replace("sanitrail.", "elsewhere.")),
        replace(good, url=URL.replace("https:", "http:")),
        replace(good, method="PUT"),
        replace(good, headers={**good.headers, "content-type": "text/plain"}),
        replace(good, headers={**good.headers, "Signature": _other_signature(good.headers["Signature"])}),
        replace(good, headers={name: value for name, value in good.headers.items() if name != "Signature"}),
        replace(good, headers={name: value for name, value in good.headers.items() if name != "Content-Digest"}),
    ]
    for request in altered:
        refuse(request, agent)


@pytest.mark.parametrize("missing", COVERED_WITH_BODY)
def test_a_signature_that_leaves_a_part_out_is_refused(agent: AgentKey, missing: str) -> None:
    covered = [name for name in COVERED_WITH_BODY if name != missing]
    refuse(message(agent.sign(outgoing(), created=NOW, covered=covered)), agent)


def test_a_body_added_to_a_signed_get_is_refused(agent: AgentKey) -> None:
    refuse(replace(message(agent.sign(outgoing("GET", b""), created=NOW)), body=b"{}"), agent)


@pytest.mark.parametrize("tag", [None, "sanitrail-agent-2", "other"])
def test_a_signature_made_for_something_else_is_refused(agent: AgentKey, tag: str | None) -> None:
    refuse(message(agent.sign(outgoing(), created=NOW, tag=tag)), agent)


def test_an_unknown_key_is_refused(agent: AgentKey) -> None:
    refuse(message(AgentKey().sign(outgoing(), created=NOW)), agent)


def test_another_key_under_a_known_name_is_refused(agent: AgentKey) -> None:
    refuse(message(AgentKey().sign(outgoing(), created=NOW, name=agent.key_id)), agent)


@pytest.mark.parametrize("nonce", ["", "short", "x" * 65, "spaces are not good"])
def test_a_signature_without_a_proper_nonce_is_refused(agent: AgentKey, nonce: str) -> None:
    refuse(message(agent.sign(outgoing(), created=NOW, nonce=nonce)), agent)


def test_two_signatures_are_refused(agent: AgentKey) -> None:
    first = agent.sign(outgoing(), created=NOW)
    second = agent.sign(outgoing(), created=NOW)
    for name in ("Signature-Input", "Signature"):
        first.headers[name] = f"{first.headers[name]}, {second.headers[name].replace('pyhms=', 'other=', 1)}"
    refuse(message(first), agent)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Signature": "a=:AAAA:"},
        {"Signature": "\xff", "Signature-Input": "\xff"},
        {"Signature": "a=:AAAA:", "Signature-Input": 'a=("@method");created=1;keyid="k"'},
        {"Signature": "a=:AAAA:", "Signature-Input": 'a=("@method");created="soon";keyid="k";tag="sanitrail-agent-1"'},
        {"Signature": "a=:AAAA:", "Signature-Input": f'a=();created={10**14};keyid="k";tag="sanitrail-agent-1"'},
        {"Signature": "a=1", "Signature-Input": "a=1"},
    ],
)
def test_garbage_instead_of_a_signature_is_refused(agent: AgentKey, headers: dict[str, str]) -> None:
    refuse(SignedMessage("GET", URL, headers, b""), agent)
