"""A passkey's approval: good exactly when browser, authenticator and key say what they must; an agent's key is never one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from fido2.cose import ES256
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import canonical, from_base64, parse_strict, to_base64
from reports.enrolled import key_event
from reports.envelope import open_envelope, sign
from reports.errors import BadSignature, MalformedDocument
from reports.keys import FileSigner, load_public_key
from reports.passkeys import PasskeyKey, approver_keys, counter_of, load_approver_key, passkey_document
from tests.support.software_passkey import AT, BE, UP, UV, PasskeySigner, SoftwarePasskey

HOST = "sanitrail.example.org"
BASE = f"https://{HOST}"
MESSAGE = b"exactly these bytes"
SPKI = FileSigner.generate("p256").public_key_der


def _key(signer: PasskeySigner) -> PasskeyKey:
    key = load_approver_key(signer.public_key_der)
    assert isinstance(key, PasskeyKey)
    return key


@pytest.mark.parametrize("inner", [None, ed25519.Ed25519PrivateKey.generate()], ids=["ES256", "EdDSA"])
def test_a_passkeys_signature_is_good_over_its_message_and_no_other(inner: Any) -> None:  # noqa: ANN401 - of two kinds
    signer = PasskeySigner() if inner is None else PasskeySigner(SoftwarePasskey(HOST, BASE, key=inner))
    signature = signer.sign(MESSAGE)
    assert _key(signer).verify(signature, MESSAGE)
    assert _key(signer).objection(signature, MESSAGE + b".") == "it signs something else"
    assert not _key(PasskeySigner()).verify(signature, MESSAGE)


def test_another_implementation_finds_the_same_signature_good() -> None:
    signer = PasskeySigner()
    parts = parse_strict(signer.sign(MESSAGE))
    data, client, signature = (from_base64(parts[name]) for name in ("authenticator_data", "client_data", "signature"))
    cose: Any = ES256
    cose.from_cryptography_key(signer.passkey.key.public_key()).verify(
        data + hashlib.sha256(client).digest(), signature
    )


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"flags": UP | BE}, "the authenticator had not verified its user"),
        ({"flags": UV}, "the authenticator had not verified its user"),
        ({"flags": UP | UV | AT}, "the authenticator's data has a shape of its own"),
        ({"flags": UP | UV | 0x80}, "the authenticator's data has a shape of its own"),
        ({"rp_id": "example.org"}, "it was made for another domain"),
        ({"origin": "https://sanitrail.example.org.evil.example"}, "it was made at an address that is not ours"),
        ({"origin": f"http://{HOST}"}, "it was made at an address that is not ours"),
        ({"origin": f"{BASE}:8443"}, "it was made at an address that is not ours"),
        ({"cross_origin": True}, "it was made inside another site's page"),
        ({"said": {"topOrigin": BASE}}, "it was made inside another site's page"),
        ({"cross_origin": "false"}, "it was made inside another site's page"),
        ({"type": "webauthn.create"}, "it was not made to sign something"),
        ({"challenge": b"\0" * 32}, "it signs something else"),
        ({"challenge": hashlib.sha256(MESSAGE).digest()[:31]}, "it signs something else"),
    ],
)
def test_one_thing_wrong_and_it_is_no_approval(wrong: dict[str, Any], why: str) -> None:
    signer = PasskeySigner(wrong=wrong)
    signature = signer.sign(MESSAGE)
    assert _key(signer).objection(signature, MESSAGE) == why
    assert not _key(signer).verify(signature, MESSAGE)


def test_the_counter_is_read_and_never_judged() -> None:
    signer = PasskeySigner(SoftwarePasskey(HOST, BASE, counter=7))
    first, second = signer.sign(MESSAGE), signer.sign(MESSAGE)
    assert (counter_of(first), counter_of(second)) == (8, 9)
    assert _key(signer).verify(second, MESSAGE)
    assert _key(signer).verify(first, MESSAGE)


def _respelled(signature: bytes) -> bytes:
    return json.dumps(json.loads(signature)).encode()


def _longer(signature: bytes) -> bytes:
    return canonical({**json.loads(signature), "more": ""})


def _without(signature: bytes) -> bytes:
    return canonical({name: value for name, value in json.loads(signature).items() if name != "signature"})


def _raw(signature: bytes) -> bytes:
    return from_base64(json.loads(signature)["signature"])


@pytest.mark.parametrize(
    "spoil", [_respelled, _longer, _without, _raw, lambda _: b"", lambda _: b"{}", lambda _: b"[]"]
)
def test_an_assertion_has_one_spelling(spoil: Any) -> None:  # noqa: ANN401 - bytes to bytes
    signer = PasskeySigner()
    assert not _key(signer).verify(spoil(signer.sign(MESSAGE)), MESSAGE)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(junk: bytes) -> None:
    assert not _key(_ONE).verify(junk, MESSAGE)
    parts = {"authenticator_data": to_base64(junk), "client_data": to_base64(junk), "signature": to_base64(junk)}
    assert not _key(_ONE).verify(canonical(parts), MESSAGE)


_ONE = PasskeySigner()


def test_a_flipped_bit_anywhere_in_an_envelope_is_a_no() -> None:
    envelope = sign("approval", {"decision": "approve"}, _ONE)
    keys = approver_keys(_ONE.public_key_der)
    assert open_envelope(envelope, keys, "approval", exact=True)[1] == (_ONE.key_id,)
    parts = json.loads(from_base64(envelope["signatures"][0]["sig"]))
    for name, text in parts.items():
        data = bytearray(from_base64(text))
        for at in range(0, len(data), 7):
            data[at] ^= 1
            spoiled = canonical({**parts, name: to_base64(bytes(data))})
            data[at] ^= 1
            other = {**envelope, "signatures": [{"keyid": _ONE.key_id, "sig": to_base64(spoiled)}]}
            with pytest.raises(BadSignature):
                open_envelope(other, keys, "approval", exact=True)


def test_a_passkeys_signature_stands_for_no_plain_key_and_no_other_kind() -> None:
    signature = _ONE.sign(MESSAGE)
    inner = load_public_key(_key(_ONE).inner.spki)
    assert not inner.verify(signature, MESSAGE)
    assert not inner.verify(_raw(signature), MESSAGE)
    assert inner.key_id != _ONE.key_id
    envelope = sign("approval", {"decision": "approve"}, _ONE)
    moved = {**envelope, "payloadType": "application/vnd.sanitrail.roster.v1+json"}
    with pytest.raises(BadSignature):
        open_envelope(moved, approver_keys(_ONE.public_key_der), "roster", exact=True)


def _document(**changes: object) -> bytes:
    body = {"schema": "sanitrail/passkey/1", "spki": to_base64(SPKI), "rp_id": HOST, "origins": [BASE], **changes}
    return canonical({name: value for name, value in body.items() if value is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "sanitrail/passkey/2"},
        {"spki": to_base64(b"no key")},
        {"spki": to_base64(passkey_document(SPKI, HOST, (BASE,)))},
        {"rp_id": ""},
        {"rp_id": "192.0.2.7"},
        {"rp_id": "Sanitrail.example.org"},
        {"rp_id": "other.example"},
        {"rp_id": 7},
        {"origins": []},
        {"origins": BASE},
        {"origins": [BASE, BASE]},
        {"origins": [f"{BASE}:8443", BASE]},
        {"origins": [f"http://{HOST}"]},
        {"origins": [f"{BASE}/"]},
        {"origins": ["https://sanitrail.example.org.evil.example"]},
        {"origins": ["https://evilsanitrail.example.org"]},
        {"origins": [f"https://a{n:02}.{HOST}" for n in range(17)]},
        {"origins": None},
        {"more": "fields"},
    ],
    ids=lambda changes: repr(changes)[:40],
)
def test_a_document_that_binds_to_nothing_sensible_is_no_key(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        load_approver_key(_document(**changes))


def test_a_document_has_one_spelling_and_its_id_covers_domain_and_addresses() -> None:
    good = load_approver_key(_document())
    with pytest.raises(MalformedDocument):
        load_approver_key(json.dumps(json.loads(_document())).encode())
    other = load_approver_key(_document(origins=[BASE, f"{BASE}:8443"]))
    assert good.key_id == hashlib.sha256(_document()).hexdigest() != other.key_id
    assert load_approver_key(_document(rp_id="localhost", origins=["http://localhost:8443"])).key_id


def test_old_keys_are_read_as_before() -> None:
    signer = FileSigner.generate("p256")
    assert load_approver_key(signer.public_key_der) == load_public_key(signer.public_key_der)
    with pytest.raises(MalformedDocument):
        load_public_key(_document())


def test_only_people_have_passkeys() -> None:
    assert key_event("enrol", "approver", "p-1", _document(), "2026-11-22T12:00:00Z").spki == to_base64(_document())
    with pytest.raises(MalformedDocument):
        key_event("enrol", "agent", "H-0001", _document(), "2026-11-22T12:00:00Z")
