"""TCG Storage Level 0 discovery: big-endian feature descriptors after a header of 48 bytes (TCG Core 2.01, 3.3.6)."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, be, between, bit

REPLY, PROTOCOLS = "TCG Level 0 discovery", "the list of security protocols"
PROTOCOL, COM_ID = 0x01, 0x0001
"""Security protocol and its specific field: with these the answer is the discovery."""
HEADER = 48
LONGEST = 1 << 16
TPER, LOCKING, GEOMETRY, REMOVAL = 0x0001, 0x0002, 0x0003, 0x0404
SUBSYSTEMS = {
    0x0100: "enterprise",
    0x0200: "opal-1",
    0x0203: "opal-2",
    0x0301: "opalite",
    0x0302: "pyrite-1",
    0x0303: "pyrite-2",
    0x0304: "ruby",
    0x0305: "key-per-io",
}
"""Feature codes of security subsystem classes."""
_PREFERENCE = (0x0203, 0x0200, 0x0304, 0x0100, 0x0301, 0x0303, 0x0302, 0x0305)
_MECHANISMS = {0: "overwrite", 1: "block", 2: "crypto", 5: "vendor"}
"""Bits of the supported data removal mechanisms (Opal SSC 2.30, 3.1.1.7)."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature descriptor."""

    code: int
    version: int
    body: bytes
    """From descriptor byte 4 on."""


@dataclass(frozen=True, kw_only=True)
class Locking:
    """Feature 0002h, byte 4."""

    supported: bool | None
    """Bit 0."""
    enabled: bool | None
    """Bit 1: the Locking SP is activated."""
    locked: bool | None
    """Bit 2: at least one range is locked now."""
    media_encryption: bool | None
    """Bit 3."""
    shadow_enabled: bool | None
    """Bit 4 (MBR enabled)."""
    shadow_done: bool | None
    """Bit 5 (MBR done): the medium is shown although the shadow is enabled."""

    @property
    def shadowed(self) -> bool | None:
        """Whether the shadow MBR stands before the medium now."""
        if self.shadow_enabled is None or self.shadow_done is None:
            return None
        return self.shadow_enabled and not self.shadow_done


@dataclass(frozen=True, kw_only=True)
class DataRemoval:
    """Feature 0404h: how a revert removes data, and whether it still does."""

    processing: bool | None
    """Byte 5 bit 0."""
    interrupted: bool | None
    """Byte 5 bit 1."""
    mechanisms: tuple[str, ...]
    """Byte 6."""
    seconds: tuple[tuple[str, int], ...]
    """Bytes 8 on, two for each bit of byte 6, in units of 2 seconds or (byte 7) 2 minutes; 0 is not reported."""


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """What a trusted peripheral says of itself."""

    raw: bytes
    features: tuple[Feature, ...]
    locking: Locking | None
    """None where the feature is missing: then nothing is known of locks."""
    removal: DataRemoval | None
    subsystem: str | None
    """The most capable security subsystem class it has."""
    truncated: bool
    """The reply ends before its length says."""


def decode_opal_discovery(data: Buffer) -> Discovery:
    """Read the Level 0 discovery.

    Args:
        data: The reply, padded as it may be; 48 to 65,536 bytes.

    Raises:
        MalformedReply: shorter than the header, or longer than any discovery.
    """
    raw = between(REPLY, data, HEADER, LONGEST)
    length = int.from_bytes(raw[:4], "big") + 4  # the field does not count itself
    features = _features(raw[:length])
    by_code = {feature.code: feature for feature in reversed(features)}
    locking, removal = by_code.get(LOCKING), by_code.get(REMOVAL)
    return Discovery(
        raw=raw,
        features=features,
        locking=_locking(locking.body) if locking is not None else None,
        removal=_removal(removal.body) if removal is not None else None,
        subsystem=next((SUBSYSTEMS[code] for code in _PREFERENCE if code in by_code), None),
        truncated=len(raw) < length,
    )


def decode_security_protocols(data: Buffer) -> tuple[int, ...]:
    """Read the list of security protocols, protocol 00h with specific 0000h (SPC-5, SECURITY PROTOCOL IN).

    Args:
        data: 8 bytes or more: six reserved, the length of the list, the protocols.

    Raises:
        MalformedReply: no room for the length, an empty list, a list that goes beyond the reply, or one that does not
            begin with 00h, which is the protocol that gave it.
    """
    raw = between(PROTOCOLS, data, 8, LONGEST)
    length = int.from_bytes(raw[6:8], "big")
    listed = raw[8 : 8 + length]
    if not listed or len(listed) < length or listed[0] != 0:
        raise MalformedReply(reply=PROTOCOLS, expected="a list that begins with protocol 00h", got=f"{length} bytes")
    return tuple(listed)


def _features(held: bytes) -> tuple[Feature, ...]:
    found: list[Feature] = []
    at = HEADER
    while at + 4 <= len(held):  # each step moves on by four bytes at least
        code, length = int.from_bytes(held[at : at + 2], "big"), held[at + 3]
        if code == 0 and length == 0:
            break  # padding
        body = held[at + 4 : at + 4 + length]
        if len(body) < length:
            break
        found.append(Feature(code=code, version=held[at + 2] >> 4, body=body))
        at += 4 + length
    return tuple(found)


def _locking(body: bytes) -> Locking:
    flags = be(body, 0, 1)
    return Locking(
        supported=bit(flags, 0),
        enabled=bit(flags, 1),
        locked=bit(flags, 2),
        media_encryption=bit(flags, 3),
        shadow_enabled=bit(flags, 4),
        shadow_done=bit(flags, 5),
    )


def _removal(body: bytes) -> DataRemoval:
    flags, supported, units = be(body, 1, 1), be(body, 2, 1), be(body, 3, 1)
    mechanisms = tuple(name for number, name in _MECHANISMS.items() if bit(supported, number))
    seconds: list[tuple[str, int]] = []
    for number, name in _MECHANISMS.items():
        value = be(body, 4 + 2 * number, 2)
        if name in mechanisms and value:
            seconds.append((name, value * (120 if bit(units, number) else 2)))
    return DataRemoval(
        processing=bit(flags, 0), interrupted=bit(flags, 1), mechanisms=mechanisms, seconds=tuple(seconds)
    )
