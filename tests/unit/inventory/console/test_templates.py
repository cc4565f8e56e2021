"""What every template must and must not hold, so that the strict policy (CSP) and the escape hold everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import inventory.console
from inventory.console import make_ready
from inventory.console.shrinking import shrunk

from .conftest import Site

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


def test_scripts_are_brought_in_one_way_only() -> None:
    """`module` gives them the nonce and, in another language, what they say in it."""
    assert not [file.name for file in TEMPLATES if re.search(r"asset\('js/", file.read_text())]


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


def first_load() -> list[str]:
    """What every page loads, named in the one template all others extend; live regions load one script more."""
    base = (HOME / "templates/console/base.html").read_text()
    sheets = re.findall(r"'([a-z]+)'", re.findall(r"for sheet in \(([^)]*)\)", base)[0])
    files = [*re.findall(r"(?:asset|module)\('([a-z/.]+)'\)", base), *(f"css/{sheet}.css" for sheet in sheets)]
    return [*files, "img/icons.svg", "js/live.js", "js/words.js"]


def test_what_every_page_loads_beside_itself_leaves_sixty_kilobytes_for_the_page() -> None:
    names = first_load()
    assert {"css/tokens.css", "css/components.css", "js/ui.js", "img/favicon.svg"} <= set(names)
    assert sum(len(shrunk(name)) for name in names) < 40_000
    assert sum((HOME / "static" / name).stat().st_size for name in names) < 100_000, "unpacked, too"


def test_every_template_is_compiled_before_the_first_reader(site: Site) -> None:
    make_ready(site.app)
    ready = {name for _, name in site.app.jinja_env.cache or ()}
    assert {f"console/{file.name}" for file in TEMPLATES} <= ready
