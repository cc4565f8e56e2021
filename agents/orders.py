"""Everything that says no to an order before the medium is looked at. Pure: an `ApprovedOrder` comes out, or a refusal.

A server alone cannot make this host destroy anything. An order counts only when all of this holds, checked in this order:

 1. the envelope holds an order of the one known form, signed by a key of the pinned trust root;
 2. it names this agent's key;
 3. the clocks agree well enough to judge times; the order was not made in the future and has not expired;
 4. the plan is the plan whose digest was sealed, and reaches the method and verification the order itself requires;
 5. every approval is signed by somebody on the pinned roster over exactly this order's payload, names its own signer,
    and is dated within the order's life; the approvers are distinct people and none is the requester;
 6. there are at least as many as the order, the roster and the local rules demand, whichever is most;
 7. the roles that the order demands among them, and those of the local rules, are there by the pinned roster, each held by
    another person.

One bad approval refuses the order, even if enough good ones remain: a service that hands out bad signatures is not to
be trusted with the rest. Whether the device is the one, the local rules and the holds come afterwards
(`local_rules.py`, `runner.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from inventory.contract.v1.common import Message
from inventory.contract.v1.orders import Approval, SealedOrder
from reports.approving import roles_shown
from reports.canonical import digest_of
from reports.envelope import (
    Kind,
    PublicKey,
    envelope_digest,
    open_envelope,
    payload_bytes,
    payload_digest,
    unverified_body,
)
from reports.errors import ReportError

from .clock import ClockReading, rfc3339
from .refusals import (
    ApprovalForAnotherOrder,
    ApprovalMalformed,
    ApprovalOutsideTime,
    ApprovalRoleMissing,
    ApprovalSignatureInvalid,
    ApprovedByRequester,
    ApproverMismatch,
    ApproverRepeated,
    AuthorityMissing,
    ClockUntrusted,
    MethodBelowRequirement,
    NoRosterPinned,
    OrderExpired,
    OrderForAnotherAgent,
    OrderMalformed,
    OrderUnsigned,
    PlanDigestMismatch,
    TooFewApprovals,
    VerificationBelowRequirement,
)
from .rosters import PinnedRoster

_METHODS = ("clear", "purge", "destroy")
_VERIFICATIONS = ("none", "representative", "full")
_Body = TypeVar("_Body", bound=Message)


@dataclass(frozen=True)
class Authority:
    """Whom this host believes: all of it pinned at enrolment or written by its administrator."""

    agent_key: str
    """This agent's key id."""
    service_keys: Mapping[str, PublicKey]
    """Keys of the pinned trust root that may sign orders, by key id."""
    roster: PinnedRoster | None
    local_minimum: int
    """Approvals the local rules demand at least."""
    local_roles: tuple[str, ...] = ()
    """Roles the local rules demand among those who approve."""


@dataclass(frozen=True)
class ApprovedOrder:
    """An order that enough of the right people signed. Made by `check`, or by `reread` from what was checked before."""

    order: SealedOrder
    envelope_sha256: str
    payload_sha256: str
    approvals: tuple[str, ...]
    """Digest of each approval envelope, in the order received."""
    approvers: tuple[str, ...]


def check(
    order: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]], authority: Authority, clock: ClockReading
) -> ApprovedOrder:
    """Decide whether the order counts.

    Args:
        order: The order envelope as leased.
        approvals: The approval envelopes as leased.
        authority: Whom this host believes.
        clock: Both clocks.

    Raises:
        OrderRefused: The subclass is the reason.
    """
    sealed = _open_order(order, authority)
    if authority.roster is None:
        raise NoRosterPinned
    _check_times(sealed, clock)
    _check_plan(sealed)
    digest = payload_digest(order)
    approvers: list[str] = []
    for envelope in approvals:
        approver = _check_approval(envelope, sealed, digest, authority.roster, clock)
        if approver in approvers:
            raise ApproverRepeated(approver)
        approvers.append(approver)
    needed = max(sealed.approvals_required, authority.roster.roster.minimum_approvals, authority.local_minimum)
    if len(approvers) < needed:
        raise TooFewApprovals(needed, len(approvers))
    _check_roles(sealed, approvers, authority.roster, authority.local_roles)
    return ApprovedOrder(
        order=sealed,
        envelope_sha256=envelope_digest(order),
        payload_sha256=digest,
        approvals=tuple(envelope_digest(envelope) for envelope in approvals),
        approvers=tuple(approvers),
    )


def reread(order: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]]) -> ApprovedOrder:
    """An order that `check` passed before its run began, from this host's own state: signatures and times are not asked again.

    A run that was begun goes on under the rules it began under; a roster or a clock that changed since takes nothing back.
    """
    body = unverified_body(order, "order")
    bodies = [unverified_body(envelope, "approval") for envelope in approvals]
    return ApprovedOrder(
        order=_read(SealedOrder, order, "order", body, OrderMalformed),
        envelope_sha256=envelope_digest(order),
        payload_sha256=payload_digest(order),
        approvals=tuple(envelope_digest(envelope) for envelope in approvals),
        approvers=tuple(str(one["approver"]) for one in bodies),
    )


