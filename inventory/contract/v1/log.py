"""What anybody may ask the log, and how the roster's history is handed over."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .common import Base64, Bytes, Envelope, Message


class ConsistencyProof(Message):
    """Hashes that prove the tree of `new` entries extends the tree of `old` (RFC 6962, 2.1.2)."""

    old: Bytes
    new: Bytes
    hashes: Annotated[tuple[Base64, ...], Field(max_length=64)]


class RosterChain(Message):
    """Every roster after the version asked for, oldest first; each is signed by a quorum of the one before."""

    rosters: Annotated[tuple[Envelope, ...], Field(max_length=1000)]


class TrustRootChain(Message):
    """Every version of the trust root, oldest first; each is signed by enough root keys of the one before and of its own."""

    trust_roots: Annotated[tuple[Envelope, ...], Field(min_length=1, max_length=256)]
