"""Which rosters follow from the pinned one."""

from __future__ import annotations

from typing import Any

import pytest

from agents import roster_refusals, rosters
from reports.canonical import to_base64
from reports.envelope import Envelope, payload_digest, sign
from reports.keys import FileSigner

PEOPLE = {name: FileSigner.generate("p256") for name in ("ada", "bob", "cyd", "dee")}


def body(version: int, previous: Envelope | None, names: str = "ada bob cyd", **changes: object) -> dict[str, Any]:
    people = [
        {"ref": n, "key_id": PEOPLE[n].key_id, "public_key": to_base64(PEOPLE[n].public_key_der), "roles": ["approver"]}
        for n in names.split()
    ]
    return {
        "schema": "sanitrail/roster/1",
        "version": version,
        "previous": None if previous is None else payload_digest(previous),
        "quorum": 2,
        "minimum_approvals": 2,
        "people": people,
        **changes,
    }


def signed(payload: dict[str, Any], names: str) -> Envelope:
    return sign("roster", payload, *(PEOPLE[name] for name in names.split()))


FIRST = signed(body(1, None), "ada bob")


def test_the_first_is_signed_by_a_quorum_of_its_own_members() -> None:
    assert rosters.first(FIRST).roster.version == 1


def test_the_first_without_its_quorum_is_refused() -> None:
    with pytest.raises(roster_refusals.RosterQuorumMissing):
        rosters.first(signed(body(1, None), "ada"))


def test_the_first_signed_by_a_stranger_is_refused() -> None:
    with pytest.raises(roster_refusals.RosterQuorumMissing):
        rosters.first(signed(body(1, None, "ada bob"), "cyd dee"))


def test_a_chain_cannot_begin_in_the_middle() -> None:
    second = signed(body(2, FIRST, "ada bob"), "ada bob")
    with pytest.raises(roster_refusals.RosterOutOfOrder):
        rosters.follow_all(None, [second])


def test_the_next_is_signed_by_a_quorum_of_the_people_before_it() -> None:
    second = signed(body(2, FIRST, "cyd dee"), "ada cyd")
    assert rosters.follow(rosters.first(FIRST), second).roster.people[1].ref == "dee"


def test_new_members_cannot_vote_themselves_in() -> None:
    second = signed(body(2, FIRST, "cyd dee"), "cyd dee")
    with pytest.raises(roster_refusals.RosterQuorumMissing) as refused:
        rosters.follow(rosters.first(FIRST), second)
    assert (refused.value.needed, refused.value.given) == (2, 1)


def test_a_version_is_not_skipped() -> None:
    second = signed(body(2, FIRST), "ada bob")
    third = signed(body(3, second), "ada bob")
    with pytest.raises(roster_refusals.RosterOutOfOrder):
        rosters.follow(rosters.first(FIRST), third)
    followed = rosters.follow_all(rosters.first(FIRST), [second, third])
    assert followed is not None
    assert followed.roster.version == 3


def test_an_older_roster_is_not_taken_back() -> None:
    second = rosters.follow(rosters.first(FIRST), signed(body(2, FIRST), "ada bob"))
    with pytest.raises(roster_refusals.RosterOutOfOrder):
        rosters.follow(second, FIRST)


def test_another_history_of_the_same_length_is_refused() -> None:
    other = signed(body(1, None, "ada bob dee"), "ada bob")
    with pytest.raises(roster_refusals.RosterOutOfOrder):
        rosters.follow(rosters.first(FIRST), signed(body(2, other), "ada bob"))


@pytest.mark.parametrize(
    "changes",
    [
        {"quorum": 4},
        {"minimum_approvals": 4},
        {"quorum": 0},
        {"schema": "sanitrail/roster/2"},
        {"people": []},
        {"also": "this"},
        {"previous": "0" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_roster_that_cannot_work_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(roster_refusals.RosterMalformed):
        rosters.first(signed({**body(1, None), **changes}, "ada bob"))


def named(payload: dict[str, Any], **changes: object) -> dict[str, Any]:
    """The first of them is a privacy officer, too."""
    first, *others = payload["people"]
    return {**payload, "people": [{**first, "roles": ["approver", "privacy_officer"]}, *others], **changes}


def test_roles_beside_that_of_an_approver_stand_in_the_second_version_only() -> None:
    second = rosters.first(signed(named(body(1, None), schema="sanitrail/roster/2"), "ada bob"))
    assert second.roster.people[0].roles == ("approver", "privacy_officer")
    for spoilt in (named(body(1, None)), body(1, None, schema="sanitrail/roster/2")):
        with pytest.raises(roster_refusals.RosterMalformed):
            rosters.first(signed(spoilt, "ada bob"))


def test_a_role_nobody_can_have_beside_approving_is_refused() -> None:
    spoilt = body(1, None, schema="sanitrail/roster/2")
    spoilt["people"][0]["roles"] = ["approver", "administrator"]
    with pytest.raises(roster_refusals.RosterMalformed):
        rosters.first(signed(spoilt, "ada bob"))


def test_a_roster_with_roles_follows_one_without_and_the_other_way_round() -> None:
    second = signed(named(body(2, FIRST), schema="sanitrail/roster/2"), "ada bob")
    third = signed(body(3, second), "ada cyd")
    followed = rosters.follow_all(None, [FIRST, second, third])
    assert followed is not None
    assert followed.roster.version == 3


def test_somebody_listed_twice_is_refused() -> None:
    with pytest.raises(roster_refusals.RosterMalformed):
        rosters.first(signed(body(1, None, "ada bob bob"), "ada bob"))
    twins = body(1, None)
    twins["people"][1]["ref"] = "ada"
    with pytest.raises(roster_refusals.RosterMalformed):
        rosters.first(signed(twins, "ada bob"))


def test_a_key_under_another_keys_id_is_refused() -> None:
    payload = body(1, None)
    payload["people"][2]["public_key"] = to_base64(PEOPLE["dee"].public_key_der)
    with pytest.raises(roster_refusals.RosterMalformed):
        rosters.first(signed(payload, "ada bob"))


def test_what_people_compared_decides_at_enrolment() -> None:
    second = signed(body(2, FIRST, "ada bob dee"), "ada bob")
    chain = [FIRST, second]
    assert rosters.confirmed(chain, payload_digest(second)).roster.version == 2
    with pytest.raises(roster_refusals.RosterNotConfirmed):
        rosters.confirmed(chain, payload_digest(FIRST))
    with pytest.raises(roster_refusals.RosterNotConfirmed):
        rosters.confirmed([], payload_digest(FIRST))
