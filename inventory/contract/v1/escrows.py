"""Passwords a drive is given, kept by the service before the drive gets them; so that no drive stays locked without a way out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .common import Message, Ref, Sha256

EscrowKind = Literal["ata-user-password"]
"""What the secret is to the drive."""
Recovery = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class EscrowDeposit(Message):
    """Take this into custody. Sent before the drive is given the secret; sent again, it changes nothing."""

    order: Ref
    run: Ref
    """The run's number; a later run deposits a secret of its own."""
    device: Sha256
    """Fingerprint of the medium."""
    kind: EscrowKind
    secret: Annotated[str, Field(min_length=4, max_length=1024, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
    """The bytes the drive gets, in base64."""
    sha256: Sha256
    """Of those bytes."""
    recovery: Recovery
    """What to do with it, in plain words."""


class EscrowHeld(Message):
    """What the service can give back. The agent goes on only where the digest is that of the secret it sent."""

    id: Ref
    sha256: Sha256
    """Of the secret as it was read back from storage and decrypted, not as it was received."""
    state: Literal["held", "released", "revealed"]
    new: bool
    """False when it had been deposited before: a retry is harmless."""


class EscrowRelease(Message):
    """The drive has no password any more: nobody needs the secret."""

    run: Ref
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]
    """By which the agent knows, in plain words."""


class EscrowReveal(Message):
    """Why a person needs the secret; stands in the history for good."""

    reason: Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]
