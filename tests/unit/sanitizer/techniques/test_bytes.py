"""What goes out, byte by byte, as the standards write it."""

from __future__ import annotations

import pytest

from sanitizer.capability import SanitizePhase
from sanitizer.techniques import technique
from sanitizer.techniques.base import Parameters
from sanitizer.transport.commands import Ports
from tests.unit.sanitizer.wire import hand_made

from .doubles import (
    ABORTED,
    BUS_RESET,
    GIB,
    INVALID_OPCODE,
    NO_ERROR,
    Log,
    MmcDouble,
    NvmeDouble,
    ScsiDouble,
    able,
    able_for,
    ata,
    ext_csd,
    good_ports,
    hands,
    mmc,
    namespace,
    nvme,
)

PATTERN = bytes.fromhex("11 22 33 44")
HOURS_12_MS = 12 * 3600 * 1000

ON_THE_WIRE = {
    # SANITIZE DEVICE: 48-bit non-data with CK_COND; features, COUNT without failure mode (bit 4) and ZNR (bit 15), signature
    "ata-sanitize-crypto-scramble": "85 07 20 00 11 00 00 43 70 00 79 00 72 40 b4 00",
    "ata-sanitize-block-erase": "85 07 20 00 12 00 00 42 72 00 45 00 6b 40 b4 00",
    # COUNT 1: one pass, for 0 would be sixteen; the pattern in LBA 31:0 under "OW"
    "ata-sanitize-overwrite": "85 07 20 00 14 00 01 44 11 57 22 4f 33 40 b4 00",
    # IMMED set, AUSE and ZNR not; a parameter list of eight bytes
    "scsi-sanitize-overwrite": "48 81 00 00 00 00 00 00 08 00",
    "scsi-sanitize-block-erase": "48 82 00 00 00 00 00 00 00 00",
    "scsi-sanitize-crypto-erase": "48 83 00 00 00 00 00 00 00 00",
    # FMTDATA with a header of its own; not fast
    "scsi-format-unit": "04 10 00 00 00 00",
    # NSID 0, SANACT alone
    "nvme-sanitize-crypto-erase": "84 000000 00000000 04000000 00000000 00000000 00000000 00000000 00000000",
    "nvme-sanitize-block-erase": "84 000000 00000000 02000000 00000000 00000000 00000000 00000000 00000000",
    # OWPASS 1, for 0 would be sixteen; the pattern in CDW11
    "nvme-sanitize-overwrite": "84 000000 00000000 13000000 11223344 00000000 00000000 00000000 00000000",
    # NSID 7, LBAFL 2, MSET, PI 1, PIL, SES 1 and 2
    "nvme-format-user-data": "80 000000 07000000 32030000 00000000 00000000 00000000 00000000 00000000",
    "nvme-format-crypto": "80 000000 07000000 32050000 00000000 00000000 00000000 00000000 00000000",
}


@pytest.mark.parametrize(("name", "raw"), ON_THE_WIRE.items(), ids=ON_THE_WIRE.keys())
def test_the_command_that_goes_out(name: str, raw: str) -> None:
    log = Log()
    (sent,) = technique(name).start(hands(log, good_ports(log), able_for(name), parameters=Parameters(pattern=PATTERN)))
    assert sent.sent == bytes.fromhex(raw)
    assert log.events[-1].partition(":")[2] == sent.sent.hex()
    assert sent.accepted == "yes"


def test_the_parameter_list_of_an_overwrite_has_one_pass_and_four_bytes() -> None:
    log = Log()
    of = hands(log, good_ports(log), able_for("scsi-sanitize-overwrite"), parameters=Parameters(pattern=PATTERN))
    technique("scsi-sanitize-overwrite").start(of)
    assert log.written[-1] == bytes.fromhex("01 00 00 04 11 22 33 44")


def test_a_format_answers_when_it_is_over_and_not_at_once() -> None:
    log = Log()
    technique("scsi-format-unit").start(hands(log, good_ports(log), able_for("scsi-format-unit")))
    assert log.written[-1] == bytes.fromhex("00 00 00 00")


