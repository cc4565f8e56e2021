"""Inclusion and consistency proofs.

Made from stored hashes (RFC 6962, 2.1.1 and 2.1.2), checked with none (RFC 9162, 2.1.3.2 and 2.1.4.2). The checks raise, since a
boolean could be forgotten; and they are exact: a proof with a hash too many or too few is no proof.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.errors import BrokenChain

from .tree import EMPTY_ROOT, HASH_BYTES, HashReader, largest_power_below, node_hash

_MAX_SIZE = 1 << 53


def _range_hash(hashes: HashReader, start: int, end: int) -> bytes:
    """Hash over leaves `[start, end)`, which is a subtree of the recursion of RFC 6962."""
    width = end - start
    if width & (width - 1) == 0 and start % width == 0:
        level = width.bit_length() - 1
        return hashes.subtree(level, start >> level)
    split = start + largest_power_below(width)
    return node_hash(_range_hash(hashes, start, split), _range_hash(hashes, split, end))


def tree_root(hashes: HashReader, size: int) -> bytes:
    """The root hash the tree had when it held `size` leaves."""
    return _range_hash(hashes, 0, size) if size else EMPTY_ROOT


def inclusion_proof(hashes: HashReader, index: int, size: int) -> tuple[bytes, ...]:
    """RFC 6962, 2.1.1: that leaf `index` is in the tree of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + largest_power_below(end - start)
        if index < split:
            path.append(_range_hash(hashes, split, end))
            end = split
        else:
            path.append(_range_hash(hashes, start, split))
            start = split
    return tuple(reversed(path))


def consistency_proof(hashes: HashReader, old: int, new: int) -> tuple[bytes, ...]:
    """RFC 6962, 2.1.2: that the tree of `new` leaves continues the one of `old`. Empty for `old` = 0 and `old` = `new`."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree does not shrink from {old} to {new}")
    if old in {0, new}:
        return ()
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:  # descend towards the place where the old tree ended
        split = start + largest_power_below(end - start)
        if old <= split:
            path.append(_range_hash(hashes, split, end))
            end = split
        else:
            path.append(_range_hash(hashes, start, split))
            start, whole = split, False
    if not whole:
        path.append(_range_hash(hashes, start, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162, 2.1.3.2. Raises `BrokenChain` unless the proof shows the leaf hash at `index` of the tree of `size`."""
    if not 0 <= index < size <= _MAX_SIZE:
        raise BrokenChain("inclusion proof", f"leaf {index} cannot be in a tree of {size}")
    _refuse_odd_hashes(proof, "inclusion proof")
    first, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BrokenChain("inclusion proof", "it is longer than the tree is high")
        if first & 1 or first == last:
            current = node_hash(sibling, current)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        first, last = first >> 1, last >> 1
    if last or current != root:
        raise BrokenChain("inclusion proof", f"entry {index} is not in the log of {size} entries that was signed")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162, 2.1.4.2. Raises `BrokenChain` unless the proof shows that the new tree only appended to the old one."""
    _refuse_odd_hashes(proof, "consistency proof")
    if not 0 <= old <= new <= _MAX_SIZE:
        raise BrokenChain("consistency proof", f"a log does not shrink from {old} to {new}")
    if old in {0, new}:
        known = EMPTY_ROOT if old == 0 else new_root
        if proof or old_root != known:
            raise BrokenChain("consistency proof", f"the logs of {old} and {new} entries are not one history")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise BrokenChain("consistency proof", "it is empty")
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BrokenChain("consistency proof", "it is longer than the tree is high")
        if first & 1 or first == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling)
        first, last = first >> 1, last >> 1
    if last or from_old != old_root or from_new != new_root:
        raise BrokenChain("consistency proof", f"the logs of {old} and {new} entries are not one history")


def _refuse_odd_hashes(proof: Sequence[bytes], where: str) -> None:
    if len(proof) > 64 or any(len(item) != HASH_BYTES for item in proof):
        raise BrokenChain(where, "it is not a list of at most 64 hashes of 32 bytes")
