"""What the service states about media that travel together: that a lot was closed, and who handed what to whom.

Envelopes of kind `custody`, as events of single devices are; each schema has its own strict reader, so that none can stand for
another. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .parts import StrictPart

LOT_CLOSING: Final = "sanitrail/lot-closing/1"
HANDOVER: Final = "sanitrail/handover/1"


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


@dataclass(frozen=True, kw_only=True)
class HandedDevice(StrictPart):
    """A device that was handed over, as the sender's register had it."""

    device: str
    asset_tag: str
    fingerprint: str
    container: str
    """Number of the container it lay in; empty where it lay in none."""


@dataclass(frozen=True, kw_only=True)
class HandedSide(StrictPart):
    """One side's part: who, when, and what was counted."""

    actor: str
    """Pseudonym of the person, or number of the link through which somebody without an account answered."""
    time: str
    count: int
    seals: tuple[str, ...]
    """In order."""


@dataclass(frozen=True, kw_only=True)
class HandOver(StrictPart):
    """Both sides of a hand-over: accepted where the counts agree, else disputed, with every difference."""

    schema: Literal["sanitrail/handover/1"] = HANDOVER
    number: str
    answer: Literal["accepted", "disputed"]
    lot: str
    """Empty where the devices are no lot."""
    from_party: str
    """Number of the party that had them; empty: the issuer."""
    from_location: str
    to_party: str
    to_location: str
    outward: bool
    """Whether they left the issuer's control."""
    containers: tuple[str, ...]
    devices: tuple[HandedDevice, ...]
    """By number; each once."""
    sender: HandedSide
    receiver: HandedSide
    differences: tuple[str, ...]
    """In words; empty exactly where it was accepted."""
