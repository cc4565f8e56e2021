"""Devices: lists, one device with everything known of it, the gate's answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.vocabulary import Category, DeviceState, EscrowState, Method, Verification

from .data import HoldingView, HoldView
from .overview import ExceptionView


@dataclass(frozen=True, kw_only=True)
class ReasonView:
    """One reason, in plain words, with its stable code."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class GateView:
    """The gate's answer for one destination."""

    open: bool
    destination: str
    """In words."""
    required_method: Method | None
    """None where nothing was ever held."""
    required_verification: Verification | None
    reasons: tuple[ReasonView, ...]
    """Why not; empty exactly when open."""
    explanation: str
    """How the policy came to its demand."""


@dataclass(frozen=True, kw_only=True)
class DeviceFactsView:
    """What a device is, by one source. None: not stated or not reported."""

    kind: str | None
    vendor: str | None
    model: str | None
    serial: str | None
    wwn: str | None
    eui64: str | None
    nguid: str | None
    firmware: str | None
    capacity_bytes: int | None
    logical_block_bytes: int | None
    media: str | None
    transport: str | None
    hidden_capacity: str | None
    removable: bool | None
    at: datetime
    """When it was declared or last observed."""
    by: str
    """Who declared it, or the host that observed it."""


@dataclass(frozen=True, kw_only=True)
class TechniqueView:
    """One of the drive's own techniques: how far it would get, or why it cannot be used."""

    name: str
    label: str
    does: str
    """What the drive does, by the definition of its command."""
    method: Method
    """How far it would get on this medium, by the policy in force."""
    usable: bool
    reasons: tuple[str, ...]
    estimate_seconds: int | None


@dataclass(frozen=True, kw_only=True)
class DriveView:
    """What a drive says of its own sanitization, as the agent last asked it."""

    path: str
    standing: str | None
    locks: tuple[str, ...]
    hidden: str
    techniques: tuple[TechniqueView, ...]
    """Usable ones first, the furthest reaching before others."""


@dataclass(frozen=True, kw_only=True)
class AttachmentView:
    """A device in a host, from when to when."""

    host: str
    host_name: str
    path: str
    slot: str | None
    since: datetime
    until: datetime | None
    last_seen: datetime
    obstacles: tuple[ReasonView, ...]
    """Why the agent says it may not be touched now."""


@dataclass(frozen=True, kw_only=True)
class DeviceRow:
    """A device in a list."""

    id: str
    asset_tag: str | None
    state: DeviceState
    label: str
    """Model, serial and capacity in words."""
    vendor: str | None
    model: str | None
    serial: str | None
    capacity_bytes: int | None
    media: str | None
    fingerprint: str | None
    """None until an agent has observed it."""
    host: str | None
    """Where it is attached now."""
    host_name: str | None
    path: str | None
    location: str | None
    location_name: str | None
    category: Category | None
    """Highest category ever held; None where nothing is known."""
    holdings_open: int
    """Live holdings and residue not covered by a validated record."""
    exceptions_open: int
    order: str | None
    """The open order, if there is one."""
    held: bool
    version: int


@dataclass(frozen=True, kw_only=True)
class WaiverView:
    """Leave to return a device unsanitized: two named people, a reason, an end."""

    id: str
    device: str
    destination: str
    reason: str
    opened_by: str
    opened_role: str
    countersigned_by: str | None
    countersigned_role: str | None
    expires: datetime
    used: datetime | None


@dataclass(frozen=True, kw_only=True)
class DestructionView:
    """A physical destruction: recorded, witnessed, validated."""

    id: str
    device: str
    method: str
    machine: str
    facility: str
    particle_size_mm: int | None
    operator: str
    witness: str | None
    witnessed: datetime | None
    validator: str | None
    decision: str | None
    reason: str
    performed: datetime
    evidence: tuple[str, ...]
    log_index: int | None


@dataclass(frozen=True, kw_only=True)
class EscrowView:
    """A drive's password in custody; without the password."""

    id: str
    device: str
    order: str
    host: str
    run: str
    kind: str
    """What it is to the drive: ata-user-password."""
    state: EscrowState
    locks: bool
    """Whether the drive may still be locked with it although its order has ended: locked by us."""
    sha256: str
    """Of the password."""
    recovery: str
    """What to do with it, in plain words."""
    deposited: datetime
    released: datetime | None
    release_reason: str
    revealed: datetime | None
    revealed_to: str | None


@dataclass(frozen=True, kw_only=True)
class EscrowSecretView:
    """A drive's password, shown to a person once asked for with a reason."""

    escrow: EscrowView
    secret_base64: str
    secret_hex: str
    text: str
    """As tools take it, where it is printable; else empty."""


@dataclass(frozen=True, kw_only=True)
class DeviceDetail(DeviceRow):
    """A device with everything the inventory knows of it."""

    declared: DeviceFactsView | None
    observed: DeviceFactsView | None
    contents: str
    """known, unknown, never_used: what can be said about what it ever held."""
    zone: str | None
    party: str | None
    attachments: tuple[AttachmentView, ...]
    """Newest first, at most 100."""
    holdings: tuple[HoldingView, ...]
    holds: tuple[HoldView, ...]
    exceptions: tuple[ExceptionView, ...]
    """Open first, then resolved, at most 100."""
    orders: tuple[str, ...]
    """Newest first."""
    certificates: tuple[str, ...]
    waivers: tuple[WaiverView, ...]
    destructions: tuple[DestructionView, ...]
    drive: DriveView | None
    """What the drive says of its own sanitization; None where it is not attached, or was not asked."""
    escrows: tuple[EscrowView, ...]
    """Passwords of this drive in custody, newest first."""
    events_possible: tuple[str, ...]
    """Lifecycle events the table allows from the present state (guards not asked)."""
    gate_reuse_inside: GateView
    """May it be reused under our control?"""
    gate_leave: GateView
    """May it leave our control, for reuse by others?"""
