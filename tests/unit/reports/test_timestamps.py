"""Time-stamps: one form, one signer, one path to an anchor of the trust root; openssl agrees, and everything else is refused."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import to_base64
from reports.errors import BadStamp
from reports.timestamp_request import StampRequest, accept_token, read_response
from reports.timestamps import check_authentic, check_stamp, nonce_of, normal_form, path_of
from reports.trust_body import TimeAuthority
from tests.support.capabilities import requires_tool
from tests.support.time_authority import POLICY, LocalAuthority, forge

MESSAGE = b"records.example.org/log\n7\nroot\n"
pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def token(authority: LocalAuthority) -> bytes:
    return normal_form(authority.token(MESSAGE), authority.entry())


KINDS: dict[str, dict[str, Any]] = {
    "P-256": {},
    "RSA": {"rsa": True},
    "an authority between": {"between": True},
    "an authority between, RSA": {"between": True, "rsa": True},
    "unnamed": {"named": "no"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_what_openssl_stamps_is_good_and_openssl_agrees_on_its_one_form(kind: str, digest: str, tmp_path: Path) -> None:
    authority = LocalAuthority(tmp_path, digest=digest, **KINDS[kind])
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    made = authority.token(MESSAGE, digest)
    found = normal_form(made, authority.entry())
    said = check_stamp(found, MESSAGE, authority.entry(policy=POLICY))
    assert said.authority == authority.name
    assert before <= said.time <= dt.datetime.now(dt.UTC)
    assert said.accuracy == dt.timedelta(seconds=1.5)
    assert (said.earliest, said.latest) == (said.time - said.accuracy, said.time + said.accuracy)
    assert check_authentic(found, authority.entry()) == said
    assert normal_form(found, authority.entry()) == found
    assert authority.openssl_accepts(made, MESSAGE)
    assert authority.openssl_accepts(found, MESSAGE)
    assert not authority.openssl_accepts(found, MESSAGE + b"x")
    assert path_of(found, authority.entry())[-1] == authority.anchor
    assert len(path_of(found, authority.entry())) == 2 + len(authority.chain)


def test_the_signers_own_certificate_may_be_the_anchor(authority: LocalAuthority, token: bytes) -> None:
    own = TimeAuthority(name="x", certificates=(to_base64(path_of(token, authority.entry())[0]),), policy="")
    assert check_stamp(token, MESSAGE, own).authority == "x"
    assert len(path_of(token, own)) == 1


def test_other_bytes_are_not_stamped(authority: LocalAuthority, token: bytes) -> None:
    for other in (b"", MESSAGE[:-1], MESSAGE + b"\n", hashlib.sha256(MESSAGE).digest()):
        with pytest.raises(BadStamp, match="other bytes"):
            check_stamp(token, other, authority.entry())


def test_another_authority_of_the_same_name_does_not_count(
    authority: LocalAuthority, stranger: LocalAuthority, token: bytes
) -> None:
    assert stranger.entry().name == authority.entry().name
    with pytest.raises(BadStamp, match="anchor"):
        check_stamp(token, MESSAGE, stranger.entry())
    with pytest.raises(BadStamp, match="anchor"):
        check_stamp(token, MESSAGE, TimeAuthority(name="nobody", certificates=(), policy=""))


def test_another_policy_does_not_count(authority: LocalAuthority, token: bytes) -> None:
    with pytest.raises(BadStamp, match="policy"):
        check_stamp(token, MESSAGE, authority.entry(policy=POLICY + ".1"))


def test_sha1_counts_nowhere(authority: LocalAuthority, tmp_path: Path) -> None:
    with pytest.raises(BadStamp, match="sha1"):
        normal_form_and_check(authority.token(MESSAGE, "sha1"), authority)
    weak = LocalAuthority(tmp_path, digest="sha1")
    with pytest.raises(BadStamp, match="sha1"):
        normal_form(weak.token(MESSAGE), weak.entry())


def normal_form_and_check(token: bytes, authority: LocalAuthority) -> None:
    check_authentic(normal_form(token, authority.entry()), authority.entry())


CERTIFICATES: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"start": dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "days": 365}, "not valid at the stamped time"),
    "not yet valid": ({"start": dt.datetime(2096, 1, 1, tzinfo=dt.UTC)}, "not valid at the stamped time"),
    "a digest that does not count": ({"certificate_digest": hashes.SHA224()}, "anchor"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_did_not_count_then_does_not_count(case: str, tmp_path: Path) -> None:
    changes, said = CERTIFICATES[case]
    authority = LocalAuthority(tmp_path, **changes)
    with pytest.raises(BadStamp, match=said):
        normal_form(authority.token(MESSAGE), authority.entry())


PURPOSES: dict[str, dict[str, Any]] = {
    "none": {"purposes": ()},
    "not critical": {"critical": False},
    "another": {"purposes": (ExtendedKeyUsageOID.CODE_SIGNING,)},
    "two": {"purposes": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)},
}


@pytest.mark.parametrize("case", PURPOSES)
def test_a_certificate_for_anything_but_time_stamping_does_not_count(case: str, tmp_path: Path) -> None:
    """RFC 3161, 2.3; openssl refuses to stamp with these, so that the tests' own forger does it."""
    wrong = LocalAuthority(tmp_path, **PURPOSES[case])
    honest = LocalAuthority(tmp_path / "honest")
    made = forge(normal_form(honest.token(MESSAGE), honest.entry()), wrong, _nothing)
    with pytest.raises(BadStamp, match="for time-stamping"):
        check_stamp(made, MESSAGE, wrong.entry())


