"""The pages of an audit pack on paper and on a telephone: no word runs over its cell, and a missing part is a gap."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser

from inventory.services.packs import clauses, pages
from tests.support.capabilities import requires_browser

pytestmark = [pytest.mark.browser, requires_browser]

OVER = """() => [...document.querySelectorAll("th, td, h2")].filter(
  (cell) => cell.offsetParent && cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent.trim())"""


def drawn() -> str:
    """Clause by clause, of a pack that holds one of everything but unsuccessful runs."""
    counts = {part: int(part != "unsuccessful") for part in clauses.PARTS}
    mapped = clauses.hold_against(counts)
    view = SimpleNamespace(
        row=SimpleNamespace(number="AP-2026-000001", words="Everything"),
        listing=SimpleNamespace(
            accounts=SimpleNamespace(total=lambda: 1),
            tables={
                name: SimpleNamespace(first=lambda _most: (), count=0, table=name) for name in ("exceptions", "devices")
            },
        ),
        checkpoint=SimpleNamespace(root=b""),
        mapped=mapped,
    )
    return b"".join(pages.render("clauses.html", view)).decode()  # type: ignore[arg-type]  # what the page reads of it


@pytest.mark.parametrize(("media", "width"), [("print", 688), ("screen", 390), ("screen", 1440)])
def test_no_word_of_a_clause_runs_over_its_cell(browser: Browser, media: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(media=media)  # type: ignore[arg-type]  # one of the two
    page.set_content(drawn())
    assert page.locator("tr").count() > 30
    assert page.evaluate(OVER) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_clause_whose_evidence_is_missing_never_says_that_no_gap_is_known() -> None:
    row = drawn().partition('<th scope="row">4.5.1</th>')[2].partition("</tr>")[0]
    assert "reports of unsuccessful runs" in row
    assert "Only what is missing here." in row
    assert "None known." not in row
