"""Lists of withdrawals: everything in them is read exactly, or said to be wrong where it is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.intake import MOST_ROWS, UnreadableList, read_list

HEADING = "reference,data_sets,withdrawn,customer_since,due\n"


def test_a_row_is_read_exactly() -> None:
    (row,) = read_list((HEADING + 'C-1,"CRM production; Mail",2026-11-01,2024-02-03,2026-12-01\n').encode())
    assert (row.row, row.reference, row.data_sets, row.problems) == (1, "C-1", ("CRM production", "Mail"), ())
    assert row.withdrawn == datetime(2026, 11, 1, tzinfo=UTC)
    assert row.customer_since == datetime(2024, 2, 3, tzinfo=UTC)
    assert row.due == datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)


def test_columns_may_stand_in_any_order_with_tabs_and_a_byte_order_mark() -> None:
    content = b"\xef\xbb\xbfWithdrawn\tReference\tdata_sets\r\n2026-11-01T10:00:00+01:00\tC-1\tCRM\r\n\r\n"
    (row,) = read_list(content)
    assert row.withdrawn == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert (row.customer_since, row.due) == (None, None)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("C-1,,2026-11-01,,", "data_sets"),
        ("C-1, ; ,2026-11-01,,", "data_sets"),
        ("C-1,CRM,,,", "withdrawn"),
        ("C-1,CRM,01.11.2026,,", "withdrawn"),
        ("C-1,CRM,2026-11-31,,", "withdrawn"),
        ("C-1,CRM,2026-11-01T10:00:00,,", "withdrawn"),
        ("C-1,CRM,2026-11-01,yesterday,", "customer_since"),
        ("C-1,CRM,2026-11-01,,soon", "due"),
        ("C-1,CRM,2026-11-01", ""),
        ("C-1,CRM,2026-11-01,,,,", ""),
    ],
)
def test_a_bad_cell_is_named_and_the_others_are_read(line: str, field: str) -> None:
    bad, good = read_list((HEADING + line + "\nC-2,CRM,2026-11-01,,\n").encode())
    assert [problem.field for problem in bad.problems] == [field]
    assert (good.row, good.problems) == (2, ())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        HEADING.encode(),
        b"reference,withdrawn\nC-1,2026-11-01\n",
        b"reference,data_sets,withdrawn,name\nC-1,CRM,2026-11-01,Jane\n",
        b"reference,reference,data_sets,withdrawn\nC-1,C-1,CRM,2026-11-01\n",
        b"\xff\xfe\x00",
        HEADING.encode() + b'"C-1,CRM,2026-11-01,,\n',
        HEADING.encode() + b"C\x00-1,CRM,2026-11-01,,\n",
        HEADING.encode() + b"C-1,CRM,2026-11-01,,\n" * (MOST_ROWS + 1),
    ],
    ids=[
        "empty",
        "no row",
        "a column missing",
        "a column nobody asked for",
        "twice",
        "not UTF-8",
        "a quote",
        "zero",
        "long",
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        read_list(content)


@given(st.binary(max_size=200), st.text(max_size=200))
def test_no_list_is_a_failure_of_ours(raw: bytes, text: str) -> None:
    for content in (raw, HEADING.encode() + raw, (HEADING + text).encode("utf-8", "replace")):
        try:
            rows = read_list(content)
        except UnreadableList:
            continue
        assert all(row.problems or (row.withdrawn and row.data_sets) for row in rows)
