"""Versions of the trust root: which may follow one another, under which pin, signed by whom."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
from typing import Any

import pytest

from reports.canonical import to_base64
from reports.envelope import Envelope, add_signature, envelope_digest, sign, unverified_body
from reports.errors import BadSignature, BrokenChain, MalformedDocument, ReportError, UnknownKey, UnsupportedSchema
from reports.keys import FileSigner
from reports.sealkey import make_certificate
from reports.tlog import ED25519_COSIGNATURE, NoteSigner
from reports.trust import MAX_VERSIONS, open_chain, open_successor
from reports.trust_body import LogIdentity, RoleKey, TimeAuthority, Witnesses, pinned_certificate, role_key
from tests.support.trust_chain import (
    ACCEPT,
    AUTHORITY,
    AUTHORITY_KEY,
    ENROL,
    LATER,
    LOG,
    ORIGIN,
    ROOTS,
    WITNESSES,
    ended,
    first,
    first_body,
    next_version,
    opens,
    spki,
    spkis,
)

BODY = first_body()
FIRST = first()
NEW = FileSigner.generate()
SECOND = next_version(FIRST, BODY, *ROOTS[:2], *LATER[:2], root_keys=spkis(LATER))
SECOND_BODY = dataclasses.replace(BODY, version=2, previous=envelope_digest(FIRST), root_keys=spkis(LATER))
THIRD = next_version(SECOND, SECOND_BODY, *LATER[1:])
CHAIN = [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("pinned", [0, 1, 2])
def test_a_chain_opens_under_the_pin_of_any_of_its_versions(pinned: int) -> None:
    roots = open_chain(CHAIN, envelope_digest(CHAIN[pinned]))
    assert [root.body.version for root in roots] == [1, 2, 3]
    assert roots[-1].root_keys.keys() == {signer.key_id for signer in LATER}
    assert roots[1].previous == roots[0].pin


def test_a_version_opens_after_the_one_before_it() -> None:
    before = open_chain([FIRST], envelope_digest(FIRST))[-1]
    assert open_successor(SECOND, before).body.version == 2
    with pytest.raises(BrokenChain, match="does not follow"):
        open_successor(THIRD, before)


def test_a_chain_that_goes_on_keeps_its_pins() -> None:
    for length in (1, 2, 3):
        assert len(open_chain(CHAIN[:length], envelope_digest(FIRST))) == length


def test_the_pin_of_a_later_version_does_not_open_an_earlier_chain() -> None:
    with pytest.raises(BrokenChain, match="not the trust root you trust"):
        open_chain(CHAIN[:2], envelope_digest(THIRD))


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param([FIRST, THIRD], id="a version skipped"),
        pytest.param([SECOND, THIRD], id="the first left out"),
        pytest.param([FIRST, SECOND, SECOND], id="a version twice"),
        pytest.param([SECOND, FIRST], id="in the wrong order"),
        pytest.param([FIRST, SECOND, FIRST], id="an old root replayed as the newest"),
        pytest.param([], id="no version"),
        pytest.param([FIRST] * (MAX_VERSIONS + 1), id="too many versions"),
    ],
)
def test_versions_that_do_not_follow_one_another_are_refused(chain: list[Envelope]) -> None:
    with pytest.raises(ReportError):
        open_chain(chain, envelope_digest(FIRST))
    if SECOND in chain:
        with pytest.raises(ReportError):
            open_chain(chain, envelope_digest(SECOND))


@pytest.mark.parametrize(
    ("signers", "problem"),
    [
        pytest.param(ROOTS[:2], "0 of its root keys", id="by the old ones only"),
        pytest.param(LATER[:2], "0 of the root keys of version 1", id="by the new ones only"),
        pytest.param([ROOTS[0], *LATER], "1 of the root keys of version 1", id="by too few of the old"),
        pytest.param([*ROOTS, LATER[0]], "1 of its root keys", id="by too few of the new"),
    ],
)
def test_a_new_root_needs_enough_of_the_old_keys_and_of_the_new(signers: list[FileSigner], problem: str) -> None:
    with pytest.raises(BrokenChain, match=problem):
        opens([FIRST, next_version(FIRST, BODY, *signers, root_keys=spkis(LATER))])


def test_a_key_that_stays_counts_for_both() -> None:
    kept = [*ROOTS[:2], LATER[0]]
    assert opens([FIRST, next_version(FIRST, BODY, *ROOTS[:2], root_keys=spkis(kept))])


def test_the_threshold_of_each_version_is_its_own() -> None:
    """Two of three may make it three of three; the next version then needs all three."""
    raised = next_version(FIRST, BODY, *ROOTS, threshold=3)
    assert opens([FIRST, raised])
    with pytest.raises(BrokenChain, match="2 of its root keys signed, 3 must"):
        opens([FIRST, next_version(FIRST, BODY, *ROOTS[:2], threshold=3)])
    body = dataclasses.replace(BODY, version=2, threshold=3)
    with pytest.raises(BrokenChain, match="2 of the root keys of version 2"):
        opens([FIRST, raised, next_version(raised, body, *ROOTS[:2], threshold=2)])


def test_a_strangers_signature_is_refused_beside_enough_good_ones() -> None:
    with pytest.raises(UnknownKey):
        opens([FIRST, next_version(FIRST, BODY, *ROOTS[:2], NEW)])
    with pytest.raises(UnknownKey):
        opens([first(*ROOTS[:2], NEW)])


def test_the_same_key_counts_once() -> None:
    with pytest.raises(MalformedDocument, match="twice"):
        opens([FIRST, next_version(FIRST, BODY, ROOTS[0], ROOTS[0])])
    with pytest.raises(MalformedDocument, match="twice"):
        opens([first(root_keys=(*spkis(ROOTS), spki(ROOTS[0])))])


def test_a_bad_signature_is_refused_beside_enough_good_ones() -> None:
    envelope = copy.deepcopy(next_version(FIRST, BODY, *ROOTS))
    envelope["signatures"][2]["sig"] = to_base64(bytes(64))
    with pytest.raises(BadSignature):
        opens([FIRST, envelope])


@pytest.mark.parametrize("changes", [{"version": 2}, {"previous": "0" * 64}, {"version": 2, "previous": "0" * 64}])
def test_a_chain_begins_with_the_first_version(changes: dict[str, Any]) -> None:
    with pytest.raises(BrokenChain, match="is not the first"):
        opens([first(**changes)])


def test_a_fork_opens_only_in_its_own_chain() -> None:
    other = next_version(FIRST, BODY, *ROOTS[:2], issued="2026-11-23T10:00:00Z")
    assert opens([FIRST, other])
    for chain in ([FIRST, other, THIRD], [FIRST, SECOND, other]):
        with pytest.raises(BrokenChain):
            opens(chain)
    with pytest.raises(BrokenChain, match="not the trust root you trust"):
        open_chain([FIRST, other], envelope_digest(SECOND))


def test_previous_must_be_the_digest_of_the_version_before() -> None:
    for previous in (None, "0" * 64, envelope_digest(SECOND), "nonsense"):
        with pytest.raises(ReportError):
            opens([FIRST, next_version(FIRST, BODY, *ROOTS[:2], previous=previous)])


def test_signing_the_version_before_again_breaks_the_chain() -> None:
    """The digest covers the signatures: one more of them makes it another version one."""
    again = add_signature(FIRST, "trust-root", ROOTS[2])
    assert opens([again])
    with pytest.raises(BrokenChain, match="does not follow"):
        opens([again, SECOND])


ACCEPTANCE, ENROLMENT = BODY.keys
ONE_NAME = (WITNESSES[0].vkey, WITNESSES[1].vkey)
AS_LOG = (NoteSigner.generate("w").vkey,)
CA = (to_base64(AUTHORITY),)
AS_ORIGIN = (NoteSigner.generate(ORIGIN, ED25519_COSIGNATURE).vkey,)
END = make_certificate(AUTHORITY_KEY, "Example", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
"""For sealing, not for issuing."""
ADDED = role_key("acceptance", NEW, "acceptance-v2", 7)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"version": 3}, id="version jumps"),
        pytest.param({"version": 1}, id="version stays"),
        pytest.param({"version": 0}, id="version falls"),
        pytest.param({"issued": "2026-11-22T09:59:59Z"}, id="proposed before the one before"),
        pytest.param({"issued": "yesterday"}, id="no moment"),
        pytest.param({"log": LogIdentity(origin="other", vkeys=(NoteSigner.generate("other").vkey,))}, id="another log"),
        pytest.param({"keys": (ENROLMENT, ADDED)}, id="a key left out"),
        pytest.param({"keys": (dataclasses.replace(ACCEPTANCE, name="x"), ENROLMENT)}, id="a key renamed"),
        pytest.param({"keys": (dataclasses.replace(ACCEPTANCE, from_index=5), ENROLMENT)}, id="a key moved"),
        pytest.param({"keys": (dataclasses.replace(ACCEPTANCE, role="enrolment"), ENROLMENT, ADDED)}, id="another role"),
        pytest.param({"keys": (ended(ACCEPTANCE, 9), ENROLMENT)}, id="nobody left to accept"),
        pytest.param({"keys": (ACCEPTANCE, ENROLMENT, role_key("acceptance", ROOTS[0], "x"))}, id="root key with another role"),
        pytest.param({"keys": (ACCEPTANCE, ENROLMENT, role_key("enrolment", ACCEPT, "x"))}, id="one key, two roles"),
        pytest.param({"keys": (ACCEPTANCE, ENROLMENT, ADDED, ADDED)}, id="a key twice"),
        pytest.param({"root_keys": (*spkis(ROOTS[:2]), spki(ENROL))}, id="a key of the service made a root key"),
        pytest.param({"threshold": 0}, id="no threshold"),
        pytest.param({"threshold": 4}, id="more than there are"),
        pytest.param({"witnesses": Witnesses(vkeys=(LOG[0].vkey,), quorum=1)}, id="the log its own witness"),
        pytest.param({"witnesses": Witnesses(vkeys=(WITNESSES[0].vkey,), quorum=0)}, id="a witness without a quorum"),
        pytest.param({"witnesses": Witnesses(vkeys=(), quorum=1)}, id="a quorum without a witness"),
        pytest.param({"witnesses": Witnesses(vkeys=ONE_NAME, quorum=2)}, id="one name counted twice"),
        pytest.param({"witnesses": Witnesses(vkeys=(WITNESSES[0].vkey,) * 2, quorum=1)}, id="a witness twice"),
        pytest.param({"witnesses": Witnesses(vkeys=AS_LOG, quorum=1)}, id="a witness with a log's kind of key"),
        pytest.param({"time_authorities": (TimeAuthority(name="t", certificates=(), policy=""),)}, id="no certificate"),
        pytest.param({"time_authorities": (TimeAuthority(name="t", certificates=("AAAA",), policy=""),)}, id="not a certificate"),
        pytest.param({"time_authorities": (TimeAuthority(name="t", certificates=CA, policy="1.x"),)}, id="no oid"),
        pytest.param({"time_authorities": (TimeAuthority(name="t", certificates=CA, policy=""),) * 2}, id="name twice"),
        pytest.param({"pdf_authority": pinned_certificate(b"certificate")}, id="no certificate of the seals"),
        pytest.param({"pdf_authority": pinned_certificate(END)}, id="the seals' certificate is no authority's"),
        pytest.param({"witnesses": Witnesses(vkeys=AS_ORIGIN, quorum=1)}, id="a witness under the log's name"),
    ],
)  # fmt: skip
def test_a_version_that_contradicts_itself_or_the_one_before_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ReportError):
        opens([FIRST, next_version(FIRST, BODY, *ROOTS, **changes)])


def test_a_former_root_key_gets_no_other_role() -> None:
    keys = (*BODY.keys, role_key("acceptance", ROOTS[2], "x", 3))
    with pytest.raises(BrokenChain, match="was a root key"):
        opens([FIRST, next_version(FIRST, BODY, *ROOTS[:2], *LATER[:2], root_keys=spkis(LATER), keys=keys)])


def test_the_log_key_and_a_witness_key_of_another_name_are_two_keys() -> None:
    """The same private key under two names would be one witness watching itself."""
    twin = NoteSigner("witness.example/twin", ED25519_COSIGNATURE, LOG[0].private_key)
    with pytest.raises(MalformedDocument, match="two roles"):
        opens([FIRST, next_version(FIRST, BODY, *ROOTS[:2], witnesses=Witnesses(vkeys=(twin.vkey,), quorum=1))])


def _with_keys(*keys: RoleKey, version: int = 2) -> dict[str, Any]:
    return {"keys": keys, "version": version}


def test_a_rotated_key_counts_below_its_end_and_the_new_one_from_its_beginning() -> None:
    second = next_version(FIRST, BODY, *ROOTS[:2], keys=(ended(ACCEPTANCE, 9), ENROLMENT, ADDED))
    trust = open_chain([FIRST, second], envelope_digest(FIRST))[-1]
    old, new = ACCEPT.key_id, NEW.key_id
    found = {index: set(trust.keys("acceptance", index)) for index in (0, 6, 7, 8, 9, 10)}
    assert found == {0: {old}, 6: {old}, 7: {old, new}, 8: {old, new}, 9: {new}, 10: {new}}


def test_a_stolen_key_may_end_in_the_past_and_never_counts_longer_again() -> None:
    second = next_version(FIRST, BODY, *ROOTS[:2], keys=(ended(ACCEPTANCE, 0), ENROLMENT, ADDED))
    assert ACCEPT.key_id not in open_chain([FIRST, second], envelope_digest(FIRST))[-1].keys("acceptance", 0)
    body = dataclasses.replace(BODY, version=2, keys=(ended(ACCEPTANCE, 9), ENROLMENT, ADDED))
    second = next_version(FIRST, BODY, *ROOTS[:2], keys=body.keys)
    for end, good in ((9, True), (3, True), (10, False), (None, False)):
        keys = (dataclasses.replace(ACCEPTANCE, until_index=end), ENROLMENT, ADDED)
        chain = [FIRST, second, next_version(second, body, *ROOTS[:2], keys=keys)]
        if good:
            assert opens(chain)
        else:
            with pytest.raises(BrokenChain, match="count longer"):
                opens(chain)


def test_a_new_key_does_not_reach_back_behind_the_ones_before() -> None:
    body = dataclasses.replace(BODY, version=2, keys=(ended(ACCEPTANCE, 9), ENROLMENT, ADDED))
    second = next_version(FIRST, BODY, *ROOTS[:2], keys=body.keys)
    for begin, good in ((7, True), (6, False)):
        more = role_key("acceptance", FileSigner.generate(), "acceptance-v3", begin)
        chain = [FIRST, second, next_version(second, body, *ROOTS[:2], keys=(*body.keys, more))]
        if good:
            assert opens(chain)
        else:
            with pytest.raises(BrokenChain, match="reaches back"):
                opens(chain)


def test_the_first_schema_is_only_ever_the_first_version() -> None:
    raw = unverified_body(SECOND, "trust-root")
    old = {key: raw[key] for key in ("version", "threshold", "root_keys", "log", "keys")}
    old |= {"schema": "sanitrail/trust-root/1", "pdf_signer": raw["pdf_authority"]}
    with pytest.raises(BrokenChain, match="does not follow"):
        opens([FIRST, sign("trust-root", old, *ROOTS, *LATER[:2])])


def test_an_unknown_schema_is_not_guessed_at() -> None:
    raw = {**unverified_body(FIRST, "trust-root"), "schema": "sanitrail/trust-root/3"}
    with pytest.raises(UnsupportedSchema):
        opens([sign("trust-root", raw, *ROOTS)])


def test_an_unknown_field_is_refused() -> None:
    raw = {**unverified_body(FIRST, "trust-root"), "comment": "trust me"}
    with pytest.raises(MalformedDocument, match="unknown field comment"):
        opens([sign("trust-root", raw, *ROOTS)])


def test_rotating_the_logs_keys_keeps_its_name() -> None:
    fresh = NoteSigner.generate(ORIGIN)
    second = next_version(FIRST, BODY, *ROOTS[:2], log=LogIdentity(origin=ORIGIN, vkeys=(fresh.vkey,)))
    roots = open_chain([FIRST, second], envelope_digest(FIRST))
    assert [key.vkey for key in roots[1].log_keys] == [fresh.vkey]
    assert [key.vkey for key in roots[0].log_keys] == [key.vkey for key in LOG]