@pytest.mark.parametrize("name", [name for name in ON_THE_WIRE if name.startswith("nvme-sanitize")])
def test_leaving_blocks_allocated_is_one_more_bit(name: str) -> None:
    log = Log()
    asked = Parameters(no_deallocate=True, pattern=PATTERN)
    (sent,) = technique(name).start(hands(log, good_ports(log), able_for(name), parameters=asked))
    plain = bytes.fromhex(ON_THE_WIRE[name])
    assert sent.sent == plain[:9] + bytes((plain[9] | 0x02,)) + plain[10:]


def test_the_format_in_use_is_sent_again_beyond_the_first_sixteen() -> None:
    log = Log()
    held = nvme(namespace=namespace(flbas=0x25, dps=0, formats=40), format_index=0x15)
    (sent,) = technique("nvme-format-user-data").start(hands(log, good_ports(log), able(nvme=held)))
    assert int.from_bytes(sent.sent[8:12], "little") == 0x5 | 1 << 9 | 1 << 12


def test_another_namespace_than_the_one_inspected_is_not_formatted() -> None:
    log = Log()
    ports = Ports(nvme=NvmeDouble(log, namespace_id=8))
    with pytest.raises(Exception, match="another namespace"):
        technique("nvme-format-crypto").start(hands(log, ports, able(nvme=nvme())))
    assert log.events == []


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("mmc-sanitize", ["35(00000000),36(01d58fff),38(00000000)", "13(00010000)", "6(03a50101)", "13(00010000)"]),
        (
            "mmc-secure-trim",
            [
                "35(00000000),36(01d58fff),38(80000001)",
                "13(00010000)",
                "35(00000000),36(01d58fff),38(80008000)",
                "13(00010000)",
            ],
        ),
    ],
)
def test_every_block_is_erased_before_and_the_status_is_read_after(name: str, events: list[str]) -> None:
    log = Log()
    sent = technique(name).start(hands(log, good_ports(log), able_for(name)))
    assert [event[4:] for event in log.events if event.startswith("mmc")] == events
    assert [one.accepted for one in sent] == ["yes", "yes"]
    assert [one.opcode for one in sent] == [38, 6 if name == "mmc-sanitize" else 38]


def test_small_devices_count_bytes() -> None:
    log = Log()
    small = able(mmc=mmc(ext_csd=ext_csd(sectors=0x400000)))
    technique("mmc-sanitize").start(hands(log, good_ports(log), small))
    assert "36(7ffffe00)" in next(event for event in log.events if event.startswith("mmc"))


@pytest.mark.parametrize("bits", [1 << 15, 1 << 31, 1 << 19, 1 << 7], ids=["skipped", "range", "error", "switch"])
def test_a_device_that_did_not_erase_is_not_sanitized(bits: int) -> None:
    log = Log()
    ports = Ports(mmc=MmcDouble(log, lambda command: 0x900 | (bits if command.opcode == 13 else 0)))
    sent = technique("mmc-sanitize").start(hands(log, ports, able(mmc=mmc())))
    assert [one.accepted for one in sent] == ["no"]
    assert not any("6(" in event for event in log.events if event.startswith("mmc:6"))


# --- waiting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nvme-format-user-data", "nvme-format-crypto", "scsi-format-unit", "mmc-sanitize"])
def test_what_answers_at_its_end_is_waited_for_explicitly(name: str) -> None:
    log = Log()
    technique(name).start(hands(log, good_ports(log), able_for(name)))
    assert max(log.timeouts) >= HOURS_12_MS


@pytest.mark.parametrize("name", [name for name in ON_THE_WIRE if "-sanitize-" in name])
def test_what_answers_at_once_is_not_waited_for(name: str) -> None:
    log = Log()
    assert not technique(name).blocking
    technique(name).start(hands(log, good_ports(log), able_for(name)))
    assert 0 < max(log.timeouts) <= 60_000


