"""What an agent sees, whole: devices, where they are attached, what lies beneath declared paths."""

from __future__ import annotations

from inventory.contract.v1.devices import Observation, ObservationAccepted

from .context import Actor, Context


def observe(context: Context, actor: Actor, message: Observation) -> ObservationAccepted:
    """Take in an observation; what is missing from it is no longer attached to that host.

    Unknown media become devices in service with an exception (nobody declared them); a declared device with the same serial number
    and model is bound; every difference between declared and observed is an exception. Paths become holdings; what a path no longer
    rests on becomes residue. A path that could not be followed to the end is an exception and ends nothing.

    Raises:
        AgentNotTrusted.
        Invalid: the same fingerprint twice.
    """
    raise NotImplementedError
