"""The emulated eMMC device against JESD84-B51: arguments, status bits and EXT_CSD bytes written down here."""

from __future__ import annotations

import pytest

from .emmc import EmmcDevice, EmmcModel
from .faults import BusReset, Faults, NoAnswer
from .medium import Medium

SECRET = b"SECRET-CRM-ROW42"
BLOCKS = 4096
OK = 0x900
SANITIZE = 0x03A50101


def device(model: EmmcModel | None = None, **faults: object) -> EmmcDevice:
    medium = Medium(BLOCKS, faults=Faults(**faults))  # type: ignore[arg-type]  # field names, by test
    made = EmmcDevice(medium, model or EmmcModel(secure_erase=True))
    made.fill(SECRET)
    return made


def select(made: EmmcDevice, area: int) -> int:
    return made.command(6, 0x03B30000 | area << 8 | 1)[0]


def erase(made: EmmcDevice, argument: int, first: int = 0, last: int = BLOCKS - 1) -> int:
    """CMD35, CMD36, CMD38, and the status afterwards: all their bits."""
    marked = made.command(35, first * 512)[0] | made.command(36, last * 512)[0]
    return marked | made.command(38, argument)[0] | made.command(13, 0)[0]


def test_ext_csd_has_its_bytes_where_the_standard_puts_them() -> None:
    status, page = device().command(8, 0)
    assert status == OK
    assert (page[192], page[231], page[226], page[168], page[181], page[224]) == (8, 0x51, 1, 1, 0, 1)
    assert int.from_bytes(page[212:216], "little") == BLOCKS


def test_trim_unmaps_and_leaves_stale_copies_and_only_sanitize_removes_them() -> None:
    made = device()
    assert erase(made, 1) == OK
    assert made.command(18, 7 * 512, blocks=1) == (OK, bytes(512))
    assert made.remains(SECRET)["user"] == (0, 16)
    assert made.command(6, SANITIZE)[0] == OK
    assert "user" not in made.remains(SECRET)


def test_sanitize_alone_leaves_every_mapped_block() -> None:
    made = device()
    assert made.command(6, SANITIZE)[0] == OK
    assert made.remains(SECRET)["user"] == (BLOCKS, 0)


def test_areas_are_selected_and_erased_one_by_one_and_rpmb_never() -> None:
    made = device()
    for area in (1, 2):
        assert select(made, area) == OK
        assert made.command(8, 0)[1][179] == area
        assert erase(made, 1, 0, 255) == OK
    assert select(made, 3) == OK
    assert made.command(35, 0)[0] & 1 << 22
    assert select(made, 0) == OK
    assert erase(made, 0) == OK
    made.command(6, SANITIZE)
    assert made.remains(SECRET) == {"rpmb": (256, 2)}
    assert select(made, 4) & 1 << 7


def test_general_purpose_areas_have_their_size() -> None:
    made = device(EmmcModel(general_units=(1, 0, 0, 0)))
    assert made.command(8, 0)[1][143:146] == b"\x01\0\0"
    assert select(made, 4) == OK
    assert made.command(18, 1023 * 512, blocks=1)[0] == OK
    assert made.command(18, 1024 * 512, blocks=1)[0] & 1 << 31


def test_erase_takes_whole_groups_and_trim_only_the_sectors() -> None:
    made = device()
    erase(made, 1, 10, 10)
    assert made.remains(SECRET)["user"][0] == BLOCKS - 1
    erase(made, 0, 10, 10)
    assert made.remains(SECRET)["user"][0] == BLOCKS - 1024


def test_secure_erase_removes_copies_as_well() -> None:
    made = device()
    assert erase(made, 0x80000000) == OK
    assert "user" not in made.remains(SECRET)


def test_secure_trim_erases_in_its_second_step() -> None:
    made = device()
    assert erase(made, 0x80000001) == OK
    assert made.remains(SECRET)["user"] == (BLOCKS, 16)
    assert erase(made, 0x80008000) == OK
    assert "user" not in made.remains(SECRET)


def test_what_is_not_supported_is_an_error_in_the_status() -> None:
    made = device(EmmcModel(sanitize=False, trim=False))
    assert made.command(6, SANITIZE)[0] & 1 << 7
    assert erase(made, 1) & 1 << 27
    assert erase(made, 0x80000000) & 1 << 27
    assert made.command(38, 0)[0] & 1 << 28
    assert made.command(35, BLOCKS * 512)[0] & 1 << 31
    assert made.command(36, 512)[0] & 1 << 28
    assert made.command(55, 0)[0] & 1 << 22


def test_a_small_device_is_addressed_in_bytes() -> None:
    made = device()
    assert made.command(35, 511)[0] & 1 << 30
    assert made.command(35, 512)[0] == OK


def test_erased_memory_may_read_as_ones() -> None:
    made = device(EmmcModel(erased_byte=0xFF))
    erase(made, 1)
    assert made.command(8, 0)[1][181] == 1
    assert made.command(18, 0, blocks=1)[1] == b"\xff" * 512


def test_a_failure_shows_in_the_next_status_only() -> None:
    made = device(fail_at=0.5, seconds=10)
    made.command(35, 0)
    made.command(36, (BLOCKS - 1) * 512)
    assert made.command(38, 1)[0] == OK
    assert made.command(13, 0)[0] == OK | 1 << 19
    assert made.command(13, 0)[0] == OK
    assert made.command(6, SANITIZE)[0] == OK
    assert made.command(13, 0)[0] & 1 << 19
    assert made.remains(SECRET)["user"][1] == 16


def test_a_write_protected_device_skips_the_erase_and_says_so() -> None:
    made = device(write_protected=True)
    assert erase(made, 1) & 1 << 15
    assert made.command(25, 0, bytes(512))[0] & 1 << 26
    assert made.remains(SECRET)["user"][0] == BLOCKS


def test_bad_sectors_answer_by_their_bits() -> None:
    made = device(bad_reads=((3, 1),), bad_writes=((4, 1),))
    assert made.command(18, 3 * 512, blocks=1)[0] & 1 << 21
    assert made.command(25, 4 * 512, bytes(512))[0] & 1 << 19
    assert made.command(25, 3 * 512, b"A" * 512)[0] == OK


@pytest.mark.parametrize(
    ("erases", "blocks", "spare"),
    [
        ("nothing", BLOCKS, 16),
        ("first-megabyte", 2048, 16),
        ("all-but-one-block", 1, 0),
        ("not-spare", 0, 16),
    ],
)
def test_lies_leave_data_and_answer_well(erases: str, blocks: int, spare: int) -> None:
    made = device(erases=erases)
    assert erase(made, 1) == OK
    assert made.command(6, SANITIZE)[0] == OK
    assert made.command(13, 0)[0] == OK
    assert made.remains(SECRET).get("user", (0, 0)) == (blocks, spare)


def test_a_sanitize_that_stalls_never_answers_and_does_not_go_on_after_a_power_cut() -> None:
    made = device(stall_at=0.5, seconds=10)
    with pytest.raises(NoAnswer):
        made.command(6, SANITIZE)
    made.power_cut()
    made.power_on()
    assert made.command(13, 0)[0] == OK
    assert made.remains(SECRET)["user"] == (BLOCKS, 16)


def test_a_reset_in_the_middle() -> None:
    for kind, spare in (("lost", 16), ("carried-on", 0)):
        made = device(reset=kind)
        with pytest.raises(BusReset):
            made.command(6, SANITIZE)
        assert made.remains(SECRET)["user"][1] == spare
