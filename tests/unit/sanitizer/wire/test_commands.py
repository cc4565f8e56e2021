"""What is sent, byte by byte, against bytes written out by hand from the standards' tables."""

from __future__ import annotations

import pytest

from sanitizer.wire import ata_commands as ata
from sanitizer.wire import mmc_commands as mmc
from sanitizer.wire import nvme_commands as nvme
from sanitizer.wire import scsi_commands as scsi
from sanitizer.wire.nvme_sanitize import SanitizeAction

ATA = {
    "identify": (ata.identify_device(), "85 08 0e 00 00 00 01 00 00 00 00 00 00 00 ec 00"),
    "read log": (ata.read_log_ext(0x30, page=0x06), "85 09 0e 00 00 00 01 00 30 00 06 00 00 40 2f 00"),
    "trusted receive": (ata.trusted_receive(1, 1), "85 08 0e 00 01 00 01 00 00 00 01 00 00 40 5c 00"),
    "sanitize status": (ata.sanitize_status(), "85 07 20 00 00 00 00 00 00 00 00 00 00 40 b4 00"),
    "clear failed": (ata.sanitize_status(clear_failed=True), "85 07 20 00 00 00 01 00 00 00 00 00 00 40 b4 00"),
    "crypto scramble": (ata.sanitize_crypto_scramble(), "85 07 20 00 11 00 00 43 70 00 79 00 72 40 b4 00"),
    "block erase": (ata.sanitize_block_erase(), "85 07 20 00 12 00 00 42 72 00 45 00 6b 40 b4 00"),
    "block erase, failure mode": (
        ata.sanitize_block_erase(failure_mode=True),
        "85 07 20 00 12 00 10 42 72 00 45 00 6b 40 b4 00",
    ),
    "overwrite": (
        ata.sanitize_overwrite(bytes.fromhex("11223344"), passes=3, invert=True),
        "85 07 20 00 14 00 83 44 11 57 22 4f 33 40 b4 00",
    ),
    "overwrite, 16 passes, definitive": (
        ata.sanitize_overwrite(bytes(4), passes=16, definitive=True),
        "85 07 20 00 14 00 40 00 00 57 00 4f 00 40 b4 00",
    ),
    "freeze": (ata.sanitize_freeze_lock(), "85 07 20 00 20 00 00 46 6b 00 4c 00 72 40 b4 00"),
    "antifreeze": (ata.sanitize_antifreeze_lock(), "85 07 20 00 40 00 00 41 69 00 74 00 6e 40 b4 00"),
    "set password": (ata.security_set_password(b"x"), "85 0a 26 00 00 00 01 00 00 00 00 00 00 00 f1 00"),
    "unlock": (ata.security_unlock(b"x"), "85 0a 26 00 00 00 01 00 00 00 00 00 00 00 f2 00"),
    "erase prepare": (ata.security_erase_prepare(), "85 06 20 00 00 00 00 00 00 00 00 00 00 00 f3 00"),
    "erase unit": (ata.security_erase_unit(b"x", enhanced=True), "85 0a 26 00 00 00 01 00 00 00 00 00 00 00 f4 00"),
    "disable password": (ata.security_disable_password(b"x"), "85 0a 26 00 00 00 01 00 00 00 00 00 00 00 f6 00"),
    "security freeze": (ata.security_freeze_lock(), "85 06 20 00 00 00 00 00 00 00 00 00 00 00 f5 00"),
    "native max ext": (ata.read_native_max_ext(), "85 07 20 00 00 00 00 00 00 00 00 00 00 40 27 00"),
    "native max": (ata.read_native_max(), "85 06 20 00 00 00 00 00 00 00 00 00 00 40 f8 00"),
    "set max ext": (ata.set_max_ext(0x0605_0403_0201), "85 07 20 00 00 00 01 04 01 05 02 06 03 40 37 00"),
    "set max": (ata.set_max(0x0403_0201), "85 06 20 00 00 00 01 00 01 00 02 00 03 44 f9 00"),
    "dco identify": (ata.dco_identify(), "85 08 0e 00 c2 00 01 00 00 00 00 00 00 40 b1 00"),
    "dco restore": (ata.dco_restore(), "85 06 20 00 c0 00 00 00 00 00 00 00 00 40 b1 00"),
    "get native max": (ata.get_native_max_ext(), "85 07 20 00 00 00 00 00 00 00 00 00 00 40 78 00"),
    "set accessible max": (ata.set_accessible_max_ext(0xFF), "85 07 20 00 01 00 00 00 ff 00 00 00 00 40 78 00"),
}


