"""What every template must and must not hold, so that the strict policy (CSP) and the escape hold everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import inventory.console

HOME = Path(inventory.console.__file__).parent
TEMPLATES = sorted((HOME / "templates").rglob("*.html"))
SCRIPTS = sorted((HOME / "static" / "js").glob("*.js"))
SHEETS = sorted((HOME / "static" / "css").glob("*.css"))


def named(file: Path) -> str:
    return file.name


@pytest.mark.parametrize("file", TEMPLATES, ids=named)
def test_no_template_holds_inline_style_or_handlers(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"<[^>]+\sstyle=", text)
    assert not re.search(r"<[^>]+\son[a-z]+=", text)
    assert "javascript:" not in text


@pytest.mark.parametrize("file", TEMPLATES, ids=named)
def test_no_template_switches_the_escape_off(file: Path) -> None:
    text = file.read_text()
    assert "|safe" not in text
    assert "autoescape false" not in text


@pytest.mark.parametrize("file", TEMPLATES, ids=named)
def test_every_script_bears_the_nonce(file: Path) -> None:
    for script in re.findall(r"<script[^>]*>", file.read_text()):
        assert 'nonce="{{ csp_nonce() }}"' in script


@pytest.mark.parametrize("file", [*TEMPLATES, *SCRIPTS, *SHEETS], ids=named)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r'(src|href|action)="(https?:)?//', text)
    assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text)
    assert not re.search(r"(fetch|import)\(\s*['\"]https?:", text)


@pytest.mark.parametrize("file", TEMPLATES, ids=named)
def test_every_posting_form_bears_the_forgery_token(file: Path) -> None:
    text = file.read_text()
    if file.name in {"sign-in.html", "welcome.html", "verify.html", "downstream.html"}:
        return  # nobody needs to be signed in: there is no session to misuse, and the first two check the request's origin
    for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL):
        assert "csrf" in form, form[:120]


@pytest.mark.parametrize("file", SCRIPTS, ids=named)
def test_no_script_evaluates_text_or_writes_markup(file: Path) -> None:
    text = file.read_text()
    for word in ("eval(", "new Function", "innerHTML", "outerHTML", "document.write", "insertAdjacentHTML"):
        assert word not in text, word


def test_the_whole_first_load_stays_below_a_hundred_kilobytes_beside_the_page_itself() -> None:
    first = [
        *(sheet for sheet in SHEETS if sheet.name != "verify.css"),  # of the strangers' page alone
        HOME / "static/js/ui.js",
        HOME / "static/js/live.js",
        HOME / "static/img/icons.svg",
        HOME / "static/img/favicon.svg",
    ]
    assert sum(file.stat().st_size for file in first) < 60_000  # forty are left for the page
