"""What scripts say: in the reader's language, brought by the page, and nothing that the catalogs do not know."""

from __future__ import annotations

import json
import re

import pytest

from inventory.console.language.catalogs import Tongue
from inventory.console.language.scripts import FOLDER, of_script, sentences, words_of

from .conftest import Site

NAMES = sorted(file.name for file in FOLDER.glob("*.js"))
_LITERAL = re.compile(r'(say\(\s*)?"((?:[^"\\\n]|\\.)*)"')
_READ = re.compile(r"^[A-Z][a-z]+\b.*[a-z]{2} [a-z]|^(Live|Final|Copied)$")


def test_a_sentence_is_found_wherever_a_script_says_it() -> None:
    assert sentences('fail(say("One, {name}.", { name })); say(\n  "Two \\"so\\"."); // say(nothing)') == [
        "One, {name}.",
        'Two "so".',
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_script_says_a_sentence_in_english_only(name: str) -> None:
    source = re.sub(r"(?m)(^|\s)//.*$|/\*.*?\*/", "", (FOLDER / name).read_text())
    bare = [text for said, text in _LITERAL.findall(source) if not said and _READ.search(text)]
    assert bare == []


def test_a_script_brings_what_the_scripts_it_uses_say() -> None:
    assert "That file is too large to be a key." in of_script("approve.js")
    assert "Choose your key file first." not in of_script("keys.js")


@pytest.mark.parametrize("tongue", ["pt", "ms"])
@pytest.mark.parametrize("name", NAMES)
def test_every_script_is_translated_in_whole(name: str, tongue: Tongue) -> None:
    assert list(words_of(name, tongue)) == list(of_script(name))
    assert words_of(name, "en") == {}


def test_a_page_brings_its_scripts_words_and_an_english_page_none(site: Site) -> None:
    order = site.story.numbers["requested"]
    page = site.client("ben").get(
        f"/console/orders/{order}/approve", base_url=site.base, headers={"Accept-Language": "pt"}
    )
    brought = re.findall(r'<script type="application/json" nonce="[^"]+" data-words>(.*?)</script>', page.text)
    words = {sentence: said for part in brought for sentence, said in json.loads(part).items()}
    assert words["The sealed bytes have another digest. Do not sign."] == (
        "Os bytes selados têm outro resumo. Não assine."
    )
    assert "data-words" not in site.get("ben", f"/orders/{order}/approve").text
