"""Pages in the reader's language: who decides it, what stays as people wrote it, what every catalog must hold."""

from __future__ import annotations

import html
import re

import pytest

from inventory.console.language import harvest
from inventory.console.language.catalogs import TONGUES, Catalog, Tongue, catalog, path_of, read
from inventory.console.language.marking import HOLE, marked, sentences
from inventory.console.language.speaking import known
from reports.language import LANGUAGES
from tests.support.console_pages import addresses
from tests.unit.inventory.console.conftest import Site

SPOKEN: tuple[Tongue, ...] = ("pt", "ms")


def test_the_console_speaks_the_languages_of_documents() -> None:
    assert set(TONGUES) == set(LANGUAGES)


@pytest.mark.parametrize("tongue", SPOKEN)
def test_every_sentence_of_the_console_has_a_translation(tongue: Tongue) -> None:
    missing = [sentence for sentence in harvest.said() if sentence not in catalog(tongue)]
    assert missing == []


@pytest.mark.parametrize("tongue", SPOKEN)
def test_every_translation_has_the_values_of_its_sentence(tongue: Tongue) -> None:
    wrong = [one for one, said in read(path_of(tongue)).items() if harvest.holes(one) != harvest.holes(said)]
    assert not wrong


@pytest.mark.parametrize("tongue", SPOKEN)
def test_no_translation_promises_what_no_record_can_show(tongue: Tongue) -> None:
    forbidden = (
        "compliant",
        "certified",
        "unrecoverable",
        "irrecuper",
        "em conformidade com",
        "pematuhan",
        "tidak boleh dipulihkan",
    )
    assert not [said for said in read(path_of(tongue)).values() if any(word in said.lower() for word in forbidden)]


@pytest.mark.parametrize(
    ("word", "expected"), [("pt-BR", "pt"), ("ms_MY", "ms"), ("EN-us", "en"), ("de", None), ("", None), (None, None)]
)
def test_a_tag_is_known_by_its_language_alone(word: str | None, expected: Tongue | None) -> None:
    assert known(word) == expected


def test_a_sentence_around_a_value_and_a_link_stays_one_sentence() -> None:
    source = '<p>Order <a href="{{ url }}">{{ escrow.order }}</a> gave it a password; read <a href="/x">how</a>.</p>'
    assert sentences(source) == ["Order {order} gave it a password; read <1>how</1>."]


def test_what_an_attribute_reads_aloud_is_marked_and_what_it_computes_is_not() -> None:
    source = (
        '<a class="{{ \'mono small\' if x }}" aria-label="Remove {{ one.label }}" href="/a b">{{ icon("x") }}End</a>'
    )
    assert sentences(source) == ["Remove {label}", "End"]


def test_a_literal_that_is_compared_stays_as_it_is() -> None:
    assert sentences("{{ 'Yes, so' if name in ('Serial number', 'World wide name') else 'No, not' }}") == [
        "Yes, so",
        "No, not",
    ]
    assert marked("{% if a == 'In use' %}x{% endif %}") == "{% if a == 'In use' %}x{% endif %}"


def test_code_shown_to_a_reader_is_not_a_sentence() -> None:
    assert (
        sentences("<pre>sanitrail verify the file</pre><code>some words here</code><script>let it = 'be so';</script>")
        == []
    )


BOOK = Catalog(
    {
        "{subject} is {state}; {event} is not possible from there.": "{subject} está {state}; {event} não é possível.",
        "in service": "em serviço",
        "There is no {kind} {reference}.": "Não existe {kind} {reference}.",
        "Try again.": "Tente de novo.",
        "Device {id}": "Dispositivo {id}",
        "{subject} is under a hold and stays where it is.": "{subject} está sob retenção e fica onde está.",
        "Order {id} is {state}; nothing can be done.": "A ordem {id} está {state}; nada se pode fazer.",
        "Cancelled": "Cancelada",
        "The certificate of {id}": "O certificado de {id}",
    }
)


def test_a_sentence_of_a_service_is_recognised_by_the_words_around_its_values() -> None:
    assert (
        BOOK.sentence("D-1 is in service; release is not possible from there.")
        == "D-1 está em serviço; release não é possível."
    )


def test_whatever_says_most_by_itself_is_recognised_first_wherever_its_values_stand() -> None:
    assert BOOK.sentence("The certificate of D-1 is under a hold and stays where it is.") == (
        "The certificate of D-1 está sob retenção e fica onde está."
    )


