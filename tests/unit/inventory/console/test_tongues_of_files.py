"""What the public page says of a file it checked, of every kind, holding and broken, in the reader's language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest
from flask import g

from inventory.console.language.catalogs import Tongue, catalog
from inventory.console.pages.verify import _facts, _without_word
from reports.verify_steps import Verification
from tests.unit.reports.test_frozen import DOCUMENTS, _pin, _verify

from .conftest import Site
from .test_tongues import ALIKE, DATA

SPOKEN: Final[tuple[Tongue, ...]] = ("pt", "ms")
NEWEST: Final = [path for path in DOCUMENTS if path.parent.name != "2026-11" and path.suffix in {".json", ".zip"}]
WORDS_OF_PEOPLE: Final = re.compile(
    r"The controller's rows were deleted\.|The customer's rows were deleted from the live CRM database\."
    r"|I stood beside the machine\."
    r"|Seen on the photographs\.|Nobody has seen it since the move\.|Example \w+|Other Time|Pallet 17|Mei Ling Tan|Vera Krause"
    r"|Nurul Aisyah binti Rahman|\b[A-Z]\w+ Østergaard|João Figueiredo|Disintegrator|Secure yard|records\.\S+|witness\.\S+"
    r"|CRM \w+|witness, countersigner|sanitrail/\S+"
)
"""What people wrote into the documents, names, and the codes of roles."""


@cache
def verified(path: Path, pin: str) -> Verification:
    """Once for both languages."""
    return _verify(path, pin)


def said_of(found: Verification) -> set[str]:
    """Every sentence and label of a verification; values of facts are data."""
    texts = {found.conclusion, *found.proven, *found.not_proven, *(fact.label for fact in found.facts)}
    return {text for check in found.checks for text in (check.title, check.detail)} | texts - {""}


def left_in_english(found: Verification, tongue: Tongue) -> list[str]:
    """Sentences that read the same in the other language, names apart."""
    book, alike = catalog(tongue), re.compile(rf"\b(?:{'|'.join(ALIKE[tongue])}|bytes)\b", re.IGNORECASE)
    same = [text for text in said_of(found) if book.days(book.sentence(text)) == text]
    return [text for text in same if re.search(r"[a-z]{2}", alike.sub("", DATA.sub("", WORDS_OF_PEOPLE.sub("", text))))]


@pytest.mark.parametrize("tongue", SPOKEN)
@pytest.mark.parametrize("path", NEWEST, ids=lambda path: path.name)
def test_what_is_said_of_a_file_that_holds_or_does_not(path: Path, tongue: Tongue) -> None:

    for found in (verified(path, _pin(path)), verified(path, "0" * 64)):
        assert left_in_english(found, tongue) == []


def test_where_evidence_broke_is_said_with_its_place() -> None:
    text = (
        "The chain of evidence is broken. At medium 3 (SER-1): The chain of evidence is broken. "
        "At roster: it is younger than the document."
    )
    assert catalog("pt").sentence(text) == (
        "A cadeia de prova está quebrada. Em suporte 3 (SER-1): A cadeia de prova está quebrada. "
        "Em lista de aprovadores: é posterior ao documento."
    )


def test_days_of_evidence_are_written_as_the_language_does() -> None:
    assert catalog("pt").days("Example Time: 22 November 2026, 20:00:00 UTC.") == (
        "Example Time: 22 de novembro de 2026, 20:00:00 UTC."
    )


def test_how_many_keys_must_sign_is_said_behind_the_version() -> None:
    said = catalog("ms").sentence("version 2, 1 of 1 root key must sign")
    assert said == "versi 2, 1 daripada 1 kunci akar mesti menandatangani"


def test_what_somebody_wrote_into_a_document_is_never_taken_for_ours(site: Site) -> None:
    facts = {"Reference": "Order 4711/2026", "Lot": "Complete", "Asset tag": "none", "Open": "3"}
    checked = SimpleNamespace(verification={"facts": facts})
    with site.app.test_request_context("/verify"):
        g.console_tongue = "ms"
        assert _facts(checked) == [  # type: ignore[arg-type]  # only its facts are asked for
            ("Rujukan", "Order 4711/2026"), ("Lot", "Complete"), ("Nombor harta", "tiada"), ("Terbuka", "3")
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "rest"), [("NOT COMPLETE: this", "this"), ("SIM: tudo", "tudo"), ("Nothing: all", "Nothing: all")]
)
def test_the_word_that_the_page_says_larger_is_not_said_twice(sentence: str, rest: str) -> None:
    assert _without_word(sentence) == rest
