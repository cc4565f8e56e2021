"""Whose personal signatures count: enrolled keys of people who were appointed by those before them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .bundle import Logged
from .canonical import from_base64
from .enrolled import KeyDirectory
from .envelope import open_envelope, payload_digest, unverified_body
from .errors import BrokenChain, MalformedDocument
from .orders import Roster
from .passkeys import ApproverKey, approver_keys
from .trust import TrustRoot


def open_keys(trust: TrustRoot, events: Sequence[Logged]) -> KeyDirectory:
    """The keys that these key events enrolled and revoked. Raises `ReportError`; their place in the log is checked elsewhere."""
    directory = KeyDirectory(trust)
    for item in events:
        directory.add(item.envelope, item.index)
    return directory


def open_rosters(rosters: Sequence[Logged]) -> Roster:
    """The last of these rosters, each signed by a quorum of the one before.

    The first is signed by its own members: their keys count only because each is enrolled under the trust root.

    Raises:
        BrokenChain: they do not follow one another, or too few signed.
        ReportError: a signature does not hold.
    """
    before: Roster | None = None
    before_sha256: str | None = None
    last = 0
    for item in rosters:
        body = Roster.from_dict(unverified_body(item.envelope, "roster"), "roster")
        people = roster_keys(body)
        expected = (1, None) if before is None else (before.version + 1, before_sha256)
        if (body.version, body.previous) != expected or item.index <= last:
            raise BrokenChain("roster", "the rosters do not follow one another.")
        signers = people if before is None else roster_keys(before)
        quorum = body.quorum if before is None else before.quorum
        _, signed = open_envelope(item.envelope, signers, "roster", exact=True)
        if len(signed) < quorum:
            raise BrokenChain("roster", f"{len(signed)} people signed version {body.version}, {quorum} must.")
        before, before_sha256, last = body, payload_digest(item.envelope), item.index
    if before is None:
        raise BrokenChain("roster", "there is none.")
    return before


def roster_keys(roster: Roster) -> dict[str, ApproverKey]:
    """The keys of a roster by key id. Raises `MalformedDocument` where it makes no sense."""
    keys = approver_keys(*(from_base64(person.public_key, "roster.public_key") for person in roster.people))
    if {person.key_id for person in roster.people} != keys.keys() or len(keys) != len(roster.people):
        raise MalformedDocument("roster", "the key ids are not those of the keys, or a key stands there twice")
    if len({person.ref for person in roster.people}) != len(roster.people):
        raise MalformedDocument("roster", "a person stands there twice")
    if not 1 <= roster.quorum <= len(roster.people) or roster.minimum_approvals < 1:
        raise MalformedDocument("roster", "its quorum or minimum makes no sense")
    return keys
