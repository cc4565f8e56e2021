"""Hosts and readings in a few words."""

from __future__ import annotations

from typing import Any

from sanitizer.facts import HostFacts, Mount, Node, Reading
from sanitizer.journals import Journals

_NUMBERS = {"n": 0}


def node(name: str, **changes: Any) -> Node:  # noqa: ANN401 - fields of different types
    """A quiet node; `whole` makes it a partition."""
    _NUMBERS["n"] += 1
    base: dict[str, Any] = {
        "name": name,
        "path": f"/dev/{name}",
        "device_number": f"8:{_NUMBERS['n']}",
        "whole": None,
        "start_bytes": 0,
        "size_bytes": 1 << 30,
        "read_only": False,
        "removable": False,
        "hidden": False,
        "holders": (),
        "slaves": (),
        "device_mapper": None,
        "label": None,
        "backing_file": None,
        "zoned": "none",
        "multipath_path": False,
    }
    return Node(**{**base, **changes})


def mount(of: Node | str, point: str, filesystem: str = "ext4", source: str | None = None, *options: str) -> Mount:
    """A mount of a node, or of an anonymous device number."""
    _NUMBERS["n"] += 1
    number = of if isinstance(of, str) else of.device_number
    return Mount(
        mount_id=_NUMBERS["n"],
        parent_id=1,
        device_number=number,
        root="/",
        mount_point=point,
        filesystem=filesystem,
        source=source or (of if isinstance(of, str) else of.path),
        options=options,
    )


def host(*nodes: Node, **changes: Any) -> HostFacts:  # noqa: ANN401 - fields of different types
    """A host with a system disk of its own and these nodes."""
    system = node("sys0")
    base: dict[str, Any] = {
        "nodes": {n.name: n for n in (system, *nodes)},
        "mounts": (),
        "swaps": (),
        "pools": (),
        "openers": (),
        "boot_id": "boot-1",
        "journals": Journals(),
    }
    facts = {**base, **changes}
    if facts["mounts"] is not None and not any(m.mount_point == "/" for m in facts["mounts"]):
        facts["mounts"] = (mount(system, "/"), *facts["mounts"])
    return HostFacts(**facts)


def reading(of: Node, **changes: Any) -> Reading:  # noqa: ANN401 - fields of different types
    """What a healthy disk says of itself."""
    base: dict[str, Any] = {
        "name": of.name,
        "path": of.path,
        "kind": "ata",
        "vendor": None,
        "model": "Model X",
        "serial": f"S-{of.name}",
        "wwn": None,
        "eui64": None,
        "nguid": None,
        "firmware": "1.0",
        "media": "magnetic",
        "transport": "sata",
        "slot": None,
        "removable": False,
        "hidden_capacity": "unknown",
        "capacity_bytes": 1 << 30,
        "logical_block_bytes": 512,
        "physical_block_bytes": 512,
        "read_only": False,
        "disk_sequence": 1,
        "signatures": (),
        "unreadable": (),
        "claim_free": None,
    }
    return Reading(**{**base, **changes})
