"""The emulated Opal TPer, spoken to in bytes written down here (TCG Storage Core 2.01, Opal SSC 2.01)."""

from __future__ import annotations

import struct

import pytest

from .nvme_asking import SECRET, drive, read, read_status, sqe
from .opal import MSID, PSID, Opal

CALL, EOS = 0xF8, 0xFA
ADMIN_SP = "a80000020500000001"
SMUID = "a800000000000000ff"
START = "a8000000000000ff02"
REVERT = "a80000000600000202"
SID, PSID_AUTHORITY = "a80000000900000006", "a8000000090001ff01"


class Keys:
    """Counts how often the media key was changed."""

    changed = 0

    def __call__(self) -> None:
        self.changed += 1


def com_packet(payload: bytes, tsn: int = 0, hsn: int = 0) -> bytes:
    """A ComPacket around a payload, built by hand."""
    sub = bytes(6) + struct.pack(">HI", 0, len(payload)) + payload + bytes(-len(payload) % 4)
    packet = struct.pack(">II", tsn, hsn) + bytes(12) + struct.pack(">I", len(sub)) + sub
    return bytes(4) + struct.pack(">HH", 0x1000, 0) + bytes(8) + struct.pack(">I", len(packet)) + packet


def said(opal: Opal, payload: bytes, tsn: int = 0) -> bytes:
    """Send a payload, give back the answer's."""
    opal.send(1, 0x1000, com_packet(payload, tsn, 1 if tsn else 0).ljust(2048, b"\0"))
    answer = opal.receive(1, 0x1000, 2048)
    length = int.from_bytes(answer[52:56], "big")
    return answer[56 : 56 + length]


def start(opal: Opal, authority: str, password: bytes) -> bytes:
    """StartSession with the Admin SP for writing: host session 1, challenge and signing authority."""
    named = "f200d0" + f"{len(password):02x}" + password.hex() + "f3" + "f203" + authority + "f3"
    return said(opal, bytes.fromhex(f"{CALL:02x}{SMUID}{START}f001{ADMIN_SP}01{named}f1f9f0000000f1"))


def revert(opal: Opal) -> bytes:
    return said(opal, bytes.fromhex(f"{CALL:02x}{ADMIN_SP}{REVERT}f0f1f9f0000000f1"), tsn=0x1001)


def features(opal: Opal) -> dict[int, bytes]:
    raw = opal.receive(1, 1, 512)
    (length,) = struct.unpack_from(">I", raw)
    at, found = 48, {}
    while at < length + 4:
        code, _, size = struct.unpack_from(">HBB", raw, at)
        found[code] = raw[at : at + 4 + size]
        at += 4 + size
    assert at == length + 4
    return found


def test_level_0_discovery_names_opal_2_and_the_removal_mechanisms() -> None:
    found = features(Opal(Keys()))
    assert sorted(found) == [0x0001, 0x0002, 0x0203, 0x0402, 0x0404]
    assert found[0x0002][4] == 0x09
    assert found[0x0203][4:8].hex() == "10000001"
    assert found[0x0404][5:7].hex() == "0004"
    assert len(found[0x0404]) == 36


@pytest.mark.parametrize(("state", "byte"), [("own", 0x0B), ("lock", 0x0F), ("shadow", 0x1F)])
def test_ownership_locks_and_shadow_show_in_the_locking_feature(state: str, byte: int) -> None:
    opal = Opal(Keys())
    getattr(opal, state)(b"password")
    assert features(opal)[0x0002][4] == byte


def test_removal_that_goes_on_or_was_cut_off_shows() -> None:
    opal = Opal(Keys(), removing=True)
    assert features(opal)[0x0404][5] == 1
    opal.removing, opal.interrupted = False, True
    assert features(opal)[0x0404][5] == 2


def test_data_removal_runs_in_the_background_until_its_time_has_come_or_the_power_goes() -> None:
    seconds = [5.0]
    opal = Opal(Keys(), now=lambda: seconds[0], removal_seconds=10)
    opal.own(b"password")
    opal.revert()
    assert features(opal)[0x0404][5] == 1
    seconds[0] = 15.0
    assert features(opal)[0x0404][5] == 0
    opal.own(b"password")
    opal.revert()
    opal.power_cycle()
    assert features(opal)[0x0404][5] == 2
    opal.own(b"password")
    opal.revert()
    assert features(opal)[0x0404][5] == 1


def test_the_right_psid_reverts_and_changes_the_key() -> None:
    keys = Keys()
    opal = Opal(keys)
    opal.lock()
    answer = start(opal, PSID_AUTHORITY, PSID)
    assert answer.hex().startswith(f"f8{SMUID}a8000000000000ff03f001821001f1f9f0000000f1")
    assert revert(opal).hex() == "f0f1f9f0000000f1"
    assert (keys.changed, opal.locked, opal.pin) == (1, False, MSID)
    assert features(opal)[0x0002][4] == 0x09


