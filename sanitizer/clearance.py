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
    DormantMember,
    IdentityMismatch,
    IdentityUnreadable,
    PlanMismatch,
    Refused,
)
from .identity import DeviceIdentity, same_device
from .inspection import Inspection
from .planning import HOST, PASSWORD, Plan, is_sanitize
from .planning.rules import also_destroyed
from .signatures import UNREADABLE
from .techniques import TECHNIQUES

VALID_FOR = timedelta(minutes=10)
"""How long the facts a clearance rests on are trusted to start from; they are read again before the first write anyway."""

_REVERTS = ("opal-revert", "opal-psid-revert")


def concerns(obstacle: Refused, step: str) -> bool:
    """Whether an obstacle stands against this technique: not where the technique leads out of it, or does not mind it."""
    if obstacle.code == "in-failure-mode":
        return not is_sanitize(step)  # the one thing a drive in failure mode still takes
    if obstacle.code == "opal-locked":
        return step not in _REVERTS
    if obstacle.code == "security-frozen":
        sanitize = obstacle.details().get("feature_set") == "sanitize"
        return step.startswith("ata-sanitize-") if sanitize else step in PASSWORD
    return True


def _reaches_neighbours(step: str, inspection: Inspection) -> bool:
    """Whether other devices of the same drive are destroyed with it; yes where that is not known."""
    capabilities = inspection.capabilities
    if step == HOST:
        return False
    if capabilities is None or step not in TECHNIQUES:
        return True
    also = also_destroyed(step, capabilities, neighbours=TECHNIQUES[step].destroys_neighbours)
    return not also.keys().isdisjoint({"other-namespaces", "boot-areas"})


def _own(obstacle: Refused) -> bool:
    """Whether a run that was cut off may itself be the cause: an operation under way, its failure, a password it has set."""
    if isinstance(obstacle, DormantMember):
        return obstacle.signatures == (UNREADABLE,)
    return obstacle.code in {"sanitize-in-progress", "in-failure-mode", "security-locked"}


def standing_against(
    inspection: Inspection, steps: tuple[str, ...], acknowledged_signatures: tuple[str, ...], *, settling: bool = False
) -> tuple[Refused, ...]:
    """The obstacles of a device that stand against these techniques.

    Args:
        inspection: Of the device.
        steps: What is to be done; an obstacle counts when it concerns one of them.
        acknowledged_signatures: Dormant signatures that may be destroyed.
        settling: The run was cut off with its own operation under way, or its own password set; that is only waited for,
            or taken away, and nothing destructive is sent on the strength of this.
    """
    found = inspection.remaining_obstacles(acknowledged_signatures)
    wide = any(_reaches_neighbours(step, inspection) for step in steps)
    found = tuple(each for each in found if wide or each.code != "neighbour-in-use")
    kept = (each for each in found if any(concerns(each, step) for step in steps))
    return tuple(each for each in kept if not (settling and _own(each)))


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

    def prove(self, now: Inspection, *, settling: bool = False) -> None:
        """Hold the clearance against a fresh inspection, made of the descriptor that will be written to.

        Args:
            now: The fresh inspection.
            settling: The run's own operation is under way in the drive and is only waited for.

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
        for obstacle in standing_against(now, self.plan.steps, self.acknowledged_signatures, settling=settling):
            raise obstacle


def obstacles_to(
    inspection: Inspection, plan: Plan, confirmation: Confirmation, *, settling: bool = False
) -> tuple[Refused, ...]:
    """Every reason why this plan may not be carried out on this device now; empty when nothing stands against it.

    A dormant signature counts as acknowledged only when both the plan and the confirmation name it. `settling` as for
    `standing_against`.
    """
    identity = inspection.identity
    if identity is None:
        return inspection.obstacles or (IdentityUnreadable(reason=f"{inspection.path} reports no identity"),)
    both = tuple(s for s in plan.request.acknowledged_signatures if s in confirmation.acknowledged_signatures)
    found: list[Refused] = list(standing_against(inspection, plan.steps, both, settling=settling))
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


def clear(
    inspection: Inspection, plan: Plan, confirmation: Confirmation, now: datetime, *, settling: bool = False
) -> Clearance:
    """Give leave to carry out `plan` on the inspected device, once, within `VALID_FOR` of the inspection.

    Args:
        inspection: A fresh look at the device.
        plan: Made by `plan` for this device.
        confirmation: The fingerprint as a person typed it or an approved order names it.
        now: The present time, with an offset.
        settling: For a run that is resumed while its own operation is under way in the drive.

    Raises:
        Refused: the gravest obstacle; its subclass says which, its remedy what to do.
    """
    if now.tzinfo is None:
        raise TypeError("now needs an offset")
    for obstacle in obstacles_to(inspection, plan, confirmation, settling=settling):
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
