"""What people sign with their own keys, beside what the service signs for them: witness, second person, responsible person.

The same keys that approve orders; the service never holds their private halves. The signature names the digest of exactly the
facts that were shown, and the role in which it was given, so that it can stand for nothing else. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from .enrolled import KeyDirectory
from .envelope import open_envelope, signer_ids, unverified_body
from .errors import BrokenChain, MalformedDocument
from .orders import Roster
from .parts import StrictPart
from .times import parse_instant

PERSONAL_SIGNATURE: Final = "sanitrail/personal-signature/1"
SignerRole = Literal["witness", "countersigner", "responsible"]


@dataclass(frozen=True, kw_only=True)
class PersonalSignature(StrictPart):
    """The payload of an envelope of kind `personal-signature`."""

    schema: Literal["sanitrail/personal-signature/1"] = PERSONAL_SIGNATURE
    role: SignerRole
    subject: str
    """Number of the destruction or statement it is about."""
    sha256: str
    """Of the canonical bytes of the facts that were signed."""
    signer: str
    """The person's pseudonym; the key must be enrolled as theirs."""
    shown: str
    """The one line the person was shown."""
    said: str
    """In the person's own words; may be empty."""
    time: str


def read_signatures(envelopes: Sequence[Mapping[str, Any]]) -> tuple[PersonalSignature, ...]:
    """The payloads, in order. Raises `MalformedDocument`; checks no signature."""
    return tuple(
        PersonalSignature.from_dict(unverified_body(one, "personal-signature"), "personal-signature")
        for one in envelopes
    )


def fitting(
    signatures: Sequence[PersonalSignature], *, subject: str, sha256: str, roles: Sequence[SignerRole]
) -> tuple[PersonalSignature, ...]:
    """The signatures, where they are about exactly these facts, in these roles and this order, each by another person.

    Raises:
        BrokenChain: a signature is about something else, in another role, missing, left over, or by somebody who signed already.
        MalformedDocument: a time is none.
    """
    for one in signatures:
        if (one.subject, one.sha256) != (subject, sha256):
            raise BrokenChain("personal signature", f"the one of {one.signer} is about something else.")
        parse_instant(one.time, "personal-signature.time")
    given = [role for role in roles if role in {one.role for one in signatures}]
    if [one.role for one in signatures] != given:
        raise BrokenChain("personal signature", "they do not stand in their roles, each once and in order.")
    if len({one.signer for one in signatures}) != len(signatures):
        raise BrokenChain("personal signature", "one person signed in two roles.")
    return tuple(signatures)


def open_signature(
    envelope: Mapping[str, Any], directory: KeyDirectory, roster: Roster, index: int
) -> PersonalSignature:
    """Check one signature: by the enrolled key of the person it names, who is in the roster.

    Args:
        envelope: of kind `personal-signature`.
        directory: the keys that key events enrolled and revoked.
        roster: who was appointed; a key that an administrator enrolled alone is not enough.
        index: log position of the document that names the signature; the key must count there.

    Raises:
        ReportError: the signature does not hold, or its key does not count.
    """
    signers = signer_ids(envelope)
    if len(signers) != 1:
        raise MalformedDocument("personal-signature", "needs exactly one signature")
    enrolled = directory.find(signers[0], "approver", index)
    body, _ = open_envelope(envelope, {signers[0]: enrolled.key}, "personal-signature", exact=True)
    found = PersonalSignature.from_dict(body, "personal-signature")
    appointed = {person.key_id: person.ref for person in roster.people}
    if enrolled.ref != found.signer or appointed.get(signers[0]) != found.signer:
        raise BrokenChain("personal signature", f"the key of {enrolled.ref} signed for {found.signer}.")
    return found
