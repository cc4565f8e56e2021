"""The gate: no medium that holds or held data leaves without a validated record that fits the policy for where it goes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.lifecycle import DeviceEvent, next_state
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import PartyKind
from inventory.errors import GateClosed, IllegalTransition, Invalid, Reason
from inventory.events import Tag
from inventory.models import Location, Party, Undertaking

from ._gate import Receiver, Way, gate_view, policy_in_force
from ._transitions import move_device
from .context import Actor, Context, authorize
from .kernel import check_version, find, note, optional, required
from .places import undertaking_valid
from .queries.devices import device_detail, find_device
from .views import DeviceDetail, GateView


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a device is to go."""

    party: str | None = None
    """Who receives it; None: nobody in the register (sale to the public, recycling)."""
    location: str | None = None
    """Which place, where it is one of the register."""
    reuse: bool = True
    """Whether the medium shall be used again (by whomever)."""
    description: str = ""
    """In words, printed on the certificate (SP 800-88 Rev. 1, 4.8 `Post-Sanitization Destination`)."""


@dataclass(frozen=True, kw_only=True)
class ReleaseDevice:
    """Hand a device over for good."""

    device: str
    destination: Destination
    reason: str
    version: int | None = None


def gate(context: Context, actor: Actor, device: str, destination: Destination) -> GateView:
    """Ask the gate without moving anything. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        found = find_device(session, device)
        return gate_view(session, policy_in_force(session), found, way_to(session, context, destination))


def release(context: Context, actor: Actor, command: ReleaseDevice) -> DeviceDetail:
    """Release a device through the gate; a refusal is written into the history, too. Permission `device.release`.

    Raises:
        GateClosed: with every reason in plain words. There is no override.
        IllegalTransition, StaleVersion, NotFound.
    """
    authorize(actor, Permission.DEVICE_RELEASE)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        device = find_device(session, command.device)
        check_version(f"Device {device.id}", device.version, command.version)
        way = way_to(session, context, command.destination)
        answer = gate_view(session, policy_in_force(session), device, way)
        if answer.open and next_state(device.state, DeviceEvent.RELEASE) is not None:
            device.location_id = command.destination.location
            device.party_id = command.destination.party
            device.destination = way.words
            move_device(
                session, context, actor, device, DeviceEvent.RELEASE, reason=reason,
                details={"destination": way.words, "required_method": answer.required_method},
                evidence=[device.standing_record] if device.standing_record else [],
            )  # fmt: skip
            session.flush()
            return device_detail(session, device)
        note(
            session, context, actor, Tag.DEVICE_RELEASE_REFUSED, "device", device.id,
            reason=reason, details={"destination": way.words, "reasons": [one.code for one in answer.reasons]},
        )  # fmt: skip
        number, state = device.id, str(device.state)
    # Raised only now: the attempt is part of the device's history and must not be rolled back with the refusal.
    if not answer.open:
        raise GateClosed(f"Device {number}", way.words, [Reason(one.code, one.sentence) for one in answer.reasons])
    raise IllegalTransition(f"Device {number}", state, str(DeviceEvent.RELEASE))


def way_to(session: Session, context: Context, destination: Destination) -> Way:
    """What a destination means to the gate: whose hands, and whether it leaves our control.

    A place of ours stays under our control; a place or person outside leaves it; nobody in the register is unknown, and unknown
    never grants. Raises `NotFound`, `Invalid` (party and place contradict each other).
    """
    place = find(session, Location, destination.location, "location") if destination.location else None
    party = find(session, Party, destination.party, "party") if destination.party else None
    if place is not None and place.party_id is not None:
        owner = session.get_one(Party, place.party_id)
        if party is not None and party.id != owner.id:
            raise Invalid("location", f"{place.name} belongs to {owner.name}, not to {party.name}.")
        party = owner
    words = optional("description", destination.description) or _words(place, party)
    return way_between(session, context, place, party, words, reuse=destination.reuse)


def way_between(
    session: Session, context: Context, place: Location | None, party: Party | None, words: str, *, reuse: bool
) -> Way:
    """What a place of ours, somebody's hands or neither mean to the gate; the two do not contradict each other."""
    if party is None:
        inside = place is not None
        receiver: Receiver = "own" if inside else "unknown"
        return Way(words, reuse=reuse, leaves_control=not inside, receiver=receiver)
    if party.kind is PartyKind.OWN:
        return Way(words, reuse=reuse, leaves_control=False, receiver="own")
    filed = session.scalars(sa.select(Undertaking).where(Undertaking.party_id == party.id)).all()
    bound = undertaking_valid(filed, context.now())
    receiver = "undertaking-valid" if bound else "undertaking-missing"
    return Way(words, reuse=reuse, leaves_control=True, receiver=receiver)


def _words(place: Location | None, party: Party | None) -> str:
    if place is not None and party is not None:
        return f"{party.name}, {place.name}"
    if place is not None:
        return f"{place.name} ({place.zone} zone)"
    return party.name if party is not None else "a receiver who is not in the register"
