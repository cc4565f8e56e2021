"""What agents ask. Every request is signed; see `inventory.contract.v1.endpoints` for the addresses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inventory.api.bodies import MAX_AGENT_BODY
from inventory.api.dispatch import Call
from inventory.api.endpoint import AGENT, ENROLMENT, NEW_AGENT, Noun
from inventory.contract.v1 import endpoints
from inventory.contract.v1.agents import (
    EnrolmentReply,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatReply,
    RecordAccepted,
    RecordSubmission,
)
from inventory.contract.v1.common import Envelope, Message
from inventory.contract.v1.devices import Observation, ObservationAccepted
from inventory.contract.v1.escrows import EscrowDeposit, EscrowHeld, EscrowRelease
from inventory.contract.v1.log import RosterChain
from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, LeaseReply, Progress, ProgressReply
from inventory.contract.v1.vocabulary import Key
from inventory.errors import AgentNotTrusted, Conflict, Duplicate, EvidenceRefused, Invalid, NotFound, SetupError
from inventory.services import custody, heartbeat, hosts, leases, observation, records, roster

noun = Noun("agents", "What the daemon on each host asks; signed by its key, never by a person.", prefix="")

_SMALL = 64 * 1024
"""Bytes; nothing but observations and records comes near it."""


class Empty(Message):
    """An empty object."""


class SinceVersion(Message):
    """Which rosters are wanted."""

    version: Annotated[int, Field(ge=0)] = 0
    """The version the agent has pinned."""


@noun.post(
    endpoints.ENROLMENTS,
    "Introduce myself",
    ENROLMENT,
    status=201,
    body_limit=_SMALL,
    raises=(EvidenceRefused, Duplicate),
)
def enrol(call: Call, body: EnrolmentRequest) -> EnrolmentReply:
    """With the one-time token, signed by the key the message carries: that proves possession. Repeating it is harmless."""
    if call.key_id is None:
        raise RuntimeError("enrolment without a verified key")
    return hosts.enrol(call.context, body, call.key_id)


@noun.get(endpoints.AGENT_ENROLMENT, "How my enrolment stands", NEW_AGENT)
def enrolment_status(call: Call) -> EnrolmentReply:
    """Asked until an administrator has confirmed the fingerprint."""
    return hosts.enrolment_status(call.context, call.actor)


@noun.post(endpoints.AGENT_HEARTBEAT, "I am alive", AGENT, body_limit=_SMALL, raises=(AgentNotTrusted,))
def beat(call: Call, body: Heartbeat) -> HeartbeatReply:
    """The answer says what the agent should know, with the newest checkpoint and its proof."""
    return heartbeat.beat(call.context, call.actor, body)


@noun.put(endpoints.AGENT_OBSERVATION, "What I see", AGENT, body_limit=MAX_AGENT_BODY, raises=(Invalid,))
def observe(call: Call, body: Observation) -> ObservationAccepted:
    """Everything that is attached now; what is missing from it no longer is."""
    return observation.observe(call.context, call.actor, body)


@noun.post(endpoints.AGENT_LEASES, "Is there work", AGENT, body_limit=_SMALL)
def acquire_lease(call: Call, body: Empty) -> LeaseReply:
    """The oldest executable order of this agent, or the run it left unfinished, or nothing."""
    del body
    return leases.acquire(call.context, call.actor)


@noun.post(endpoints.AGENT_HOLDS, "May I write", AGENT, body_limit=_SMALL, raises=(NotFound,))
def answer_hold(call: Call, lease: Key, body: HoldQuestion) -> HoldAnswer:
    """Asked right before the first write; only a fresh `clear` allows it."""
    return leases.answer_hold(call.context, call.actor, lease, body)


@noun.post(endpoints.AGENT_PROGRESS, "How far I am", AGENT, body_limit=_SMALL, raises=(NotFound,))
def report_progress(call: Call, lease: Key, body: Progress) -> ProgressReply:
    """Prolongs the lease; an old token is told that it is not current."""
    return leases.report_progress(call.context, call.actor, lease, body)


@noun.post(
    endpoints.AGENT_RECORDS,
    "Here is what happened",
    AGENT,
    body_limit=MAX_AGENT_BODY,
    raises=(EvidenceRefused, Conflict),
)
def submit_record(call: Call, body: RecordSubmission) -> RecordAccepted:
    """A signed record; the same one again gets the same acceptance."""
    return records.ingest(call.context, call.actor, body)


@noun.post(
    endpoints.AGENT_ESCROWS,
    "Keep this password",
    AGENT,
    body_limit=_SMALL,
    raises=(NotFound, Conflict, Invalid, SetupError),
)
def deposit_escrow(call: Call, body: EscrowDeposit) -> EscrowHeld:
    """Before a drive is given a password. The answer's digest is of what was read back from storage; only then go on."""
    return custody.deposit(call.context, call.actor, body)


@noun.post(
    endpoints.AGENT_ESCROW_RELEASE,
    "The drive has no password any more",
    AGENT,
    body_limit=_SMALL,
    raises=(NotFound, Conflict),
)
def release_escrow(call: Call, escrow: Key, body: EscrowRelease) -> EscrowHeld:
    """Nobody needs the password; it is kept all the same, for the agent might be wrong."""
    return custody.release(call.context, call.actor, escrow, body)


@noun.get(endpoints.AGENT_ROSTER, "Rosters since mine", AGENT)
def roster_chain(call: Call, query: SinceVersion) -> RosterChain:
    """Oldest first; each is signed by a quorum of the one before."""
    chain = roster.chain_since(call.context, call.actor, query.version)
    return RosterChain(rosters=tuple(Envelope.model_validate(envelope) for envelope in chain))
