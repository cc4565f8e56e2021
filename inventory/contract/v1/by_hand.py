"""Bundles for hosts without a network: work that is carried in, and what became of it, carried out. Signed on both ways."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .agents import DeclaredPath, EnrolmentReply, EnrolmentRequest, RecordAccepted, RecordSubmission
from .common import Envelope, Instant, LogPosition, Message, Ref, Sha256
from .devices import Name, Observation
from .log import ConsistencyProof
from .orders import Lease, Progress

MOST_JOBS = 32
"""Orders in one job bundle: some dozens of disks; more go with the next one."""
MOST_RECORDS = 32
"""Records in one return bundle."""

Checkpoint = Annotated[str, Field(max_length=20_000)]


class JobBundle(Message):
    """The payload of an envelope of kind `job-bundle`: everything one agent needs to work without the service.

    It holds all that may be done on this host from when it was made until it ends: what an earlier bundle held and this one does
    not may not be begun any more. So the newest bundle counts alone, in whatever order they arrive.
    """

    schema_: Annotated[Literal["sanitrail/job-bundle/1"], Field(alias="schema")] = "sanitrail/job-bundle/1"
    number: Annotated[int, Field(ge=1)]
    """Grows with every bundle for this agent."""
    host: Ref
    agent_key: Sha256
    """Key id of the one agent it is for."""
    made: Instant
    """When the service found that nothing forbade these orders: the age of that answer counts from here."""
    until: Instant
    """Nothing is begun under it from here on."""
    issued_by: Ref
    courier: Ref
    """Who was to carry it."""
    jobs: Annotated[tuple[Lease, ...], Field(max_length=MOST_JOBS)]
    paths: Annotated[tuple[DeclaredPath, ...], Field(max_length=1024)]
    """Where data is declared to lie on this host."""
    trust_roots: Annotated[tuple[Envelope, ...], Field(max_length=256)]
    rosters: Annotated[tuple[Envelope, ...], Field(max_length=1000)]
    """Every roster from the first on: which of them the agent has pinned, the service does not know."""
    checkpoint: Checkpoint
    proofs: Annotated[tuple[ConsistencyProof, ...], Field(max_length=256)]
    """That this checkpoint extends what the agent may have seen, and what the orders name."""
    returned: Annotated[int, Field(ge=0)]
    """Number of the newest return bundle of this agent that arrived; 0 before the first."""
    accepted: Annotated[tuple[RecordAccepted, ...], Field(max_length=256)]
    """Records of this agent that arrived meanwhile."""


class ToldProgress(Message):
    """What the agent would have said of one lease."""

    lease: Ref
    said: Progress


class ReturnBundle(Message):
    """The payload of an envelope of kind `return-bundle`: what became of the work, under the agent's signature."""

    schema_: Annotated[Literal["sanitrail/return-bundle/1"], Field(alias="schema")] = "sanitrail/return-bundle/1"
    number: Annotated[int, Field(ge=1)]
    """Grows with every bundle of this agent."""
    agent_key: Sha256
    agent_version: Name
    boot_id: Name
    made: Instant
    """By the host's own clock."""
    job_bundle: Annotated[int, Field(ge=0)]
    """Number of the newest job bundle this host has taken in; 0 before the first."""
    checkpoint: LogPosition
    running: Annotated[tuple[Ref, ...], Field(max_length=256)]
    """Orders that were begun and are not over."""
    records: Annotated[tuple[RecordSubmission, ...], Field(max_length=MOST_RECORDS)]
    told: Annotated[tuple[ToldProgress, ...], Field(max_length=256)]
    """Orders that were refused, or could not go on, before there was anything to record."""
    observation: Observation | None
    """None: it was left out; nothing follows from that."""
    left_out: Annotated[int, Field(ge=0)]
    """Records that wait and did not fit; they go with the next bundle."""


class Introduction(Message):
    """The payload of an envelope of kind `return-bundle` from an agent nobody knows yet, signed by the key it brings."""

    schema_: Annotated[Literal["sanitrail/introduction/1"], Field(alias="schema")] = "sanitrail/introduction/1"
    request: EnrolmentRequest


class Introduced(Message):
    """What the new agent is brought: the answer, and every version of the trust root it must compare."""

    schema_: Annotated[Literal["sanitrail/introduced/1"], Field(alias="schema")] = "sanitrail/introduced/1"
    reply: EnrolmentReply
    trust_roots: Annotated[tuple[Envelope, ...], Field(min_length=1, max_length=256)]


class MergedPart(Message):
    """What became of one part of a return bundle."""

    what: Literal["record", "refusal", "observation"]
    subject: Annotated[str, Field(max_length=128)]
    """The order's number, or empty."""
    outcome: Literal["taken-in", "known", "evidence-only", "refused", "older"]
    """`known`: it was here already. `older`: a newer one was here already. `evidence-only`: kept, without effect."""
    said: Annotated[str, Field(max_length=500)]


class IssueJobBundle(Message):
    """Which work to carry where."""

    hours: Annotated[int, Field(ge=1, le=336)] = 72
    """How long it may be begun."""
    courier: Ref | None = None
    """Who carries it, by pseudonym; None: whoever asks."""
    lot: Annotated[str, Field(max_length=64)] | None = None
    """Only orders about devices of this lot."""


class ReceiveReturnBundle(Message):
    """A bundle that was brought back, as envelope or as the texts of its codes."""

    envelope: Envelope | None = None
    parts: Annotated[tuple[Annotated[str, Field(max_length=4000)], ...], Field(max_length=999)] = ()
    courier: Ref | None = None
    """Who carried it, by pseudonym; None: whoever hands it over."""