# --- answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "sense", "accepted"),
    [
        ("ata-sanitize-block-erase", 2, NO_ERROR, "yes"),
        ("ata-sanitize-block-erase", 2, ABORTED, "no"),
        ("ata-sanitize-block-erase", 2, INVALID_OPCODE, "no"),
        ("ata-sanitize-block-erase", 0, b"", "unknown"),  # a bridge that drops commands answers so
        ("ata-sanitize-block-erase", 2, b"", "unknown"),
        ("ata-sanitize-block-erase", 2, BUS_RESET, "unknown"),
        ("scsi-sanitize-block-erase", 0, b"", "yes"),
        ("scsi-sanitize-block-erase", 2, INVALID_OPCODE, "no"),
        ("scsi-sanitize-block-erase", 2, BUS_RESET, "unknown"),
        ("scsi-sanitize-block-erase", 2, b"", "unknown"),
        ("scsi-sanitize-block-erase", 0x18, b"", "no"),
    ],
)
def test_acceptance_is_read_from_the_answer_and_never_assumed(
    name: str, status: int, sense: bytes, accepted: str
) -> None:
    log = Log()
    ports = Ports(scsi=ScsiDouble(log, lambda _: (status, sense, b"")))
    (sent,) = technique(name).start(hands(log, ports, able_for(name)))
    assert sent.accepted == accepted
    assert sent.answer == (sense or bytes((status,)))


@pytest.mark.parametrize(
    ("status", "accepted"),
    [(0, "yes"), (0x4002, "no"), (0x1D, "no"), (0x4286, "no"), (0x0007, "unknown"), (0x0371, "unknown")],
    ids=["success", "invalid field", "sanitizing", "locked", "aborted", "path"],
)
def test_a_status_of_the_controller_is_a_no_and_a_lost_command_is_unknown(status: int, accepted: str) -> None:
    log = Log()
    (sent,) = technique("nvme-sanitize-block-erase").start(
        hands(log, Ports(nvme=NvmeDouble(log, status=status)), able_for("nvme-x"))
    )
    assert (sent.accepted, sent.answer) == (accepted, status.to_bytes(2, "big"))


# --- answers in the format that has them whole --------------------------------------------------------------------

FIXED = bytes.fromhex("f0 00 01 00 50 40 00 0a c0 00 40 00 00 1d 00 00 00 00")
CONTROL = bytes.fromhex("8a 0a 02 10 00 00 00 00 00 00 00 00")


def _translator(log: Log, page: bytes, *, takes: bool) -> ScsiDouble:
    state = {"descriptor": False}

    def answer(cdb: bytes) -> tuple[int, bytes, bytes]:
        if cdb[0] == 0x5A:
            return 0, b"", (bytes(8) + page) if page else b""
        if cdb[0] == 0x55:
            state["descriptor"] = takes
            return (0, b"", b"") if takes else (2, INVALID_OPCODE, b"")
        return 2, NO_ERROR if state["descriptor"] else FIXED, b""

    return ScsiDouble(log, answer)


def test_registers_are_asked_for_whole_and_nothing_is_saved() -> None:
    log = Log()
    found = technique("ata-sanitize-overwrite").standing(Ports(scsi=_translator(log, CONTROL, takes=True)))
    assert found.phase is SanitizePhase.IDLE
    sent = [bytes.fromhex(event[5:]) for event in log.events]
    asked, select = next(cdb for cdb in sent if cdb[0] == 0x5A), next(cdb for cdb in sent if cdb[0] == 0x55)
    assert asked[:3].hex() == "5a080a"
    assert select.hex() == "55100000000000001400"
    assert log.written[sent.index(select)].hex() == "0000000000000000" + "0a0a06100000000000000000"


@pytest.mark.parametrize(
    ("page", "takes"),
    [(CONTROL, False), (b"", True), (CONTROL[:6], True), (b"\x08" + CONTROL[1:], True)],
    ids=["refused", "no page", "cut off", "another page"],
)
def test_what_is_not_told_stays_unknown(page: bytes, takes: bool) -> None:
    log = Log()
    found = technique("ata-sanitize-overwrite").standing(Ports(scsi=_translator(log, page, takes=takes)))
    assert found.phase is SanitizePhase.UNKNOWN
    assert any("scsi:55" in event for event in log.events) is not takes


