"""What a request's signature must be before anything of the request is believed."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agents.signing import sign_request
from inventory.auth.signatures import (
    COVERED_WITH_BODY,
    SKEW,
    SignatureRefused,
    SignedMessage,
    UsualForm,
    VerifiedSignature,
    verify,
    verify_usual,
)
from reports.keys import key_id
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


# -- the usual form, without the library -------------------------------------------------------------------------------


def usual(request: SignedMessage, agent: AgentKey) -> VerifiedSignature | None:
    """What `verify_usual` says of a POST of JSON; it is asked about nothing else."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    form = UsualForm(*(headers.get(name, "") for name in ("signature-input", "signature", "content-digest")))
    authority = request.url.split("/")[2]
    return verify_usual(form, authority, request.url, request.body, {agent.key_id: agent.private.public_key()}.get, NOW)


def test_the_usual_form_is_accepted_with_the_same_result(agent: AgentKey) -> None:
    for offset in (-SKEW, dt.timedelta(0), SKEW):
        request = message(agent.sign(outgoing(), created=NOW + offset))
        assert usual(request, agent) == verify(request, {agent.key_id: agent.private.public_key()}.get, now)


def test_a_key_of_a_tpm_is_accepted_with_the_same_result() -> None:
    class Tpm:
        def __init__(self) -> None:
            self.private = ec.generate_private_key(ec.SECP256R1())
            self.public_key_der = self.private.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            )
            self.key_id = key_id(self.public_key_der)

        def sign(self, message: bytes) -> bytes:
            return self.private.sign(message, ec.ECDSA(hashes.SHA256()))

    tpm, request = Tpm(), outgoing()
    sign_request(request, request.body, tpm, NOW)
    known = {tpm.key_id: tpm.private.public_key()}.get
    form = UsualForm(*(request.headers[name] for name in ("Signature-Input", "Signature", "Content-Digest")))
    found = verify_usual(form, URL.split("/")[2], URL, BODY, known, NOW)
    assert found is not None
    assert found == verify(message(request), known, now)
    assert verify_usual(form, URL.split("/")[2], URL, b"{}", known, NOW) is None


def changed(request: SignedMessage, name: str, before: str, after: str) -> SignedMessage:
    assert before in request.headers[name]
    return replace(request, headers={**request.headers, name: request.headers[name].replace(before, after)})


def test_nothing_else_is_accepted_without_the_library(agent: AgentKey) -> None:
    good = message(agent.sign(outgoing(), created=NOW, nonce="0" * 24))
    assert usual(good, agent) is not None
    unusual = [
        replace(good, body=b'{"a":2}'),
        replace(good, body=b""),
        replace(good, url=URL.replace("heartbeat", "leases")),
        replace(good, url=URL.replace("sanitrail.", "elsewhere.")),
        replace(good, url=URL.replace("https:", "http:")),
        replace(good, headers={**good.headers, "Signature": _other_signature(good.headers["Signature"])}),
        replace(good, headers={**good.headers, "Signature": good.headers["Signature"] + ", other=:AAAA:"}),
        replace(good, headers={**good.headers, "Signature": "pyhms=:AA=A:"}),
        replace(good, headers={**good.headers, "Content-Digest": ""}),
        changed(good, "Signature-Input", "0" * 24, "1" * 24),
        changed(good, "Signature-Input", "0" * 24, "short"),
        changed(good, "Signature-Input", "sanitrail-agent-1", "sanitrail-agent-2"),
        changed(good, "Signature-Input", 'alg="ed25519"', 'alg="ecdsa-p256-sha256"'),
        changed(good, "Signature-Input", '"content-digest"', '"content-digest" "date"'),
        changed(good, "Signature-Input", ' "content-digest"', ""),
        changed(good, "Signature-Input", agent.key_id, "0" * 64),
        message(AgentKey().sign(outgoing(), created=NOW, name=agent.key_id)),
        message(agent.sign(outgoing(), created=NOW - SKEW - dt.timedelta(seconds=1))),
        message(agent.sign(outgoing(), created=NOW + SKEW + dt.timedelta(seconds=1))),
        message(agent.sign(outgoing(), created=NOW, expires=NOW)),
        message(agent.sign(outgoing(), created=NOW, tag=None)),
        SignedMessage("POST", URL, {"content-type": "application/json"}, BODY),
    ]
    assert [number for number, request in enumerate(unusual) if usual(request, agent) is not None] == []


def test_an_algorithm_that_is_not_the_keys_is_refused_though_it_is_signed(agent: AgentKey) -> None:
    good = message(agent.sign(outgoing(), created=NOW))
    parameters = good.headers["Signature-Input"].removeprefix("pyhms=").replace("ed25519", "ecdsa-p256-sha256")
    base = (
        f'"@method": POST\n"@authority": {URL.split("/")[2]}\n"@target-uri": {URL}\n"content-type": application/json\n'
        f'"content-digest": {good.headers["Content-Digest"]}\n"@signature-params": {parameters}'
    )
    seal = base64.b64encode(agent.private.sign(base.encode())).decode()
    told = replace(
        good, headers={**good.headers, "Signature-Input": f"pyhms={parameters}", "Signature": f"pyhms=:{seal}:"}
    )
    assert usual(told, agent) is None
    refuse(told, agent)
