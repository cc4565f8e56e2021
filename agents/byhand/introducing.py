"""The answer to an introduction that was carried to the service: read, and put together as an enrolment over the network is."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from agents import pins as pinning
from agents import rosters
from agents.durable import read_file
from agents.enrolment import Proposal
from agents.errors import BundleRefused, EnrolmentRefused
from agents.keys import AgentKeys
from inventory.contract.v1.by_hand import Introduced

_LARGEST = 8 << 20
NO_SERVER = "https://by-hand.invalid"
"""Stands where a host without a network has no address of its service; RFC 6761 (6.4) keeps such names from ever existing."""


def read(file: Path, server: str, keys: AgentKeys) -> Proposal:
    """What the service offers, checked as far as a machine can; the digests are for a person.

    Raises:
        BundleRefused: It is no such answer, or is the answer to another host.
        EnrolmentRefused, EvidenceRefused, RosterRefused: What it says does not hold together.
    """
    try:
        answer = Introduced.model_validate_json(read_file(file, _LARGEST))
    except (ValueError, ValidationError) as error:
        raise BundleRefused(f"{file} is no answer to an introduction.") from error
    reply = answer.reply
    if reply.fingerprint.replace(" ", "").lower() != keys.signer.key_id:
        raise BundleRefused(f"It is the answer to another host's key: {reply.fingerprint}.")
    trust_roots = [envelope.model_dump() for envelope in answer.trust_roots]
    pins = pinning.make(trust_roots, reply.trust_root_sha256, None, reply.checkpoint)
    if pins.trust.body.log.origin != reply.log_origin or set(pins.trust.body.log.vkeys) != set(reply.log_keys):
        raise EnrolmentRefused("The log in its reply is not the log of its trust root.")
    roster = None if reply.roster is None else rosters.read(reply.roster.model_dump())
    if roster is not None and roster.roster.version == 1:
        rosters.first(roster.envelope)
    return Proposal(server or NO_SERVER, reply, pins, roster, keys)
