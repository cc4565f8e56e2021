"""The permission to write: an object, for one medium, used once, valid for minutes. Pure.

There is no way round it and no force flag: `engine.sanitize` takes a `Clearance` and nothing else, and proves it again
on the open descriptor right before the first write.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .errors import (
    ClearanceExpired,
    ClearanceSpent,
    ConfirmationMissing,
    DeviceChanged,
    IdentityMismatch,
    IdentityUnreadable,
    PlanMismatch,
    Refused,
)
from .identity import DeviceIdentity, same_device
from .inspection import Inspection
from .planning import Plan

VALID_FOR = timedelta(minutes=10)
"""How long the facts a clearance rests on are trusted to start from; they are read again before the first write anyway."""


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What a person, or an approved order, says about the device: its fingerprint and which dormant groups may be destroyed."""

    fingerprint: str
    acknowledged_signatures: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class Clearance:
    """Made by `clear` only. One run consumes it."""

    path: str
    identity: DeviceIdentity
    inspection: Inspection
    plan: Plan
    acknowledged_signatures: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    _spent: bool = field(default=False, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def consume(self, now: datetime) -> None:
        """Use it up.

        Raises:
            ClearanceSpent: it was used before.
            ClearanceExpired: too late, or the clock went backwards.
        """
        with self._lock:
            if self._spent:
                raise ClearanceSpent(fingerprint=self.identity.fingerprint)
            self._spent = True
        if not self.valid_from <= now < self.valid_until:
            raise ClearanceExpired(
                fingerprint=self.identity.fingerprint,
                valid_from=self.valid_from.isoformat(),
                valid_until=self.valid_until.isoformat(),
                now=now.isoformat(),
            )

    def prove(self, now: Inspection) -> None:
        """Hold the clearance against a fresh inspection, made of the descriptor that will be written to.

        Raises:
            IdentityMismatch: another medium.
            DeviceChanged: the same medium, attached anew since it was cleared.
            Refused: the first obstacle that stands now.
        """
        found = now.identity
        if not same_device(self.identity, found):
            raise IdentityMismatch(
                fingerprint=self.identity.fingerprint,
                expected=self.identity.fingerprint,
                found=found.fingerprint if found else None,
            )
        before = self.inspection
        if (before.boot_id, before.disk_sequence) != (now.boot_id, now.disk_sequence):
            raise DeviceChanged(
                fingerprint=self.identity.fingerprint,
                what="attachment",
                expected=f"{before.boot_id}/{before.disk_sequence}",
                found=f"{now.boot_id}/{now.disk_sequence}",
            )
        for obstacle in now.remaining_obstacles(self.acknowledged_signatures):
            raise obstacle


def obstacles_to(inspection: Inspection, plan: Plan, confirmation: Confirmation) -> tuple[Refused, ...]:
    """Every reason why this plan may not be carried out on this device now; empty when nothing stands against it.

    A dormant signature counts as acknowledged only when both the plan and the confirmation name it.
    """
    identity = inspection.identity
    if identity is None:
        return inspection.obstacles or (IdentityUnreadable(reason=f"{inspection.path} reports no identity"),)
    both = tuple(s for s in plan.request.acknowledged_signatures if s in confirmation.acknowledged_signatures)
    found: list[Refused] = list(inspection.remaining_obstacles(both))
    if confirmation.fingerprint != identity.fingerprint:
        found.append(
            ConfirmationMissing(
                fingerprint=identity.fingerprint, expected=identity.fingerprint, given=confirmation.fingerprint
            )
        )
    if plan.capacity_bytes != identity.capacity_bytes:
        found.append(
            PlanMismatch(
                fingerprint=identity.fingerprint,
                expected=f"{identity.capacity_bytes} bytes",
                found=f"a plan for {plan.capacity_bytes} bytes",
            )
        )
    return tuple(found)


def clear(inspection: Inspection, plan: Plan, confirmation: Confirmation, now: datetime) -> Clearance:
    """Give leave to carry out `plan` on the inspected device, once, within `VALID_FOR` of the inspection.

    Args:
        inspection: A fresh look at the device.
        plan: Made by `plan` for this device.
        confirmation: The fingerprint as a person typed it or an approved order names it.
        now: The present time, with an offset.

    Raises:
        Refused: the gravest obstacle; its subclass says which, its remedy what to do.
    """
    if now.tzinfo is None:
        raise TypeError("now needs an offset")
    for obstacle in obstacles_to(inspection, plan, confirmation):
        raise obstacle
    identity = inspection.identity
    if identity is None:
        raise RuntimeError("obstacles_to lets no device without identity pass")
    valid_until = inspection.taken + VALID_FOR
    if not inspection.taken <= now < valid_until:
        raise ClearanceExpired(
            fingerprint=identity.fingerprint,
            valid_from=inspection.taken.isoformat(),
            valid_until=valid_until.isoformat(),
            now=now.isoformat(),
        )
    both = tuple(s for s in plan.request.acknowledged_signatures if s in confirmation.acknowledged_signatures)
    return Clearance(
        path=inspection.path,
        identity=identity,
        inspection=inspection,
        plan=plan,
        acknowledged_signatures=both,
        valid_from=now,
        valid_until=valid_until,
    )