@pytest.mark.parametrize("name", ATA)
def test_an_ata_command_is_passed_through_in_sixteen_bytes(name: str) -> None:
    command, expected = ATA[name]
    assert command.cdb.hex(" ") == expected


def test_the_address_of_set_max_lies_in_six_registers() -> None:
    cdb = ata.set_max_ext(0x0605_0403_0201).cdb
    # SAT: bytes 7/8 LBA 31:24 and 7:0, 9/10 LBA 39:32 and 15:8, 11/12 LBA 47:40 and 23:16
    assert (cdb[11], cdb[9], cdb[7], cdb[12], cdb[10], cdb[8]) == (6, 5, 4, 3, 2, 1)


def test_a_volatile_change_is_asked_for_by_a_bit_that_is_clear() -> None:
    assert ata.set_max_ext(1, non_volatile=False).count == 0
    assert ata.set_max_ext(1).count == 1


def test_twelve_bytes_hold_commands_without_wide_registers() -> None:
    assert ata.identify_device().cdb12.hex(" ") == "a1 08 0e 00 01 00 00 00 00 ec 00 00"
    with pytest.raises(ValueError, match="12"):
        _ = ata.sanitize_block_erase().cdb12


@pytest.mark.parametrize("master", [False, True])
@pytest.mark.parametrize("enhanced", [False, True])
def test_the_data_of_an_erase_says_whose_password_and_which_erase(master: bool, enhanced: bool) -> None:
    command = ata.security_erase_unit(b"secret", enhanced=enhanced, master=master)
    assert len(command.data) == 512
    assert command.data[0] == int(master) | int(enhanced) << 1
    assert command.data[2:34] == b"secret".ljust(32, b"\0")
    assert not any(command.data[34:])


def test_the_level_is_high_unless_somebody_asks_for_maximum() -> None:
    assert ata.security_set_password(b"p").data[1] == 0
    assert ata.security_set_password(b"p", maximum=True).data[1] == 1


def test_a_password_is_in_no_cdb_and_in_no_text() -> None:
    command = ata.security_set_password(b"hunter2hunter2")
    assert b"hunter2" not in command.cdb
    assert "hunter2" not in repr(command)
    with pytest.raises(ValueError, match="32"):
        ata.security_unlock(b"x" * 33)


def test_no_command_lets_a_failed_drive_back_with_its_data_unless_it_is_told_to() -> None:
    for command in (ata.sanitize_crypto_scramble(), ata.sanitize_block_erase(), ata.sanitize_overwrite(bytes(4))):
        assert not command.count & ata.FAILURE_MODE
    assert not scsi.sanitize(scsi.SanitizeAction.BLOCK_ERASE).cdb[1] & 0x20
    assert not nvme.sanitize(SanitizeAction.BLOCK_ERASE).command.cdw10 & 0x08


SCSI = {
    "test unit ready": (scsi.test_unit_ready(), "00 00 00 00 00 00"),
    "request sense": (scsi.request_sense(), "03 00 00 00 fc 00"),
    "request sense, descriptor": (scsi.request_sense(descriptor=True), "03 01 00 00 fc 00"),
    "inquiry": (scsi.inquiry(), "12 00 00 00 60 00"),
    "page b1": (scsi.vital_product_data(0xB1), "12 01 b1 00 fc 00"),
    "read capacity": (scsi.read_capacity_16(), "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00"),
    "supported with action": (scsi.report_supported_operation(0x48, 2), "a3 0c 82 48 00 02 00 00 00 40 00 00"),
    "supported": (scsi.report_supported_operation(0x04), "a3 0c 81 04 00 00 00 00 00 40 00 00"),
    "block erase": (scsi.sanitize(scsi.SanitizeAction.BLOCK_ERASE), "48 82 00 00 00 00 00 00 00 00"),
    "cryptographic erase": (scsi.sanitize(scsi.SanitizeAction.CRYPTOGRAPHIC_ERASE), "48 83 00 00 00 00 00 00 00 00"),
    "overwrite": (
        scsi.sanitize(scsi.SanitizeAction.OVERWRITE, data=scsi.overwrite_parameters(bytes(4))),
        "48 81 00 00 00 00 00 00 08 00",
    ),
    "exit failure mode": (scsi.sanitize(scsi.SanitizeAction.EXIT_FAILURE_MODE), "48 9f 00 00 00 00 00 00 00 00"),
    "format": (scsi.format_unit(), "04 10 00 00 00 00"),
    "mode sense": (scsi.mode_sense_10(0x3F), "5a 10 3f 00 00 00 00 00 fc 00"),
    "mode sense, as made": (scsi.mode_sense_10(0x3F, default=True), "5a 10 bf 00 00 00 00 00 fc 00"),
    "element status": (
        scsi.get_physical_element_status(64),
        "9e 17 00 00 00 00 00 00 00 00 00 00 00 40 40 00",
    ),
    "mode select": (scsi.mode_select_10(bytes(24), save=True), "55 11 00 00 00 00 00 00 18 00"),
    "protocol in": (scsi.security_protocol_in(1, 1), "a2 01 00 01 00 00 00 00 02 00 00 00"),
    "protocol out": (scsi.security_protocol_out(1, 0x1000, bytes(512)), "b5 01 10 00 00 00 00 00 02 00 00 00"),
    "synchronize": (scsi.synchronize_cache_10(), "35 00 00 00 00 00 00 00 00 00"),
}


