"""Documents about lots, processors' statements and destructions; and the signing of facts with one's own key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .common import Envelope, Instant, Message, Sha256
from .vocabulary import Key, Line, OptionalLine, OptionalProse, Prose

DestinationName = Literal[
    "internal-reuse", "external-reuse", "recycling", "manufacturer", "destruction", "storage", "other", "undecided"
]
SignerRoleName = Literal["witness", "countersigner"]
AnswerName = Literal["yes", "no", "unknown"]


class LotIssue(Message):
    """A closed lot by its number, or a named list of devices, frozen when it is issued."""

    name: OptionalLine = ""
    """Empty only with a lot, whose name it then bears."""
    devices: Annotated[tuple[Key, ...], Field(max_length=2000)] = ()
    """Numbers or asset tags."""
    lot: Key | None = None
    """Of a lot that is closed; instead of devices."""
    reference: OptionalLine = ""
    """The customer's order or contract."""
    requested_by: Key | None = None
    """Pseudonym of who asked for the work."""
    destination: DestinationName = "undecided"
    destination_details: OptionalProse = ""


class FactsSigned(Message):
    """One's own signature under the facts of a destruction."""

    role: SignerRoleName
    envelope: Envelope
    """Kind `personal-signature`."""


class DestructionCertify(Message):
    """What a certificate of destruction states beside what was recorded and signed."""

    requested_by: Key | None = None
    destination: DestinationName = "undecided"
    """Of what is left."""
    destination_details: OptionalProse = ""


class DoneMessage(Message):
    """Rows deleted or data handed back: attested by whoever prepares the statement."""

    kind: Literal["deleted", "returned"]
    data_set: Key
    text: Prose
    time: Instant
    receipt_sha256: Sha256 | None = None
    devices: Annotated[tuple[Key, ...], Field(max_length=500)] = ()
    """Of `returned`: media that were handed over with the data still on them."""


class RetainedMessage(Message):
    """A copy that Union or Member State law requires to keep."""

    data_set: Key
    what: Line
    law: OptionalLine
    until: Instant
    devices: Annotated[tuple[Key, ...], Field(max_length=500)] = ()


class SubProcessorMessage(Message):
    """Another processor that was engaged, and its own evidence."""

    name: Line
    role: OptionalLine = ""
    complete: AnswerName = "unknown"
    evidence: OptionalLine = ""
    evidence_sha256: Sha256 | None = None


class ProcessorPrepare(Message):
    """What the inventory does not know of a statement under Article 28(3)(g) GDPR."""

    controller: Line
    controller_address: OptionalLine = ""
    controller_contact: OptionalLine = ""
    agreement: Line
    concluded: Instant | None = None
    ended: Instant
    choice: Literal["delete", "return"]
    data_sets: Annotated[tuple[Key, ...], Field(min_length=1, max_length=200)]
    responsible: Key
    """Pseudonym of the person who will sign with their own key."""
    done: Annotated[tuple[DoneMessage, ...], Field(max_length=200)] = ()
    retained: Annotated[tuple[RetainedMessage, ...], Field(max_length=200)] = ()
    sub_processors: Annotated[tuple[SubProcessorMessage, ...], Field(max_length=100)] = ()
