"""Orders, approvals, leases and progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.domain.roles import Role
from inventory.domain.vocabulary import Category, Method, OrderState, Verification

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class PolicyDecisionView:
    """What the policy demanded when the order was made, and why."""

    policy_id: str
    policy_sha256: str
    category: Category | None
    required_method: Method
    required_verification: Verification
    approvals: int
    explanation: str
    sentence: str = ""
    """Why, in one sentence; empty on orders from before there was one."""
    techniques: tuple[str, ...] = ()
    """Those the policy allows on this kind of medium, best first; empty where it allows all that reach the method."""
    approval_roles: tuple[Role, ...] = ()
    """Roles that must be among the approvers, each held by another person."""
    sampling_percent: int = 0
    """Share of its lot that somebody else reads back again."""


@dataclass(frozen=True, kw_only=True)
class ApprovalView:
    """One approver's signature."""

    approver: str
    key_id: str
    time: datetime
    """As the approver's envelope states it."""
    received: datetime
    sha256: str
    """Digest of the approval envelope."""
    shown: str


@dataclass(frozen=True, kw_only=True)
class LeaseView:
    """The newest lease of an order."""

    id: str
    host: str
    token: int
    acquired: datetime
    expires: datetime
    current: bool
    """Whether it has not run out."""


@dataclass(frozen=True, kw_only=True)
class ProgressView:
    """How far the run is, by the agent's last report."""

    state: str
    pass_number: int
    passes: int
    bytes_done: int
    bytes_total: int
    bytes_per_second: int
    seconds_left: int | None
    errors: int
    temperature: int | None
    """Degrees Celsius by the drive's own sensor; None: it has none."""
    reason_code: str | None
    reason: str | None
    reported: datetime
    percent: int
    """Of all passes and the verification, whole number."""


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """An order in a list."""

    id: str
    state: OrderState
    device: str
    device_label: str
    asset_tag: str | None
    host: str
    host_name: str
    method: Method
    technique: str
    pattern_set: str
    verification: Verification
    requested_by: str
    created: datetime
    expires: datetime
    approvals_given: int
    approvals_required: int
    progress: ProgressView | None
    record: str | None
    """Digest of the order's record."""
    certificate: str | None
    version: int


@dataclass(frozen=True, kw_only=True)
class ReadyOrder:
    """What an approver signs: exactly these bytes' digest, and the line to show."""

    order: str
    order_sha256: str
    """SHA-256 of the sealed order's payload bytes."""
    payload: str
    """Base64 of the payload bytes, for an approver who checks for themselves."""
    shown: str
    """The one line the approver must see; goes into the approval."""
    approver: str
    key_ids: tuple[str, ...]
    """The approver's own keys in the published roster."""
    body: dict[str, Any]
    """The approval payload without `time`: {schema, decision, order_id, order_sha256, approver, shown}."""


@dataclass(frozen=True, kw_only=True)
class OrderDetail(OrderRow):
    """An order with everything about it."""

    reason: str
    fingerprint: str
    agent_key: str
    purpose: str
    """What shall become of the device, in words."""
    decision: PolicyDecisionView
    sealed: dict[str, Any]
    """The sealed order's payload."""
    envelope: dict[str, Any]
    sha256: str
    """SHA-256 of the payload bytes: what approvals name."""
    approvals: tuple[ApprovalView, ...]
    lease: LeaseView | None
    stop_requested: bool
    holds: tuple[ReasonView, ...]
    events_possible: tuple[str, ...]
    evidence_records: tuple[str, ...]
    """Digests of records kept as evidence only."""
    outcome_reason: str | None
    """Why it was refused, cancelled, expired, rejected."""
