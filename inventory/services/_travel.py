"""Moving devices that travel together: to another place of ours, or out through the gate. All of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from inventory.domain.lifecycle import DeviceEvent, next_state
from inventory.domain.policy import Policy
from inventory.domain.vocabulary import Zone, less_secure
from inventory.errors import GateClosed, IllegalTransition, Reason
from inventory.models import Device, Location

from ._gate import Way, gate_view, policy_in_force
from ._transitions import move_device
from .context import Actor, Context

_MOST_REASONS: Final = 200
"""Of a refusal; who has more to mend begins with these."""


def way_inside(place: Location) -> Way:
    """A place of ours, as the gate sees it."""
    return Way(f"{place.name} ({place.zone} zone)", reuse=True, leaves_control=False, receiver="own")


def objections(
    session: Session, devices: Sequence[Device], way: Way, place: Location | None, event: DeviceEvent
) -> list[Reason]:
    """Why devices may not go this way, each reason with its device; empty: all may.

    Within our control the gate is asked where the place is less secure; out of it, always. Where a device stands now is
    unknown: then it counts as secure, so that leaving it is asked about.
    """
    found: list[Reason] = []
    policy: Policy = policy_in_force(session)
    for device in devices:
        if next_state(device.state, event) is None:
            words = f"{device.id} is {str(device.state).replace('_', ' ')}; it cannot go anywhere from there."
            found.append(Reason("illegal-transition", words))
            continue
        if not way.leaves_control and not _less_secure(session, device, place):
            continue
        answer = gate_view(session, policy, device, way)
        found += [Reason(one.code, f"{device.id}: {one.sentence}") for one in answer.reasons]
    return found


def _less_secure(session: Session, device: Device, place: Location | None) -> bool:
    here = session.get(Location, device.location_id) if device.location_id else None
    return place is None or less_secure(here.zone if here else Zone.SECURE, place.zone)


def refuse(subject: str, way: Way, reasons: Sequence[Reason]) -> None:
    """Raise `GateClosed` with these reasons, where there are any."""
    if not reasons:
        return
    shown = list(reasons[:_MOST_REASONS])
    if len(reasons) > len(shown):
        shown.append(Reason("more", f"And {len(reasons) - len(shown)} further reasons."))
    raise GateClosed(subject, way.words, shown)


def relocate(
    session: Session, context: Context, actor: Actor, device: Device, place: Location, reason: str, container: str
) -> None:
    """Put a device at another place of ours, in its container; the gate has been asked. Raises `IllegalTransition`."""
    before = device.location_id
    if next_state(device.state, DeviceEvent.RELOCATE) is None:
        raise IllegalTransition(f"Device {device.id}", str(device.state), str(DeviceEvent.RELOCATE))
    device.location_id = place.id
    said = {"before": {"location": before}, "location": place.id, "container": container}
    move_device(session, context, actor, device, DeviceEvent.RELOCATE, reason=reason, details=said)
