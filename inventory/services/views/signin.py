"""What somebody signs in with; no secrets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class PasskeyView:
    """A passkey one signs in with."""

    id: str
    label: str
    """As its owner called it."""
    created: datetime
    last_used: datetime | None
    synced: bool
    """Whether its owner's other devices may have it, too."""


@dataclass(frozen=True, kw_only=True)
class IdentityView:
    """An account at the single sign-on provider that is the same person."""

    id: str
    issuer: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True, kw_only=True)
class FactorsView:
    """What somebody can sign in with."""

    password: bool
    passkeys: tuple[PasskeyView, ...]
    authenticator: datetime | None
    """Since when an authenticator app counts."""
    recovery_codes: int
    """How many are good still."""
    identities: tuple[IdentityView, ...]


@dataclass(frozen=True, kw_only=True)
class AuthenticatorSecret:
    """What an authenticator app must be given once; shown by this answer and never again."""

    secret: str
    """Base32, for typing."""
    address: str
    """`otpauth://...`, which the picture holds."""
