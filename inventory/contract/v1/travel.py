"""Lots, containers, hand-overs, labels, scanning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .common import Instant, Message
from .vocabulary import Key, Line, OptionalLine, OptionalProse, Prose, Secret

PurposeName = Literal[
    "sanitization", "destruction", "transfer", "storage", "lease_return", "repair", "resale", "recycling"
]
ContainerKindName = Literal["bag", "box", "case", "pallet", "cabinet", "vehicle"]
LotEventName = Literal["begin_closing", "resume", "close", "reopen"]

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""What was read from a label, or typed."""
SealNumber = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Seals = Annotated[tuple[SealNumber, ...], Field(max_length=20)]
Devices = Annotated[tuple[Key, ...], Field(min_length=1, max_length=2000)]
"""Numbers or asset tags, each once."""
MaybeDevices = Annotated[tuple[Key, ...], Field(max_length=2000)]


class LotOpen(Message):
    """Devices that shall travel together."""

    name: Name
    purpose: PurposeName
    destination: OptionalLine = ""
    party: Key | None = None
    """Who shall receive it."""
    site: Key | None = None
    note: OptionalProse = ""
    devices: MaybeDevices = ()


class LotChange(Message):
    """What is said about a lot."""

    name: Name
    purpose: PurposeName
    destination: OptionalLine
    party: Key | None
    note: OptionalProse
    reason: Prose


class DevicesIn(Message):
    """Devices that are put in: all of them, or none."""

    devices: Devices


class DeviceOut(Message):
    """A device that is taken out."""

    device: Key
    reason: Prose


class LotEvent(Message):
    """Freeze a lot, break that off, close it, or open it again."""

    event: LotEventName
    reason: Prose


class ContainerCreate(Message):
    """Something devices lie in."""

    name: Name
    kind: ContainerKindName
    location: Key
    lot: Key | None = None


class ContainerSeal(Message):
    """The seals that are on it from now on; none: they were broken."""

    seals: Seals
    reason: Prose


class ContainerMove(Message):
    """To another place of ours, with everything in it."""

    location: Key
    reason: Prose


class ContainerAssign(Message):
    """To a lot, or to none."""

    lot: Key | None
    reason: Prose


class HandoverOffer(Message):
    """What is handed over, where to and to whom: a whole lot, or containers and single devices."""

    to_location: Key | None = None
    to_party: Key | None = None
    lot: Key | None = None
    containers: Annotated[tuple[Key, ...], Field(max_length=200)] = ()
    devices: MaybeDevices = ()
    reuse: bool = True
    """Whether the media shall be used again, by whomever."""
    destination: OptionalLine = ""
    """In words, printed on certificates."""
    answer_by: Instant | None = None
    """Null: in a week."""
    note: OptionalProse = ""


class HandoverAnswer(Message):
    """What the receiver counted. Equal, it is accepted; different, it is disputed."""

    count: Annotated[int, Field(ge=0, le=20_000)]
    seals: Seals = ()
    codes: Annotated[tuple[Code, ...], Field(max_length=5000)] = ()
    """Read from the devices, where they were read one by one."""
    remark: OptionalProse = ""
    """What is wrong; given, it disputes."""


class HandoverLinkMake(Message):
    """A link for a receiver without an account."""

    lifetime_seconds: Annotated[int, Field(ge=600, le=30 * 86_400)] = 7 * 86_400


class DownstreamOpen(Message):
    """The secret of a link."""

    secret: Secret


class DownstreamAnswer(HandoverAnswer):
    """The receiver's answer through a link."""

    secret: Secret
    receiver: Line
    """Name of whoever answers."""


class ScanLookup(Message):
    """Codes to look up, and what they are compared with."""

    codes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=5000)]
    lot: Key | None = None
    container: Key | None = None
    location: Key | None = None
    """At most one of the three: everything in it that was not read is named."""
