"""Webhooks: which events a subscription takes, where messages may go, and what comes of an answer. No network here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class WebhookState(StrEnum):
    """Where a subscription stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    """Events are collected and sent once it is resumed."""
    ENDED = "ended"


class DeliveryState(StrEnum):
    """Where one message stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; a person may send it again."""


class Algorithm(StrEnum):
    """How messages are signed (Standard Webhooks 1.0)."""

    HMAC = "hmac-sha256"
    """With a secret the receiver is shown once: `v1`."""
    ED25519 = "ed25519"
    """With the service's own key, which the receiver needs only the public half of: `v1a`."""


# -- which events ------------------------------------------------------------------------------------------------------------

_PATTERN: Final = re.compile(r"[a-z][a-z-]*\.(?:[a-z][a-z-]*|\*)")
EVERYTHING: Final = "*"


def patterns_objection(patterns: Collection[str], tags: Collection[str]) -> str | None:
    """Why these patterns make no sense; None where they do. A pattern nothing fits would be silent for ever."""
    if not patterns:
        return "Name at least one event, such as device.sanitized, device.* or *."
    for pattern in patterns:
        if pattern != EVERYTHING and not _PATTERN.fullmatch(pattern):
            return f"{pattern[:64]!r} is no event: write device.sanitized, device.* or *."
        if not any(takes([pattern], tag) for tag in tags):
            return f"There is no event that fits {pattern!r}."
    return None


def takes(patterns: Iterable[str], tag: str) -> bool:
    """Whether one of the patterns fits an event's tag."""
    return any(
        pattern in {EVERYTHING, tag} or (pattern.endswith(".*") and tag.startswith(pattern.removesuffix("*")))
        for pattern in patterns
    )


# -- where to ----------------------------------------------------------------------------------------------------------------

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """An address a message may be sent to, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query."""


def target_of(url: str) -> Target | None:
    """The parts of an address; None where it is none a message may go to whatever the settings say."""
    if len(url) > 500 or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    written = f"[{host}]" if ":" in host else host
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(written) or "@" in parts.netloc or parts.fragment:
        return None
    if port == 0 or host.endswith(".") or ".." in host:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host.lower(), port or _DEFAULT_PORTS[parts.scheme], path)


def target_objection(target: Target, allowed: Collection[str]) -> str | None:
    """Why the settings do not let messages go there; None where they do.

    Args:
        target: the address.
        allowed: `host`, `host:port` or `*.domain`, as the setting `webhook_targets` lists them. Without a port, only the port of
            the scheme is meant.
    """
    if not allowed:
        return "No target is allowed: list its host in the setting webhook_targets."
    for entry in allowed:
        name, port = _entry(entry)
        fits_port = target.port == port if port is not None else target.port == _DEFAULT_PORTS[target.scheme]
        fits_host = target.host == name or (name.startswith("*.") and target.host.endswith(name[1:]))
        if fits_port and fits_host:
            return None
    return f"{target.host}:{target.port} is not in the setting webhook_targets."


def _entry(entry: str) -> tuple[str, int | None]:
    name, colon, port = entry.lower().rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        return name.strip("[]"), int(port)
    return entry.lower().strip("[]"), None


def address_objection(address: Address, scheme: str, inside: Iterable[Network]) -> str | None:
    """Why no connection is made to an address a name stands for; None where one may be.

    Addresses that are not public (loopback, private, link-local, multicast, what embeds such) only where the setting
    `webhook_private_networks` names their network; in clear only there.
    """
    for network in inside:
        if address.version == network.version and address in network:
            return None
    if not _public(address):
        return f"{address} is not public; list its network in the setting webhook_private_networks if it is meant."
    if scheme != "https":
        return "Beyond our own networks messages go over https only."
    return None


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return _public(inner)
        if address.teredo is not None:
            return False
        if address in _NAT64:
            return _public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not address.is_unspecified


# -- what comes of an answer -------------------------------------------------------------------------------------------------

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
"""After each failed attempt; after one more failure the message is dead."""
LONGEST_WAIT: Final = timedelta(days=1)
_GONE: Final = 410
_LATER: Final = frozenset({429, 503})


@dataclass(frozen=True)
class Verdict:
    """What becomes of a message after an attempt."""

    state: DeliveryState
    pause: timedelta | None = None
    """Until the next attempt."""
    gone: bool = False
    """The receiver says that it is there no more: nothing else is sent to it."""


def verdict(attempts: int, status: int | None, *, retry_after: int | None = None, share: float = 0.5) -> Verdict:
    """Only 2xx is success: a redirection is not followed, and no answer is none.

    Args:
        attempts: this one included.
        status: of the answer; None where there was none.
        retry_after: seconds the receiver asked for.
        share: random, 0 to 1; spreads what failed together.
    """
    if status is not None and 200 <= status < 300:
        return Verdict(DeliveryState.DELIVERED)
    if status == _GONE:
        return Verdict(DeliveryState.DEAD, gone=True)
    if attempts > len(PAUSES):
        return Verdict(DeliveryState.DEAD)
    pause = PAUSES[attempts - 1] * (0.9 + 0.2 * share)
    if status in _LATER and retry_after is not None:
        pause = max(pause, min(timedelta(seconds=retry_after), LONGEST_WAIT))
    return Verdict(DeliveryState.WAITING, pause)
