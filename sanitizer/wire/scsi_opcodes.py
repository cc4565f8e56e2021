"""REPORT SUPPORTED OPERATION CODES (A3h/0Ch): which commands a logical unit has (SPC-5).

Two forms of answer, by the reporting options asked for: one command (options 1 to 3) or all (options 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, be, between, bit

ONE_COMMAND = "REPORT SUPPORTED OPERATION CODES, one command"
ALL_COMMANDS = "REPORT SUPPORTED OPERATION CODES, all commands"
_TIMEOUTS_BYTES = 12
MOST = 65536
"""Bytes of the longest list we read: 3,000 commands with their timeouts."""


class Support(StrEnum):
    """Byte 1 bits 2:0 of the one-command form."""

    UNKNOWN = "unknown"
    """000b (not available now) and the reserved values."""
    NO = "no"
    """001b."""
    STANDARD = "as the standard has it"
    """011b."""
    VENDOR = "in a way of the vendor's own"
    """101b: it is there but does something else; nothing may rest on it."""


@dataclass(frozen=True, kw_only=True)
class CommandTimeouts:
    """The command timeouts descriptor; times in seconds, None where the device names none (0)."""

    nominal_seconds: int | None
    """Bytes 4 to 7: before that time there is no need to ask."""
    recommended_seconds: int | None
    """Bytes 8 to 11: after that time it is stuck."""


@dataclass(frozen=True, kw_only=True)
class CommandSupport:
    """Whether one command is there."""

    raw: bytes
    support: Support
    usage: bytes | None
    """The bits of the CDB the device heeds; None if the command is not supported or the reply is cut off."""
    timeouts: CommandTimeouts | None
    """If byte 1 bit 7 (CTDP) is set and the reply holds them."""

    @property
    def supported(self) -> bool | None:
        """Yes only for support as the standard has it; the vendor's own way is unknown to us."""
        return {Support.STANDARD: True, Support.NO: False}.get(self.support)


@dataclass(frozen=True, kw_only=True)
class SupportedCommand:
    """One entry of the list."""

    operation_code: int
    """Byte 0."""
    service_action: int | None
    """Bytes 2 and 3, if byte 5 bit 0 (SERVACTV) is set."""
    cdb_bytes: int
    """Bytes 6 and 7."""
    timeouts: CommandTimeouts | None
    """If byte 5 bit 1 (CTDP) is set."""


@dataclass(frozen=True, kw_only=True)
class SupportedCommands:
    """All commands of a unit."""

    raw: bytes
    commands: tuple[SupportedCommand, ...]
    truncated: bool
    """The reply ends before the list does: what is not in `commands` is unknown, not absent."""

    def has(self, operation_code: int, service_action: int | None = None) -> bool | None:
        """Whether the list has a command; None if it has not but is cut off."""
        if any(c.operation_code == operation_code and c.service_action == service_action for c in self.commands):
            return True
        return None if self.truncated else False


def _timeouts(data: bytes) -> CommandTimeouts | None:
    if len(data) < _TIMEOUTS_BYTES:
        return None
    return CommandTimeouts(
        nominal_seconds=be(data, 4, 4) or None,
        recommended_seconds=be(data, 8, 4) or None,
    )


def decode_command_support(data: Buffer) -> CommandSupport:
    """Read the one-command form.

    Raises:
        MalformedReply: shorter than its header of 4 bytes, or longer than the form can be.
    """
    raw = between(ONE_COMMAND, data, 4, 4 + 65535 + _TIMEOUTS_BYTES)
    support = {0b001: Support.NO, 0b011: Support.STANDARD, 0b101: Support.VENDOR}.get(raw[1] & 7, Support.UNKNOWN)
    size = int.from_bytes(raw[2:4], "big")
    there = support in {Support.STANDARD, Support.VENDOR}
    usage = raw[4 : 4 + size] if there else None
    if usage is not None and len(usage) < size:
        usage = None
    has_timeouts = there and usage is not None and bit(raw[1], 7)
    return CommandSupport(
        raw=raw,
        support=support,
        usage=usage,
        timeouts=_timeouts(raw[4 + size :]) if has_timeouts else None,
    )


def decode_supported_commands(data: Buffer) -> SupportedCommands:
    """Read the all-commands form.

    Raises:
        MalformedReply: shorter than its header of 4 bytes, longer than any list, or a timeouts descriptor whose
        length is not 10.
    """
    raw = between(ALL_COMMANDS, data, 4, MOST)
    length = int.from_bytes(raw[:4], "big")
    listed = raw[4 : 4 + length]
    found: list[SupportedCommand] = []
    at = 0
    while at + 8 <= len(listed):  # each step moves on by eight bytes at least
        entry = listed[at : at + 8]
        at += 8
        timeouts = None
        if entry[5] & 2:
            timeouts = _timeouts(listed[at : at + _TIMEOUTS_BYTES])
            if timeouts is not None and listed[at : at + 2] != b"\x00\x0a":
                got = f"{listed[at : at + 2].hex()}h"
                raise MalformedReply(reply=ALL_COMMANDS, expected="timeouts descriptors of 000ah bytes", got=got)
            at += _TIMEOUTS_BYTES
        found.append(
            SupportedCommand(
                operation_code=entry[0],
                service_action=int.from_bytes(entry[2:4], "big") if entry[5] & 1 else None,
                cdb_bytes=int.from_bytes(entry[6:8], "big"),
                timeouts=timeouts,
            )
        )
    return SupportedCommands(raw=raw, commands=tuple(found), truncated=len(raw) < 4 + length or at != len(listed))
