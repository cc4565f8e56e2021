"""Orders, approvals, roster and leases: what the agent must check before it believes the service."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from .common import (
    Base64,
    Bytes,
    Envelope,
    Instant,
    LogPosition,
    Message,
    Method,
    Ref,
    Sha256,
    Text,
    Verification,
)

ORDER_TYPE = "application/vnd.sanitrail.order.v1+json"
APPROVAL_TYPE = "application/vnd.sanitrail.approval.v1+json"
ROSTER_TYPE = "application/vnd.sanitrail.roster.v1+json"


_WORD = r"[a-z0-9]+(?:-[a-z0-9]+)*"

Word = Annotated[str, Field(pattern=f"^{_WORD}$", max_length=64)]
"""A word of a vocabulary: small letters, digits and hyphens."""
Technique = Annotated[str, Field(pattern=rf"^{_WORD}(?:\+{_WORD})*$", max_length=200)]
"""overwrite, auto, the name of one of the drive's own techniques, or several joined by `+` in order."""
Words = Annotated[tuple[Word, ...], Field(max_length=16)]
ApproverRole = Literal["approver", "viewer", "custodian", "operator", "validator", "privacy_officer"]
"""What a roster may say of somebody: that they approve, and the roles that an approver can have besides."""


class PlanRequest(Message):
    """What shall be done to the medium. Its canonical bytes are the plan the order seals.

    Mirrors `sanitizer.planning.PlanRequest` word for word; a contract test keeps them equal. A field that came later is left out
    of those bytes while it holds its default, so that the digests of older orders stay.
    """

    method: Method
    technique: Technique
    """`auto` is the best technique that reaches the method on this drive, never one below it."""
    pattern_set: Ref
    """What the host writes; `canaries` for a drive's own technique. With `auto` it counts only where overwriting is chosen."""
    verification: Verification
    acknowledged_signatures: tuple[Ref, ...] = ()
    """Dormant volume-manager signatures the order accepts to destroy (for example `lvm2-member`)."""
    firmware_pattern: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{8})?$")] = ""
    """Eight hexadecimal digits for a drive's own overwrite; empty for zeros."""
    no_deallocate: bool = False
    """NVMe Sanitize shall leave the blocks allocated, so that reading back sees the media."""
    settings: Words = ()
    """Disputed classifications decided otherwise than the conservative default; the policy in force decides which."""
    acknowledged_scope: Words = ()
    """What else may be destroyed: other-namespaces, other-controllers, unallocated, boot-areas."""
    answers: Words = ()
    """Conditions a person vouches for: encrypted-before-first-use, no-key-outside."""

    @model_serializer(mode="wrap")
    def _leave_defaults_out(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        untouched = {name for name in _ADDED if getattr(self, name) == type(self).model_fields[name].default}
        return {name: value for name, value in written.items() if name not in untouched}


_ADDED = ("firmware_pattern", "no_deallocate", "settings", "acknowledged_scope", "answers")


class SealedOrder(Message):
    """The payload of an order envelope: exactly what approvers see and sign the digest of.

    The second version is written where the policy demands roles among the approvers; an agent that does not know it refuses it.
    """

    schema_: Annotated[Literal["sanitrail/order/1", "sanitrail/order/2"], Field(alias="schema")] = "sanitrail/order/1"
    id: Ref
    kind: Literal["sanitize"]
    agent_key: Sha256
    """Key id of the one agent that may execute it."""
    device: Sha256
    """Fingerprint of the one medium it is about."""
    device_label: Text
    """Model, serial and capacity in words, for the approver's eye."""
    plan: PlanRequest
    plan_sha256: Sha256
    policy_id: Ref
    policy_sha256: Sha256
    required_method: Method
    required_verification: Verification
    approvals_required: Annotated[int, Field(ge=1, le=9)]
    approval_roles: Annotated[tuple[ApproverRole, ...], Field(max_length=9)] = ()
    """Roles among the approvers, each held by another person; only in the second version, and there at least one."""
    requested_by: Ref
    reason: Text
    created: Instant
    expires: Instant
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """128 random bits; seeds the choice of samples, so that the host cannot pick friendly sectors."""
    after: LogPosition
    """An earlier log checkpoint: the record cannot be older than this order."""

    @model_validator(mode="after")
    def _version_fits(self) -> Self:
        if (self.schema_ == "sanitrail/order/2") is not bool(self.approval_roles):
            raise ValueError("roles of approvers stand in the second version, and only there")
        return self

    @model_serializer(mode="wrap")
    def _leave_roles_out(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        return {name: value for name, value in written.items() if name != "approval_roles" or self.approval_roles}


class Approval(Message):
    """The payload of an approval envelope, signed by the approver's own key over the order's digest."""

    schema_: Annotated[Literal["sanitrail/approval/1"], Field(alias="schema")] = "sanitrail/approval/1"
    decision: Literal["approve"]
    order_id: Ref
    order_sha256: Sha256
    """SHA-256 of the order envelope's payload bytes."""
    approver: Ref
    shown: Text
    """The one line the approver saw."""
    time: Instant


class RosterPerson(Message):
    """Somebody who may approve, by pseudonym and key."""

    ref: Ref
    key_id: Sha256
    public_key: Base64
    """DER SubjectPublicKeyInfo: P-256 or Ed25519; or a passkey's document, which pins its domain and addresses."""
    roles: Annotated[tuple[ApproverRole, ...], Field(max_length=6)]


class Roster(Message):
    """The payload of a roster envelope: signed by a quorum of the roster before it (the first by its own members).

    The second version names what else its people are trusted with; an agent that does not know it stays with the roster it has.
    """

    schema_: Annotated[Literal["sanitrail/roster/1", "sanitrail/roster/2"], Field(alias="schema")] = (
        "sanitrail/roster/1"
    )
    version: Annotated[int, Field(ge=1)]
    previous: Sha256 | None
    """SHA-256 of the previous roster's payload; None for the first."""
    quorum: Annotated[int, Field(ge=1, le=9)]
    """How many of these people must sign the next roster."""
    minimum_approvals: Annotated[int, Field(ge=1, le=9)]
    """The agent accepts no order with fewer approvals than this, whatever the order says."""
    people: Annotated[tuple[RosterPerson, ...], Field(max_length=200)]

    @model_validator(mode="after")
    def _version_fits(self) -> Self:
        named = any(role != "approver" for person in self.people for role in person.roles)
        if (self.schema_ == "sanitrail/roster/2") is not named:
            raise ValueError("other roles than approver stand in the second version, and only there")
        return self


class Lease(Message):
    """Leave to execute one order, until a time, under a fencing token."""

    id: Ref
    token: Annotated[int, Field(ge=1)]
    """Grows with every lease of the order; a report under an older token changes nothing."""
    expires: Instant
    order: Envelope
    approvals: tuple[Envelope, ...]
    path_hint: Text
    """Kernel node where the service last saw the device; the agent trusts only the fingerprint."""


class LeaseReply(Message):
    """A lease, or nothing to do."""

    lease: Lease | None


class HoldQuestion(Message):
    """Asked by the agent right before the first write; the answer must echo the nonce."""

    token: Annotated[int, Field(ge=1)]
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class HoldAnswer(Message):
    """A fresh answer: whether anything forbids the first write now."""

    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    clear: bool
    reasons: tuple[Text, ...]
    """Why not: holds, cancelled or expired order, lost lease."""
    statement: Envelope
    """The same under the service's signature (kind `hold-answer`), with order and lease: only this is believed."""


class Progress(Message):
    """How far a run is."""

    token: Annotated[int, Field(ge=1)]
    state: Literal["cleared", "executing", "settling", "verifying", "succeeded", "failed", "refused", "interrupted"]
    pass_number: Annotated[int, Field(ge=0)]
    passes: Annotated[int, Field(ge=0)]
    bytes_done: Bytes
    bytes_total: Bytes
    bytes_per_second: Bytes
    seconds_left: Bytes | None
    """None while nothing honest can be said."""
    errors: Bytes
    temperature: Annotated[int, Field(ge=-99, le=250)] | None = None
    """Degrees Celsius by the drive's own sensor; None where it has none."""
    reason_code: Annotated[str, Field(max_length=64)] | None = None
    """Why it was refused before there was anything to record: the stable code of the agent's refusal."""
    reason: Text | None = None
    """The same in one sentence, for a person."""


class ProgressReply(Message):
    """Whether the service still regards this lease as current and wants the run to go on."""

    current: bool
    stop_requested: bool
    halted: bool = False
    """The whole host is halted: the run ends at its next block and can be resumed. The signed halt comes with the heartbeat."""
