"""Hand-overs, and what somebody without an account sees of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.handovers import HandoverState

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class HandoverRow:
    """A hand-over in a list. Its count and seals are not shown to whoever may answer it, before they have."""

    id: str
    state: HandoverState
    lot: str | None
    from_party: str | None
    from_location: str
    to_party: str | None
    to_location: str | None
    outward: bool
    """It leaves our control: acceptance releases the devices."""
    destination: str
    containers: tuple[str, ...]
    offered: datetime
    offered_by: str
    answer_by: datetime
    answered: datetime | None
    answered_by: str | None
    """A person's pseudonym, or the number of a link."""
    count: int | None
    """As the sender counted; None: not shown before the answer."""
    overdue: bool
    version: int


@dataclass(frozen=True, kw_only=True)
class HandedDeviceView:
    """A device that is handed over."""

    device: str
    asset_tag: str | None
    label: str
    container: str | None


@dataclass(frozen=True, kw_only=True)
class HandoverLinkView:
    """A link through which the receiver may answer; its secret was shown once."""

    id: str
    handover: str
    created: datetime
    created_by: str
    expires: datetime
    revoked: datetime | None
    used: datetime | None
    receiver: str
    """As whoever answered wrote their name; empty before, and where it was erased."""


@dataclass(frozen=True, kw_only=True)
class HandoverDetail(HandoverRow):
    """One hand-over."""

    reuse: bool
    note: str
    seals: tuple[str, ...] | None
    """None: not shown before the answer."""
    devices: tuple[HandedDeviceView, ...] | None
    """None: not shown before the answer."""
    counted: int | None
    counted_seals: tuple[str, ...] | None
    differences: tuple[ReasonView, ...]
    withdraw_reason: str
    links: tuple[HandoverLinkView, ...]
    sha256: str | None
    """Envelope digest of the signed statement of both sides."""
    log_index: int | None


@dataclass(frozen=True, kw_only=True)
class DownstreamHandover:
    """All that somebody without an account sees: this hand-over, and before their answer neither count nor seals."""

    number: str
    state: HandoverState
    sender: str
    """Name of the organisation that hands over."""
    sender_contact: str
    receiver: str
    """Name of the party that receives."""
    place: str
    """Where it is received, in words; empty where that is not said."""
    destination: str
    containers: tuple[str, ...]
    """Numbers, as on their labels."""
    note: str
    restrictions: tuple[str, ...]
    """What the receiver has undertaken, in the undertakings' words."""
    answer_by: datetime
    counted: int | None
    counted_seals: tuple[str, ...] | None
    differences: tuple[str, ...]
    statement: str | None
    """Envelope digest of the signed statement of both sides, once there is an answer."""
