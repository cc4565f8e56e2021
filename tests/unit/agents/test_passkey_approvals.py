"""The agent checks approvals by passkey itself, against domain and addresses of the roster it pinned."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from agents import orders, refusals
from agents.clock import ClockReading
from agents.orders import Authority
from agents.roster_refusals import RosterMalformed, RosterQuorumMissing
from agents.rosters import first, follow, read
from reports.canonical import canonical, to_base64
from reports.envelope import payload_digest, sign
from reports.keys import FileSigner
from tests.support.evidence import APPROVERS, World
from tests.support.fake_service import FakeService
from tests.support.software_passkey import BE, UP, PasskeySigner, SoftwarePasskey

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
DEVICE = "d" * 64


@pytest.fixture(scope="module")
def passkey() -> PasskeySigner:
    return PasskeySigner()


@pytest.fixture(scope="module")
def world(passkey: PasskeySigner) -> World:
    """One approver with a passkey, one with a key file."""
    return World(approvers=(passkey, FileSigner.generate("p256")))  # type: ignore[arg-type]  # signs like a key file


def _check(world: World) -> orders.ApprovedOrder:
    service = FakeService(world, now=lambda: NOW - dt.timedelta(minutes=5))
    order = sign("order", service.order_body(world.agent.key_id, DEVICE), world.acceptance)
    keys = {world.acceptance.key_id: world.acceptance.verifying_key}
    authority = Authority(world.agent.key_id, keys, first(world.rosters[0][0]), 2)
    return orders.check(order, service.approvals(order), authority, ClockReading(NOW, 0.2, 120.0))


def test_a_passkey_and_a_key_file_approve_together(world: World) -> None:
    assert _check(world).approvers == tuple(who.ref for who in APPROVERS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": UP | BE},
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"cross_origin": True},
        {"challenge": b"\1" * 32},
        {"type": "webauthn.create"},
    ],
    ids=repr,
)
def test_an_approval_that_is_wrong_in_one_way_is_refused_by_the_agent(
    world: World, passkey: PasskeySigner, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    monkeypatch.setattr(passkey, "wrong", wrong)
    with pytest.raises(refusals.ApprovalSignatureInvalid):
        _check(world)


def test_the_same_key_bound_to_another_address_is_another_key(
    world: World, passkey: PasskeySigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = SoftwarePasskey(passkey.passkey.rp_id, "https://sanitrail.example.org:8443", key=passkey.passkey.key)
    monkeypatch.setattr(passkey, "passkey", moved)
    with pytest.raises(refusals.ApprovalSignatureInvalid):
        _check(world)


def test_a_roster_is_followed_by_passkeys_and_only_by_good_ones(world: World, passkey: PasskeySigner) -> None:
    pinned = first(world.rosters[0][0])
    body = world.roster_body(2, payload_digest(world.rosters[0][0]))
    assert follow(pinned, sign("roster", body, *world.approvers)).roster.version == 2
    forged = PasskeySigner(passkey.passkey, {"flags": UP})
    with pytest.raises(RosterQuorumMissing):
        follow(pinned, sign("roster", body, forged, world.approvers[1]))


def test_a_roster_whose_passkey_is_not_what_its_id_says_is_malformed(world: World) -> None:
    body = world.roster_body(1, None)
    loosened = canonical(
        {"schema": "sanitrail/passkey/1", "spki": to_base64(FileSigner.generate("p256").public_key_der),
         "rp_id": "evil.example", "origins": ["https://evil.example"]}
    )  # fmt: skip
    body["people"][0]["public_key"] = to_base64(loosened)
    with pytest.raises(RosterMalformed):
        read(sign("roster", body, *world.approvers))
