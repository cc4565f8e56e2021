"""A TCG Opal 2 security subsystem: discovery, sessions, ownership, locking, shadow MBR, revert.

Numbers are those of the TCG Storage Core Specification 2.01 and the Opal SSC 2.01. A host takes ownership, activates locking and
reverts through the protocol; a test may set the state at once (`own`, `lock`, `shadow`). The interface in front of it (NVMe
Security Send and Receive, SCSI SECURITY PROTOCOL, ATA TRUSTED SEND) hands over protocol, ComID and data, and asks `reads`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .opal_tokens import Control, Damaged, Token, packet, stream, tokens, unpack

COM_ID = 0x1000
SESSION = 0x1001
"""The TPer's session number; hosts of the Linux kernel want at least 4,096."""
MSID = b"LABMSID0000000000000000000000000"
"""The factory password, readable by anyone."""
PSID = b"LABPSID0000000000000000000000000"
"""The password printed on the label, readable by nobody."""
TRIES = 5
"""Wrong passwords until an authority is locked out till the next power cycle."""

SUCCESS, NOT_AUTHORIZED, INVALID_PARAMETER, LOCKED_OUT = 0x00, 0x01, 0x0C, 0x12

SMUID = bytes.fromhex("00000000000000ff")
ADMIN_SP = bytes.fromhex("0000020500000001")
LOCKING_SP = bytes.fromhex("0000020500000002")
C_PIN_MSID = bytes.fromhex("0000000b00008402")
C_PIN_SID = bytes.fromhex("0000000b00000001")
ANYBODY = bytes.fromhex("0000000900000001")
SID = bytes.fromhex("0000000900000006")
PSID_AUTHORITY = bytes.fromhex("000000090001ff01")
PROPERTIES = bytes.fromhex("000000000000ff01")
START_SESSION = bytes.fromhex("000000000000ff02")
SYNC_SESSION = bytes.fromhex("000000000000ff03")
GET = bytes.fromhex("0000000600000016")
SET = bytes.fromhex("0000000600000017")
REVERT = bytes.fromhex("0000000600000202")
ACTIVATE = bytes.fromhex("0000000600000203")
PIN_COLUMN = 3

View = Literal["medium", "zeros", "denied"]
"""What a read finds: the medium, the shadow MBR (zeros), or an error."""


