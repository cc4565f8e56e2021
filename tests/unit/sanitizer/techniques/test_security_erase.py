"""SECURITY ERASE UNIT against an emulated SATA drive: the order of things, and the way out of every bad end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import pytest

from sanitizer.capability import SanitizePhase
from sanitizer.errors import (
    CommandTimeout,
    EscrowNotConfirmed,
    HostReset,
    IdentityMismatch,
    LockedByUs,
    NoTechnique,
)
from sanitizer.techniques import technique
from sanitizer.techniques.base import Hands, Sent, Technique
from sanitizer.transport.commands import Ports, ScsiAnswer
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.ata_identify import AtaModel
from tests.lab.drives.faults import Faults
from tests.lab.drives.medium import Medium
from tests.lab.drives.ports import TargetPort
from tests.lab.drives.sat import SataDisk
from tests.unit.sanitizer.wire import hand_made

from .doubles import ABORTED, BUS_RESET, Log, able, ata, hands

SECRET = b"SECRET-CRM-ROW42"
SET, UNLOCK, PREPARE, ERASE, DISABLE, IDENTIFY = 0xF1, 0xF2, 0xF3, 0xF4, 0xF6, 0xEC
NORMAL, ENHANCED = technique("ata-security-erase"), technique("ata-security-erase-enhanced")


class Watched:
    """The port, with what went through it written into the log; `instead` answers a command in the drive's place."""

    def __init__(self, port: TargetPort, log: Log) -> None:
        self.port, self.log = port, log
        self.instead: dict[int, ScsiAnswer | Exception] = {}
        self.after: dict[int, ScsiAnswer] = {}
        self.data: dict[int, bytes] = {}
        self.timeouts: dict[int, int] = {}

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        opcode = cdb[14]
        self.log.events.append(f"{opcode:02x}")
        self.data[opcode], self.timeouts[opcode] = write, timeout_ms
        said = self.instead.get(opcode)
        if isinstance(said, Exception):
            raise said
        if said is not None:
            return said
        answer = self.port.scsi(cdb, timeout_ms=timeout_ms, read=read, write=write)
        if opcode in self.after:
            self.instead[IDENTIFY] = self.after.pop(opcode)
        elif opcode == IDENTIFY:
            self.instead.pop(IDENTIFY, None)
        return answer


@dataclass
class World:
    drive: SataDisk
    port: Watched
    log: Log

    def hands(self, **changes: object) -> Hands:
        known = able(ata=ata(identify=self.drive.ata.identify()))
        return hands(self.log, Ports(scsi=self.port), known, **changes)  # type: ignore[arg-type]  # the double's own words

    @property
    def password(self) -> bytes:
        (kept,) = self.log.escrowed
        return kept.secret

    @property
    def opcodes(self) -> list[str]:
        return [event for event in self.log.events if len(event) == 2]

    @property
    def clean(self) -> bool:
        return self.drive.medium.remains(SECRET)[0] == []


def world(model: AtaModel | None = None, faults: Faults | None = None) -> World:
    medium = Medium(4096, faults=faults)
    medium.fill(SECRET)
    drive, log = SataDisk(AtaDrive(medium, model=model)), Log()
    return World(drive, Watched(TargetPort(drive, medium.clock), log), log)


def answer(sense: bytes, data: bytes = b"") -> ScsiAnswer:
    return ScsiAnswer(status=2 if sense else 0, host_status=0, driver_status=0, sense=sense, data=data, duration_ms=1)


def last(sent: tuple[Sent, ...]) -> tuple[str, str]:
    return sent[-1].command, sent[-1].accepted


@pytest.mark.parametrize("each", [NORMAL, ENHANCED], ids=["normal", "enhanced"])
def test_it_erases_and_leaves_no_password(each: Technique) -> None:
    there = world()
    sent = each.start(there.hands())
    assert [one.opcode for one in sent] == [SET, PREPARE, ERASE]
    assert [one.accepted for one in sent] == ["yes"] * 3
    assert there.clean
    assert there.drive.ata.security.user is None
    assert each.standing(Ports(scsi=there.port)).phase is SanitizePhase.SUCCEEDED


def test_journal_and_escrow_come_before_the_password_and_nothing_between_prepare_and_erase() -> None:
    there = world()
    NORMAL.start(there.hands())
    assert [event for event, _ in groupby(there.log.events)] == [
        "ec",
        "note:ata-password",
        "escrow",
        "note:command-sending",
        "prove",
        "f1",
        "ec",
        "note:command-sending",
        "prove",
        "f3",
        "f4",
        "ec",
    ]


def test_the_password_is_new_each_time_printable_and_32_bytes() -> None:
    drawn = set()
    for _ in range(3):
        there = world()
        NORMAL.start(there.hands())
        assert len(there.password) == 32
        assert there.password.isascii()
        assert there.password.isalnum()
        drawn.add(there.password)
    assert len(drawn) == 3


