"""Passwords: argon2id, bounded concurrency, the same time for unknown names."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from inventory.errors import Invalid

LEAST = 12
MOST = 256

_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB and a fifth of a second; sign-ins queue here instead of exhausting the machine."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # RFC 9106, second recommended option


@cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def check_acceptable(password: str, login: str) -> None:
    """Whether a password may be set. Raises `Invalid`."""
    if not LEAST <= len(password) <= MOST:
        raise Invalid("password", f"A password has {LEAST} to {MOST} characters.")
    if login.lower() in password.lower():
        raise Invalid("password", "A password must not contain the login name.")


def hash_password(password: str) -> str:
    """The argon2id hash with its parameters."""
    with _AT_ONCE:
        return _hasher().hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether the password fits; without a stored hash it takes as long and never fits."""
    with _AT_ONCE:
        try:
            return _hasher().verify(stored or _nobody(), password[:MOST]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False
