"""Keeping up with the trust root: what the service signs with new keys counts once the chain to them was followed."""

from __future__ import annotations

from typing import Protocol

from inventory.contract.v1.log import TrustRootChain
from reports.tlog import Checkpoint

from .errors import CheckpointRefused
from .log_watch import Prove
from .pins import PinStore


class Chain(Protocol):
    """What is asked of the service."""

    def trust_roots(self) -> TrustRootChain:
        """Every version of the trust root."""


def follow(pins: PinStore, service: Chain) -> bool:
    """Follow the trust root as far as the service has it. Returns whether there was a version this host did not know.

    Raises:
        TrustRootRefused, LogForked: What it offers does not follow from what is pinned; nothing is changed.
        Retry, Rejected: It could not be asked.
    """
    before = pins.require().trust.pin
    offered = [envelope.model_dump() for envelope in service.trust_roots().trust_roots]
    return pins.follow_trust(offered).pin != before


def advance(pins: PinStore, service: Chain, note: str, prove: Prove) -> Checkpoint:
    """As `PinStore.advance`; a checkpoint by keys this host does not know yet counts where the trust root leads to them."""
    try:
        return pins.advance(note, prove)
    except CheckpointRefused:
        if not follow(pins, service):
            raise
        return pins.advance(note, prove)
