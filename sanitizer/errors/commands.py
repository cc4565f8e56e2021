"""What can go wrong with one device command: no answer, an answer that is a no, a reply that is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .base import Fault, SanitizerError, Touched
from .failures import HostRejected, Incomplete, TransportError


@dataclass(eq=False, kw_only=True)
class CommandTimeout(TransportError):
    """No answer in the time allowed. A drive goes on with what it has accepted, whoever stops waiting."""

    code = "command-timeout"
    sentence = "The device did not answer a command in time"
    remedy = "Leave it powered and look at its state again; what it was told may still be running."
    touched: Touched = "maybe"
    operation: str
    sent: bool
    """Whether the command had left this host. What was sent may have been carried out."""
    timeout_ms: int


@dataclass(eq=False, kw_only=True)
class HostReset(HostRejected):
    """The bus or the device was reset while a command was under way."""

    code = "host-reset"
    sentence = "The device was reset while it was working on a command"
    remedy = "Keep other programs away from the device (monitoring, multipath), then look at its state again."


@dataclass(eq=False, kw_only=True)
class AtaAborted(TransportError):
    """The drive ended an ATA command with an error (ACS-3, STATUS and ERROR fields)."""

    code = "ata-aborted"
    sentence = "The drive refused an ATA command"
    remedy = "See its state (frozen, locked, sanitize in progress); a command it does not have stays refused."
    command: str
    error: int | None
    status: int | None


@dataclass(eq=False, kw_only=True)
class ScsiCheckCondition(TransportError):
    """The device answered CHECK CONDITION, or a status that is no GOOD (SAM-5, status codes)."""

    code = "scsi-check-condition"
    sentence = "The device refused a SCSI command"
    remedy = "The sense key and codes say why (SPC-5, sense data); a command it does not have stays refused."
    command: str
    status: int
    sense: str
    """Key/code/qualifier, such as 5/20/00, empty when none came."""


@dataclass(eq=False, kw_only=True)
class NvmeStatus(TransportError):
    """The controller completed a command with a status that is no success (NVMe Base, status field)."""

    code = "nvme-status"
    sentence = "The controller refused an NVMe command"
    remedy = "The status code says why; with the bit do-not-retry set it stays refused."
    command: str
    status: int


@dataclass(eq=False, kw_only=True)
class UnansweredDestructiveCommand(Incomplete):
    """A destructive command was sent and nobody knows what became of it."""

    code = "unanswered-destructive-command"
    sentence = "A destructive command got no answer, and the device does not say what became of it"
    remedy = "Treat the medium as not sanitized and as changed: look at its state, then run again or escalate."
    touched: Touched = "maybe"
    command: str
    reason: str


# --- replies and captures: raised by `sanitizer.wire` -------------------------------------------------------------


@dataclass(eq=False, kw_only=True)
class MalformedReply(TransportError):
    """Bytes that cannot be the reply they are taken for: too short, too long, or of another form.

    `touched` is no here: decoding changes nothing. Who sent a destructive command before sets it anew.
    """

    code = "malformed-reply"
    sentence = "A reply does not have the form its standard gives it"
    remedy = (
        "Capture it again; if it stays so, the device, its bridge or the driver garbles replies: "
        "trust nothing that was read on this path."
    )
    reply: str
    """Which reply it was taken for, such as "ATA IDENTIFY DEVICE"."""
    expected: str
    """What the standard demands."""
    got: str
    """What was there instead."""


@dataclass(eq=False, kw_only=True)
class CaptureUnusable(SanitizerError):
    """A file with captured bytes that cannot be had: missing, empty, far too large, no regular file, no hexadecimal."""

    code = "capture-unusable"
    sentence = "The file with the captured reply cannot be used"
    remedy = "Give a regular file that holds one reply and nothing else, or `-` for standard input."
    fault: ClassVar[Fault] = "operator"
    path: str
    reason: str
