"""Whether statements that belong together say the same: order, approvals, record, acceptance, validation. Pure.

Signatures are not checked here: the service calls this before it issues a document, the verifier after it has checked who signed.
Every function raises `BrokenChain` at the first thing that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .approving import roles_shown
from .canonical import digest_of
from .envelope import envelope_digest, payload_digest, unverified_body
from .errors import BrokenChain
from .findings import content_expected, pattern_set_name
from .findings.techniques import by_drive, steps_of
from .orders import Approval, Order, Roster
from .record import SanitizationRecord
from .statements import Acceptance, Validation
from .times import parse_instant
from .verdict import COVERAGE_RANK, judge


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What stands before a document: the statements it rests on, read, with the digests by which they name one another."""

    order: Order
    order_sha256: str
    """Envelope digest."""
    order_payload_sha256: str
    """What approvals and records name."""
    approvals: tuple[Approval, ...]
    approvals_sha256: tuple[str, ...]
    record: SanitizationRecord
    record_sha256: str
    acceptance: Acceptance
    acceptance_sha256: str
    validation: Validation | None
    validation_sha256: str | None

    @classmethod
    def read(
        cls,
        order: Mapping[str, Any],
        approvals: Sequence[Mapping[str, Any]],
        record: Mapping[str, Any],
        acceptance: Mapping[str, Any],
        validation: Mapping[str, Any] | None,
    ) -> Self:
        """Read the envelopes' payloads. Raises `MalformedDocument`; checks no signature."""
        return cls(
            order=Order.from_dict(unverified_body(order, "order"), "order"),
            order_sha256=envelope_digest(order),
            order_payload_sha256=payload_digest(order),
            approvals=tuple(Approval.from_dict(unverified_body(one, "approval"), "approval") for one in approvals),
            approvals_sha256=tuple(envelope_digest(one) for one in approvals),
            record=SanitizationRecord.from_dict(unverified_body(record, "sanitization-record")),
            record_sha256=envelope_digest(record),
            acceptance=Acceptance.from_dict(unverified_body(acceptance, "acceptance"), "acceptance"),
            acceptance_sha256=envelope_digest(acceptance),
            validation=(
                None
                if validation is None
                else Validation.from_dict(unverified_body(validation, "validation"), "validation")
            ),
            validation_sha256=None if validation is None else envelope_digest(validation),
        )


def _same(at: str, *pairs: tuple[str, object, object]) -> None:
    for what, found, expected in pairs:
        if found != expected:
            raise BrokenChain(at, f"{what} is {str(found)[:80]!r}, expected {str(expected)[:80]!r}.")


def record_answers_order(basis: Basis) -> None:
    """The record names this order and comes from the host it was for. True of every run, also of one that was refused."""
    record, order = basis.record, basis.order
    _same(
        "record",
        ("the order's number", record.order.id, order.id),
        ("the order's digest", record.order.sha256, basis.order_payload_sha256),
        ("the order's nonce", record.order.nonce, order.nonce),
        ("the log position", record.order.after_origin, order.after.origin),
        ("the log position", record.order.after_size, order.after.size),
        ("the log position", record.order.after_root, order.after.root),
        ("the agent", record.host.agent_key, order.agent_key),
        ("the requester", record.operator_ref, order.requested_by),
    )
    _same("order", ("the plan's digest", order.plan_sha256, digest_of(order.plan.to_dict())))


def record_obeys_order(basis: Basis) -> None:
    """The run did to this medium what was ordered, approved and planned, while the order held."""
    record_answers_order(basis)
    record, order = basis.record, basis.order
    _same(
        "record",
        ("the medium", record.device.fingerprint, order.device),
        ("the plan", record.method.plan_sha256, order.plan_sha256),
        ("the method", record.method.requested, order.plan.method),
        ("the policy", record.policy.id, order.policy_id),
        ("the policy's digest", record.policy.sha256, order.policy_sha256),
        ("the required method", record.policy.required_method, order.required_method),
        ("the required verification", record.policy.required_verification, order.required_verification),
        ("the approvals", sorted(record.order.approvals), sorted(basis.approvals_sha256)),
    )
    _technique_obeys(basis)
    if COVERAGE_RANK.get(record.verification.kind, -1) < COVERAGE_RANK[order.plan.verification]:
        raise BrokenChain(
            "record", f"{order.plan.verification} verification was ordered, not {record.verification.kind}."
        )
    if record.run.clock_synchronized and parse_instant(record.run.started) > parse_instant(order.expires):
        raise BrokenChain("record", "the run began after the order had expired.")


