"""What shares a drive with a device and is lost with it when the whole drive is sanitized. Pure.

NVMe Sanitize destroys every namespace of the subsystem, an eMMC's sanitize every area of the chip; the kernel's exclusive
claim covers one of them only. So the others must be as free as the device itself, whoever has accepted their loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .errors import NeighbourInUse, Refused
from .facts import HostFacts, Node

InUse = Callable[[Node], tuple[Refused, ...]]
"""What stands against touching one whole device: the obstacles of use and of holders."""


def neighbours(facts: HostFacts, node: Node) -> tuple[Node, ...] | None:
    """Other whole devices of the same drive; None where that cannot be told."""
    others = [each for each in (facts.nodes or {}).values() if each.whole is None and each.name != node.name]
    if node.name.startswith("mmcblk"):
        return tuple(each for each in others if each.name.startswith((f"{node.name}boot", f"{node.name}gp")))
    if not node.name.startswith("nvme"):
        return ()
    namespaces = [each for each in others if each.name.startswith("nvme") and not each.hidden]
    if namespaces and (node.subsystem is None or any(each.subsystem is None for each in namespaces)):
        return None
    return tuple(each for each in namespaces if each.subsystem == node.subsystem)


def obstacles_of_neighbours(facts: HostFacts, node: Node, look: InUse) -> Iterator[NeighbourInUse]:
    """An obstacle for each neighbour that is in use, and one where it is unknown which devices are neighbours."""
    found = neighbours(facts, node)
    if found is None:
        reason = "which NVMe namespaces of this host belong to the same drive could not be read"
        yield NeighbourInUse(neighbour="unknown", because=(reason,))
    for each in found or ():
        against = look(each)
        if against:
            yield NeighbourInUse(neighbour=each.path, because=tuple(obstacle.summarize() for obstacle in against))
