"""Rows from elsewhere: read by a mapping, judged against what is known, never overwriting anything."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.import_fields import Field, Problem
from inventory.domain.import_mapping import (
    FORMAT,
    Reader,
    Row,
    bytes_of,
    cleaned,
    guessed,
    mapping_from_text,
    mapping_of,
)
from inventory.domain.import_outcomes import Outcome
from inventory.domain.import_subjects import Said
from inventory.domain.importing import Known, decide
from inventory.errors import Invalid

HEADER = ["Asset Tag", "Serial", "Model", "Capacity", "Type", "Place", "Status"]
MAPPING = {
    "format": FORMAT,
    "name": "test",
    "columns": {
        "asset_tag": "asset tag", "serial": ["S/N", "Serial"], "model": "Model", "capacity": "Capacity", "media": "Type",
        "location": "Place",
    },
    "words": {"media": {"Solid State": "flash"}, "location": {"DC 1": "L-0001"}},
    "skip": {"Status": ["Archived"]},
    "fixed": {"source": "elsewhere"},
}  # fmt: skip


def read(*cells: str) -> Row | Said | tuple[Problem, ...] | None:
    return Reader(mapping_of(MAPPING), HEADER).read(cells)


def test_a_row_is_read_through_titles_words_and_what_is_fixed() -> None:
    assert read(" T-1 ", "S1", "EX-1", "960 GB", "solid  state", "dc 1", "In use") == Row(
        asset_tag="T-1", serial="S1", model="EX-1", capacity_bytes=960 * 10**9, media="flash", location="L-0001",
        source="elsewhere",
    )  # fmt: skip


def test_rows_that_are_not_wanted_are_left_out() -> None:
    assert read("T-1", "S1", "EX-1", "", "", "", "archived") is None


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (("", "S1", "", "", "", "", ""), "no-identity"),
        (("T" * 65, "", "", "", "", "", ""), "too-long"),
        (("T\x07", "", "", "", "", "", ""), "unprintable"),
        (("T-1", "", "", "a lot", "", "", ""), "capacity-unreadable"),
        (("T-1", "", "", "", "floppy", "", ""), "media-unknown"),
        ((), "no-identity"),
    ],
)
def test_a_row_that_says_nothing_usable_is_refused_with_its_reason(cells: tuple[str, ...], code: str) -> None:
    said = read(*cells)
    assert isinstance(said, tuple)
    assert [one.code for one in said] == [code]


def test_every_reason_is_told_at_once() -> None:
    said = read("T\x07", "", "", "a lot", "floppy", "", "")
    assert isinstance(said, tuple)
    assert {one.code for one in said} == {"unprintable", "capacity-unreadable", "media-unknown"}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("960 GB", 960 * 10**9), ("3.84TB", 3_840 * 10**9), ("1,92 TB", 1_920 * 10**9), ("465.76 GiB", 500_105_991_946),
        ("500107862016", 500_107_862_016), ("500,107,862,016", 500_107_862_016), ("1.000.204 MB", 1_000_204 * 10**6),
        ("0.500 TB", 500 * 10**9),
    ],
)  # fmt: skip
def test_capacities_are_read_as_people_and_programs_write_them(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize(
    "text", ["960", "1,000 GB", "1.920 TB", "-1 GB", "1 furlong", "0", "", "9" * 40, "1e9", "1.2.3,4 GB"]
)
def test_a_capacity_that_can_mean_two_things_means_none(text: str) -> None:
    assert bytes_of(text) is None


def test_a_unit_that_is_fixed_makes_a_bare_number_readable() -> None:
    assert bytes_of("960", "gb") == 960 * 10**9


def test_an_apostrophe_of_our_own_exports_is_taken_off_again() -> None:
    assert cleaned("'=SUM(A1)") == "=SUM(A1)"
    assert cleaned("'quoted'") == "'quoted'"


def test_a_proposal_uses_each_column_once() -> None:
    found = guessed(["Serial", "serial number", "Asset tag", "Manufacturer", "Notes"])
    used = [title for titles in found.columns.values() for title in titles]
    assert len(used) == len(set(used))
    assert found.columns[Field.ASSET_TAG] == ("Asset tag",)


@pytest.mark.parametrize(
    "document",
    [
        {}, [], "x", {**MAPPING, "format": "other/1"}, {**MAPPING, "colums": {}}, {**MAPPING, "unit": "stone"},
        {**MAPPING, "unit": []}, {**MAPPING, "columns": {"colour": "x"}}, {**MAPPING, "columns": {"serial": "S"}},
        {**MAPPING, "columns": {"asset_tag": []}}, {**MAPPING, "columns": {"asset_tag": 7}}, {**MAPPING, "words": {"media": 1}},
        {**MAPPING, "only": {"Status": [None]}}, {**MAPPING, "fixed": {"source": "a\nb"}}, {**MAPPING, "columns": []},
    ],
)  # fmt: skip
def test_a_mapping_that_means_nothing_is_refused(document: object) -> None:
    with pytest.raises(Invalid):
        mapping_of(document)


def test_a_mapping_survives_being_kept() -> None:
    found = mapping_of(MAPPING)
    assert mapping_of(found.to_document()) == found
    with pytest.raises(Invalid):
        mapping_from_text("not = [toml")


def test_a_file_without_the_columns_that_name_a_device_is_refused_as_a_whole() -> None:
    with pytest.raises(Invalid, match="no column"):
        Reader(mapping_of(MAPPING), ["Model", "Status"])
    with pytest.raises(Invalid, match="Status"):
        Reader(mapping_of(MAPPING), ["Asset Tag"])


def known(**facts: object) -> Known:
    sound: dict[str, object] = {
        "device": "D-000001", "asset_tag": "T-1", "declared": True, "gone": False, "serials": ("S1",), "models": ("EX-1",),
        "vendors": ("Acme",), "capacities": (960_197_124_096,), "media": ("flash",),
    }  # fmt: skip
    return Known(**{**sound, **facts})  # type: ignore[arg-type]  # facts of one device


ROW = Row(asset_tag="T-1", serial="S1", vendor="ACME", model="ex-1", capacity_bytes=960 * 10**9, media="flash")


def test_what_nobody_knew_is_new_and_what_agrees_is_the_same() -> None:
    assert decide(ROW, None, ()).outcome is Outcome.NEW
    assert decide(ROW, known(), ()).outcome is Outcome.SAME
    assert decide(dataclasses.replace(ROW, asset_tag=None), None, (known(),)).outcome is Outcome.SAME


def test_what_an_agent_saw_and_nobody_declared_is_declared_now() -> None:
    verdict = decide(ROW, None, (known(declared=False, asset_tag=None),))
    assert (verdict.outcome, verdict.device) == (Outcome.ADOPT, "D-000001")


@pytest.mark.parametrize(
    ("by_tag", "by_serial", "code"),
    [
        (known(serials=("S2",)), (), "differs"),
        (known(models=()), (), "differs"),
        (known(capacities=(500_107_862_016,)), (), "differs"),
        (None, (known(asset_tag="T-9"),), "other-asset-tag"),
        (None, (known(asset_tag=None),), "other-asset-tag"),
        (None, (known(), known(device="D-000002")), "ambiguous"),
        (None, (known(declared=False, gone=True),), "gone"),
    ],
)
def test_a_row_never_overwrites(by_tag: Known | None, by_serial: tuple[Known, ...], code: str) -> None:
    verdict = decide(ROW, by_tag, by_serial)
    assert verdict.outcome is Outcome.REFUSED
    assert {one.code for one in verdict.problems} == {code}


def test_the_same_serial_number_of_another_model_is_another_device() -> None:
    assert decide(ROW, None, (known(models=("EX-2",), asset_tag="T-9"),)).outcome is Outcome.NEW


@given(st.lists(st.text(), max_size=9))
def test_no_row_of_any_text_breaks_the_reader(cells: list[str]) -> None:
    said = read(*cells)
    if isinstance(said, Row):
        assert said.asset_tag or said.identity
        assert all(str(value).isprintable() for value in vars(said).values())
