"""Pages in the reader's language: who decides it, what stays as people wrote it, what every catalog must hold."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from inventory.console.blueprint import ACCESS
from inventory.console.language import harvest
from inventory.console.language.catalogs import TONGUES, Catalog, Tongue, catalog, path_of, read
from inventory.console.language.marking import HOLE, marked, sentences
from inventory.console.language.speaking import known
from inventory.models import Base
from reports.language import LANGUAGES, Speaker
from tests.support import console_story
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


def test_malay_tells_what_is_confirmed_from_what_is_validated() -> None:
    said = read(path_of("ms")).items()
    validated, confirmed = (
        re.compile(r"\b(?:di|meng|peng)?[Ss]ahkan"),
        re.compile(r"\b(?:di|me|pe)[mp]astikan\b|\b[Pp]astikan"),
    )
    about = {
        word: [one for text, one in said if re.search(rf"\b{word}", text, re.IGNORECASE)]
        for word in ("validat", "confirm")
    }
    assert [one for one in about["validat"] if confirmed.search(one)] == []
    assert [one for one in about["confirm"] if validated.search(one)] == []


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


def test_what_a_part_of_a_page_says_unless_told_otherwise_is_a_sentence() -> None:
    assert sentences("{% macro part(items, label='What happens then') %}{% endmacro %}") == ["What happens then"]


def test_a_part_of_a_sentence_and_what_is_counted_are_found_in_python() -> None:
    source = (
        'note = f"hold data; {releasable} may leave"\nhow = plural(row.witnesses, "witness", "witnesses")\nkind = "x-y"'
    )
    found = ["hold data; {releasable} may leave", "{count} witness", "{count} witnesses"]
    assert sorted(harvest.of_module(source, labels=True)) == sorted(found)


def test_what_records_say_is_said_as_documents_say_it() -> None:
    assert catalog("pt").sentence("ATA Sanitize, block erase") == Speaker("pt").word(
        "technique", "ata-sanitize-block-erase"
    )


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


CODED = {"explorer", "explorer_group", "explorer_operation", "style"}
"""Pages about the programs' interface, which speaks English, and the one that shows the parts of pages."""


READ = "aria-label|aria-description|aria-valuetext|title|placeholder|alt|data-label|data-words|data-say-[a-z-]+"
"""Attributes that people read, or hear, or that a style prints."""


def texts_of(page: str) -> set[str]:
    """What a page says: its text, and the attributes that are read."""
    quiet = r"<(script|style|code|pre|textarea)[^>]*>.*?</\1>|<(?!html)([a-z]+)[^>]* lang=\"en\"[^>]*>.*?</\2>"
    bare = re.sub(quiet, "<>", page, flags=re.DOTALL)
    found = re.findall(r">([^<>]+)<", bare) + re.findall(rf' (?:{READ})="([^"]+)"', bare)
    return {" ".join(html.unescape(text).split()) for text in found}


def reader(site: Site, endpoint: str) -> str:
    """Somebody who may see the page."""
    permission = ACCESS[f"console.{endpoint}"].permission
    if endpoint == "sign_statement":
        return "ann"  # the responsible person alone
    logins = ("ines", "petra", "ben", "vera", "carla", "omar", "aud")
    return "omar" if permission is None else next(one for one in logins if site.world.actor(one).may(permission))


Pages = dict[str, dict[Tongue, set[str]]]


@pytest.fixture(scope="module")
def pages(site: Site) -> Pages:
    """Every page in every language: what it says."""
    found: Pages = {}
    for endpoint, path in addresses(site.story).items():
        client, said = site.client(reader(site, endpoint)), {}
        for tongue in () if endpoint in CODED else TONGUES:
            answer = client.get(f"/console{path}", base_url=site.base, headers={"Accept-Language": tongue})
            if "text/html" not in answer.content_type or answer.status_code in range(300, 400):
                break
            said[tongue] = texts_of(answer.text)
        if len(said) == len(TONGUES):
            found[endpoint] = said
    return found


def left_in_english(pages: Pages, tongue: Tongue) -> dict[str, set[str]]:
    """Page -> texts that the catalog could have said."""
    book, found = read(path_of(tongue)), {}
    for endpoint, said in pages.items():
        english = {text for text in said[tongue] if book.get(text, text) != text} - VALUES - set(harvest.COMPOSED)
        if english:
            found[endpoint] = english
    return found


