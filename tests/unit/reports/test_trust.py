"""The trust root and the keys enrolled under it."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest

from reports.canonical import to_base64
from reports.enrolled import KeyDirectory, key_change, key_event
from reports.envelope import envelope_digest, sign
from reports.errors import BadSignature, BrokenChain, KeyNotValid, MalformedDocument, ReportError, UnknownKey
from reports.keys import FileSigner
from reports.statements import KeyEvent
from reports.tlog import NoteSigner
from reports.trust import build_trust_root, open_trust_root
from reports.trust_body import LogIdentity, RoleKey, TrustRootBody1, pinned_certificate, role_key

ROOTS = [FileSigner.generate() for _ in range(3)]
ACCEPT, ENROL, STRANGER = FileSigner.generate(), FileSigner.generate("p256"), FileSigner.generate()
AGENT = FileSigner.generate()
LOG = NoteSigner.generate("log.example")
TIME = "2026-11-22T10:00:00Z"


def _body(**changes: Any) -> TrustRootBody1:  # noqa: ANN401 - fields of the trust root
    fields: dict[str, Any] = {
        "version": 1,
        "threshold": 2,
        "root_keys": tuple(to_base64(root.public_key_der) for root in ROOTS),
        "log": LogIdentity(origin="log.example", vkeys=(LOG.vkey,)),
        "keys": (role_key("acceptance", ACCEPT, "a"), role_key("enrolment", ENROL, "e")),
        "pdf_signer": pinned_certificate(b"certificate"),
        **changes,
    }
    return TrustRootBody1(**fields)


def _spki(signer: FileSigner) -> str:
    return to_base64(signer.public_key_der)


def _limited(from_index: int, until_index: int | None) -> RoleKey:
    return RoleKey(role="acceptance", spki=_spki(ACCEPT), name="a", from_index=from_index, until_index=until_index)


def test_two_of_three_root_keys_suffice() -> None:
    for signers in (ROOTS[:2], ROOTS[1:], ROOTS):
        envelope = build_trust_root(_body(), *signers)
        trust = open_trust_root(envelope, envelope_digest(envelope))
        assert trust.keys("acceptance", 0).keys() == {ACCEPT.key_id}
        assert trust.keys("enrolment", 5).keys() == {ENROL.key_id}
        assert trust.pdf_certificate == b"certificate"


def test_one_of_three_does_not() -> None:
    with pytest.raises(BrokenChain, match="1 of its root keys signed, 2 must"):
        build_trust_root(_body(), ROOTS[0])


def test_a_stranger_does_not_sign_trust_roots() -> None:
    with pytest.raises(UnknownKey):
        build_trust_root(_body(), *ROOTS[:2], STRANGER)


def test_it_is_opened_by_its_pin_only() -> None:
    envelope = build_trust_root(_body(), *ROOTS[:2])
    with pytest.raises(BrokenChain, match="not the trust root you trust"):
        open_trust_root(envelope, "0" * 64)
    for pin in ("", "x" * 64, envelope_digest(envelope).upper()):
        with pytest.raises(MalformedDocument):
            open_trust_root(envelope, pin)


def test_a_pin_alone_does_not_excuse_a_bad_signature() -> None:
    envelope = copy.deepcopy(build_trust_root(_body(), *ROOTS[:2]))
    envelope["signatures"][0]["sig"] = to_base64(bytes(64))
    with pytest.raises(BadSignature):
        open_trust_root(envelope, envelope_digest(envelope))


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0},
        {"threshold": 4},
        {"threshold": -1},
        {"version": 0},
        {"root_keys": tuple(_spki(root) for root in (*ROOTS, ROOTS[0]))},
        {"root_keys": ("AAAA",)},
        {"keys": (role_key("acceptance", ACCEPT, "a"),)},
        {"keys": (role_key("acceptance", ACCEPT, "a"), role_key("enrolment", ACCEPT, "e"))},
        {"keys": (role_key("acceptance", ROOTS[0], "a"), role_key("enrolment", ENROL, "e"))},
        {"keys": (_limited(5, 5), role_key("enrolment", ENROL, "e"))},
        {"keys": (_limited(-1, None), role_key("enrolment", ENROL, "e"))},
        {"log": LogIdentity(origin="log.example", vkeys=())},
        {"log": LogIdentity(origin="log.example", vkeys=(LOG.vkey, LOG.vkey))},
        {"log": LogIdentity(origin="other.example", vkeys=(LOG.vkey,))},
        {"log": LogIdentity(origin="log.example", vkeys=("nonsense",))},
        {"pdf_signer": pinned_certificate(b"a").__class__(certificate=to_base64(b"a"), sha256="0" * 64)},
    ],
)  # fmt: skip
def test_a_trust_root_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ReportError):
        build_trust_root(_body(**changes), *ROOTS)


def test_a_key_counts_from_and_until_its_index() -> None:
    limited = _limited(5, 9)
    successor = RoleKey(role="acceptance", spki=_spki(STRANGER), name="b", from_index=9, until_index=None)
    envelope = build_trust_root(_body(keys=(limited, successor, role_key("enrolment", ENROL, "e"))), *ROOTS)
    trust = open_trust_root(envelope, envelope_digest(envelope))
    found = {index: set(trust.keys("acceptance", index)) for index in (4, 5, 8, 9)}
    assert found == {4: set(), 5: {ACCEPT.key_id}, 8: {ACCEPT.key_id}, 9: {STRANGER.key_id}}


def _directory() -> KeyDirectory:
    envelope = build_trust_root(_body(), *ROOTS[:2])
    return KeyDirectory(open_trust_root(envelope, envelope_digest(envelope)))


def _event(signer: FileSigner = ENROL, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the event
    fields: dict[str, Any] = {
        "event": "enrol",
        "role": "agent",
        "ref": "h-1",
        "spki_der": AGENT.public_key_der,
        "time": TIME,
    }
    return sign("key-event", key_event(**{**fields, **changes}).to_dict(), signer)


def test_an_enrolled_key_counts_after_its_event() -> None:
    keys = _directory()
    keys.add(_event(), 3)
    assert keys.find(AGENT.key_id, "agent", 4).ref == "h-1"
    for index in (0, 2, 3):
        with pytest.raises(KeyNotValid, match="only at index 3"):
            keys.find(AGENT.key_id, "agent", index)
    with pytest.raises(KeyNotValid, match="enrolled as agent"):
        keys.find(AGENT.key_id, "approver", 4)
    with pytest.raises(UnknownKey):
        keys.find(STRANGER.key_id, "agent", 4)


@pytest.mark.parametrize(("valid_below", "last"), [(None, 8), (6, 5), (9, 8), (4, None)])
def test_a_revoked_key_counts_below_the_index_only(valid_below: int | None, last: int | None) -> None:
    keys = _directory()
    keys.add(_event(), 3)
    keys.add(_event(event="revoke", valid_below=valid_below), 9)
    for index in range(4, 12):
        if last is not None and index <= last:
            keys.find(AGENT.key_id, "agent", index)
        else:
            with pytest.raises(KeyNotValid, match="revoked"):
                keys.find(AGENT.key_id, "agent", index)


def test_a_second_revocation_only_ever_shortens() -> None:
    keys = _directory()
    keys.add(_event(), 3)
    keys.add(_event(event="revoke", valid_below=5), 9)
    keys.add(_event(event="revoke", valid_below=8), 10)
    with pytest.raises(KeyNotValid):
        keys.find(AGENT.key_id, "agent", 6)


@pytest.mark.parametrize(
    "later",
    [
        lambda keys: keys.add(_event(), 5),
        lambda keys: keys.add(_event(event="revoke", ref="h-2"), 5),
        lambda keys: keys.add(_event(event="revoke", role="approver"), 5),
        lambda keys: keys.add(_event(event="revoke", valid_below=6), 5),
        lambda keys: keys.add(_event(event="revoke", valid_below=-1), 5),
        lambda keys: keys.add(_event(event="revoke", spki_der=STRANGER.public_key_der), 5),
        lambda keys: keys.add(_event(spki_der=STRANGER.public_key_der, valid_below=9), 5),
        lambda keys: keys.add(_event(spki_der=STRANGER.public_key_der), 3),
        lambda keys: keys.add(_event(spki_der=STRANGER.public_key_der), 2),
        lambda keys: keys.add(_event(spki_der=STRANGER.public_key_der, time="yesterday"), 5),
        lambda keys: keys.add(_event(ACCEPT, spki_der=STRANGER.public_key_der), 5),
        lambda keys: keys.add(_event(STRANGER, spki_der=STRANGER.public_key_der), 5),
    ],
)
def test_key_events_that_do_not_follow_are_refused(later: Callable[[KeyDirectory], KeyEvent]) -> None:
    keys = _directory()
    keys.add(_event(), 3)
    with pytest.raises(ReportError):
        later(keys)
    assert [key.ref for key in keys.all()] == ["h-1"]


def test_only_usable_keys_are_enrolled() -> None:
    with pytest.raises(MalformedDocument):
        _event(spki_der=b"junk")


NEW = FileSigner.generate()


def _change(signer: FileSigner = ENROL, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the event
    fields: dict[str, Any] = {
        "event": "rotate",
        "role": "agent",
        "ref": "h-1",
        "spki_der": NEW.public_key_der,
        "time": TIME,
        "until_index": 9,
        "replaces": AGENT.key_id,
    }
    return sign("key-event", key_change(**{**fields, **changes}).to_dict(), signer)


def _counts(keys: KeyDirectory, signer: FileSigner) -> list[int]:
    found = []
    for index in range(14):
        with contextlib.suppress(ReportError):
            keys.find(signer.key_id, "agent", index)
            found.append(index)
    return found


def test_a_rotated_key_counts_below_its_end_and_the_new_one_after_its_event() -> None:
    keys = _directory()
    keys.add(_event(), 3)
    keys.add(_change(), 7)
    assert _counts(keys, AGENT) == [4, 5, 6, 7, 8]
    assert _counts(keys, NEW) == [8, 9, 10, 11, 12, 13]


def test_an_expired_key_counts_below_its_end() -> None:
    keys = _directory()
    keys.add(_event(), 3)
    keys.add(_change(event="expire", spki_der=AGENT.public_key_der, replaces=None, until_index=9), 7)
    assert _counts(keys, AGENT) == [4, 5, 6, 7, 8]
    keys.add(_change(event="expire", spki_der=AGENT.public_key_der, replaces=None, until_index=12), 8)
    assert _counts(keys, AGENT) == [4, 5, 6, 7, 8], "an end never moves on"
    keys.add(_event(event="revoke", valid_below=6), 10)
    assert _counts(keys, AGENT) == [4, 5], "a revocation reaches back behind it"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"replaces": NEW.key_id}, id="replaces nobody"),
        pytest.param({"replaces": None}, id="says not what it replaces"),
        pytest.param({"ref": "h-2"}, id="of another host"),
        pytest.param({"role": "approver"}, id="in another role"),
        pytest.param({"until_index": 6}, id="ends in the past"),
        pytest.param({"spki_der": AGENT.public_key_der}, id="replaces itself"),
        pytest.param({"event": "expire"}, id="expires and replaces"),
        pytest.param({"event": "expire", "replaces": None}, id="expires what nobody enrolled"),
        pytest.param({"signer": STRANGER}, id="by a stranger"),
    ],
)
def test_changes_of_keys_that_do_not_follow_are_refused(change: dict[str, Any]) -> None:
    keys = _directory()
    keys.add(_event(), 3)
    with pytest.raises(ReportError):
        keys.add(_change(**change), 7)
    assert _counts(keys, NEW) == []


def test_a_revoked_key_is_not_replaced() -> None:
    keys = _directory()
    keys.add(_event(), 3)
    keys.add(_event(event="revoke"), 5)
    with pytest.raises(BrokenChain):
        keys.add(_change(), 7)


def test_events_of_a_stolen_enrolment_key_are_disregarded_only_where_the_whole_log_is_read() -> None:
    limited = RoleKey(role="enrolment", spki=_spki(ENROL), name="e", from_index=0, until_index=5)
    body = _body(keys=(role_key("acceptance", ACCEPT, "a"), limited, role_key("enrolment", STRANGER, "e2", 5)))
    envelope = build_trust_root(body, *ROOTS[:2])
    trust = open_trust_root(envelope, envelope_digest(envelope))
    for whole in (True, False):
        keys = KeyDirectory(trust, whole_log=whole)
        keys.add(_event(), 4)
        thief = _event(spki_der=NEW.public_key_der)
        if whole:
            assert keys.add(thief, 5) is None
            assert keys.disregarded == [5]
        else:
            with pytest.raises(UnknownKey):
                keys.add(thief, 5)
        assert _counts(keys, NEW) == []
        with pytest.raises(UnknownKey):
            keys.add(_event(AGENT, spki_der=NEW.public_key_der), 6)