@pytest.mark.parametrize(("each", "mode"), [(NORMAL, 0), (ENHANCED, 2)], ids=["normal", "enhanced"])
def test_the_bytes_of_password_and_erase(each: Technique, mode: int) -> None:
    there = world()
    sent = each.start(there.hands())
    padded = there.password.ljust(510, b"\0")
    assert there.port.data[SET] == b"\0\0" + padded  # a user password (bit 0), level High (bit 8)
    assert there.port.data[ERASE] == bytes((mode, 0)) + padded
    assert [one.sent.hex(" ") for one in sent] == [
        "85 0a 26 00 00 00 01 00 00 00 00 00 00 00 f1 00",
        "85 06 20 00 00 00 00 00 00 00 00 00 00 00 f3 00",
        "85 0a 26 00 00 00 01 00 00 00 00 00 00 00 f4 00",
    ]


def test_the_password_is_in_journal_and_escrow_and_in_no_record() -> None:
    there = world()
    sent = NORMAL.start(there.hands())
    (kept,) = there.log.escrowed
    notes = dict(there.log.notes)
    assert notes["ata-password"]["password"] == kept.secret.decode()
    assert kept.kind == "ata-user-password"
    assert "sanitizer unlock" in kept.recovery
    for one in sent:
        assert kept.secret not in one.sent + one.answer
        assert kept.secret.hex() not in str(notes["command-sending"])


def test_an_escrow_that_is_not_confirmed_keeps_everything_back() -> None:
    there = world()
    with pytest.raises(EscrowNotConfirmed):
        NORMAL.start(there.hands(keeps=False))
    assert set(there.opcodes) == {"ec"}
    assert there.drive.ata.security.user is None


def test_a_password_of_somebody_else_is_never_replaced() -> None:
    there = world()
    there.drive.ata.security.user = b"theirs".ljust(32, b"\0")
    with pytest.raises(NoTechnique, match="a password is set"):
        NORMAL.start(there.hands())
    assert set(there.opcodes) == {"ec"}
    assert there.drive.ata.security.user == b"theirs".ljust(32, b"\0")


def test_the_wait_is_twice_the_drives_word_and_half_an_hour() -> None:
    there = world(AtaModel(erase_minutes=100, enhanced_minutes=300))
    NORMAL.start(there.hands())
    assert there.port.timeouts[ERASE] == 230 * 60_000
    there = world(AtaModel(erase_minutes=100, enhanced_minutes=300))
    ENHANCED.start(there.hands())
    assert there.port.timeouts[ERASE] == 630 * 60_000


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_frozen_drive_refuses_the_password_and_is_left_without_one() -> None:
    there = world(faults=Faults(frozen=True))
    there.drive.ata.security.frozen = True
    assert last(NORMAL.start(there.hands())) == ("SECURITY SET PASSWORD", "no")
    assert "f3" not in there.opcodes
    assert NORMAL.recover(there.hands()) == ()


def test_a_password_the_drive_did_not_take_is_not_followed_by_an_erase() -> None:
    there = world()
    there.port.instead[SET] = answer(bytes.fromhex("72 01 00 1d 00 00 00 0e 09 0c 00 00 00 00 00 00 00 00 00 00 40 50"))
    assert last(NORMAL.start(there.hands())) == ("SECURITY SET PASSWORD", "no")
    assert "f3" not in there.opcodes


def test_a_refused_preparation_is_not_followed_by_an_erase() -> None:
    there = world()
    there.port.instead[PREPARE] = answer(ABORTED)
    assert last(NORMAL.start(there.hands())) == ("SECURITY ERASE PREPARE", "no")
    assert "f4" not in there.opcodes


def test_a_refused_erase_is_a_no_and_recovery_takes_the_password_away() -> None:
    there = world(faults=Faults(refuses=frozenset({"erase-unit"})))
    assert last(NORMAL.start(there.hands())) == ("SECURITY ERASE UNIT / NORMAL", "no")
    assert NORMAL.standing(Ports(scsi=there.port)).phase is SanitizePhase.FAILED
    sent = NORMAL.recover(there.hands(secret=there.password))
    assert [(one.opcode, one.accepted) for one in sent] == [(DISABLE, "yes")]
    assert there.drive.ata.security.user is None


def test_a_clearance_that_stops_holding_before_the_erase_keeps_the_erase_back() -> None:
    there = world()
    with pytest.raises(IdentityMismatch):
        NORMAL.start(there.hands(doubt_after=1))
    assert "f1" in there.opcodes
    assert not {"f3", "f4"} & set(there.opcodes)
    NORMAL.recover(there.hands(secret=there.password))
    assert there.drive.ata.security.user is None