def test_no_page_says_in_english_what_the_catalog_can_say(pages: Pages) -> None:
    found = left_in_english(pages, "ms")
    assert not any(found.values()), "\n".join(
        f"{page}: {text}" for page, texts in found.items() for text in sorted(texts)
    )


OTHERS_WORDS = (
    "name", "login", "title", "contact", "address", "reason", "note", "description", "machine", "facility", "url", "owner",
    "asset_tag", "label", "vendor", "model", "serial", "resolution",
)  # fmt: skip
"""Columns in which people write; what they wrote is shown as it is."""
ASKED = frozenset({"barleycorn", "Recycler"})
"""The word of an audit pack, and what an address asks for."""
_DATA = (
    r"sp-800-88:\d|\d{3} · [a-z-]+",  # the policy, the status and code of a refusal
    r"\b[A-Z]{1,2}-[\d-]+: (?:CLEAR by|Delete once).*",  # what is signed
    r"https?:\S+|\S+/\S+|/\S+",  # addresses, paths, types of media, versions of programs
    r"\b[A-Z]{1,4}(?:-[A-Z0-9]+)+\b|\bp-[a-z0-9]{10}\b",  # numbers and pseudonyms
    r"\b[0-9a-f]{4}\b|\b[0-9a-f]{8,}\S*|[A-Za-z0-9+/]{40,}=?",  # digests
    r"\b[A-Z0-9]{2,}\d[\w.-]*|\b\d\S*-amd64\b",  # models, serials, kernels
    r"\b\d{1,2} [A-Z][a-z]+ \d{4}",  # days whose month is spelt alike
    r"\b[a-z_-]+(?:\.(?:[a-z-]+|\*))+|\b[a-z]+(?:-[a-z]+)+\b",  # tags, names of hosts and codes, as programs write them
    r"\b\d{1,2} min\b",  # a time that is left, whose sign all three share
    r"[\d ,.]+ (?:T|G|M|k)?B\b|\b(?:sd[a-z]|s?ata|dm-\d|bay \d+)\b",  # sizes, places of disks, ways to reach them
)
DATA = re.compile("|".join(_DATA))
"""What identifies, measures or is signed reads the same in every language."""
ALIKE: dict[Tongue, tuple[str, ...]] = {
    "ms": (
        "Sanitrail", "Bahasa Melayu", "Português", "Data", "Menu", "Pin", "Cache", "Flash", "Kernel", "Log", "Lot", "Media",
        "Model", "Vendor", "Webhook", "Label", "JSON Lines", "Intern", "Overwrite", "Token",
    ),
    "pt": (
        "Sanitrail", "Bahasa Melayu", "Português", "Menu", "Cache", "Flash", "Kernel", "Webhook", "Webhooks", "Auditor",
        "Envelope", "Firmware", "Legal", "Residual", "Software", "Token", "Tokens", "Virtual", "Volume", "Zeros", "Bytes",
        "JSON Lines", "Intern", "Overwrite",
    ),
}  # fmt: skip
"""Words that both languages write alike, names of languages and products, and a technique's code."""


def written(site: Site) -> re.Pattern[str]:
    """What people and machines of the story say, whichever test let them."""
    found = set(ASKED)
    for path in Path(console_story.__file__).parent.glob("console_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"[A-Z0-9] ?.", node.value):
                found.add(node.value.strip())
    with site.world.context.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in (table.c[name] for name in OTHERS_WORDS if name in table.c):
                asked = sa.select(column).distinct()
                if "actor" in table.c:
                    asked = asked.where(table.c.actor.like("p-%"))
                found |= {str(value).strip().rstrip(".") for value in session.scalars(asked) if isinstance(value, str)}
    wholly = sorted((one for one in found if re.search(r"[^\W\d_]{2}", one)), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, wholly)) + r")(?!\w)")


def test_no_page_says_the_same_in_two_languages_unless_it_is_data(site: Site, pages: Pages) -> None:
    theirs, found = written(site), []
    alike = {tongue: re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE) for tongue, words in ALIKE.items()}
    for endpoint, said in pages.items():
        for tongue in SPOKEN:
            for text in (one for one in said["en"] & said[tongue] if "<" not in one):  # nothing of ours shows one
                rest = alike[tongue].sub(" ", DATA.sub(" ", theirs.sub(" ", text)))
                if re.search(r"[a-z]{2}", rest):
                    found.append(f"{endpoint} in {tongue}: {text}")
    assert not found, "\n".join(sorted(found))


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
