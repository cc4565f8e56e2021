"""The roster of approvers: which rosters follow from the pinned one. Pure.

- The first roster (version 1, no predecessor) is signed by a quorum of its own members, and a person compares its digest.
- Every later one has the next version, names the digest of its predecessor's payload, and is signed by a quorum of
  the *predecessor's* people.
- Nothing is skipped: a host that was away is given every roster in between, and follows them one by one.

What is not decided here: whether a roster is wise. A quorum may shrink itself; it is their right, and each step is in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from inventory.contract.v1.orders import Roster, RosterPerson
from reports.canonical import from_base64
from reports.envelope import open_envelope, payload_bytes, payload_digest, unverified_body
from reports.errors import ReportError
from reports.passkeys import ApproverKey, load_approver_key

from .roster_refusals import RosterMalformed, RosterNotConfirmed, RosterOutOfOrder, RosterQuorumMissing


@dataclass(frozen=True)
class PinnedRoster:
    """A roster this host relies on, as signed."""

    roster: Roster
    sha256: str
    """SHA-256 of the payload: what the next roster names, and what people compare."""
    envelope: dict[str, Any]

    @property
    def keys(self) -> dict[str, ApproverKey]:
        """Everybody's key by key id."""
        return _keys(self.roster)

    def person(self, key_id: str) -> RosterPerson:
        """Whose key this is. Raises `KeyError`."""
        return {person.key_id: person for person in self.roster.people}[key_id]


def read(envelope: Mapping[str, Any]) -> PinnedRoster:
    """Read a roster without asking who signed it: for one that was pinned before, or as the first half of `follow`.

    Raises:
        RosterMalformed: Not a roster, a key that is not what its id says, somebody listed twice, or a quorum its
        people cannot reach.
    """
    try:
        body = unverified_body(envelope, "roster")
        roster = Roster.model_validate_json(payload_bytes(envelope, "roster"), strict=True)
        keys = _keys(roster)
        digest = payload_digest(envelope)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise RosterMalformed(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except ReportError as error:
        raise RosterMalformed(error.summarize()) from error
    if body.get("schema") != roster.schema_:
        raise RosterMalformed("It names no schema.")
    if len(keys) != len(roster.people) or len({person.ref for person in roster.people}) != len(roster.people):
        raise RosterMalformed("Somebody is listed twice.")
    approvers = sum("approver" in person.roles for person in roster.people)
    if max(roster.quorum, roster.minimum_approvals) > approvers:
        raise RosterMalformed(f"{approvers} people cannot give the quorum or the approvals it demands.")
    if (roster.version == 1) != (roster.previous is None):
        raise RosterMalformed("Only the first version has no predecessor.")
    return PinnedRoster(roster, digest, dict(envelope))


def first(envelope: Mapping[str, Any]) -> PinnedRoster:
    """The roster a chain begins with: version 1, signed by a quorum of its own members.

    Raises:
        RosterRefused: One of its subclasses says why.
    """
    found = read(envelope)
    if found.roster.version != 1:
        raise RosterOutOfOrder(f"The chain begins with version {found.roster.version}.")
    _require_quorum(found.envelope, found.roster)
    return found


def follow(pinned: PinnedRoster, envelope: Mapping[str, Any]) -> PinnedRoster:
    """The roster after the pinned one, if it is that.

    Raises:
        RosterRefused: One of its subclasses says why; the pinned one stays.
    """
    found = read(envelope)
    if found.roster.version != pinned.roster.version + 1:
        raise RosterOutOfOrder(f"Version {found.roster.version} does not follow {pinned.roster.version}.")
    if found.roster.previous != pinned.sha256:
        raise RosterOutOfOrder(f"Version {found.roster.version} names another predecessor than the pinned roster.")
    _require_quorum(found.envelope, pinned.roster)
    return found


def follow_all(pinned: PinnedRoster | None, chain: Iterable[Mapping[str, Any]]) -> PinnedRoster | None:
    """Every step of a chain, oldest first; without a pinned one the chain must begin with the first."""
    for envelope in chain:
        pinned = first(envelope) if pinned is None else follow(pinned, envelope)
    return pinned


def confirmed(chain: Sequence[Mapping[str, Any]], digest: str) -> PinnedRoster:
    """The whole chain from version 1, whose last roster has the digest a person compared.

    Raises:
        RosterNotConfirmed: The chain is empty or ends in another roster.
        RosterRefused: A step of the chain does not hold.
    """
    last = follow_all(None, chain)
    if last is None:
        raise RosterNotConfirmed("The service has no roster.")
    if last.sha256 != digest:
        raise RosterNotConfirmed(f"Compared {digest[:16]}…, the service's is {last.sha256[:16]}….")
    return last


def _keys(roster: Roster) -> dict[str, ApproverKey]:
    keys: dict[str, ApproverKey] = {}
    for person in roster.people:
        key = load_approver_key(from_base64(person.public_key, "roster.public_key"))
        if key.key_id != person.key_id:
            raise RosterMalformed(f"The key of {person.ref} is not the one its id names.")
        keys[key.key_id] = key
    return keys


def _require_quorum(envelope: Mapping[str, Any], judges: Roster) -> None:
    """Signatures by a quorum of `judges`. Anybody else's are left out of account: a new member may sign as well."""
    try:
        _, signers = open_envelope(envelope, _keys(judges), "roster")
    except ReportError as error:
        raise RosterQuorumMissing(judges.quorum, 0) from error
    if len(signers) < judges.quorum:
        raise RosterQuorumMissing(judges.quorum, len(signers))
