"""Envelopes: who said these bytes, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from reports.canonical import from_base64, to_base64
from reports.envelope import (
    KINDS,
    MAX_SIGNATURES,
    Kind,
    add_signature,
    envelope_digest,
    open_envelope,
    payload_bytes,
    payload_digest,
    payload_type,
    pre_authentication_encoding,
    sign,
    sign_payload,
    signer_ids,
    unverified_body,
)
from reports.errors import BadSignature, MalformedDocument, UnknownKey
from reports.keys import FileSigner, verifying_keys

ALICE, BOB, EVE = FileSigner.generate(), FileSigner.generate("p256"), FileSigner.generate()
KEYS = verifying_keys(ALICE.public_key_der, BOB.public_key_der)
BODY = {"a": 1, "text": "é"}


def test_pae_is_that_of_the_dsse_protocol() -> None:
    # DSSE protocol.md, test vector
    assert (
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize("signer", [ALICE, BOB], ids=["ed25519", "p256"])
def test_what_is_signed_opens(signer: FileSigner) -> None:
    envelope = sign("order", BODY, signer)
    assert open_envelope(envelope, KEYS, "order") == (BODY, (signer.key_id,))
    assert payload_bytes(envelope) == '{"a":1,"text":"é"}'.encode()
    assert unverified_body(envelope, "order") == BODY
    assert signer_ids(envelope) == (signer.key_id,)


def test_several_people_sign_the_same_payload() -> None:
    envelope = add_signature(sign("roster", BODY, ALICE), "roster", BOB)
    assert envelope == sign("roster", BODY, ALICE, BOB)
    assert open_envelope(envelope, KEYS, "roster")[1] == (ALICE.key_id, BOB.key_id)


@pytest.mark.parametrize("other", sorted(KINDS - {"order"}))
def test_a_statement_of_one_kind_never_stands_for_another(other: Kind) -> None:
    envelope = sign("order", BODY, ALICE)
    with pytest.raises(MalformedDocument, match="payloadType"):
        open_envelope(envelope, KEYS, other)
    renamed = {**envelope, "payloadType": payload_type(other)}
    with pytest.raises(BadSignature):
        open_envelope(renamed, KEYS, other)


def test_the_signature_of_somebody_unknown_counts_for_nothing() -> None:
    with pytest.raises(UnknownKey):
        open_envelope(sign("order", BODY, EVE), KEYS, "order")
    both = sign("order", BODY, ALICE, EVE)
    assert open_envelope(both, KEYS, "order")[1] == (ALICE.key_id,)


def test_exactly_the_known_signers_means_nobody_else() -> None:
    with pytest.raises(UnknownKey):
        open_envelope(sign("order", BODY, ALICE, EVE), KEYS, "order", exact=True)


def test_a_known_name_over_a_foreign_signature_is_refused_even_beside_a_good_one() -> None:
    envelope = sign("order", BODY, ALICE, BOB)
    envelope["signatures"][1]["sig"] = sign("order", {"a": 2}, BOB)["signatures"][0]["sig"]
    with pytest.raises(BadSignature):
        open_envelope(envelope, KEYS, "order")


def test_an_altered_payload_is_refused() -> None:
    envelope = sign("order", BODY, ALICE)
    envelope["payload"] = to_base64(b'{"a":2}')
    with pytest.raises(BadSignature):
        open_envelope(envelope, KEYS, "order")


def test_the_algorithm_follows_from_the_key_never_from_the_message() -> None:
    envelope = sign("order", BODY, ALICE)
    envelope["signatures"][0]["keyid"] = BOB.key_id
    with pytest.raises(BadSignature):
        open_envelope(envelope, KEYS, "order")


def test_another_der_encoding_of_an_ecdsa_signature_is_refused() -> None:
    envelope = sign("order", BODY, BOB)
    raw = from_base64(envelope["signatures"][0]["sig"])
    longer = b"\x30\x81" + raw[1:2] + raw[2:]  # the length in two bytes
    envelope["signatures"][0]["sig"] = to_base64(longer)
    with pytest.raises(BadSignature):
        open_envelope(envelope, KEYS, "order")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e.pop("payload"),
        lambda e: e.update(alg="none"),
        lambda e: e.update(payload=e["payload"] + "\n"),
        lambda e: e.update(payload=5),
        lambda e: e.update(signatures=[]),
        lambda e: e.update(signatures={}),
        lambda e: e.update(signatures=e["signatures"] * 2),
        lambda e: e.update(signatures=[dict(e["signatures"][0], keyid=f"{n:064x}") for n in range(MAX_SIGNATURES + 1)]),
        lambda e: e["signatures"][0].update(cert="x"),
        lambda e: e["signatures"][0].update(keyid="x"),
        lambda e: e["signatures"][0].update(sig="?"),
        lambda e: e["signatures"].append("x"),
    ],
)
def test_anything_but_a_plain_envelope_is_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    envelope = copy.deepcopy(sign("order", BODY, ALICE))
    spoil(envelope)
    with pytest.raises(MalformedDocument):
        open_envelope(envelope, KEYS, "order")


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b'{"a":1,"a":2}', b'{"a":1.5}', b"not json"])
def test_a_signed_payload_is_still_read_strictly(payload: bytes) -> None:
    with pytest.raises(MalformedDocument):
        open_envelope(sign_payload("order", payload, ALICE), KEYS, "order")


def test_digests_name_the_payload_or_the_whole() -> None:
    one, two = sign("order", BODY, ALICE), sign("order", BODY, ALICE, BOB)
    assert payload_digest(one) == payload_digest(two)
    assert envelope_digest(one) != envelope_digest(two)


def test_nobody_signs_nothing() -> None:
    with pytest.raises(ValueError, match="signer"):
        sign("order", BODY)
    with pytest.raises(ValueError, match="kind"):
        payload_type("invoice")  # type: ignore[arg-type]  # the point of the test
