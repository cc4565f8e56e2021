"""Lots and containers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.lots import ContainerKind, LotPurpose, LotState
from inventory.domain.vocabulary import DeviceState

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class LotRow:
    """A lot in a list."""

    id: str
    name: str
    purpose: LotPurpose
    destination: str
    party: str | None
    """Who shall receive it; None: nobody outside is named."""
    site: str | None
    state: LotState
    devices: int
    opened: datetime
    opened_by: str
    closed: datetime | None
    """When it was last closed, also where it is open again."""
    closed_by: str | None
    closings: int
    """How often it was closed."""
    closed_sha256: str | None
    """Envelope digest of the statement of the last closing."""
    closed_index: int | None
    """Its place in the log; the first checkpoint beyond it is the seed of what is drawn from the lot."""
    note: str
    version: int


@dataclass(frozen=True, kw_only=True)
class LotMemberView:
    """A device in a lot."""

    device: str
    asset_tag: str | None
    label: str
    state: DeviceState
    location: str | None
    container: str | None
    added: datetime
    added_by: str


@dataclass(frozen=True, kw_only=True)
class ContainerView:
    """What devices lie in, with its seals."""

    id: str
    name: str
    kind: ContainerKind
    seals: tuple[str, ...]
    lot: str | None
    location: str | None
    party: str | None
    """Who has it; None: we have."""
    devices: tuple[str, ...]
    """Numbers, in order."""
    created: datetime
    created_by: str
    ended: datetime | None
    version: int


@dataclass(frozen=True, kw_only=True)
class LotDetail(LotRow):
    """One lot with everything in it."""

    members: tuple[LotMemberView, ...]
    containers: tuple[ContainerView, ...]
    unsettled: tuple[ReasonView, ...]
    """What keeps it from being closed; empty once it is closed."""