# ---------------------------------------------------------------- a forger with the authority's own key

_Change = Callable[[tsp.TSTInfo, list[cms.CMSAttribute]], object]


def _nothing(*_: object) -> None:
    """The token as it is, signed again."""


def _critical(info: tsp.TSTInfo, _: object) -> None:
    info["extensions"] = [{"extn_id": "1.2.3.4", "critical": True, "extn_value": b"\x05\x00"}]


def _other_name(info: tsp.TSTInfo, _: object) -> None:
    info["tsa"] = asn1_x509.GeneralName("directory_name", asn1_x509.Name.build({"common_name": "Somebody else"}))


def _version(info: tsp.TSTInfo, _: object) -> None:
    info["version"] = 2


def _inaccurate(info: tsp.TSTInfo, _: object) -> None:
    info["accuracy"] = {"seconds": 10**30}


def _unknown(_: object, attributes: list[cms.CMSAttribute]) -> None:
    attributes.append(cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Null()]}))


def _without(kind: str) -> _Change:
    def change(_: object, attributes: list[cms.CMSAttribute]) -> None:
        attributes[:] = [one for one in attributes if one["type"].native != kind]

    return change


def _twice(kind: str) -> _Change:
    def change(_: object, attributes: list[cms.CMSAttribute]) -> None:
        attributes.extend([one for one in attributes if one["type"].native == kind])

    return change


def _other_content(_: object, attributes: list[cms.CMSAttribute]) -> None:
    attributes[0]["values"] = ["data"]


def _other_digest(_: object, attributes: list[cms.CMSAttribute]) -> None:
    attributes[1]["values"] = [bytes(32)]


def _older_contradicts(_: object, attributes: list[cms.CMSAttribute]) -> None:
    older = tsp.SigningCertificate({"certs": [tsp.ESSCertID({"cert_hash": bytes(20)})]})
    attributes.append(cms.CMSAttribute({"type": "signing_certificate", "values": [older]}))


def _older_empty(_: object, attributes: list[cms.CMSAttribute]) -> None:
    older = tsp.SigningCertificate({"certs": []})
    attributes.append(cms.CMSAttribute({"type": "signing_certificate", "values": [older]}))


