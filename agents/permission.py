"""Holds an order against this host's own state: what must be so before a run begins, and again before its first write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inventory.contract.v1.orders import Lease
from reports.envelope import PublicKey
from sanitizer import Clearance, Inspection
from sanitizer.planning import AUTO

from . import orders
from .clock import ClockWatch, rfc3339
from .halts import Halts
from .local_rules import LocalRules, MediumFacts
from .orders import ApprovedOrder, Authority
from .pins import PinStore
from .refusals import DeviceAmbiguous, DeviceNotAttached, DryRun, HostHalted, LeaseExpired, LogInAlarm
from .self_tests import SelfTests

_DEVICE_LINKS = Path("/dev/disk")


@dataclass(frozen=True)
class Judge:
    """Everything an order is held against on this host, read afresh at each question."""

    agent_key: str
    pins: PinStore
    rules: Callable[[], LocalRules]
    """Reads the local rules; raises `LocalRulesUnusable`."""
    watch: ClockWatch
    halts: Halts
    self_tests: SelfTests

    def permit_work(self) -> None:
        """Whether anything may be written at all now. Raises `HostHalted` or `SelfTestMissed`."""
        if (why := self.halts.standing()) is not None:
            raise HostHalted(why)
        self.self_tests.require()

    def permit_writing(self, clearance: Clearance | None = None) -> None:
        """Whether media may be written to, or is only rehearsed what would be done under a clearance.

        Raises `DryRun`, or as `permit_work`.
        """
        self.permit_work()
        if self.rules().dry_run:
            raise DryRun("" if clearance is None else _rehearsed(clearance))

    def check(self, lease: Lease) -> ApprovedOrder:
        """Whether the order counts now.

        Raises:
            LeaseExpired: Too late to begin under this lease.
            OrderRefused: Any other reason.
        """
        self.permit_work()
        reading = self.watch.reading()
        pins = self.pins.require()
        if alarms := self.pins.alarms():
            raise LogInAlarm(alarms[0])
        rules = self.rules()
        order = lease.order.model_dump()
        authority = Authority(
            agent_key=self.agent_key,
            service_keys=self.service_keys(),
            roster=pins.roster,
            local_minimum=rules.minimum_approvals,
            local_roles=rules.approver_roles,
        )
        approved = orders.check(order, [envelope.model_dump() for envelope in lease.approvals], authority, reading)
        rules.permit_method(approved.order.plan.method)
        if approved.order.plan.technique != AUTO:  # what that takes is known once the medium was looked at
            rules.permit_techniques(approved.order.plan.technique.split("+"))
        if reading.now >= lease.expires:  # last: an order that is no good stays no good under the next lease
            raise LeaseExpired(f"It ended {rfc3339(lease.expires)}.")
        return approved

    def service_keys(self) -> Mapping[str, PublicKey]:
        """The keys whose word counts as the service's, by key id: those of the pinned trust root."""
        pins = self.pins.require()
        return pins.acceptance_keys(pins.checkpoint.size)

    def permit_start(self, starts: Sequence[dt.datetime]) -> None:
        """Whether a run may begin at this hour. Raises a `LocalRefusal`."""
        self.rules().permit_start(self.watch.clock.now(), starts)

    def permit_techniques(self, steps: Sequence[str]) -> None:
        """Whether the local rules allow what a plan came to. Raises a `LocalRefusal`."""
        self.rules().permit_techniques(steps)

    def permit_medium(self, inspection: Inspection) -> None:
        """Whether the local rules let this medium be touched. Raises a `LocalRefusal`."""
        self.rules().permit_medium(medium_facts(inspection))


def find_medium(devices: Sequence[Inspection], fingerprint: str, path_hint: str) -> Inspection:
    """The one attached medium with the fingerprint an order names; where it is attached does not matter.

    Raises:
        DeviceNotAttached: None shows it; says what is at the place the service last saw it.
        DeviceAmbiguous: More than one does.
    """
    found = [device for device in devices if device.fingerprint == fingerprint]
    if not found:
        there = [device.fingerprint for device in devices if device.path == path_hint]
        raise DeviceNotAttached(fingerprint, path_hint, there[0] if there else None)
    if len(found) > 1:
        raise DeviceAmbiguous(tuple(device.path for device in found))
    return found[0]


def _rehearsed(clearance: Clearance) -> str:
    plan, identity = clearance.plan, clearance.identity
    also = f" Also destroyed, as accepted: {'; '.join(plan.also_destroyed)}." if plan.also_destroyed else ""
    what = f"{clearance.path}, {identity.model or identity.kind} {identity.serial or ''}".rstrip()
    return f"Would be done now on {what}, {identity.capacity_bytes} bytes: {plan.describe()}.{also}"


def medium_facts(inspection: Inspection) -> MediumFacts:
    """The inspected medium as never-touch rules see it."""
    identity = inspection.identity
    return MediumFacts(
        fingerprint=inspection.fingerprint or "",
        serial=identity.serial if identity else None,
        wwn=identity.wwn if identity else None,
        model=identity.model if identity else None,
        slot=inspection.slot,
        transport=None if inspection.transport == "unknown" else inspection.transport,
        names=_names(inspection.path),
    )


def _names(node: str) -> frozenset[str] | None:
    """The node and every symbolic link beneath /dev/disk that leads to it; None where they cannot be read."""
    try:
        links = [] if not _DEVICE_LINKS.exists() else [p for p in _DEVICE_LINKS.rglob("*") if p.is_symlink()]
        return frozenset({node, *(str(link) for link in links if str(link.resolve()) == node)})
    except OSError:
        return None
