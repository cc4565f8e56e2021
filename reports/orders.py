"""Strict readers of what stands before a run: order, approval, roster.

The same words as the messages in `inventory.contract.v1.orders` (a test keeps them equal), read here without any of the service's
code, because evidence must be readable when the service is gone. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from .errors import MalformedDocument
from .parts import StrictPart

ApproverRole = Literal["approver", "viewer", "custodian", "operator", "validator", "privacy_officer"]
"""What a roster may say of somebody: that they approve, and the roles that an approver can have besides."""

_LEFT_OUT: Final[dict[str, Any]] = {
    "firmware_pattern": "",
    "no_deallocate": False,
    "settings": [],
    "acknowledged_scope": [],
    "answers": [],
}
"""Fields of a plan that are left out while they hold this value, so that digests of older orders stay what they were."""


@dataclass(frozen=True, kw_only=True)
class LogPosition(StrictPart):
    """A log checkpoint somebody has seen."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, kw_only=True)
class Plan(StrictPart):
    """What shall be done to the medium; `plan_sha256` of the order is the SHA-256 of its canonical bytes."""

    method: Literal["clear", "purge", "destroy"]
    technique: str
    pattern_set: str
    verification: Literal["none", "representative", "full"]
    acknowledged_signatures: tuple[str, ...]
    firmware_pattern: str
    """Eight hexadecimal digits for the drives' own overwrite; empty: zeros."""
    no_deallocate: bool
    """NVMe: the blocks stay allocated after a sanitize, so that reading back sees the media."""
    settings: tuple[str, ...]
    """Disputed classifications that are decided otherwise than the conservative default."""
    acknowledged_scope: tuple[str, ...]
    """What else is destroyed, and accepted."""
    answers: tuple[str, ...]
    """Conditions a person vouches for."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what holds its default is left out."""
        return {name: value for name, value in super().to_dict().items() if value != _LEFT_OUT.get(name, ...)}

    @classmethod
    def from_dict(cls, value: object, where: str = "plan") -> Self:
        """As `StrictPart.from_dict`; a default that is written out all the same is refused, for a plan has one spelling."""
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        for name, default in _LEFT_OUT.items():
            if name in value and value[name] == default:
                raise MalformedDocument(f"{where}.{name}", "holds its default and must be left out")
        return super().from_dict({**_LEFT_OUT, **value}, where)


@dataclass(frozen=True, kw_only=True)
class Order(StrictPart):
    """The payload of an order envelope: exactly what approvers see and sign the digest of.

    The second version says which roles must be among them, and is written where the policy demands any.
    """

    schema: Literal["sanitrail/order/1", "sanitrail/order/2"] = "sanitrail/order/1"
    id: str
    kind: Literal["sanitize"]
    agent_key: str
    device: str
    """Fingerprint of the one medium it is about."""
    device_label: str
    plan: Plan
    plan_sha256: str
    policy_id: str
    policy_sha256: str
    required_method: Literal["clear", "purge", "destroy"]
    required_verification: Literal["none", "representative", "full"]
    approvals_required: int
    approval_roles: tuple[ApproverRole, ...]
    """Among the approvers, each held by another person; only in the second version, and there at least one."""
    requested_by: str
    reason: str
    created: str
    expires: str
    nonce: str
    after: LogPosition

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the first version has no word of roles."""
        return {name: value for name, value in super().to_dict().items() if (name, value) != ("approval_roles", [])}

    @classmethod
    def from_dict(cls, value: object, where: str = "order") -> Self:
        """As `StrictPart.from_dict`; the version and what it says of roles must fit."""
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        second = value.get("schema") == "sanitrail/order/2"
        if second is not bool(value.get("approval_roles")) or ("approval_roles" in value and not second):
            raise MalformedDocument(f"{where}.approval_roles", "stands in the second version, and only there")
        return super().from_dict({"approval_roles": [], **value}, where)


@dataclass(frozen=True, kw_only=True)
class Approval(StrictPart):
    """The payload of an approval envelope."""

    schema: Literal["sanitrail/approval/1"] = "sanitrail/approval/1"
    decision: Literal["approve"]
    order_id: str
    order_sha256: str
    """SHA-256 of the order envelope's payload bytes."""
    approver: str
    shown: str
    time: str


@dataclass(frozen=True, kw_only=True)
class RosterPerson(StrictPart):
    """Somebody who may approve."""

    ref: str
    key_id: str
    public_key: str
    roles: tuple[ApproverRole, ...]


@dataclass(frozen=True, kw_only=True)
class Roster(StrictPart):
    """The payload of a roster envelope: who may approve, how many must.

    The second version says what else these people are trusted with, so that roles among them can be demanded.
    """

    schema: Literal["sanitrail/roster/1", "sanitrail/roster/2"] = "sanitrail/roster/1"
    version: int
    previous: str | None
    """SHA-256 of the previous roster's payload bytes; None for the first."""
    quorum: int
    minimum_approvals: int
    people: tuple[RosterPerson, ...]

    @classmethod
    def from_dict(cls, value: object, where: str = "roster") -> Self:
        """As `StrictPart.from_dict`; the first version knows approvers and no other role."""
        read = super().from_dict(value, where)
        if (read.schema == "sanitrail/roster/2") is not names_roles(read.people):
            raise MalformedDocument(
                f"{where}.people", "other roles than approver stand in the second version, and only there"
            )
        return read


def names_roles(people: Sequence[RosterPerson]) -> bool:
    """Whether anybody has a role besides that of an approver."""
    return any(role != "approver" for person in people for role in person.roles)