def test_a_power_cut_in_the_erase_leaves_a_locked_drive_that_recovery_opens() -> None:
    there = world()
    there.port.instead[ERASE] = CommandTimeout(operation="SG_IO", sent=True, timeout_ms=1)
    with pytest.raises(CommandTimeout):
        NORMAL.start(there.hands())
    there.drive.power_cut()
    there.drive.power_on()
    assert there.drive.ata.security.locked
    with pytest.raises(LockedByUs):
        NORMAL.recover(there.hands())
    sent = NORMAL.recover(there.hands(secret=there.password))
    assert [(one.opcode, one.accepted) for one in sent] == [(UNLOCK, "yes"), (DISABLE, "yes")]
    assert not there.drive.ata.security.locked
    assert there.drive.ata.security.user is None
    assert not there.clean


def test_a_wrong_password_opens_nothing_and_says_so() -> None:
    there = world()
    there.drive.ata.security.user = b"theirs".ljust(32, b"\0")
    there.drive.power_cut()
    there.drive.power_on()
    sent = NORMAL.recover(there.hands(secret=b"ours"))
    assert [(one.opcode, one.accepted) for one in sent] == [(UNLOCK, "no")]
    assert there.drive.ata.security.locked


def test_a_password_that_stays_is_never_reported_as_taken_away() -> None:
    there = world()
    there.drive.ata.security.user = b"ours".ljust(32, b"\0")
    there.port.instead[DISABLE] = answer(
        bytes.fromhex("72 01 00 1d 00 00 00 0e 09 0c 00 00 00 00 00 00 00 00 00 00 40 50")
    )
    assert last(NORMAL.recover(there.hands(secret=b"ours"))) == ("SECURITY DISABLE PASSWORD", "no")


def test_recovery_proves_no_clearance_because_it_changes_no_medium() -> None:
    there = world()
    there.drive.ata.security.user = b"ours".ljust(32, b"\0")
    NORMAL.recover(there.hands(secret=b"ours", doubt_after=0))
    assert there.drive.ata.security.user is None
    assert there.log.events.index("note:command-sending") < there.log.events.index("f6")


def test_a_reset_during_the_erase_is_no_success_although_the_drive_says_so() -> None:
    there = world()
    there.port.after[ERASE] = answer(BUS_RESET)
    sent = NORMAL.start(there.hands())
    assert last(sent) == ("SECURITY ERASE UNIT / NORMAL", "no")
    assert sent[-1].answer == BUS_RESET
    assert there.drive.ata.security.user is None


def test_a_bus_reset_under_the_erase_is_raised() -> None:
    there = world()
    there.drive.medium.faults = replace(there.drive.medium.faults, reset="lost")
    with pytest.raises(HostReset):
        NORMAL.start(there.hands())
    assert NORMAL.standing(Ports(scsi=there.port)).phase is SanitizePhase.FAILED


def test_an_erase_that_leaves_the_password_is_no_success() -> None:
    there = world()
    there.port.instead[ERASE] = answer(
        bytes.fromhex("72 01 00 1d 00 00 00 0e 09 0c 00 00 00 00 00 00 00 00 00 00 40 50")
    )
    assert last(NORMAL.start(there.hands())) == ("SECURITY ERASE UNIT / NORMAL", "no")


def test_an_earlier_reset_is_told_before_and_not_taken_for_one_in_the_erase() -> None:
    there = world()
    assert there.drive.attention is not None
    assert last(NORMAL.start(there.hands())) == ("SECURITY ERASE UNIT / NORMAL", "yes")


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        ({}, SanitizePhase.SUCCEEDED),
        ({128: 0x0023, 85: 0x0402}, SanitizePhase.FAILED),
        ({128: 0x0025}, SanitizePhase.UNKNOWN),  # locked and not enabled: a contradiction
        ({128: 0x0021, 85: 0x0402}, SanitizePhase.UNKNOWN),  # word 85 says otherwise
        ({128: 0xFFFF}, SanitizePhase.UNKNOWN),
    ],
)
def test_where_it_stands_by_identify_data(words: dict[int, int], phase: SanitizePhase) -> None:
    there = world()
    there.port.instead[IDENTIFY] = answer(b"", hand_made.identify(words))
    assert NORMAL.standing(Ports(scsi=there.port)).phase is phase


def test_identify_data_that_do_not_come_say_nothing() -> None:
    there = world()
    there.port.instead[IDENTIFY] = answer(bytes.fromhex("70 00 05 00 00 00 00 0a 00 00 00 00 20 00 00 00 00 00"))
    assert NORMAL.standing(Ports(scsi=there.port)).phase is SanitizePhase.UNKNOWN
