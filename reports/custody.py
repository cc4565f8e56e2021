"""What the service states about media that travel together: that a lot was closed, and who handed what to whom.

Envelopes of kind `custody`, as events of single devices are; each schema has its own strict reader, so that none can stand for
another. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .parts import StrictPart

LOT_CLOSING: Final = "sanitrail/lot-closing/1"


@dataclass(frozen=True, kw_only=True)
class LotMember(StrictPart):
    """A device of a closed lot, as it stood then."""

    device: str
    asset_tag: str
    fingerprint: str
    """Empty while no agent has seen the device."""
    state: str
    record: str
    """Envelope digest of its standing record; empty where it has none."""


@dataclass(frozen=True, kw_only=True)
class LotClosing(StrictPart):
    """A lot was reconciled and closed: nothing in it is unaccounted, and these are its devices.

    The log's next checkpoint is the seed of whatever is drawn from them: nobody knew it while the list could still change.
    """

    schema: Literal["sanitrail/lot-closing/1"] = LOT_CLOSING
    lot: str
    name: str
    closing: int
    """The how-manieth closing of this lot, from 1: a lot that was re-opened is closed again."""
    devices: tuple[LotMember, ...]
    """By number; each once."""
    previous: str | None
    """Envelope digest of the closing before; None for the first."""
    actor: str
    """Pseudonym of whoever closed it."""
    reason: str
    time: str
