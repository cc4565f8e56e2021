"""The TCG token stream and the packets around it, as a drive reads and writes them (TCG Storage Core Specification 2.01, 3.2)."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TypeAlias


class Control(IntEnum):
    """Control tokens."""

    START_LIST = 0xF0
    END_LIST = 0xF1
    START_NAME = 0xF2
    END_NAME = 0xF3
    CALL = 0xF8
    END_OF_DATA = 0xF9
    END_OF_SESSION = 0xFA


Token: TypeAlias = int | bytes | Control
EMPTY = 0xFF
_KNOWN = frozenset(Control)


class Damaged(Exception):
    """The stream ends in the middle of an atom, or holds a reserved token."""


def tokens(raw: bytes) -> list[Token]:
    """Read a stream: numbers, byte strings and control tokens. Raises `Damaged`."""
    at = 0
    found: list[Token] = []
    while at < len(raw):
        head = raw[at]
        if head >= 0xE4:
            if head in _KNOWN:
                found.append(Control(head))
            elif head != EMPTY:
                raise Damaged
            at += 1
            continue
        skip, length, is_bytes = _atom_head(raw, at)
        data = raw[at + skip : at + skip + length]
        if len(data) != length:
            raise Damaged
        if head < 0x80:
            found.append(head & 0x3F)
        else:
            found.append(data if is_bytes else int.from_bytes(data, "big"))
        at += skip + length
    return found


def _atom_head(raw: bytes, at: int) -> tuple[int, int, bool]:
    """Length of the head, length of the data, and whether the data are bytes: tiny, short, medium and long atoms."""
    head = raw[at]
    if head < 0x80:
        return 1, 0, False
    if head < 0xC0:
        return 1, head & 0x0F, bool(head & 0x20)
    if head < 0xE0:
        return 2, (head & 0x07) << 8 | int.from_bytes(raw[at + 1 : at + 2], "big"), bool(head & 0x10)
    return 4, int.from_bytes(raw[at + 1 : at + 4], "big"), bool(head & 0x02)


def atom(value: int | bytes) -> bytes:
    """Write one atom in its shortest form."""
    if isinstance(value, int):
        if value < 0x40:
            return bytes((value,))
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return bytes((0x80 | len(data),)) + data
    if len(value) < 16:
        return bytes((0xA0 | len(value),)) + value
    return struct.pack(">H", 0xD000 | len(value)) + value


def stream(*parts: int | bytes | Control) -> bytes:
    """Write control tokens as they are and everything else as atoms."""
    return b"".join(bytes((part,)) if isinstance(part, Control) else atom(part) for part in parts)


def packet(com_id: int, session: tuple[int, int], payload: bytes) -> bytes:
    """ComPacket, packet and subpacket around a payload, which is padded to four bytes (Core 3.2.3).

    Args:
        com_id: The ComID it is sent on.
        session: TPer and host session number.
        payload: A token stream.
    """
    sub = struct.pack(">6xHI", 0, len(payload)) + payload + bytes(-len(payload) % 4)
    inner = struct.pack(">IIIHHII", *session, 0, 0, 0, 0, len(sub)) + sub
    return struct.pack(">IHHIII", 0, com_id, 0, 0, 0, len(inner)) + inner


def unpack(raw: bytes) -> tuple[tuple[int, int], bytes]:
    """Session numbers and payload of a ComPacket. Raises `Damaged`."""
    if len(raw) < 56:
        raise Damaged
    session: tuple[int, int] = struct.unpack_from(">II", raw, 20)
    (length,) = struct.unpack_from(">I", raw, 52)
    if 56 + length > len(raw):
        raise Damaged
    return session, raw[56 : 56 + length]