@pytest.mark.parametrize("name", SCSI)
def test_a_scsi_command_is_what_the_standard_has(name: str) -> None:
    command, expected = SCSI[name]
    assert command.cdb.hex(" ") == expected


def test_the_parameters_of_an_overwrite_hold_passes_and_pattern() -> None:
    assert scsi.overwrite_parameters(b"\xaa\xbb\xcc\xdd", passes=3, invert=True).hex() == "83000004aabbccdd"
    for passes in (0, 32):
        with pytest.raises(ValueError, match="passes"):
            scsi.overwrite_parameters(bytes(4), passes=passes)


def test_all_ones_ask_for_every_block_there_is() -> None:
    assert scsi.all_blocks_parameters(4096).hex() == "0000000001000010" + "ff" * 8 + "0000000000001000"


def test_a_sanitize_has_a_parameter_list_exactly_when_it_overwrites() -> None:
    with pytest.raises(ValueError, match="parameter list"):
        scsi.sanitize(scsi.SanitizeAction.OVERWRITE)
    with pytest.raises(ValueError, match="parameter list"):
        scsi.sanitize(scsi.SanitizeAction.BLOCK_ERASE, data=bytes(8))


def test_a_sanitize_is_the_subsystems_and_names_no_namespace() -> None:
    for action in SanitizeAction:
        assert nvme.sanitize(action).command.nsid == 0


@pytest.mark.parametrize(
    ("command", "word", "second"),
    [
        (nvme.sanitize(SanitizeAction.BLOCK_ERASE), 0x002, 0),
        (nvme.sanitize(SanitizeAction.CRYPTO_ERASE, no_deallocate=True), 0x204, 0),
        (
            nvme.sanitize(SanitizeAction.OVERWRITE, passes=3, invert=True, pattern=b"\x01\x02\x03\x04"),
            0x133,
            0x04030201,
        ),
        (nvme.sanitize(SanitizeAction.OVERWRITE, passes=16), 0x003, 0),
        (nvme.sanitize(SanitizeAction.BLOCK_ERASE, unrestricted=True), 0x00A, 0),
        (nvme.format_nvm(1, 0, 1), 0x200, 0),
        (nvme.format_nvm(1, 0x12, 2, flbas=0x32, protection=0x9), 0x1532, 0),
        (nvme.get_log_page(0x81, 512), 0x007F0081, 0),
        (nvme.security_receive(1, 1, 2048), 0x01000100, 2048),
        (nvme.security_send(1, 0x1000, bytes(512)), 0x01100000, 512),
    ],
)
def test_an_admin_command_has_its_dwords(command: nvme.AdminCommand, word: int, second: int) -> None:
    assert (command.command.cdw10, command.command.cdw11) == (word, second)


def test_a_format_without_erase_is_not_offered() -> None:
    with pytest.raises(ValueError, match="no sanitization"):
        nvme.format_nvm(1, 0, 0)


def test_what_a_record_keeps_of_an_admin_command_is_its_submission_entry() -> None:
    raw = nvme.sanitize(SanitizeAction.BLOCK_ERASE).command.raw
    assert raw.hex() == "84000000" + "00000000" + "02000000" + "00000000" * 5


def test_an_emmc_sanitize_is_a_switch_of_byte_165() -> None:
    command = mmc.sanitize()
    assert (command.opcode, command.argument, command.flags) == (6, 0x03A50101, 0x49D)
    assert mmc.read_ext_csd().flags == 0xB5


def test_an_erase_names_both_ends() -> None:
    start, end, erase = mmc.erase(8, 15, mmc.SECURE_TRIM_1)
    assert [(c.opcode, c.argument) for c in (start, end, erase)] == [(35, 8), (36, 15), (38, 0x80000001)]
    with pytest.raises(ValueError, match="sectors"):
        mmc.erase(2, 1)
