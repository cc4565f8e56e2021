"""The addresses this service is known by.

A request for any other is refused, so that what is signed for one service, or opened in one browser window, cannot be
played against another under a borrowed name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORT = {"http": 80, "https": 443}
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine itself."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def authority(netloc: str, scheme: str) -> str:
    """Host in lower case with its port unless it is the scheme's own (RFC 9421, 2.2.3)."""
    lowered = netloc.lower()
    suffix = f":{_DEFAULT_PORT[scheme]}"
    return lowered.removesuffix(suffix) if not lowered.endswith("]") else lowered


class Addresses:
    """Which names are ours, and with which scheme each is reached from outside (a TLS proxy may stand in front)."""

    def __init__(self, known: Iterable[str]) -> None:
        """Learns whole URLs without a path, such as `https://sanitrail.example.org`."""
        self._base: dict[str, str] = {}
        for url in known:
            parts = urlsplit(url)
            names = [parts.netloc]
            if parts.hostname is not None and is_loopback(parts.hostname):
                port = f":{parts.port}" if parts.port else ""
                names += [f"{name}{port}" for name in _LOOPBACK_NAMES]
            for name in names:
                self._base.setdefault(
                    authority(name, parts.scheme), f"{parts.scheme}://{authority(name, parts.scheme)}"
                )

    def base(self, host_header: str) -> str | None:
        """The address a request was made to, by its Host header; None where it is none of ours."""
        for scheme in _DEFAULT_PORT:
            found = self._base.get(authority(host_header, scheme))
            if found is not None and found.startswith(f"{scheme}:"):
                return found
        return None
