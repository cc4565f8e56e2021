"""The log's tree, tiles and proofs, against known answers and a foreign implementation."""

from __future__ import annotations

import itertools

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.canonical import parse_canonical
from reports.errors import BrokenChain
from reports.tlog import (
    EMPTY_ROOT,
    LOG_KINDS,
    TILE_WIDTH,
    Frontier,
    TileHashes,
    consistency_proof,
    extend_tiles,
    inclusion_proof,
    leaf_hash,
    log_entry,
    node_hash,
    tile_path,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and roots of the Certificate Transparency reference tests (RFC 6962's authors).
LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    bytes(range(0x60, 0x70)),
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Store:
    """Tiles in a dict, appended in the batches given."""

    def __init__(self, entries: list[bytes], batches: list[int] | None = None) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.frontier = Frontier()
        self.roots = [EMPTY_ROOT]
        rest = list(entries)
        for size in batches or [1] * len(entries):
            batch, rest = rest[:size], rest[size:]
            self.frontier, writes = extend_tiles(self.frontier, [leaf_hash(entry) for entry in batch])
            for write in writes:
                old = self.tiles.get((write.level, write.index), b"")
                assert len(old) == write.offset * 32
                self.tiles[write.level, write.index] = old + write.data

    def tile(self, level: int, index: int) -> bytes:
        return self.tiles[level, index]


def _entries(count: int) -> list[bytes]:
    return [b"entry %d" % n for n in range(count)]


def test_roots_are_those_of_rfc_6962() -> None:
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for entry, root in zip(LEAVES, ROOTS, strict=True):
        frontier, _ = frontier.extend([leaf_hash(entry)])
        assert frontier.root().hex() == root


def test_proofs_are_those_of_rfc_6962() -> None:
    hashes = TileHashes(Store(LEAVES))
    # known audit path of leaf 0 in 8 leaves, and consistency of 6 to 8 (same reference tests)
    assert [item.hex() for item in inclusion_proof(hashes, 0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [item.hex() for item in consistency_proof(hashes, 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 255, 256, 257, 511, 513, 700])
def test_roots_and_proofs_agree_with_pymerkle(size: int) -> None:
    entries = _entries(size)
    foreign = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        foreign.append_entry(entry)
    store = Store(entries, [size])
    hashes = TileHashes(store)
    root = tree_root(hashes, size)
    assert root == store.frontier.root() == foreign.get_root(size)
    for index in {0, size // 3, size - 1}:
        verify_inclusion(leaf_hash(entries[index]), index, size, inclusion_proof(hashes, index, size), root)
        # pymerkle counts from one; its proof opens with the leaf itself and mixes sides, so compare what it proves
        proof = foreign.prove_inclusion(index + 1, size)
        pymerkle.verify_inclusion(leaf_hash(entries[index]), root, proof)
        ours = inclusion_proof(hashes, index, size)
        assert set(ours) <= set(proof.path)
    for old in {1, size // 2 or 1, size}:
        verify_consistency(old, size, foreign.get_root(old), root, consistency_proof(hashes, old, size))


def test_every_proof_of_every_small_tree_holds_and_no_other_does() -> None:
    entries = _entries(33)
    hashes = TileHashes(Store(entries))
    roots = [tree_root(hashes, size) for size in range(34)]
    for size, index in itertools.product(range(1, 34), range(33)):
        if index >= size:
            with pytest.raises(ValueError, match="not in a tree"):
                inclusion_proof(hashes, index, size)
            continue
        proof = inclusion_proof(hashes, index, size)
        leaf = leaf_hash(entries[index])
        verify_inclusion(leaf, index, size, proof, roots[size])
        wrongs: list[tuple[bytes, tuple[bytes, ...]]] = [(leaf_hash(b"x"), proof), (leaf, (*proof, leaf))]
        if proof:
            wrongs.append((leaf, proof[:-1]))
        for wrong_leaf, wrong_proof in wrongs:
            with pytest.raises(BrokenChain):
                verify_inclusion(wrong_leaf, index, size, wrong_proof, roots[size])
        for other in {index - 1, index + 1, size}:
            with pytest.raises(BrokenChain):
                verify_inclusion(leaf, other, size, proof, roots[size])
    for new, old in itertools.product(range(34), range(34)):
        if old > new:
            with pytest.raises(ValueError, match="shrink"):
                consistency_proof(hashes, old, new)
            with pytest.raises(BrokenChain):
                verify_consistency(old, new, roots[old], roots[new], ())
            continue
        proof = consistency_proof(hashes, old, new)
        verify_consistency(old, new, roots[old], roots[new], proof)
        with pytest.raises(BrokenChain):
            verify_consistency(old, new, node_hash(roots[old], b""), roots[new], proof)
        if old:
            with pytest.raises(BrokenChain):
                verify_consistency(old, new, roots[old], node_hash(roots[new], b""), proof)
        with pytest.raises(BrokenChain):
            verify_consistency(old, new, roots[old], roots[new], (*proof, roots[1]))
        if proof:
            with pytest.raises(BrokenChain):
                verify_consistency(old, new, roots[old], roots[new], proof[:-1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=8), st.data())
def test_batches_change_nothing(batches: list[int], data: st.DataObject) -> None:
    size = sum(batches)
    entries = _entries(size)
    store, single = Store(entries, batches), Store(entries)
    assert store.tiles == single.tiles
    assert store.frontier == single.frontier
    assert Frontier.from_bytes(size, store.frontier.to_bytes()) == store.frontier
    old = data.draw(st.integers(0, size))
    index = data.draw(st.integers(0, size - 1))
    hashes = TileHashes(store)
    root = store.frontier.root()
    verify_inclusion(leaf_hash(entries[index]), index, size, inclusion_proof(hashes, index, size), root)
    verify_consistency(old, size, tree_root(hashes, old), root, consistency_proof(hashes, old, size))


def test_a_full_tile_never_changes_and_levels_above_hold_the_roots_of_tiles() -> None:
    store = Store(_entries(TILE_WIDTH * 3 + 5), [TILE_WIDTH * 3 + 5])
    assert len(store.tiles[0, 0]) == TILE_WIDTH * 32
    assert len(store.tiles[0, 3]) == 5 * 32
    assert len(store.tiles[1, 0]) == 3 * 32
    first = Store(_entries(TILE_WIDTH), [TILE_WIDTH])
    assert store.tiles[1, 0][:32] == first.frontier.root()


def test_a_missing_hash_is_an_error_not_a_guess() -> None:
    store = Store(_entries(300))
    store.tiles[0, 1] = store.tiles[0, 1][:-32]
    with pytest.raises(LookupError):
        tree_root(TileHashes(store), 300)


@pytest.mark.parametrize("size", [-1, 0, 2])
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(size, b"\0" * 32 * 3)
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(1, b"\0" * 31)


@pytest.mark.parametrize("proof", [(b"\0" * 31,), (b"",), (b"\0" * 32,) * 65])
def test_proofs_are_lists_of_hashes(proof: tuple[bytes, ...]) -> None:
    with pytest.raises(BrokenChain):
        verify_inclusion(b"\0" * 32, 0, 2, proof, b"\0" * 32)
    with pytest.raises(BrokenChain):
        verify_consistency(1, 2, b"\0" * 32, b"\0" * 32, proof)


def test_tiles_are_published_where_c2sp_says() -> None:
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(1, 1234067) == "tile/1/x001/x234/067"
    assert tile_path(0, 1234067, 7) == "tile/0/x001/x234/067.p/7"


@pytest.mark.parametrize("kind", sorted(LOG_KINDS))
def test_a_leaf_holds_a_kind_and_a_digest_only(kind: str) -> None:
    entry = log_entry(kind, "a" * 64)  # type: ignore[arg-type]  # every kind there is
    assert parse_canonical(entry) == {"kind": kind, "sha256": "a" * 64, "v": 1}


@pytest.mark.parametrize(("kind", "digest"), [("order", "a" * 64), ("acceptance", "A" * 64), ("acceptance", "")])
def test_nothing_else_is_logged(kind: str, digest: str) -> None:
    with pytest.raises(ValueError, match="not a log entry"):
        log_entry(kind, digest)  # type: ignore[arg-type]  # the point of the test
