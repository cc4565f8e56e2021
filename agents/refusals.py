"""Every reason for which an agent does not execute an order: one class a reason. Pure.

All of them mean: no byte of any medium was written under this order by this agent (`touched` is "no").

    OrderRefused
    ├─ AuthorityMissing       the order is not what enough of the right people signed
    ├─ DeviceRefused          the medium is not there, or not the one
    ├─ LocalRefusal           the host's own root-owned rules forbid it
    ├─ HoldRefused            the service forbids it now, or gave no answer in time
    └─ HostNotReady           this host cannot judge now: clock, roster, log alarm, damaged state
"""

from __future__ import annotations

from typing import ClassVar

from .errors import AgentError


class OrderRefused(AgentError):
    """The agent does not execute this order; nothing was written."""

    code = "order-refused"
    sentence = "The order is refused."
    fault = "the order"
    advice = "Make a new order."
    touched: ClassVar[str] = "no"


# --- the order and its signatures -------------------------------------------------------------------------------------


class AuthorityMissing(OrderRefused):
    """The order is not what enough of the right people signed."""

    code = "authority-missing"
    fault = "the service, or somebody who altered what it stores"
    advice = "Have the order and its approvals examined before anything else; then make a new order."


class OrderMalformed(AuthorityMissing):
    """The envelope does not hold an order of a known form."""

    code = "order-malformed"
    sentence = "The order is not well formed."


class OrderUnsigned(AuthorityMissing):
    """No key of the pinned trust root signed the order."""

    code = "order-unsigned"
    sentence = "The order is not signed by the service this host enrolled with."


class OrderForAnotherAgent(AuthorityMissing):
    """The order names another agent's key."""

    code = "order-for-another-agent"
    sentence = "The order is for another host."

    def __init__(self, wanted: str, mine: str) -> None:
        super().__init__(f"It names key {wanted[:16]}…, this agent has {mine[:16]}….")
        self.wanted = wanted
        self.mine = mine


class PlanDigestMismatch(AuthorityMissing):
    """The plan in the order is not the plan whose digest was approved."""

    code = "plan-digest-mismatch"
    sentence = "The order's plan is not the plan that was sealed."

    def __init__(self, sealed: str, found: str) -> None:
        super().__init__(f"Sealed {sealed[:16]}…, found {found[:16]}….")
        self.sealed = sealed
        self.found = found


class MethodBelowRequirement(AuthorityMissing):
    """The plan's method is weaker than the policy the order itself cites."""

    code = "method-below-requirement"
    sentence = "The plan does not reach the method the order requires."
    fault = "whoever planned the order"


class VerificationBelowRequirement(AuthorityMissing):
    """The plan's verification is weaker than the policy the order itself cites."""

    code = "verification-below-requirement"
    sentence = "The plan does not verify as much as the order requires."
    fault = "whoever planned the order"


class OrderExpired(AuthorityMissing):
    """The order's own end has passed."""

    code = "order-expired"
    sentence = "The order has expired."
    fault = "nobody: it was not executed in time"


class LeaseExpired(AuthorityMissing):
    """The lease ended before the first write."""

    code = "lease-expired"
    sentence = "The lease ended before the first write."
    fault = "nobody: the host took too long to begin"
    advice = "Nothing: the service leases the order again."


class OrderAlreadyExecuted(AuthorityMissing):
    """This order was executed once; an approval is for one execution."""

    code = "order-already-executed"
    sentence = "The order was executed before; approvals count once."


class TooFewApprovals(AuthorityMissing):
    """Fewer distinct people approved than order, roster and local rules demand."""

    code = "too-few-approvals"
    sentence = "Too few people approved the order."
    fault = "the service: it handed out an order that was not approved"

    def __init__(self, needed: int, given: int) -> None:
        super().__init__(f"{given} of {needed}.")
        self.needed = needed
        self.given = given


class ApprovalRoleMissing(AuthorityMissing):
    """Enough people approved, and a role that order or local rules demand among them is nobody's by the pinned roster."""

    code = "approval-role-missing"
    sentence = "A role that must be among the approvers is not."
    fault = "the service: it handed out an order that the people it needs did not approve"


class ApprovalMalformed(AuthorityMissing):
    """An approval is not well formed."""

    code = "approval-malformed"
    sentence = "An approval is not well formed."


