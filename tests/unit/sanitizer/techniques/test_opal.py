"""Reverts: a session of our own with emulated drives, over NVMe and SCSI; what is refused; what is never kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.capability import Capabilities, SanitizePhase
from sanitizer.deriving import capabilities_of
from sanitizer.errors import CommandTimeout, IdentityMismatch, MalformedReply, NoTechnique
from sanitizer.probing import probe
from sanitizer.techniques import tcg, technique
from sanitizer.techniques.base import Parameters, Sent
from sanitizer.techniques.opal import PSID_REVERT, revert_standing
from sanitizer.transport.commands import NvmeAnswer, NvmeCommand, Ports
from tests.lab.drives.medium import Medium
from tests.lab.drives.nvme import NvmeController
from tests.lab.drives.nvme_ports import EmulatedNvmePort
from tests.lab.drives.nvme_subsystem import NvmeSubsystem
from tests.lab.drives.opal import PSID, Opal
from tests.lab.drives.ports import TargetPort
from tests.lab.drives.scsi import ScsiDisk

from .doubles import COM_ID, NO, SYNC_SESSION, UNKNOWN, YES, Log, able, com_packet, hands, opal

SECRET = b"SECRET-CRM-ROW42"
OWNER = b"the owner's password"
ACTION = bytes.fromhex("f8 a80000020500000001 a80000000600000202 f0 f1 f9 f0 00 00 00 f1")
SUCCESS = bytes.fromhex("f0 f1 f9 f0 00 00 00 f1")


@dataclass
class World:
    medium: Medium
    opal: Opal
    ports: Ports
    log: Log = field(default_factory=Log)

    def capabilities(self) -> Capabilities:
        found = capabilities_of(probe(self.ports), path="direct")
        assert found is not None
        return found

    def start(self, name: str, secret: bytes, **changes: object) -> tuple[Sent, ...]:
        known = self.capabilities()
        return technique(name).start(hands(self.log, self.ports, known, secret=secret, **changes))  # type: ignore[arg-type]


def nvme() -> World:
    medium = Medium(4096)
    medium.fill(SECRET)
    controller = NvmeController(NvmeSubsystem(medium))
    assert controller.subsystem.opal is not None
    return World(medium, controller.subsystem.opal, Ports(nvme=EmulatedNvmePort(controller)))


@dataclass
class Listener:
    """An Opal behind SECURITY PROTOCOL IN and OUT: what nobody listens to is refused."""

    opal: Opal

    def receive(self, protocol: int, com_id: int, length: int, /) -> bytes:
        return self.opal.receive(protocol, com_id, length)

    def knows(self, protocol: int, com_id: int, /) -> bool:
        return self.opal.knows(protocol, com_id)

    def send(self, protocol: int, com_id: int, data: bytes, /) -> Any:  # noqa: ANN401 - whether it was heard, for who asks
        self.opal.send(protocol, com_id, data)
        return self.opal.knows(protocol, com_id)

    @property
    def view(self) -> str:
        return self.opal.view

    @property
    def writable(self) -> bool:
        return self.opal.writable

    def power_cycle(self) -> None:
        self.opal.power_cycle()


def sas() -> World:
    medium = Medium(4096)
    medium.fill(SECRET)
    trusted = Opal(lambda: medium.fill(bytes(16)))
    disk = ScsiDisk(medium, tper=Listener(trusted))
    disk.attention = None
    return World(medium, trusted, Ports(scsi=TargetPort(disk, medium.clock)))


BOTH = pytest.mark.parametrize("made", [nvme, sas], ids=["nvme", "scsi"])


@BOTH
@pytest.mark.parametrize(("name", "secret"), [("opal-revert", OWNER), ("opal-psid-revert", PSID)])
def test_a_revert_makes_what_was_stored_unreadable(made: Callable[[], World], name: str, secret: bytes) -> None:
    there = made()
    there.opal.own(OWNER)
    each = technique(name)
    assert each.refusals(there.capabilities(), Parameters()) == ()
    assert each.standing(there.ports).phase is SanitizePhase.IDLE
    (sent,) = there.start(name, secret)
    assert (sent.command, sent.accepted) == ("TCG Revert", "yes")
    assert there.medium.remains(SECRET)[0] == []
    assert there.opal.reverts == 1
    assert each.standing(there.ports).phase is SanitizePhase.SUCCEEDED
    assert secret not in sent.sent + sent.answer


@BOTH
@pytest.mark.parametrize("name", ["opal-revert", "opal-psid-revert"])
def test_a_wrong_credential_reverts_nothing(made: Callable[[], World], name: str) -> None:
    there = made()
    there.opal.own(OWNER)
    (sent,) = there.start(name, b"W" * 32)
    assert (sent.command, sent.accepted) == ("TCG StartSession", "no")
    assert there.opal.reverts == 0
    assert "prove" not in there.log.events


@BOTH
def test_the_clearance_is_proven_between_session_and_revert(made: Callable[[], World]) -> None:
    there = made()
    there.opal.own(OWNER)
    with pytest.raises(IdentityMismatch):
        there.start("opal-psid-revert", PSID, doubt_after=0)
    assert there.opal.reverts == 0
    there.start("opal-psid-revert", PSID)
    assert there.log.events == ["note:command-sending"] * 2 + ["prove"]


@pytest.mark.parametrize(
    ("name", "secret"), [("opal-revert", b""), ("opal-psid-revert", b""), ("opal-psid-revert", b"P" * 31)]
)
def test_a_credential_that_cannot_be_one_costs_no_try(name: str, secret: bytes) -> None:
    there = nvme()
    there.opal.own(OWNER)
    with pytest.raises(NoTechnique, match="it needs"):
        there.start(name, secret)
    assert there.opal._failures == {}


def test_a_drive_whose_locking_was_never_activated_keeps_its_data_and_is_refused() -> None:
    there = nvme()
    (reason,) = technique("opal-psid-revert").refusals(there.capabilities(), Parameters())
    assert "leaves the data alone" in reason
    there.start("opal-psid-revert", PSID)
    assert there.medium.remains(SECRET)[0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"locking_enabled": NO}, "never activated"),
        ({"locking_enabled": UNKNOWN}, "unknown"),
        ({"media_encryption": NO}, "media encryption"),
        ({"media_encryption": UNKNOWN}, "unknown"),
        ({"ssc": None}, "unknown"),
        ({"ssc": "pyrite-2"}, "pyrite-2"),
        ({"ssc": "enterprise"}, "enterprise"),
        ({"discovery": b""}, "no way to open a session"),
        ({"removal_running": YES}, "under way"),
    ],
)
@pytest.mark.parametrize("name", ["opal-revert", "opal-psid-revert"])
def test_each_reason_against_a_revert(name: str, changed: dict[str, object], words: str) -> None:
    (reason,) = technique(name).refusals(able(opal=opal(**changed)), Parameters())
    assert words in reason


def test_a_locked_or_shadowed_drive_may_be_reverted() -> None:
    for changed in ({"locked": YES}, {"shadowed": YES}, {"removal_interrupted": YES}):
        assert technique("opal-psid-revert").refusals(able(opal=opal(**changed)), Parameters()) == ()


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ({"active": True}, SanitizePhase.IDLE),
        ({}, SanitizePhase.SUCCEEDED),
        ({"removing": True}, SanitizePhase.IN_PROGRESS),
        ({"interrupted": True}, SanitizePhase.FAILED),
    ],
)
def test_where_a_revert_stands_by_discovery(state: dict[str, bool], phase: SanitizePhase) -> None:
    there = nvme()
    for name, value in state.items():
        setattr(there.opal, name, value)
    assert technique("opal-revert").standing(there.ports).phase is phase


def test_a_discovery_that_cannot_be_read_says_nothing() -> None:
    assert revert_standing(b"").phase is SanitizePhase.UNKNOWN
    assert revert_standing(bytes(48)).phase is SanitizePhase.UNKNOWN


# --- bytes --------------------------------------------------------------------------------------------------------


def test_the_bytes_of_a_session_as_the_label_holder() -> None:
    sent = tcg.start_session(COM_ID, tcg.PSID, b"P" * 32)
    stream = (
        bytes.fromhex("f8 a800000000000000ff a8000000000000ff02 f0 8353414e a80000020500000001 01")
        + bytes.fromhex("f2 00 d020")
        + b"P" * 32
        + bytes.fromhex("f3 f2 03 a8000000090001ff01 f3 f1 f9 f0 00 00 00 f1")
    )
    assert sent[:8].hex() == "0000000010000000"
    assert sent[56 : 56 + len(stream)] == stream
    assert int.from_bytes(sent[52:56], "big") == len(stream)
    padded = -(-len(stream) // 4) * 4
    assert int.from_bytes(sent[40:44], "big") == padded + 12
    assert int.from_bytes(sent[16:20], "big") == padded + 12 + 24
    assert len(sent) == 2048


def test_the_bytes_of_a_revert() -> None:
    sent = tcg.revert(COM_ID, 0x1001)
    assert sent[20:28].hex() == "000010010053414e"
    assert sent[56 : 56 + len(ACTION)] == ACTION


# --- answers ------------------------------------------------------------------------------------------------------


class Talker:
    """An NVMe drive that says what it is told to, once each."""

    namespace_id = 1

    def __init__(self, *said: bytes, status: int = 0) -> None:
        self.said, self.status, self.sends = list(said), status, 0

    def admin(self, command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:
        assert timeout_ms > 0
        assert not (read and write)
        if command.opcode == 0x81:
            self.sends += 1
            return NvmeAnswer(status=self.status, result=0, data=b"")
        data = self.said.pop(0) if self.said else b""
        return NvmeAnswer(status=0, result=0, data=data.ljust(read, b"\0"))


def talked(*said: bytes, status: int = 0) -> tuple[Sent, ...]:
    of = hands(Log(), Ports(nvme=Talker(*said, status=status)), able(opal=opal()), secret=b"P" * 32)
    return PSID_REVERT.start(of)


@pytest.mark.parametrize(
    ("stream", "accepted"),
    [
        (SUCCESS, "yes"),
        (bytes.fromhex("f0 f1 f9 f0 01 00 00 f1"), "no"),
        (bytes.fromhex("f0 f1 f9 f0 3f 00 00 f1"), "no"),
        (bytes.fromhex("fa"), "no"),
        (bytes.fromhex("f0 f1"), "unknown"),
        (bytes.fromhex("d0 20 00"), "unknown"),
        (bytes.fromhex("e4"), "unknown"),
    ],
    ids=["success", "not authorized", "failed", "closed", "no status", "cut off", "reserved"],
)
def test_only_a_status_of_success_is_a_yes(stream: bytes, accepted: str) -> None:
    (sent,) = talked(com_packet(SYNC_SESSION), com_packet(stream))
    assert (sent.command, sent.accepted) == ("TCG Revert", accepted)


@pytest.mark.parametrize(
    "stream",
    [
        SUCCESS,
        SYNC_SESSION.replace(bytes.fromhex("8353414e"), bytes.fromhex("83111111")),
        SYNC_SESSION[:-4] + bytes.fromhex("01 00 00 f1"),
        bytes.fromhex("f0 f1 f9 f0 12 00 00 f1"),
        b"",
    ],
    ids=["no session", "somebody else's", "and not authorized", "locked out", "nothing"],
)
def test_without_a_session_of_ours_nothing_is_reverted(stream: bytes) -> None:
    (sent,) = talked(com_packet(stream) if stream else b"\1" * 60, com_packet(SUCCESS))
    assert (sent.command, sent.accepted) == ("TCG StartSession", "no")


def test_a_drive_that_refuses_the_carrier_refuses_the_session() -> None:
    (sent,) = talked(com_packet(SYNC_SESSION), status=0x4002)
    assert (sent.command, sent.accepted, sent.answer.hex()) == ("TCG StartSession", "no", "4002")


def test_an_answer_still_being_made_is_waited_for_and_not_for_ever() -> None:
    slept: list[float] = []
    patient = type(PSID_REVERT)(
        name=PSID_REVERT.name,
        title=PSID_REVERT.title,
        authority=tcg.PSID,
        credential="",
        length=32,
        pause=slept.append,
    )
    of = Ports(nvme=Talker(com_packet(SYNC_SESSION), bytes(56), bytes(56), com_packet(SUCCESS)))
    (sent,) = patient.start(hands(Log(), of, able(opal=opal()), secret=b"P" * 32))
    assert (sent.accepted, len(slept)) == ("yes", 2)
    with pytest.raises(CommandTimeout):
        patient.start(hands(Log(), Ports(nvme=Talker()), able(opal=opal()), secret=b"P" * 32))


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reading_of_an_answer(data: bytes) -> None:
    for whole in (data, com_packet(data)):
        try:
            tcg.decode_answer(whole)
        except MalformedReply:
            continue
    tcg.base_com_id(data)
