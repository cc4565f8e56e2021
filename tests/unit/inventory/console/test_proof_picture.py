"""The drawn path of an inclusion proof is the proof: its steps end in the root, and every box covers what it says."""

from __future__ import annotations

import pytest

from inventory.console.views.proof import climb, draw
from reports.tlog.proofs import inclusion_proof, tree_root
from reports.tlog.tree import leaf_hash, node_hash


class Leaves:
    """A tree in memory, as the proofs read it."""

    def __init__(self, size: int) -> None:
        self.leaves = [f"leaf {number}".encode() for number in range(size)]

    def subtree(self, level: int, index: int) -> bytes:
        first = index << level
        if level == 0:
            return leaf_hash(self.leaves[first])
        return node_hash(self.subtree(level - 1, 2 * index), self.subtree(level - 1, 2 * index + 1))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 21])
def test_every_path_ends_in_the_root_and_covers_the_whole_tree(size: int) -> None:
    tree = Leaves(size)
    for index in range(size):
        steps = climb(index, size, tree.leaves[index], inclusion_proof(tree, index, size))
        picture = draw(index, tree.leaves[index], steps)
        assert picture.root.hash == tree_root(tree, size)
        assert (picture.root.first, picture.root.last) == (0, size - 1)
        for step in steps:
            pair = sorted(((step.below.first, step.below.last), (step.beside.first, step.beside.last)))
            assert pair[0][1] + 1 == pair[1][0]
            assert (step.side == "left") == (step.beside.first < step.below.first)


def test_a_wrong_hash_leads_elsewhere_and_a_missing_one_is_refused() -> None:
    tree = Leaves(7)
    proof = list(inclusion_proof(tree, 3, 7))
    assert climb(3, 7, tree.leaves[3], [*proof[:-1], b"\x00" * 32])[-1].above.hash != tree_root(tree, 7)
    with pytest.raises(ValueError, match="has 3 hashes"):
        climb(3, 7, tree.leaves[3], proof[:-1])