class ApprovalForAnotherOrder(AuthorityMissing):
    """An approval names another order's digest: it was moved, or the order was altered after it was signed."""

    code = "approval-for-another-order"
    sentence = "An approval is for other bytes than this order's."


class ApprovalSignatureInvalid(AuthorityMissing):
    """An approval's signature does not fit, or is by no one on the pinned roster."""

    code = "approval-signature-invalid"
    sentence = "An approval is not signed by somebody on the pinned roster."


class ApproverMismatch(AuthorityMissing):
    """An approval names one person and is signed by another."""

    code = "approver-mismatch"
    sentence = "An approval names one person and is signed with the key of another."


class ApproverRepeated(AuthorityMissing):
    """One person approved twice."""

    code = "approver-repeated"
    sentence = "The same person approved twice."


class ApprovedByRequester(AuthorityMissing):
    """The requester approved their own order."""

    code = "approved-by-requester"
    sentence = "The requester approved their own order."


class ApprovalOutsideTime(AuthorityMissing):
    """An approval is dated before the order was made or after it expired."""

    code = "approval-outside-time"
    sentence = "An approval is dated outside the order's life."


# --- the medium -------------------------------------------------------------------------------------------------------


class DeviceRefused(OrderRefused):
    """The medium is not there, or not the one."""

    code = "device-refused"
    fault = "whoever attached or removed a medium"
    advice = "Attach the medium the order names, and make a new order; check the place the service last saw it."


class DeviceNotAttached(DeviceRefused):
    """No medium with the sealed fingerprint is attached; what is at its old place is another one."""

    code = "device-not-attached"
    sentence = "The medium the order names is not attached to this host."

    def __init__(self, fingerprint: str, path_hint: str, found_there: str | None) -> None:
        there = "nothing readable" if found_there is None else f"the medium {found_there[:16]}…"
        super().__init__(f"Sealed {fingerprint[:16]}…; at {path_hint or 'its last place'} there is {there}.")
        self.fingerprint = fingerprint
        self.path_hint = path_hint
        self.found_there = found_there


class DeviceAmbiguous(DeviceRefused):
    """More than one kernel node shows the sealed fingerprint (several paths to one medium, or a copied identity)."""

    code = "device-ambiguous"
    sentence = "More than one device shows the fingerprint the order names."

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(", ".join(paths))
        self.paths = paths


class DeviceBusyHere(DeviceRefused):
    """Another run of this agent works on the same medium."""

    code = "device-busy-here"
    sentence = "Another run of this agent works on the same medium."
    fault = "the service: two orders for one medium at once"


class ReadingsDisagree(DeviceRefused):
    """Two readings of the same kernel contradict each other about this medium: that is no knowledge."""

    code = "readings-disagree"
    sentence = "Two readings of this host contradict each other about the medium."
    fault = "this host"
    advice = "Unmount whatever lies on the medium, see that /proc/mounts and /sys agree, and make a new order."


# --- the host's own rules ---------------------------------------------------------------------------------------------


class LocalRefusal(OrderRefused):
    """The host's own root-owned rules forbid it."""

    code = "local-refusal"
    fault = "nobody: the administrator of this host decided so"
    advice = "Ask the administrator of this host; `sanitrail-agent rules check` shows the rules in force."


class LocalRulesUnusable(LocalRefusal):
    """The rules cannot be read, are not root's, or could be changed by others: everything is refused."""

    code = "local-rules-unusable"
    sentence = "The local rules cannot be relied on, so everything is refused."
    fault = "whoever installed the local rules"
    advice = (
        "Install the file as root, mode 0644 or stricter; `sanitrail-agent rules example` prints one to start from."
    )

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class NeverTouch(LocalRefusal):
    """A never-touch rule names this medium."""

    code = "never-touch"
    sentence = "A local rule says that this medium is never touched."


class NeverTouchUnknown(LocalRefusal):
    """A never-touch rule asks for a fact this medium does not report: it may be the one, so it is refused."""

    code = "never-touch-unknown"
    sentence = "A local never-touch rule cannot be ruled out for this medium."
    advice = "Name the protected medium by fingerprint instead; `sanitrail-agent devices` shows it."


class MethodForbiddenHere(LocalRefusal):
    """The local rules do not allow this method."""

    code = "method-forbidden-here"
    sentence = "The local rules do not allow this method."


