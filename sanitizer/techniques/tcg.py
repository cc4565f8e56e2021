"""The little of TCG's session protocol that a revert needs: token streams, packets, two method calls, their status. Pure.

Numbers and layouts are those of the TCG Storage Core Specification 2.01 (3.2, data structures; 5, base templates) and of the
Opal SSC. A credential is in what is sent and in nothing that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sanitizer.errors import TransportError
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer
from sanitizer.wire.opal_discovery import decode_opal_discovery

REPLY = "the answer to a TCG method"
PROTOCOL = 0x01
"""Security protocol of sessions and discovery."""
TRANSFER = 2048
"""Bytes of every transfer: more than any answer to these two methods, and what every device takes."""
HOST_SESSION = 0x53414E  # any number the device has to repeat

SESSION_MANAGER = bytes.fromhex("00000000000000ff")
ADMIN_SP = bytes.fromhex("0000020500000001")
SID = bytes.fromhex("0000000900000006")
PSID = bytes.fromhex("000000090001ff01")
_START_SESSION = bytes.fromhex("000000000000ff02")
_SYNC_SESSION = bytes.fromhex("000000000000ff03")
_REVERT = bytes.fromhex("0000000600000202")
_HOST_CHALLENGE, _HOST_SIGNING_AUTHORITY = 0, 3
"""Names of optional parameters of StartSession."""

SUCCESS = 0x00
STATUS_WORDS = {
    0x01: "not authorized",
    0x03: "the security provider is busy",
    0x04: "the security provider failed",
    0x05: "the security provider is disabled",
    0x06: "the security provider is frozen",
    0x07: "no sessions available",
    0x0C: "invalid parameter",
    0x12: "authority locked out",
    0x3F: "failed",
}
"""Method status codes (Core 5.1.5)."""

_BASE_COM_ID = (0x0203, 0x0200, 0x0304, 0x0301)
"""Features whose first two bytes are the base ComID: Opal 2, Opal 1, Ruby, Opalite."""


class Control(IntEnum):
    """Control tokens (Core 3.2.2.3)."""

    START_LIST = 0xF0
    END_LIST = 0xF1
    START_NAME = 0xF2
    END_NAME = 0xF3
    CALL = 0xF8
    END_OF_DATA = 0xF9
    END_OF_SESSION = 0xFA


Token = int | bytes | Control
_EMPTY = 0xFF
_STATUS = bytes((Control.END_OF_DATA, Control.START_LIST, 0, 0, 0, Control.END_LIST))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back for one method."""

    status: int | None
    """Method status; None where the device closed the session instead of answering."""
    tokens: tuple[Token, ...]
    raw: bytes
    """The token stream."""

    @property
    def words(self) -> str:
        """The status for a person."""
        if self.status is None:
            return "the device ended the session"
        return STATUS_WORDS.get(self.status, f"status {self.status:02x}h")


# --- what goes out -----------------------------------------------------------------------------------------------


def start_session(com_id: int, authority: bytes, credential: bytes) -> bytes:
    """StartSession with the Admin SP, for reading and writing, as this authority (Core 5.2.3.1)."""
    stream = _stream(
        Control.CALL,
        SESSION_MANAGER,
        _START_SESSION,
        Control.START_LIST,
        HOST_SESSION,
        ADMIN_SP,
        1,
        Control.START_NAME,
        _HOST_CHALLENGE,
        credential,
        Control.END_NAME,
        Control.START_NAME,
        _HOST_SIGNING_AUTHORITY,
        authority,
        Control.END_NAME,
        Control.END_LIST,
    )
    return _packet(com_id, 0, 0, stream + _STATUS)


def revert(com_id: int, session: int) -> bytes:
    """Revert of the Admin SP (Opal SSC, Revert): the whole device back to its factory state, its media keys made anew."""
    stream = _stream(Control.CALL, ADMIN_SP, _REVERT, Control.START_LIST, Control.END_LIST)
    return _packet(com_id, session, HOST_SESSION, stream + _STATUS)


def end_session(com_id: int, session: int) -> bytes:
    """End of session (Core 3.3.7.1.5)."""
    return _packet(com_id, session, HOST_SESSION, _stream(Control.END_OF_SESSION))


def _atom(value: int | bytes) -> bytes:
    if isinstance(value, int):
        if value < 0x40:
            return bytes((value,))
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return bytes((0x80 | len(data),)) + data
    if len(value) < 16:
        return bytes((0xA0 | len(value),)) + value
    return bytes((0xD0 | len(value) >> 8, len(value) & 0xFF)) + value


