"""Errors of this room: a reply that is not what the standard says it is, and a capture nobody can read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sanitizer.errors import Fault, SanitizerError, TransportError


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