class TechniqueForbiddenHere(LocalRefusal):
    """The local rules do not allow a technique the order names, or that `auto` takes on this medium."""

    code = "technique-forbidden-here"
    sentence = "The local rules do not allow this technique."
    advice = (
        "Order another technique by its name, or ask the administrator of this host; `sanitrail-agent rules check` shows "
        "the rules in force."
    )


class DryRun(LocalRefusal):
    """The local rules have this host rehearse only: what would have been done is told, and nothing is written."""

    code = "dry-run"
    sentence = "This host only rehearses; nothing was written."
    advice = "Have `dry_run` taken out of the local rules of this host, and make a new order."


class TooManyDevices(LocalRefusal):
    """The hourly limit of this host is reached."""

    code = "too-many-devices"
    sentence = "This host has begun as many media within the hour as its local rules allow."


class OutsideMaintenanceWindow(LocalRefusal):
    """It is outside the maintenance window."""

    code = "outside-maintenance-window"
    sentence = "It is outside this host's maintenance window."


# --- holds ------------------------------------------------------------------------------------------------------------


class HoldRefused(OrderRefused):
    """The service forbids the first write now, or gave no answer in time."""

    code = "hold-refused"
    fault = "nobody: a hold is somebody's decision"
    advice = "Have the hold lifted, then make a new order."


class HoldInForce(HoldRefused):
    """The service answered: not now, and why."""

    code = "hold-in-force"
    sentence = "A hold, a cancellation or a lost lease forbids the first write."


class HoldUnanswered(HoldRefused):
    """No fresh answer came within the limit; without one nothing is written."""

    code = "hold-unanswered"
    sentence = "The service gave no fresh answer whether a hold is in force."
    fault = "the network or the service"
    advice = "See to it that host and service can talk; then make a new order."


# --- this host cannot judge now ---------------------------------------------------------------------------------------


class HostNotReady(OrderRefused):
    """This host cannot judge the order now."""

    code = "host-not-ready"
    fault = "this host"
    advice = "Set right what is named; the order is leased again by itself as long as it has not expired."


class HostHalted(HostNotReady):
    """Somebody halted this host: nothing is begun and nothing goes on until the halt is lifted."""

    code = "host-halted"
    sentence = "This host is halted."
    fault = "nobody: a person wants it so"
    advice = "A halt from the host is lifted there (`sanitrail-agent go-on`), one from the console in the console."


class SelfTestMissed(HostNotReady):
    """This build did not find every fault planted in scratch devices: what it says of a medium is worth nothing."""

    code = "self-test-missed"
    sentence = "The self-test of this agent did not find what it must find, so nothing is begun."
    fault = "this installation"
    advice = (
        "`sanitrail-agent self-test` shows what it missed; install the package anew, and keep its output for the maker."
    )


class NoRosterPinned(HostNotReady):
    """No roster was pinned, so there is nobody whose approval counts."""

    code = "no-roster-pinned"
    sentence = "This host has pinned no roster of approvers, so no approval counts."
    advice = "Run `sanitrail-agent pin-roster DIGEST` on the host with the digest the approvers agree on."


class ClockUntrusted(HostNotReady):
    """This host's clock or the service's is off: expiry and approval times cannot be judged."""

    code = "clock-untrusted"
    sentence = "The clocks disagree, so the order's times cannot be judged."
    fault = "the clock of this host or of the service"
    advice = "Set the wrong clock right (chrony, systemd-timesyncd); `sanitrail-agent status` shows both times."


class StateDiskFull(HostNotReady):
    """Too little space beneath the state directory to keep journals and records: nothing is begun that could not be recorded."""

    code = "state-disk-full"
    sentence = "The disk beneath the state directory is too full to keep journals and records."
    advice = "Make room there; the order is leased again by itself."


class LogInAlarm(HostNotReady):
    """The log contradicted itself; no order is taken until that is settled."""

    code = "log-in-alarm"
    sentence = "The log contradicted itself; this host takes no orders until that is settled."
    fault = "the service"
    advice = "Give the files under alarms/ to the auditor; enrol again once it is settled."


# --- roster -----------------------------------------------------------------------------------------------------------


class JournalLost(AgentError):
    """A run had begun, and the sanitizer's journal of it is missing or damaged: nothing can be recorded about it."""

    code = "journal-lost"
    sentence = "The journal of a run that had begun is lost; the medium may have been changed."
    fault = "the disk beneath the state directory, or somebody who edited it"
    advice = "Treat the medium as not sanitized and make a new order."