def _stream(*parts: Token) -> bytes:
    return b"".join(bytes((part,)) if isinstance(part, Control) else _atom(part) for part in parts)


def _packet(com_id: int, session: int, host_session: int, payload: bytes) -> bytes:
    """ComPacket, packet and data subpacket, filled up to the transfer's length (Core 3.2.3)."""
    inner = bytes(8) + len(payload).to_bytes(4, "big") + payload + bytes(-len(payload) % 4)
    head = session.to_bytes(4, "big") + host_session.to_bytes(4, "big") + bytes(12) + len(inner).to_bytes(4, "big")
    outer = bytes(4) + com_id.to_bytes(2, "big") + bytes(10) + (len(head) + len(inner)).to_bytes(4, "big")
    return (outer + head + inner).ljust(TRANSFER, b"\0")


# --- what comes back ----------------------------------------------------------------------------------------------


def base_com_id(discovery: Buffer) -> int | None:
    """The ComID sessions go by; None where the discovery names none."""
    try:
        features = {feature.code: feature.body for feature in decode_opal_discovery(discovery).features}
    except TransportError:
        return None
    body = next((features[code] for code in _BASE_COM_ID if code in features), b"")
    return int.from_bytes(body[:2], "big") or None


def pending(data: bytes) -> bool:
    """Whether the answer is still being made: a ComPacket without packets (Core 3.3.10.2, OutstandingData and Length)."""
    return len(data) >= 20 and not any(data[16:20])


def decode_answer(data: bytes) -> Answer:
    """Read the answer to a method.

    Raises:
        MalformedReply: no packet, a stream that ends in the middle of an atom, or one without a status.
    """
    if len(data) < 56:
        raise _malformed("a ComPacket with a packet and a subpacket", f"{len(data)} bytes")
    length = int.from_bytes(data[52:56], "big")
    raw = data[56 : 56 + length]
    if len(raw) != length or not length:
        raise _malformed(f"a payload of {length} bytes", f"{len(raw)} bytes")
    tokens = _tokens(raw)
    if tokens == (Control.END_OF_SESSION,):
        return Answer(status=None, tokens=tokens, raw=raw)
    if len(tokens) < 6 or tokens[-6:-4] != (Control.END_OF_DATA, Control.START_LIST):
        raise _malformed("a status list at the end", f"{len(tokens)} tokens")
    status = tokens[-4]
    if isinstance(status, bytes | Control) or tokens[-1] is not Control.END_LIST:
        raise _malformed("a status list at the end", "something else")
    return Answer(status=status, tokens=tokens, raw=raw)


def session_of(answer: Answer) -> int | None:
    """The device's session number out of SyncSession; None where it opened none, or not ours."""
    if answer.status != SUCCESS:
        return None
    wanted = (Control.CALL, SESSION_MANAGER, _SYNC_SESSION, Control.START_LIST, HOST_SESSION)
    if answer.tokens[:5] != wanted or len(answer.tokens) < 7:
        return None
    session = answer.tokens[5]
    return None if isinstance(session, bytes | Control) else session


def _tokens(raw: bytes) -> tuple[Token, ...]:
    at, found = 0, list[Token]()
    while at < len(raw):
        head = raw[at]
        if head >= 0xE4:
            if head != _EMPTY:
                found.append(_control(head))
            at += 1
            continue
        skip, length, is_bytes = _atom_head(raw, at)
        data = raw[at + skip : at + skip + length]
        if len(data) < length:
            raise _malformed("whole atoms", "one that is cut off")
        whole = data if is_bytes else int.from_bytes(data, "big")
        found.append(head & 0x3F if head < 0x80 else whole)
        at += skip + length
    return tuple(found)


def _control(head: int) -> Control:
    try:
        return Control(head)
    except ValueError:
        raise _malformed("control tokens of the standard", f"{head:02x}h") from None


def _atom_head(raw: bytes, at: int) -> tuple[int, int, bool]:
    """Length of the head, of the data, and whether these are bytes: tiny, short, medium and long atoms (Core 3.2.2.3.1)."""
    head = raw[at]
    if head < 0x80:
        return 1, 0, False
    if head < 0xC0:
        return 1, head & 0x0F, bool(head & 0x20)
    if head < 0xE0:
        return 2, (head & 0x07) << 8 | int.from_bytes(raw[at + 1 : at + 2], "big"), bool(head & 0x10)
    return 4, int.from_bytes(raw[at + 1 : at + 4], "big"), bool(head & 0x02)


def _malformed(expected: str, got: str) -> MalformedReply:
    return MalformedReply(reply=REPLY, expected=expected, got=got)
