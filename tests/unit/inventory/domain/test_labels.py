"""Labels lie on the paper where the sheet has them; a code that was read is understood, whoever printed it."""

from __future__ import annotations

import base64
import itertools
import re

import pytest

from inventory.domain.labels import SHEETS, Label, Sheet, address_of, code_read, codes_read
from inventory.labelling import page

BASE = "https://sanitrail.example.org"
LABEL = Label(number="D-000007", title="AT-7 <b>", text="MG04ACA200E")


@pytest.mark.parametrize("sheet", SHEETS.values(), ids=SHEETS)
def test_every_label_lies_on_the_paper_and_beside_the_others(sheet: Sheet) -> None:
    places = [sheet.place(index) for index in range(sheet.labels)]
    assert all(0 <= left <= 2100 - sheet.width and 0 <= top <= 2970 - sheet.height for left, top in places)
    assert len(set(places)) == sheet.labels
    lefts, tops = sorted({left for left, _ in places}), sorted({top for _, top in places})
    assert all(there - here >= sheet.width for here, there in itertools.pairwise(lefts))
    assert all(there - here >= sheet.height for here, there in itertools.pairwise(tops))


def test_labels_begin_where_the_sheet_is_not_used_yet_and_go_on_over_the_page() -> None:
    sheet = SHEETS["105x74"]
    html = page([LABEL] * 3, sheet, BASE, skip=6)
    assert [part.count('class="label"') for part in html.split('<div class="page">')[1:]] == [2, 1]
    assert f"left:{sheet.place(6)[0] / 10:.1f}mm;top:{sheet.place(6)[1] / 10:.1f}mm" in html


def test_what_people_wrote_stays_text_on_a_label() -> None:
    html = page([LABEL], SHEETS["70x37"], BASE)
    assert "AT-7 &lt;b&gt;" in html
    assert "<b>" not in html


def test_each_label_has_its_own_code() -> None:
    other = Label(number="D-000008", title="", text="")
    found = re.findall(r"base64,([A-Za-z0-9+/=]+)", page([LABEL, other], SHEETS["70x37"], BASE))
    assert len({base64.b64decode(one) for one in found}) == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (address_of(BASE, "D-000007"), "D-000007"),
        (address_of("http://127.0.0.1:8443", "LT-00001"), "LT-00001"),
        ("  AT  4711 ", "AT 4711"),
        ("D-000007", "D-000007"),
        ("https://elsewhere.example/console/scan?code=../../x", "https://elsewhere.example/console/scan?code=../../x"),
        ("https://elsewhere.example/?code=D-000007", "https://elsewhere.example/?code=D-000007"),
    ],
)
def test_a_label_is_read_as_its_number_and_anything_else_as_it_stands(text: str, code: str) -> None:
    assert code_read(text) == code


def test_codes_come_one_a_line_or_apart_by_commas_and_stay_in_order() -> None:
    text = f"AT-2\n{address_of(BASE, 'D-000001')}\r\n\n AT-1, AT 3;AT-2"
    assert codes_read(text) == ("AT-2", "D-000001", "AT-1", "AT 3", "AT-2")
