"""What an organisation may add to its documents, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from reports.brand import ACCENT, DOCUMENTS, PLAIN, Brand, contrast
from reports.errors import UnusableBrand
from reports.language import LANGUAGES

DIGEST = "ab" * 32


def _refused(match: str, **fields: Any) -> None:  # noqa: ANN401 - fields of a brand
    with pytest.raises(UnusableBrand, match=match):
        Brand(**fields)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast(ACCENT, "#f4f6f6") > 4.5


@pytest.mark.parametrize("color", ["#7a1f5c", "#0b3d91", "#000000", "#1f5f2e"])
def test_a_legible_colour_is_taken(color: str) -> None:
    assert Brand(accent=color).accent == color


@pytest.mark.parametrize("color", ["#ffffff", "#ffd700", "#f4f6f6", "#777777"])
def test_a_colour_that_nobody_can_read_is_refused(color: str) -> None:
    _refused("contrast", accent=color)


@pytest.mark.parametrize("color", ["", "red", "#FFF", "#0e5a6", "#0e5a63;", "#0e5a63\n", "url(x)", "#0E5A63"])
def test_what_is_no_colour_is_refused(color: str) -> None:
    _refused("no colour", accent=color)


def test_a_note_is_said_in_its_language_and_document_alone() -> None:
    brand = Brand(closings={("certificate", "pt"): "Linha um\n\n  Linha dois "})
    assert brand.closing("certificate", "pt") == ("Linha um", "Linha dois")
    assert [brand.closing("certificate", one) for one in ("en", "ms")] == [(), ()]
    assert brand.closing("statement", "pt") == ()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("x" * 601, "longer"),
        ("a\n" * 7, "longer"),
        ("All media are certified.", "certified"),
        ("We are GDPR compliant", "compliant"),
        ("Os dados são irrecuperáveis.", "irrecuper"),
        ("Media ini mematuhi piawaian.", "mematuhi"),
        ("turned \u202e round", "not printed"),
        ("hidden \u200b space", "not printed"),
        ("bell \x07", "not printed"),
        ("tab\there", "not printed"),
    ],
)
def test_a_note_that_promises_or_disguises_is_refused(text: str, match: str) -> None:
    _refused(match, closings={("certificate", "en"): text})


def test_a_note_for_no_document_or_language_is_refused() -> None:
    _refused("no such document", closings={("invoice", "en"): "x"})
    _refused("no such language", closings={("certificate", "de"): "x"})


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "ftp://x", "https://a b", 'https://x"y', "x", "https://x/?a=1"]
)
def test_an_address_is_one_of_a_web_page(address: str) -> None:
    _refused("verify_at", verify_at=address)
    _refused("docs_at", docs_at=address)


def test_the_code_leads_to_the_page_or_says_the_digest() -> None:
    assert PLAIN.code(DIGEST) == f"sanitrail:sha256:{DIGEST}"
    assert Brand(verify_at="https://m.example/verify").code(DIGEST) == f"https://m.example/verify?sha256={DIGEST}"


def test_every_kind_of_document_and_language_may_carry_a_note() -> None:
    every: dict[tuple[str, str], str] = {
        (document, language): "Note." for document in DOCUMENTS for language in LANGUAGES
    }
    assert all(Brand(closings=every).closing(*one) for one in every)