def _open_order(envelope: Mapping[str, Any], authority: Authority) -> SealedOrder:
    try:
        body, _ = open_envelope(envelope, authority.service_keys, "order", exact=True)
    except ReportError as error:
        if error.code in {"unknown-key", "bad-signature"}:
            raise OrderUnsigned(error.summarize()) from error
        raise OrderMalformed(error.summarize()) from error
    sealed = _read(SealedOrder, envelope, "order", body, OrderMalformed)
    if sealed.agent_key != authority.agent_key:
        raise OrderForAnotherAgent(sealed.agent_key, authority.agent_key)
    return sealed


def _check_times(order: SealedOrder, clock: ClockReading) -> None:
    if clock.problem is not None:
        raise ClockUntrusted(clock.problem)
    if order.created > clock.now + dt.timedelta(seconds=clock.tolerance_seconds):
        raise ClockUntrusted(f"The order was made {rfc3339(order.created)}, here it is {rfc3339(clock.now)}.")
    if clock.now >= order.expires:
        raise OrderExpired(f"It ended {rfc3339(order.expires)}; here it is {rfc3339(clock.now)}.")


def _check_plan(order: SealedOrder) -> None:
    found = digest_of(order.plan.model_dump(mode="json"))
    if found != order.plan_sha256:
        raise PlanDigestMismatch(order.plan_sha256, found)
    if _METHODS.index(order.plan.method) < _METHODS.index(order.required_method):
        raise MethodBelowRequirement(f"Required {order.required_method}, planned {order.plan.method}.")
    if _VERIFICATIONS.index(order.plan.verification) < _VERIFICATIONS.index(order.required_verification):
        raise VerificationBelowRequirement(
            f"Required {order.required_verification}, planned {order.plan.verification}."
        )


def _check_roles(
    order: SealedOrder, approvers: Sequence[str], roster: PinnedRoster, local_roles: Sequence[str]
) -> None:
    """By the roster this host pinned: what the service says of people's roles counts nothing here."""
    people = {person.ref: person.roles for person in roster.roster.people if person.ref in approvers}
    for whose, wanted in (
        ("The order demands", order.approval_roles),
        ("The local rules demand", local_roles),
    ):
        if not roles_shown(wanted, people):
            raise ApprovalRoleMissing(f"{whose} {', '.join(wanted)}.")


def _check_approval(
    envelope: Mapping[str, Any], order: SealedOrder, digest: str, roster: PinnedRoster, clock: ClockReading
) -> str:
    """The approver's reference, if this approval counts."""
    approvers = {key_id: key for key_id, key in roster.keys.items() if "approver" in roster.person(key_id).roles}
    try:
        body, signers = open_envelope(envelope, approvers, "approval", exact=True)
    except ReportError as error:
        if error.code in {"unknown-key", "bad-signature"}:
            raise ApprovalSignatureInvalid(error.summarize()) from error
        raise ApprovalMalformed(error.summarize()) from error
    approval = _read(Approval, envelope, "approval", body, ApprovalMalformed)
    if len(signers) != 1:
        raise ApprovalMalformed("An approval is one person's signature.")
    if approval.order_sha256 != digest or approval.order_id != order.id:
        raise ApprovalForAnotherOrder(f"It names order {approval.order_id}, {approval.order_sha256[:16]}….")
    signer = roster.person(signers[0])
    if approval.approver != signer.ref:
        raise ApproverMismatch(f"It names {approval.approver}; the key is {signer.ref}'s.")
    if signer.ref == order.requested_by:
        raise ApprovedByRequester(signer.ref)
    _check_approval_time(approval, order, clock)
    return signer.ref


def _check_approval_time(approval: Approval, order: SealedOrder, clock: ClockReading) -> None:
    slack = dt.timedelta(seconds=clock.tolerance_seconds)
    if approval.time < order.created - slack:
        raise ApprovalOutsideTime(f"{rfc3339(approval.time)} is before the order was made.")
    if approval.time > order.expires:
        raise ApprovalOutsideTime(f"{rfc3339(approval.time)} is after the order expired.")
    if approval.time > clock.now + slack:
        raise ApprovalOutsideTime(f"{rfc3339(approval.time)} has not come yet.")


def _read(
    model: type[_Body],
    envelope: Mapping[str, Any],
    kind: Kind,
    body: Mapping[str, Any],
    refusal: type[AuthorityMissing],
) -> _Body:
    """The payload as the contract's message, strictly: what was signed must say everything itself, defaults included."""
    try:
        message = model.model_validate_json(payload_bytes(envelope, kind), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise refusal(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not _says_all(body, message.model_dump(mode="json", by_alias=True)):
        raise refusal("It leaves fields to defaults.")
    return message


def _says_all(body: object, whole: object) -> bool:
    if not isinstance(whole, dict):
        return True
    return isinstance(body, Mapping) and set(body) == set(whole) and all(_says_all(body[k], whole[k]) for k in whole)
