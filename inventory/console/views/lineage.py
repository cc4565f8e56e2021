"""Where a data set lies, as a tree: host, path, disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inventory.domain.vocabulary import HoldingState
from inventory.services.views import DeclaredPathView, HoldingView


@dataclass(frozen=True)
class DiskNode:
    """A medium beneath a path, or one somebody declared."""

    device: str
    label: str
    states: tuple[HoldingState, ...]


@dataclass(frozen=True)
class PathNode:
    """A declared path and what lies beneath it."""

    path: DeclaredPathView
    disks: tuple[DiskNode, ...]


@dataclass(frozen=True)
class Lineage:
    """The tree of one data set."""

    paths: tuple[PathNode, ...]
    elsewhere: tuple[DiskNode, ...]
    """Media that hold or held it without a live path: residue, backups, replicas moved by hand."""


def _node(device: str, holdings: list[HoldingView]) -> DiskNode:
    own = [holding for holding in holdings if holding.device == device]
    label = own[0].device_label if own else device
    return DiskNode(device, label, tuple(dict.fromkeys(holding.state for holding in own)))


def lineage_of(paths: Iterable[DeclaredPathView], holdings: Iterable[HoldingView]) -> Lineage:
    """The tree; every medium of every holding stands in it somewhere."""
    known = list(holdings)
    nodes = tuple(
        PathNode(
            path,
            tuple(
                _node(device, [h for h in known if h.path in {path.path, None} or h.device == device])
                for device in path.devices
            ),
        )
        for path in paths
        if path.withdrawn is None
    )
    shown = {disk.device for node in nodes for disk in node.disks}
    rest = dict.fromkeys(holding.device for holding in known if holding.device not in shown)
    return Lineage(nodes, tuple(_node(device, known) for device in rest))