@dataclass
class Opal:
    """One drive's security subsystem."""

    eradicate: Callable[[], None]
    """Changes the media key: all user data are gone. A lying drive does not."""
    mechanisms: int = 0x04
    """Feature 0404h: bit 0 overwrite, 1 block erase, 2 cryptographic erase."""
    media_encryption: bool = True
    now: Callable[[], float] = lambda: 0.0
    """Seconds of the drive's clock."""
    removal_seconds: float = 0.0
    """How long data removal goes on in the background after Revert has answered."""
    removing: bool = False
    """It does now."""
    interrupted: bool = False
    """Data removal was cut off."""
    pin: bytes = MSID
    """The password of SID, the owner."""
    active: bool = False
    """The Locking SP was activated; in its factory state (Manufactured-Inactive) a revert does nothing to the data."""
    locked: bool = False
    shadowed: bool = False
    """The shadow MBR is shown instead of the medium."""
    reverts: int = 0
    _removed_at: float = 0.0
    _answer: bytes = b""
    _authority: bytes | None = None
    _failures: dict[bytes, int] = field(default_factory=dict)

    # What only a test can do

    def own(self, pin: bytes) -> None:
        """Someone took ownership and activated locking."""
        self.pin, self.active = pin, True

    def lock(self, pin: bytes = b"somebody else's password") -> None:
        """Owned, and the global range is locked for reading and writing."""
        self.own(pin)
        self.locked = True

    def shadow(self, pin: bytes = b"somebody else's password") -> None:
        """Owned and locked, and the shadow MBR (all zeros) answers every read."""
        self.lock(pin)
        self.shadowed = True

    # What the interface asks

    @property
    def view(self) -> View:
        """What a read finds now."""
        return "zeros" if self.shadowed else "denied" if self.locked else "medium"

    @property
    def writable(self) -> bool:
        """Whether writes are accepted."""
        return not self.locked and not self.shadowed

    def power_cycle(self) -> None:
        """Sessions and counted failures are forgotten; a data removal is cut off."""
        self._authority, self._answer = None, b""
        self._failures.clear()
        self._catch_up()
        self.removing, self.interrupted = False, self.interrupted or self.removing

    def _catch_up(self) -> None:
        if self.removing and self._removed_at and self.now() >= self._removed_at:
            self.removing = False

    def receive(self, protocol: int, com_id: int, length: int) -> bytes:
        """Security Receive (IF-RECV): supported protocols, Level 0 discovery, or the answer to the last send."""
        if protocol == 0:
            raw = struct.pack(">6xHBB", 2, 0, 1) if com_id == 0 else b""
        elif protocol == 1 and com_id == 1:
            raw = self.discovery()
        elif protocol == 1 and com_id == COM_ID:
            raw, self._answer = self._answer or struct.pack(">IHHIII", 0, COM_ID, 0, 0, 0, 0), b""
        else:
            raw = b""
        return raw[:length].ljust(length, b"\0")

    def discovery(self) -> bytes:
        """Level 0 discovery: a head of 48 bytes, then the feature descriptors (Opal SSC 3.1.1)."""
        self._catch_up()
        locking = 0x01 | self.active << 1 | self.locked << 2 | self.media_encryption << 3 | self.shadowed << 4
        removal = bytes((0, self.removing | self.interrupted << 1, self.mechanisms, 0))
        features = (
            (0x0001, bytes((0x11,)) + bytes(11)),
            (0x0002, bytes((locking,)) + bytes(11)),
            (0x0203, struct.pack(">HHBHHBB5x", COM_ID, 1, 0, 4, 8, 0, 0)),
            (0x0402, bytes((0x02 if self.pin != MSID else 0x00,)) + bytes(11)),
            (0x0404, removal.ljust(32, b"\0")),
        )
        body = b"".join(struct.pack(">HBB", code, 0x10, len(data)) + data for code, data in features)
        return struct.pack(">II", 44 + len(body), 1).ljust(48, b"\0") + body

    def knows(self, protocol: int, com_id: int) -> bool:
        """Whether something listens there to a Security Send."""
        return protocol == 1 and com_id == COM_ID

    def send(self, protocol: int, com_id: int, data: bytes) -> None:
        """Security Send (IF-SEND); what nobody listens to is dropped."""
        if not self.knows(protocol, com_id):
            return
        try:
            session, payload = unpack(data)
            said = tokens(payload)
        except Damaged:
            self._reply((0, 0), INVALID_PARAMETER)
            return
        self._dispatch(session, said)

    # The session protocol

    def _dispatch(self, session: tuple[int, int], said: list[Token]) -> None:
        if said == [Control.END_OF_SESSION]:
            self._authority = None
            self._answer = packet(COM_ID, session, stream(Control.END_OF_SESSION))
            return
        match said:
            case [Control.CALL, bytes(invoking), bytes(method), *arguments]:
                pass
            case _:
                self._reply(session, INVALID_PARAMETER)
                return
        if invoking == SMUID:
            self._manage(method, arguments)
        elif self._authority is None or session[0] != SESSION:
            self._reply(session, NOT_AUTHORIZED)
        else:
            self._invoke(session, invoking, method, arguments)

    def _manage(self, method: bytes, arguments: list[Token]) -> None:
        """The session manager: Properties and StartSession."""
        if method == PROPERTIES:
            head = stream(Control.CALL, SMUID, PROPERTIES, Control.START_LIST, Control.START_LIST)
            size = stream(Control.START_NAME, b"MaxComPacketSize", 2048, Control.END_NAME)
            self._answer = packet(COM_ID, (0, 0), head + size + stream(Control.END_LIST, Control.END_LIST) + _status(0))
            return
        match arguments:
            case [Control.START_LIST, int(host), bytes(sp), int(), *named] if method == START_SESSION:
                self._start(host, sp, _names(named))
            case _:
                self._reply((0, 0), INVALID_PARAMETER)

    def _start(self, host: int, sp: bytes, named: dict[int, Token]) -> None:
        """StartSession: challenge is parameter 0, the signing authority parameter 3."""
        authority, challenge = named.get(3, ANYBODY), named.get(0, b"")
        right = {ANYBODY: b"", SID: self.pin, PSID_AUTHORITY: PSID}
        if sp != ADMIN_SP or not isinstance(authority, bytes) or authority not in right:
            self._reply((0, 0), INVALID_PARAMETER)
            return
        if self._failures.get(authority, 0) >= TRIES:
            self._reply((0, 0), LOCKED_OUT)
            return
        if challenge != right[authority]:
            self._failures[authority] = self._failures.get(authority, 0) + 1
            self._reply((0, 0), NOT_AUTHORIZED)
            return
        self._authority = authority
        call = stream(Control.CALL, SMUID, SYNC_SESSION, Control.START_LIST, host, SESSION, Control.END_LIST)
        self._answer = packet(COM_ID, (0, 0), call + _status(SUCCESS))

    def _invoke(self, session: tuple[int, int], invoking: bytes, method: bytes, arguments: list[Token]) -> None:
        if (invoking, method) == (C_PIN_MSID, GET):
            cell = stream(Control.START_LIST, Control.START_NAME, PIN_COLUMN, MSID, Control.END_NAME, Control.END_LIST)
            body = stream(Control.START_LIST) + cell + stream(Control.END_LIST)
            self._answer = packet(COM_ID, session, body + _status(SUCCESS))
        elif (invoking, method) == (C_PIN_SID, SET) and self._authority == SID:
            self._reply(session, self._set_pin(arguments))
        elif (invoking, method) == (LOCKING_SP, ACTIVATE) and self._authority == SID:
            self.active = True
            self._reply(session, SUCCESS)
        elif (invoking, method) == (ADMIN_SP, REVERT) and self._authority in {SID, PSID_AUTHORITY}:
            self.revert()
            self._reply(session, SUCCESS)
        else:
            self._reply(session, NOT_AUTHORIZED)

    def _set_pin(self, arguments: list[Token]) -> int:
        for at, token in enumerate(arguments[:-2]):
            if token == Control.START_NAME and arguments[at + 1] == PIN_COLUMN:
                pin = arguments[at + 2]
                if isinstance(pin, bytes):
                    self.pin = pin
                    return SUCCESS
        return INVALID_PARAMETER

    def revert(self) -> None:
        """Back to the factory state; the session is over. Data go only where the Locking SP had been activated."""
        if self.active or self.interrupted:
            self.eradicate()
            self.interrupted = False
            self.removing, self._removed_at = self.removal_seconds > 0, self.now() + self.removal_seconds
        self.pin, self.active, self.locked, self.shadowed = MSID, False, False, False
        self.reverts += 1
        self._authority = None

    def _reply(self, session: tuple[int, int], status: int) -> None:
        """An answer without a result, and its status."""
        self._answer = packet(COM_ID, session, stream(Control.START_LIST, Control.END_LIST) + _status(status))


def _status(code: int) -> bytes:
    return stream(Control.END_OF_DATA, Control.START_LIST, code, 0, 0, Control.END_LIST)


def _names(arguments: list[Token]) -> dict[int, Token]:
    """Named parameters: the name is a number, the value one atom."""
    found: dict[int, Token] = {}
    for at, token in enumerate(arguments[:-2]):
        if token == Control.START_NAME and isinstance(arguments[at + 1], int):
            name = arguments[at + 1]
            assert isinstance(name, int)
            found[name] = arguments[at + 2]
    return found