def test_a_translator_that_answers_whole_is_left_alone() -> None:
    log = Log()
    name = "ata-sanitize-overwrite"
    technique(name).start(hands(log, good_ports(log), able_for(name)))
    technique(name).standing(good_ports(log))
    assert not [event for event in log.events if event.startswith(("scsi:5a", "scsi:55"))]


# --- standing of what answers at its end ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sense", "phase", "progress"),
    [
        (0, "", SanitizePhase.IDLE, None),
        (2, "70 00 02 00 00 00 00 0a 00 00 00 00 04 04 00 80 40 00", SanitizePhase.IN_PROGRESS, 0x4000),
        (2, "70 00 03 00 00 00 00 0a 00 00 00 00 31 01 00 00 00 00", SanitizePhase.FAILED, None),
        (2, "70 00 03 00 00 00 00 0a 00 00 00 00 31 00 00 00 00 00", SanitizePhase.FAILED, None),
        (2, "70 00 02 00 00 00 00 0a 00 00 00 00 04 01 00 00 00 00", SanitizePhase.UNKNOWN, None),
        (8, "", SanitizePhase.UNKNOWN, None),
    ],
    ids=["ready", "formatting", "format failed", "format corrupt", "becoming ready", "busy"],
)
def test_where_a_format_stands(status: int, sense: str, phase: SanitizePhase, progress: int | None) -> None:
    ports = Ports(scsi=ScsiDouble(Log(), lambda _: (status, bytes.fromhex(sense), b"")))
    found = technique("scsi-format-unit").standing(ports)
    assert (found.phase, found.progress) == (phase, progress)


@pytest.mark.parametrize(
    ("status", "fpi", "phase", "progress"),
    [
        (0, 0x00, SanitizePhase.IDLE, None),
        (0, 0x80, SanitizePhase.IDLE, None),
        (0, 0x80 | 75, SanitizePhase.IN_PROGRESS, 0x4000),
        (0x84, 0, SanitizePhase.UNKNOWN, None),
    ],
)
def test_where_a_namespace_format_stands(status: int, fpi: int, phase: SanitizePhase, progress: int | None) -> None:
    ports = Ports(nvme=NvmeDouble(Log(), status=status, data=namespace(fpi=fpi)))
    found = technique("nvme-format-crypto").standing(ports)
    assert (found.phase, found.progress) == (phase, progress)


@pytest.mark.parametrize(
    ("status", "phase"),
    [(0x900, SanitizePhase.IDLE), (0xE00, SanitizePhase.IN_PROGRESS), (0x800, SanitizePhase.UNKNOWN)],
    ids=["transfer", "programming", "not ready"],
)
def test_where_an_emmc_device_stands(status: int, phase: SanitizePhase) -> None:
    found = technique("mmc-sanitize").standing(Ports(mmc=MmcDouble(Log(), lambda _: status)))
    assert found.phase is phase
    assert found.raw == status.to_bytes(4, "big")


# --- estimates --------------------------------------------------------------------------------------------------


def test_the_drive_estimates_sixteen_passes_and_one_is_asked_for() -> None:
    assert technique("nvme-sanitize-overwrite").estimate_seconds(able_for("nvme-x"), GIB) == 100
    assert technique("nvme-sanitize-block-erase").estimate_seconds(able_for("nvme-x"), GIB) == 30
    assert technique("nvme-sanitize-crypto-erase").estimate_seconds(able_for("nvme-x"), GIB) == 2
    silent = able(nvme=nvme(estimates=()))
    assert technique("nvme-sanitize-block-erase").estimate_seconds(silent, GIB) is None


def test_a_security_erase_is_estimated_by_its_own_word_and_a_lower_bound_is_no_estimate() -> None:
    normal, enhanced = technique("ata-security-erase"), technique("ata-security-erase-enhanced")
    assert normal.estimate_seconds(able_for("ata-x"), GIB) == 32 * 60
    assert enhanced.estimate_seconds(able_for("ata-x"), GIB) == 64 * 60
    full = able(ata=ata(identify=hand_made.identify({89: 0xFF, 90: 0xFFFF})))
    assert normal.estimate_seconds(full, GIB) is None
    assert enhanced.estimate_seconds(full, GIB) is None
