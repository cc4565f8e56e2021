"""Charts: every part is seen, the whole is the whole, and the picture says what its numbers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.console.views.charts import GAP, HEIGHT, LEAST, WIDTH, Share, bar, columns

COUNTS = st.lists(st.integers(0, 10**7), max_size=11)


def shares(counts: list[int]) -> list[Share]:
    return [Share(str(position), count, "ok") for position, count in enumerate(counts)]


@given(COUNTS)
def test_the_parts_fill_the_whole_width_and_the_smallest_is_seen(counts: list[int]) -> None:
    drawn = bar(shares(counts))
    assert drawn.total == sum(counts)
    assert [piece.share.count for piece in drawn.pieces] == [count for count in counts if count]
    assert all(piece.width >= LEAST for piece in drawn.pieces)
    if drawn.pieces:
        last = drawn.pieces[-1]
        assert last.x + last.width == pytest.approx(WIDTH, abs=0.1)
    for one, following in zip(drawn.pieces, drawn.pieces[1:], strict=False):
        assert following.x == pytest.approx(one.x + one.width + GAP, abs=0.1)


@given(COUNTS)
def test_a_larger_part_is_never_drawn_smaller(counts: list[int]) -> None:
    pieces = sorted(bar(shares(counts)).pieces, key=lambda piece: piece.share.count)
    widths = [piece.width for piece in pieces]
    assert widths == sorted(widths)


@given(COUNTS)
def test_columns_stand_on_the_line_and_only_zero_has_no_height(counts: list[int]) -> None:
    drawn = columns(shares(counts))
    assert len(drawn.columns) == len(counts)
    for column in drawn.columns:
        assert column.y + column.height == pytest.approx(HEIGHT, abs=0.1)
        assert (column.height > 0) == (column.share.count > 0)
    heights = [column.height for column in sorted(drawn.columns, key=lambda one: one.share.count)]
    assert heights == sorted(heights)
