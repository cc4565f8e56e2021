"""Which devices a ZFS pool lies on, by the labels on the devices themselves. Pure: bytes and labels in, names out.

Each device of a pool carries its label four times; the first stands at its beginning. It holds a list of names and values in
XDR: the pool, the part of the pool this device is in with all devices of that part, and how many parts there are. So it can
be told when a device is missing. A cache device does not say whose it is, and counts for every pool.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .facts import ZfsLabel, ZfsLook

FILESYSTEMS: Final = frozenset({"zfs", "fuse.zfs"})
"""As the mount table names what is mounted from a pool, by the kernel's driver or by the one outside the kernel (zfs-fuse)."""
LABEL_OFFSET: Final = 16 << 10
"""Bytes from the beginning of the device: an empty area and a boot header come first."""
LABEL_BYTES: Final = 112 << 10
_UINT64, _STRING, _UINT64_ARRAY, _NVLIST, _NVLIST_ARRAY = 8, 9, 16, 19, 20
_XDR = 1
_DEEPEST = 8
_MOST_PARTS = 4096
_ACTIVE, _EXPORTED, _DESTROYED, _SPARE, _CACHE = range(5)
_HOW: Final = "the ZFS label on it"


class LabelDamaged(Exception):
    """There is a label, and it cannot be understood: unknown, not absent."""


@dataclass
class _Reader:
    """Bounds are checked at each step; the bytes come from a disk nobody trusts."""

    data: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        if length < 0 or self.at + length > len(self.data):
            raise LabelDamaged("the label ends early")
        taken = self.data[self.at : self.at + length]
        self.at += length
        return taken

    def int32(self) -> int:
        return int(struct.unpack(">i", self.take(4))[0])

    def uint64(self) -> int:
        return int(struct.unpack(">Q", self.take(8))[0])

    def text(self) -> str:
        length = self.int32()
        raw = self.take(length)
        self.take(-length % 4)
        return raw.decode("utf-8", "replace")


def _pairs(reader: _Reader, depth: int) -> dict[str, Any]:
    """The names and values of one list that are of use here; the others are passed over by the length they state."""
    if depth > _DEEPEST:
        raise LabelDamaged("the label is nested too deep")
    reader.take(8)  # version, flags
    found: dict[str, Any] = {}
    while True:
        begin = reader.at
        encoded, _ = reader.int32(), reader.int32()
        if encoded == 0:
            return found
        name, kind, count = reader.text(), reader.int32(), reader.int32()
        if kind == _UINT64 and count == 1:
            found[name] = reader.uint64()
        elif kind == _STRING and count == 1:
            found[name] = reader.text()
        elif kind == _UINT64_ARRAY:
            found[name] = [reader.uint64() for _ in range(min(reader.int32(), count))]
        elif kind == _NVLIST and count == 1:
            found[name] = _pairs(reader, depth + 1)
        elif kind == _NVLIST_ARRAY:
            found[name] = [_pairs(reader, depth + 1) for _ in range(count)]
        else:
            if encoded < reader.at - begin:
                raise LabelDamaged("a value is shorter than its own name")
            reader.take(encoded - (reader.at - begin))


def parse_label(node: str, data: bytes) -> ZfsLabel | None:
    """The label in the first bytes of a node; None where there is none.

    Args:
        node: Kernel name.
        data: `LABEL_BYTES` from `LABEL_OFFSET`.

    Raises:
        LabelDamaged: something begins like a label and does not go on like one.
    """
    if len(data) < 12 or data[0] != _XDR or data[1] not in {0, 1} or data[2:4] != b"\0\0":
        return None
    if struct.unpack(">i", data[4:8])[0] != 0:
        return None  # the version of the list has been 0 for ever; anything else is somebody else's data
    found = _pairs(_Reader(data, 4), 0)
    state, guid = found.get("state"), found.get("guid")
    if not isinstance(state, int) or not isinstance(guid, int):
        raise LabelDamaged("the label does not say what it is")
    tree = found.get("vdev_tree")
    return ZfsLabel(
        node=node,
        state=state,
        guid=guid,
        pool=_of(found, "name", str),
        pool_guid=_of(found, "pool_guid", int),
        top=_of(tree, "id", int),
        tops=_of(found, "vdev_children", int),
        holes=frozenset(_of(found, "hole_array", list) or ()),
        siblings=frozenset(_leaves(tree)),
    )


def _of(found: Any, name: str, kind: type[Any]) -> Any:  # noqa: ANN401 - what a disk says may be anything
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, kind) else None


def _leaves(tree: Any) -> Iterable[int]:  # noqa: ANN401 - as above
    if not isinstance(tree, dict):
        return
    children = tree.get("children")
    if isinstance(children, list):
        for child in children:
            yield from _leaves(child)
    elif isinstance(guid := tree.get("guid"), int):
        yield guid


def members_of(pool: str, look: ZfsLook) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The nodes a mounted pool lies on, each with how that is known, and in words what is not known of it.

    A label of a device that was taken out of the pool may still name it: it held the pool's data, and is named too.
    """
    own = [label for label in look.labels if label.pool == pool and label.state in {_ACTIVE, _EXPORTED}]
    members = {label.node: _HOW for label in own}
    lost = [f"{node} could not be read for a label of it" for node in look.unread]
    if not own:
        return members, (*lost, "no device carries a label of it")
    if len({label.pool_guid for label in own}) != 1:
        lost.append("two pools have carried that name")
    tops = {label.tops for label in own}
    parts = {label.top for label in own}
    if None in tops or len(tops) != 1:
        lost.append("its labels do not agree on how many parts it has")
    else:
        count = max(each for each in tops if each is not None)
        if count > _MOST_PARTS or parts != set(range(count)) - frozenset[int].union(*(label.holes for label in own)):
            lost.append("a part of it carries no label here")
    present = {label.guid for label in own}
    if any(not label.siblings or label.siblings - present for label in own):
        lost.append("a device of it is missing")
    for label in look.labels:
        if label.state == _CACHE:
            members[label.node] = "the label of a ZFS cache device, which does not say of which pool"
    return members, tuple(lost)
