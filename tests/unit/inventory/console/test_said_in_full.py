"""What a page says in full: sizes on one line, media by their names, whole digests on paper, signed words in one's language."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from inventory.console import formatting
from inventory.console.naming import Naming
from inventory.console.views import signed, story
from inventory.models import Destruction, Paper
from inventory.services import destruction_papers, processors
from tests.support.console_pages import addresses, states

from .conftest import Site
from .test_tongues import reader

APART = re.compile(r"\d (?:[kMGTPE]?B(?:/s)?|mm|%|°C)(?!\w)")
KEPT = re.compile(r"<(textarea|script|style|pre|code|svg)\b.*?</\1\s*>|<[^>]*>", re.DOTALL)
CSS = Path(story.__file__).parent.parent / "static" / "css"


def text_of(page: str) -> str:
    return KEPT.sub("\n", page)


def test_no_page_breaks_a_line_between_a_number_and_its_unit(site: Site) -> None:
    found, seen = [], 0
    for name, path in {**addresses(site.story), **states(site.story)}.items():
        answer = site.get(reader(site, name.partition("-")[0]), path)
        if answer.mimetype == "text/html":
            seen += "\u00a0TB" in answer.text
            found += [f"{name}: {one}" for one in APART.findall(text_of(answer.text))]
    assert found == []
    assert seen > 10


def test_a_table_taken_away_keeps_plain_spaces(site: Site) -> None:
    answer = site.get("aud", "/lists/devices.csv")
    assert "\u00a0" not in answer.text
    assert len(list(csv.reader(io.StringIO(answer.text)))) > 3


def test_what_was_typed_comes_back_with_the_spaces_it_had(site: Site) -> None:
    answer = site.post("carla", "/devices/declare", {"asset_tag": "", "vendor": "4 TB", "source": "4 TB"})
    assert answer.text.count('value="4 TB"') == 2


def test_an_exception_names_its_medium_by_the_tag_and_leads_to_it(site: Site) -> None:
    page = site.get("aud", "/exceptions").text
    numbers = re.findall(r'<p class="small muted">(.*?)</p>', page, re.DOTALL)
    told = " ".join(numbers)
    assert re.search(r'<a href="/console/devices/(D-\d{6})" title="\1">(?!\1)[^<]+</a>', told)
    named = [number for number in re.findall(r"\bD-\d{6}\b", KEPT.sub(" ", told)) if site.called(number)]
    assert named == [], told


def test_a_name_in_brackets_behind_its_number_is_not_said_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.console.naming.called", lambda numbers: dict.fromkeys(numbers, "AT-<1>"))
    monkeypatch.setattr("inventory.console.naming._opens", bool)
    text = "Device D-000001 (AT-<1>): seen with L-0001."
    with site.app.test_request_context(base_url=site.base):
        said = Naming([text])(text)
    link = '<a href="/console/devices/D-000001" title="D-000001">AT-&lt;1&gt;</a>'
    assert said == f"Device {link}: seen with AT-&lt;1&gt;."


def test_a_tag_that_looks_like_a_number_is_said_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.console.naming.called", lambda _: {"D-000001": "AT-0666"})
    monkeypatch.setattr("inventory.console.naming._opens", bool)
    text = "Device D-000001 (AT-0666): nobody saw AT-0667."
    with site.app.test_request_context(base_url=site.base):
        said = Naming([text])(text)
    assert said.striptags() == "Device AT-0666: nobody saw AT-0667."


@pytest.mark.parametrize("text", ["/dev/D-000001", "WD-D-000001", "D-1", "XD-000001x"])
def test_what_only_looks_like_a_number_stays(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.console.naming.called", lambda numbers: dict.fromkeys(numbers, "AT-1"))
    assert Naming([text])(text) == text


def test_a_digest_in_a_story_is_short_on_the_screen_and_whole_on_paper(site: Site) -> None:
    whole = "ab" * 32
    assert formatting.ends(f"Digest <{whole}>.") == (
        f'Digest &lt;<span class="ends" title="{whole}">abababab…ababab</span>&gt;.'
    )
    assert formatting.ends(whole + "ab") == whole + "ab"
    paper = (CSS / "print.css").read_text()
    assert ".ends::after { content: attr(title)" in paper.replace(".digest > code[title]::after, ", "")
    page = site.get("aud", "/events").text
    assert re.search(r'<span class="ends" title="[0-9a-f]{64}">[0-9a-f]{8}…[0-9a-f]{6}</span>', page)


def test_no_page_prints_a_digest_in_short_beside_its_heading(site: Site) -> None:
    short = re.compile(r"[0-9a-f]{8}…[0-9a-f]{6}")
    good = re.compile(
        r'(?:<code title="[0-9a-f]{64}">|<span class="ends" title="[0-9a-f]{64}">)[0-9a-f]{8}…[0-9a-f]{6}<'
    )
    heads = re.compile(r"<title>.*?</title>|<h1>.*?</h1>|<nav class=\"crumbs\".*?</nav>", re.DOTALL)
    found = []
    for name, path in {**addresses(site.story), **states(site.story)}.items():
        answer = site.get(reader(site, name.partition("-")[0]), path)
        if answer.mimetype == "text/html":
            found += [f"{name}: {one}" for one in short.findall(good.sub("<", heads.sub("", answer.text)))]
    assert found == []


@pytest.mark.parametrize(
    ("language", "role", "said"),
    [
        ("pt", "witness", "testemunhei que"),
        ("ms", "witness", "saya menyaksikan bahawa"),
        ("pt", "countersigner", "como segunda pessoa confirmo que"),
        ("ms", "countersigner", "sebagai orang kedua saya memperakui bahawa"),
    ],
)
def test_a_signed_sentence_is_told_in_the_readers_language(
    site: Site, language: str, role: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.world.context.reading() as session:
        row = session.get_one(Destruction, site.story.numbers["destruction"])
        shown = destruction_papers._shown(row, role)  # type: ignore[arg-type]  # one of the two
    monkeypatch.setattr("inventory.console.language.speaking.tongue", lambda: language)
    monkeypatch.setattr(signed, "tongue", lambda: language)
    told = signed.in_own_language(shown)
    assert said in told
    assert shown.partition(":")[0] in told
    for english in ("that", "serial number", "was destroyed", "asset tag", " by "):
        assert english not in told


@pytest.mark.parametrize(("language", "said"), [("pt", "declara a"), ("ms", "menyatakan kepada Harbour Insurance plc")])
def test_a_signed_statement_is_told_in_the_readers_language(
    site: Site, language: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.world.context.reading() as session:
        row = session.get_one(Paper, site.story.numbers["unsigned"])
        shown = processors._shown(row)
    monkeypatch.setattr("inventory.console.language.speaking.tongue", lambda: language)
    monkeypatch.setattr(signed, "tongue", lambda: language)
    told = signed.in_own_language(shown)
    assert said in told
    assert "matters" not in told
    assert "nothing is open" not in told


def test_the_history_shows_the_signed_english_beneath(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (
        "DR-00001: I witnessed that Seagate X 1, asset tag AT-1, serial number read as 1, was destroyed (shred) at Lisbon"
        " on 2026-11-20 10:00 UTC by Omar Haddad."
    )
    event = SimpleNamespace(
        tag="paper.signed",
        reason=shown,
        details={"role": "witness"},
        evidence=(),
        actor="p-x",
        at=None,
        subject="DR-00001",
    )
    for language, beneath in (("en", ""), ("pt", shown)):
        monkeypatch.setattr(signed, "tongue", lambda tongue=language: tongue)
        monkeypatch.setattr("inventory.console.language.speaking.tongue", lambda tongue=language: tongue)
        told = story.tell(event, lambda _: None, story.Link, str)  # type: ignore[arg-type]
        assert told.signed == beneath
        assert ("I witnessed" in told.text) == (not beneath)