AUTO = "auto"
"""The plan's word for: the best technique that reaches the method on this drive."""
ZEROS = "00000000"
"""The pattern of a drive's own overwrite where the plan names none."""


def _technique_obeys(basis: Basis) -> None:
    """Technique, patterns and decided classifications are those of the plan that people approved."""
    done, plan = basis.record.method, basis.order.plan
    if plan.technique != AUTO:
        _same("record", ("the technique", done.technique, plan.technique))
    elif steps_of(done.technique) is None:
        raise BrokenChain("record", f"the technique {done.technique[:80]!r} is not known.")
    if plan.technique != AUTO or not by_drive(done.technique):
        _same("record", ("the pattern set", pattern_set_name(done.pattern_set), plan.pattern_set))
    keys = done.key_erasure
    for setting in (*(one.setting for one in done.commands), keys.setting if keys is not None else None):
        if setting is not None and setting not in plan.settings:
            raise BrokenChain("record", f"nobody ordered that {setting[:80]!r} decides how far the technique gets.")
    if keys is not None and not set(keys.answers) <= set(plan.answers):
        raise BrokenChain("record", "it says that somebody vouched for conditions, and in the order nobody did.")
    label = basis.record.verification.expected
    if by_drive(done.technique) and content_expected(label) == "pattern":
        _same("record", ("the drive's pattern", label.rpartition(":")[2], plan.firmware_pattern or ZEROS))


def approvals_suffice(basis: Basis, roster: Roster) -> None:
    """Enough people of the roster, with the roles demanded and none the requester, approved exactly this order while it held."""
    order = basis.order
    listed = {person.ref for person in roster.people if "approver" in person.roles}
    seen: set[str] = set()
    for approval in basis.approvals:
        _same(
            "approval",
            ("the order's number", approval.order_id, order.id),
            ("the order's digest", approval.order_sha256, basis.order_payload_sha256),
        )
        if approval.approver == order.requested_by:
            raise BrokenChain("approval", f"{approval.approver} approved an order of their own.")
        if approval.approver in seen:
            raise BrokenChain("approval", f"{approval.approver} is counted twice.")
        if approval.approver not in listed:
            raise BrokenChain("approval", f"{approval.approver} is not an approver of the roster.")
        if parse_instant(approval.time) > parse_instant(order.expires):
            raise BrokenChain("approval", f"{approval.approver} approved after the order had expired.")
        seen.add(approval.approver)
    needed = max(order.approvals_required, roster.minimum_approvals, 1)
    if len(seen) < needed:
        raise BrokenChain("approval", f"{len(seen)} people approved, {needed} must.")
    if not roles_shown(order.approval_roles, {one.ref: one.roles for one in roster.people if one.ref in seen}):
        words = ", ".join(order.approval_roles)
        raise BrokenChain("approval", f"by the roster, {words} is not among those who approved, each another person.")


def acceptance_names_all(basis: Basis) -> None:
    """The service took in exactly this record, under this order and these approvals, of this device and host."""
    accepted = basis.acceptance
    _same(
        "acceptance",
        ("the order", accepted.order_sha256, basis.order_sha256),
        ("the record", accepted.record_sha256, basis.record_sha256),
        ("the approvals", accepted.approvals, basis.approvals_sha256),
        ("the medium", accepted.device.fingerprint, basis.record.device.fingerprint),
        ("the host's key", accepted.host.agent_key, basis.record.host.agent_key),
    )
    parse_instant(accepted.received, "acceptance.received")


def acceptance_unreserved(basis: Basis) -> None:
    """Every check the service made when it took the record in was answered yes."""
    for name, answer in basis.acceptance.checks.to_dict().items():
        if answer != "yes":
            raise BrokenChain("acceptance", f"the service's check {name} was answered {answer}.")


def validation_fits(basis: Basis) -> Validation:
    """A person decided about this record, with the verdict that follows from it, and is neither requester nor approver."""
    decided = basis.validation
    if decided is None:
        raise BrokenChain("validation", "nobody has validated this record.")
    _same(
        "validation",
        ("the record", decided.record_sha256, basis.record_sha256),
        ("the acceptance", decided.acceptance_sha256, basis.acceptance_sha256),
        ("the verdict", decided.verdict.to_dict(), judge(basis.record).to_dict()),
        ("the policy", decided.policy_id, basis.record.policy.id),
        ("the policy's digest", decided.policy_sha256, basis.record.policy.sha256),
    )
    parse_instant(decided.time, "validation.time")
    validator = decided.validator.ref
    if not validator or validator in {basis.order.requested_by, *(one.approver for one in basis.approvals)}:
        raise BrokenChain("validation", "the validator has requested or approved the same order, or is not named.")
    return decided
