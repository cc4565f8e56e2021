"""Shared vocabulary of the messages: strict base class, digests, times, envelopes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Lower-case hexadecimal SHA-256."""

Ref = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]
"""An opaque reference: a person's pseudonym, a case, an order number. Never a name."""

Text = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
"""One line a person may read; bounded, so that nobody's log fills."""

Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$", max_length=4_000_000)]

Method = Literal["clear", "purge", "destroy"]
"""SP 800-88 Rev. 2, 3.1: the sanitization methods."""

Verification = Literal["none", "representative", "full"]

Category = Literal["low", "moderate", "high"]
"""FIPS 199 confidentiality category of the data."""

Bytes = Annotated[int, Field(ge=0, lt=2**53)]


class Message(BaseModel):
    """A message: immutable, and an unknown field is an error, not an omission."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Signature(Message):
    """One DSSE signature; the algorithm follows from the key, never from the message."""

    keyid: Sha256
    sig: Base64


class Envelope(Message):
    """DSSE v1 envelope; `reports.envelope` signs and opens it."""

    payloadType: Annotated[str, StringConstraints(max_length=128)]  # noqa: N815 - the name is the specification's
    payload: Base64
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=16)]


class LogPosition(Message):
    """A log checkpoint somebody has seen: origin, size and root hash (base64)."""

    origin: Annotated[str, StringConstraints(max_length=200)]
    size: Bytes
    root: Base64


Instant = AwareDatetime
"""A moment with an offset; naive times are refused."""

__all__ = [
    "Base64",
    "Bytes",
    "Category",
    "Envelope",
    "Instant",
    "LogPosition",
    "Message",
    "Method",
    "Ref",
    "Sha256",
    "Signature",
    "Text",
    "Verification",
    "datetime",
]
