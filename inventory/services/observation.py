"""What an agent sees, whole: devices, where they are attached, what lies beneath declared paths."""

from __future__ import annotations

from inventory.contract.v1.devices import Observation, ObservationAccepted

from ._host_places import take_places
from ._paths import follow_paths
from ._sightings import Sightings
from .context import Actor, Context
from .heartbeat import contact_of
from .hosts import trusted_host


def observe(context: Context, actor: Actor, message: Observation) -> ObservationAccepted:
    """Take in an observation; what is missing from it is no longer attached to that host.

    Unknown media become devices in service with an exception (nobody declared them); a declared device with the same
    serial number and model is bound; every difference between declared and observed is an exception, and so is a medium that
    shows up at two nodes or cannot be identified. Paths become holdings; what a path no longer rests on becomes residue. A
    path that could not be followed to the end is an exception and ends nothing. Media that memory is written to hold what
    the host's paths hold, too.

    Raises:
        AgentNotTrusted.
    """
    with context.writing(actor) as session:
        host = trusted_host(session, actor)
        sightings = Sightings(session, context, actor, host)
        sightings.take(message.devices)
        spill = take_places(session, context, host, message)
        follow_paths(session, context, actor, host, message.paths, spill)
        contact_of(session, context, host).observed = context.now()
        return ObservationAccepted(devices={print_: device.id for print_, device in sightings.seen.items()})
