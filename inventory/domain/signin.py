"""Signing in as pure decisions: what a way in is worth, when a person must show again who they are, and one-time codes.

A passkey that was unlocked (user verification) is two factors by itself. A password is one: it counts with a code of an
authenticator app (RFC 6238) or a recovery code. Single sign-on counts because an administrator has configured that provider.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlsplit

from .roles import Permission


class Way(StrEnum):
    """How a session was opened."""

    PASSKEY = "passkey"
    PASSWORD = "password"  # noqa: S105 - a word
    PASSWORD_CODE = "password-code"  # noqa: S105 - a word
    PASSWORD_RECOVERY = "password-recovery"  # noqa: S105 - a word
    LINK = "link"
    """A one-time link, and the password it set."""
    LINK_PASSKEY = "link-passkey"
    """A one-time link, and the passkey it registered."""
    SSO = "sso"


class Standing(StrEnum):
    """What a session may do at present."""

    FULL = "full"
    """Whatever the person's roles grant."""
    CODE = "code"
    """Nothing but to show the second factor."""
    SETUP = "setup"
    """Nothing but to set a second factor up, or a passkey."""


SECOND_FACTORS: Final = frozenset({Way.PASSKEY, Way.PASSWORD_CODE, Way.PASSWORD_RECOVERY, Way.LINK_PASSKEY, Way.SSO})
"""Ways in that need nothing further."""


def standing(way: Way, *, factors: bool, demanded: bool) -> Standing:
    """What a session is worth.

    Args:
        way: how it was opened.
        factors: whether the person has a passkey or an authenticator app.
        demanded: whether this service wants a second factor of everybody.
    """
    if way in SECOND_FACTORS:
        return Standing.FULL
    if factors:
        return Standing.CODE
    return Standing.SETUP if demanded else Standing.FULL


DANGEROUS: Final = frozenset(
    {
        Permission.PEOPLE_MANAGE,
        Permission.HOST_MANAGE,
        Permission.POLICY_MANAGE,
        Permission.APPROVER_KEY_REGISTER,
        Permission.APPROVER_KEY_CONFIRM,
        Permission.ROSTER_PROPOSE,
        Permission.ROSTER_SIGN,
        Permission.ORDER_APPROVE,
        Permission.RECORD_VALIDATE,
        Permission.DEVICE_RELEASE,
        Permission.WAIVER,
        Permission.ESCROW_REVEAL,
        Permission.DOCUMENT_CORRECT,
    }
)
"""Acts for which a person must have shown lately who they are: a browser left open decides none of them."""


def is_recent(confirmed: datetime, now: datetime, window: timedelta) -> bool:
    """Whether somebody showed who they are within the window; a moment ahead of the clock is not recent."""
    return timedelta(0) <= now - confirmed < window


# --- one-time codes of an authenticator app

DIGITS: Final = 6
STEP_SECONDS: Final = 30
_DRIFT: Final = 1
"""Steps before and after the present one that are accepted: telephones' clocks are not exact."""
SECRET_BYTES: Final = 20
"""As long as the output of the hash (RFC 4226, section 4, R6)."""


def one_time_code(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226, 5.3; SHA-1 is what every authenticator app computes)."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), "sha1").digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: bytes, code: str, now: datetime, last: int | None) -> int | None:
    """The step a code belongs to; None where it is wrong, or where it or a later one was used before (RFC 6238, 5.2)."""
    present = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        fits = hmac.compare_digest(one_time_code(secret, step).encode(), code.encode())
        if fits and (last is None or step > last):
            found = step
    return found


def enrolment_address(secret: str, login: str, issuer: str) -> str:
    """What an authenticator app reads from the picture: `otpauth://totp/...` with the secret in base32."""
    label = quote(f"{issuer}:{login}", safe="")
    return (
        f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}&digits={DIGITS}&period={STEP_SECONDS}"
    )


# --- recovery codes

RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that people mix up."""
_GROUPS, _GROUP = 4, 4
_RECOVERY = re.compile(rf"[{_LETTERS}]{{{_GROUPS * _GROUP}}}")
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


def new_recovery_code() -> str:
    """Sixteen random letters and digits, 79 bits, in groups of four."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def as_typed(text: str) -> tuple[str, str]:
    """What a person typed as their second factor: the code of an app, a recovery code (one of the two is empty), or neither."""
    plain = re.sub(r"[\s-]", "", text).lower()
    if _CODE.fullmatch(plain):
        return plain, ""
    if _RECOVERY.fullmatch(plain):
        return "", plain
    return "", ""


# --- where passkeys belong


def relying_party(address: str, chosen: str) -> str | None:
    """The domain passkeys are bound to; None where there cannot be any.

    Browsers make passkeys for names over TLS, and for `localhost`; never for a bare IP address.

    Args:
        address: the service's address.
        chosen: from the settings; empty: the address's own host.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    domain = chosen.lower() or host
    if not domain or re.fullmatch(r"[0-9.]+|.*:.*", domain):
        return None
    if host != domain and not host.endswith(f".{domain}"):
        return None
    local = host == "localhost" or host.endswith(".localhost")
    return domain if local or parts.scheme == "https" else None


def origins_of(addresses: Iterable[str], domain: str) -> tuple[str, ...]:
    """The addresses of ours from which a passkey of this domain may be used, as browsers write origins; each once, sorted."""
    found = set()
    for address in addresses:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
        if host != domain and not host.endswith(f".{domain}"):
            continue
        usual = {"https": 443, "http": 80}.get(parts.scheme)
        port = "" if parts.port in {None, usual} else f":{parts.port}"
        found.add(f"{parts.scheme}://{host}{port}")
    return tuple(sorted(found))