def _protected(_: object, attributes: list[cms.CMSAttribute]) -> None:
    attributes.append(
        cms.CMSAttribute(
            {
                "type": "cms_algorithm_protection",
                "values": [
                    cms.CMSAlgorithmProtection(
                        {
                            "digest_algorithm": {"algorithm": "sha512"},
                            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha512_ecdsa"}),
                        }
                    )
                ],
            }
        )
    )


FORGERIES: dict[str, tuple[_Change, str]] = {
    "a critical extension": (_critical, "critical extension"),
    "another authority's name": (_other_name, "another authority"),
    "another version": (_version, "time-stamp"),
    "an accuracy of aeons": (_inaccurate, "time-stamp"),
    "an unknown signed attribute": (_unknown, "not known here"),
    "no signing certificate": (_without("signing_certificate_v2"), "missing"),
    "no message digest": (_without("message_digest"), "missing"),
    "no content type": (_without("content_type"), "missing"),
    "the content type twice": (_twice("content_type"), "twice"),
    "the message digest twice": (_twice("message_digest"), "twice"),
    "another content type": (_other_content, "another kind"),
    "another message digest": (_other_digest, "another TSTInfo"),
    "an older attribute that contradicts": (_older_contradicts, "two certificates"),
    "an older attribute that is empty": (_older_empty, "time-stamp"),
    "protected algorithms that contradict": (_protected, "protected"),
}


@pytest.mark.parametrize("case", FORGERIES)
def test_even_with_the_authoritys_key_a_token_says_only_what_it_may(
    case: str, authority: LocalAuthority, token: bytes
) -> None:
    change, said = FORGERIES[case]
    with pytest.raises(BadStamp, match=said):
        check_stamp(forge(token, authority, change), MESSAGE, authority.entry())


def test_the_forger_forges_well(authority: LocalAuthority, token: bytes) -> None:
    made = forge(token, authority, _nothing)
    assert check_stamp(made, MESSAGE, authority.entry()).serial > 0


def test_the_forger_without_the_key_is_refused(
    authority: LocalAuthority, stranger: LocalAuthority, token: bytes
) -> None:
    key, authority_key = stranger.key, authority.key
    authority.key = key
    try:
        made = forge(token, authority, _nothing)
    finally:
        authority.key = authority_key
    with pytest.raises(BadStamp, match="signature"):
        check_stamp(made, MESSAGE, authority.entry())


# ---------------------------------------------------------------- one form


def _variants(token: bytes, stranger: LocalAuthority) -> Iterator[tuple[str, bytes]]:
    def fresh() -> tuple[cms.ContentInfo, Any, Any]:
        content = cms.ContentInfo.load(token)
        return content, content["content"], content["content"]["signer_infos"][0]

    content, signed, signer = fresh()
    signer["unsigned_attrs"] = [cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Null()]})]
    yield "an unsigned attribute", content.dump(force=True)
    content, signed, signer = fresh()
    signed["certificates"] = [*signed["certificates"], asn1_x509.Certificate.load(stranger.anchor)]
    yield "a certificate too many", content.dump(force=True)
    content, signed, signer = fresh()
    signed["digest_algorithms"] = [*signed["digest_algorithms"], {"algorithm": "sha512"}]
    yield "a digest too many", content.dump(force=True)
    content, signed, signer = fresh()
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = decode_dss_signature(signer["signature"].native)
    signer["signature"] = encode_dss_signature(r, order - s)
    yield "the higher of two values", content.dump(force=True)


def test_there_is_no_second_spelling_of_a_token(
    authority: LocalAuthority, stranger: LocalAuthority, token: bytes
) -> None:
    for what, altered in _variants(token, stranger):
        assert altered != token, what
        with pytest.raises(BadStamp, match="one accepted form"):
            check_stamp(altered, MESSAGE, authority.entry())
        assert normal_form(altered, authority.entry()) == token, what


