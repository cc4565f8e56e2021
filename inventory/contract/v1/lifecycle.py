"""What people do with devices: declare, adopt, move, retire, release, waive, destroy."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .common import Bytes, Instant, Message, Sha256
from .vocabulary import (
    DecisionName,
    DestructionMethodName,
    Key,
    LifecycleEvent,
    Line,
    MediaName,
    OptionalLine,
    OptionalProse,
    Prose,
    RoleName,
)

AssetTag = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class DeviceDeclare(Message):
    """A medium a person knows of: bought, imported, scanned."""

    asset_tag: AssetTag
    serial: Line | None = None
    vendor: Line | None = None
    model: Line | None = None
    capacity_bytes: Bytes | None = None
    media: MediaName | None = None
    location: Key | None = None
    source: OptionalLine = ""
    """User or computer it came from (SP 800-88 Rev. 1, 4.8 `Media Source`)."""


class DeviceAdopt(Message):
    """Gives a device an agent has observed its asset tag, or binds it to one that was declared before."""

    asset_tag: AssetTag | None = None
    declared_device: Key | None = None
    """Exactly one of the two is given."""
    source: OptionalLine = ""


class DeviceMove(Message):
    """To another of our locations; the gate is asked when it is less secure."""

    location: Key
    reason: Prose


class DeviceEvent(Message):
    """A change of state that needs no further facts."""

    event: LifecycleEvent
    reason: Prose
    location: Key | None = None
    """Where it is put at the same time, if it moves."""


class DeviceEvents(Message):
    """The same event, for the same reason, for many devices; each by itself."""

    devices: Annotated[tuple[Key, ...], Field(min_length=1, max_length=200)]
    event: LifecycleEvent
    reason: Prose
    location: Key | None = None
    """Where they are put at the same time, if they move."""
    dry_run: bool = False
    """Say what would happen, and change nothing."""


class DestinationMessage(Message):
    """Where a device is to go."""

    party: Key | None = None
    """Who receives it; null: nobody in the register."""
    location: Key | None = None
    reuse: bool = True
    """Whether the medium shall be used again, by whomever."""
    description: OptionalLine = ""
    """In words, printed on the certificate (SP 800-88 Rev. 1, 4.8 `Post-Sanitization Destination`)."""


class DeviceRelease(Message):
    """Hands a device over for good, through the gate."""

    destination: DestinationMessage
    reason: Prose


class WaiverOpen(Message):
    """Why a device must go back unsanitized; signed by two people of different roles."""

    device: Key
    destination: Line
    reason: Prose
    role: RoleName
    """The role in which the person signs."""
    expires: Instant


class WaiverCountersign(Message):
    """The second signature."""

    role: RoleName


class DestructionRecord(Message):
    """What was done to a medium (SP 800-88 Rev. 2, 3.1.3); nothing changes until it is witnessed and validated."""

    device: Key
    method: DestructionMethodName
    machine: Line
    """Machine with its calibration or approval."""
    facility: Line
    performed: Instant
    particle_size_mm: Annotated[int, Field(ge=0, le=1000)] | None = None
    evidence: Annotated[tuple[Sha256, ...], Field(min_length=1, max_length=100)]
    """Digests of photographs, videos, vendor's papers."""
    kept_elsewhere: Annotated[OptionalLine, Field(max_length=150)] = ""
    """Where files are kept of which the service has none; printed. Without it each digest is of a file kept of this device."""
    serial_read: OptionalLine = ""
    """As a person read it from the medium right before; without it there is no certificate."""
    weight_in_grams: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """On the scales before. Both weights or neither; they are said in the note, which is signed and printed."""
    weight_out_grams: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """What was left, on the same scales: never more than went in."""
    note: OptionalProse = ""


class WitnessStatement(Message):
    """What a witness saw."""

    statement: Prose


class Decision(Message):
    """A validator's decision with its reason."""

    decision: DecisionName
    reason: Prose


class ExceptionOwner(Message):
    """Who takes care of it."""

    owner: Key


class ExceptionResolution(Message):
    """How it ended; auditors read it."""

    resolution: Annotated[str, Field(min_length=10, max_length=2000)]