def test_a_wrong_psid_is_not_authorized_and_five_lock_it_out_until_power_goes() -> None:
    opal = Opal(Keys())
    opal.lock()
    wrong = b"X" * 32
    assert [start(opal, PSID_AUTHORITY, wrong)[-4] for _ in range(6)] == [1, 1, 1, 1, 1, 0x12]
    assert start(opal, PSID_AUTHORITY, PSID)[-4] == 0x12
    opal.power_cycle()
    assert start(opal, PSID_AUTHORITY, PSID)[-4] == 0
    assert opal.locked


def test_a_revert_in_the_factory_state_succeeds_and_leaves_the_data() -> None:
    keys = Keys()
    opal = Opal(keys)
    start(opal, PSID_AUTHORITY, PSID)
    assert revert(opal)[-4] == 0
    assert keys.changed == 0


def test_a_revert_without_a_session_is_not_authorized() -> None:
    keys = Keys()
    opal = Opal(keys)
    opal.lock()
    assert revert(opal)[-4] == 1
    assert keys.changed == 0


def test_a_method_outside_its_session_is_not_authorized() -> None:
    keys = Keys()
    opal = Opal(keys)
    opal.lock()
    start(opal, PSID_AUTHORITY, PSID)
    assert said(opal, bytes.fromhex(f"{CALL:02x}{ADMIN_SP}{REVERT}f0f1f9f0000000f1"), tsn=0x1002)[-4] == 1
    assert keys.changed == 0


def test_the_owner_reverts_with_the_password_and_nobody_else_does() -> None:
    keys = Keys()
    opal = Opal(keys)
    opal.own(b"P" * 20)
    assert start(opal, SID, MSID)[-4] == 1
    assert start(opal, SID, b"P" * 20)[-4] == 0
    assert revert(opal)[-4] == 0
    assert keys.changed == 1


def test_the_factory_password_is_read_by_anyone_and_the_owner_sets_another() -> None:
    opal = Opal(Keys())
    said(opal, bytes.fromhex(f"f8{SMUID}{START}f001{ADMIN_SP}01f1f9f0000000f1"))
    get = said(
        opal, bytes.fromhex("f8a80000000b00008402a80000000600000016f0f0f20303f3f20403f3f1f1f9f0000000f1"), 0x1001
    )
    assert MSID in get
    set_pin = bytes.fromhex(
        "f8a80000000b00000001a80000000600000017f0f201f0f203a4" + b"NEWP".hex() + "f3f1f3f1f9f0000000f1"
    )
    assert said(opal, set_pin, 0x1001)[-4] == 1
    start(opal, SID, MSID)
    assert said(opal, set_pin, 0x1001)[-4] == 0
    assert opal.pin == b"NEWP"


def test_an_end_of_session_is_answered_by_one() -> None:
    opal = Opal(Keys())
    opal.lock()
    start(opal, PSID_AUTHORITY, PSID)
    assert said(opal, bytes((EOS,)), 0x1001) == bytes((EOS,))
    assert revert(opal)[-4] == 1


def test_properties_are_answered() -> None:
    opal = Opal(Keys())
    answer = said(opal, bytes.fromhex(f"f8{SMUID}a8000000000000ff01f0f1f9f0000000f1"))
    assert b"MaxComPacketSize" in answer


@pytest.mark.parametrize("data", [b"", bytes(20), com_packet(b"\xd7\xff"), com_packet(b"\xe7"), b"\xff" * 512])
def test_damaged_packets_are_answered_by_a_status(data: bytes) -> None:
    opal = Opal(Keys())
    opal.send(1, 0x1000, data)
    assert opal.receive(1, 0x1000, 512)[16:20] != bytes(4)


def test_nvme_security_commands_reach_it() -> None:
    controller = drive()
    opal = controller.subsystem.opal
    assert opal is not None
    opal.lock()
    assert read_status(controller) == 0x286
    assert controller.admin(sqe(0x82, 0, 0x01000100, 512))[2][:4] == opal.discovery()[:4]
    assert controller.admin(sqe(0x82, 0, 0, 512))[2][:10].hex() == "00000000000000020001"
    named = "f200d020" + PSID.hex() + "f3f203" + PSID_AUTHORITY + "f3"
    begin = com_packet(bytes.fromhex(f"f8{SMUID}{START}f001{ADMIN_SP}01{named}f1f9f0000000f1"))
    assert controller.admin(sqe(0x81, 0, 0x01100000, len(begin)), begin)[0] == 0
    again = com_packet(bytes.fromhex(f"f8{ADMIN_SP}{REVERT}f0f1f9f0000000f1"), 0x1001, 1)
    assert controller.admin(sqe(0x81, 0, 0x01100000, len(again)), again)[0] == 0
    assert read_status(controller) == 0
    assert SECRET not in read(controller, 0, 8)
    assert controller.subsystem.medium.remains(SECRET) == ([], [])
    assert controller.admin(sqe(0x81, 0, 0x02200000, 4), bytes(4))[0] == 0x4002