def test_two_signers_are_refused(authority: LocalAuthority, token: bytes) -> None:
    content = cms.ContentInfo.load(token)
    signers = content["content"]["signer_infos"]
    content["content"]["signer_infos"] = [signers[0], signers[0]]
    with pytest.raises(BadStamp):
        normal_form(content.dump(force=True), authority.entry())


def test_no_bit_of_a_token_is_free(authority: LocalAuthority, token: bytes) -> None:
    for place in range(len(token)):
        altered = bytearray(token)
        altered[place] ^= 1 << (place % 8)
        with pytest.raises(BadStamp):
            check_stamp(bytes(altered), MESSAGE, authority.entry())


def test_nothing_can_be_cut_or_added(authority: LocalAuthority, token: bytes) -> None:
    for altered in (*(token[:size] for size in range(0, len(token), 7)), token + b"\0", b"\0" + token, token + token):
        with pytest.raises(BadStamp):
            check_stamp(altered, MESSAGE, authority.entry())


@given(st.binary(max_size=300))
def test_garbage_is_no_stamp(data: bytes) -> None:
    nobody = TimeAuthority(name="nobody", certificates=(), policy="")
    for attempt in (
        lambda: check_stamp(data, MESSAGE, nobody),
        lambda: check_authentic(data, nobody),
        lambda: normal_form(data, nobody),
        lambda: nonce_of(data),
        lambda: read_response(data, StampRequest(MESSAGE, 7), nobody),
    ):
        with pytest.raises(BadStamp):
            attempt()


def test_scrambled_tokens_are_refused_and_never_crash(authority: LocalAuthority, token: bytes) -> None:
    rng = random.Random(3161)  # noqa: S311 - repeatable
    for _ in range(1500):
        altered = bytearray(token)
        for _ in range(rng.randrange(1, 6)):
            start = rng.randrange(len(altered))
            altered[start : start + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        if bytes(altered) != token:
            with pytest.raises(BadStamp):
                check_stamp(bytes(altered), MESSAGE, authority.entry())
            try:
                assert normal_form(bytes(altered), authority.entry())
            except BadStamp:
                continue


def test_a_huge_token_is_not_read(authority: LocalAuthority) -> None:
    with pytest.raises(BadStamp, match="larger"):
        check_stamp(bytes(100_000), MESSAGE, authority.entry())


# ---------------------------------------------------------------- question and answer


def test_a_question_is_answered(authority: LocalAuthority) -> None:
    request = StampRequest(MESSAGE, 2**63 + 5, POLICY)
    found = read_response(authority.reply(request.to_der()), request, authority.entry(policy=POLICY))
    assert nonce_of(found) == request.nonce
    assert check_stamp(found, MESSAGE, authority.entry()).time
    assert accept_token(authority.reply(request.to_der(), token=True), request, authority.entry())


def test_an_answer_to_another_question_is_refused(authority: LocalAuthority) -> None:
    request = StampRequest(MESSAGE, 11)
    earlier = authority.reply(StampRequest(MESSAGE, 12).to_der())
    with pytest.raises(BadStamp, match="another one"):
        read_response(earlier, request, authority.entry())
    other = authority.reply(StampRequest(b"other", 11).to_der())
    with pytest.raises(BadStamp, match="other bytes"):
        read_response(other, request, authority.entry())
    with pytest.raises(BadStamp, match="larger"):
        read_response(bytes(200_000), request, authority.entry())


def test_a_refusal_is_said_as_one(authority: LocalAuthority) -> None:
    request = StampRequest(MESSAGE, 11, "1.2.3.4.5")
    with pytest.raises(BadStamp, match="refused"):
        read_response(authority.reply(request.to_der()), request, authority.entry())


def test_a_nonce_is_a_nonce() -> None:
    with pytest.raises(ValueError, match="nonce"):
        StampRequest(MESSAGE, -1)
