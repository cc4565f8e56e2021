"""The tamper-evident log: RFC 6962 tree, C2SP tiles and checkpoints, proofs. Pure: storage and clock are the caller's."""

from .checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from .entries import LOG_KINDS, EnvelopeKind, LogKind, log_entry
from .notes import ED25519, ED25519_COSIGNATURE, ML_DSA_44, NoteSigner, VerifierKey, open_note, parse_vkey, sign_note
from .proofs import consistency_proof, inclusion_proof, tree_root, verify_consistency, verify_inclusion
from .tiles import TILE_WIDTH, TileHashes, TileReader, TileWrite, extend_tiles, tile_path
from .tree import EMPTY_ROOT, HASH_BYTES, Frontier, HashReader, leaf_hash, node_hash

__all__ = [
    "ED25519",
    "ED25519_COSIGNATURE",
    "EMPTY_ROOT",
    "HASH_BYTES",
    "LOG_KINDS",
    "ML_DSA_44",
    "TILE_WIDTH",
    "Checkpoint",
    "EnvelopeKind",
    "Frontier",
    "HashReader",
    "LogKind",
    "NoteSigner",
    "TileHashes",
    "TileReader",
    "TileWrite",
    "VerifierKey",
    "consistency_proof",
    "extend_tiles",
    "inclusion_proof",
    "leaf_hash",
    "log_entry",
    "node_hash",
    "open_checkpoint",
    "open_note",
    "parse_vkey",
    "sign_checkpoint",
    "sign_note",
    "tile_path",
    "tree_root",
    "verify_consistency",
    "verify_inclusion",
]