def test_a_short_label_never_takes_a_whole_sentence_for_its_value() -> None:
    assert BOOK.sentence("Device D-1 is under a hold and stays where it is.") == (
        "Device D-1 está sob retenção e fica onde está."
    )
    assert BOOK.sentence("Device D-1 is one that nobody knows.") == "Device D-1 is one that nobody knows."
    assert BOOK.sentence("Device D-1") == "Dispositivo D-1"


def test_a_word_of_the_catalog_is_said_in_the_middle_of_a_sentence_too() -> None:
    assert (
        BOOK.sentence("Order O-1 is cancelled; nothing can be done.")
        == "A ordem O-1 está cancelada; nada se pode fazer."
    )
    assert BOOK.sentence("Order O-1 is Rack 7; nothing can be done.") == "A ordem O-1 está Rack 7; nada se pode fazer."


def test_sentences_that_stand_together_are_recognised_one_by_one() -> None:
    assert BOOK.sentence("There is no lot 'a'. Try again.") == "Não existe lot 'a'. Tente de novo."


def test_what_nothing_recognises_stays_as_it_was_written() -> None:
    assert BOOK.sentence("Loading dock is full.") == "Loading dock is full."


def in_language(site: Site, tongue: str, path: str) -> str:
    answer = site.client("aud").get(f"/console{path}", base_url=site.base, headers={"Accept-Language": tongue})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(("tongue", "title"), [("pt-PT", "Dispositivos"), ("ms", "Peranti"), ("de, en", "Devices")])
def test_a_browser_s_wish_is_followed_where_nobody_chose(site: Site, tongue: str, title: str) -> None:
    page = in_language(site, tongue, "/devices")
    assert f"<h1>{title}</h1>" in page
    assert f'<html lang="{known(tongue.split(",", maxsplit=1)[0]) or "en"}"' in page


def test_no_page_lets_a_mark_through(site: Site) -> None:
    for path in ("/", "/devices", "/lots", "/policy", "/account", "/log"):
        assert HOLE not in in_language(site, "pt", path)


VALUES = {"Wipe room", "Clear", "Validated", "No", "none", "The default: the decision flow of SP 800-88."}
"""What this company wrote, or an agent told, that reads like a word of ours; a policy's reason stands as it was signed."""


def left_in_english(site: Site, login: str, tongue: Tongue) -> dict[str, set[str]]:
    """Page -> texts that the catalog could have said."""
    book, found = read(path_of(tongue)), {}
    for endpoint, path in addresses(site.story).items():
        answer = site.client(login).get(f"/console{path}", base_url=site.base, headers={"Accept-Language": tongue})
        if answer.status_code != 200 or "text/html" not in answer.content_type:
            continue
        texts = {
            html.unescape(text).strip()
            for text in re.findall(
                r">([^<>]+)<",
                re.sub(
                    r"<(script|code|pre)[^>]*>.*?</\1>|<([a-z]+)[^>]* lang=\"en\"[^>]*>.*?</\2>",
                    "",
                    answer.text,
                    flags=re.DOTALL,
                ),
            )
        }
        english = {text for text in texts if book.get(text, text) != text}
        english -= VALUES | set(harvest.COMPOSED)
        if english and endpoint != "style":
            found[endpoint] = english
    return found


def test_no_page_says_in_english_what_the_catalog_can_say(site: Site) -> None:
    found = left_in_english(site, "aud", "ms")
    assert not any(found.values()), "\n".join(
        f"{page}: {text}" for page, texts in found.items() for text in sorted(texts)
    )


def test_ones_own_choice_counts_more_than_the_browser_and_can_be_taken_back(site: Site) -> None:
    site.post("aud", "/language", {"language": "ms", "back": "/console/devices"})
    assert "<h1>Peranti</h1>" in in_language(site, "pt", "/devices")
    site.post("aud", "/language", {"language": "", "back": "/console/devices"})
    assert "<h1>Dispositivos</h1>" in in_language(site, "pt", "/devices")


def test_a_choice_leads_back_to_a_page_of_ours_only(site: Site) -> None:
    answer = site.post("aud", "/language", {"language": "", "back": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/console/"


def test_times_are_written_as_the_language_does_and_stay_utc(site: Site) -> None:
    for path in ("/events", "/account", "/hosts"):
        if re.search(r'title="[^"]+, \d+ de [a-zç]+ de \d{4},? \d\d:\d\d:\d\d UTC"', in_language(site, "pt", path)):
            return
    pytest.fail("no page shows a moment in Portuguese")
