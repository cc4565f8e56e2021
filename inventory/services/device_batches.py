"""One lifecycle event for many devices: each by itself, so that nothing is half done and one refusal stops no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.roles import Permission
from inventory.errors import Invalid, InventoryError
from inventory.services.views import BatchLineView, DeviceDetail

from . import devices
from .context import Actor, Context, authorize
from .devices import ChangeState

MOST: Final = 200
"""Devices at once."""

_DEEDS: Final[dict[DeviceEvent, Callable[[Context, Actor, ChangeState], DeviceDetail]]] = {
    DeviceEvent.PLACE_IN_SERVICE: devices.place_in_service,
    DeviceEvent.RETIRE: devices.retire,
    DeviceEvent.QUARANTINE: devices.quarantine,
    DeviceEvent.RETURN_TO_SERVICE: devices.return_to_service,
    DeviceEvent.REPORT_MISSING: devices.report_missing,
    DeviceEvent.FIND: devices.report_found,
}


@dataclass(frozen=True, kw_only=True)
class ChangeMany:
    """The same event, for the same reason, for each of these devices."""

    devices: tuple[str, ...]
    event: DeviceEvent
    reason: str
    location: str | None = None
    dry_run: bool = False
    """Say what would happen, and change nothing."""


def change_many(context: Context, actor: Actor, command: ChangeMany) -> tuple[BatchLineView, ...]:
    """Apply an event to each device in a transaction of its own. Permission `device.move`.

    What one device refuses is said in its line; what was done for the others stays done.

    Raises:
        Invalid: no device, too many, one named twice, or an event that needs further facts.
    """
    authorize(actor, Permission.DEVICE_MOVE)
    if not 1 <= len(command.devices) <= MOST:
        raise Invalid("devices", f"Name 1 to {MOST} devices.")
    if len(set(command.devices)) != len(command.devices):
        raise Invalid("devices", "A device is named twice.")
    if command.event not in _DEEDS:
        raise Invalid("event", "This event needs facts of each device; do it for one at a time.")
    return tuple(_one(context, actor, command, device) for device in command.devices)


def _one(context: Context, actor: Actor, command: ChangeMany, device: str) -> BatchLineView:
    change = ChangeState(device=device, reason=command.reason, location=command.location)
    try:
        if command.dry_run:
            number, state = devices.would_change(context, actor, change, command.event)
        else:
            done = _DEEDS[command.event](context, actor, change)
            number, state = done.id, done.state
    except InventoryError as refused:
        reasons = tuple(reason.sentence for reason in refused.reasons)
        return BatchLineView(
            device=device, done=False, state=None, code=refused.code, sentence=refused.sentence, reasons=reasons
        )
    return BatchLineView(device=number, done=not command.dry_run, state=state, code=None, sentence="", reasons=())
