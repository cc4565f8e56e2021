"""Catalogs: the same keys and placeholders in every language, nothing empty, nothing promised, nothing unused."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from reports.errors import UnknownLanguage
from reports.language import ENGLISH, LANGUAGES, said, speaker

REPORTS = Path(__file__).resolve().parents[3] / "reports"
CATALOGS = REPORTS / "language"
DOCUMENTS = sorted(path.stem for path in (CATALOGS / "en").glob("*.toml"))
FORBIDDEN = re.compile(
    r"complian|certified|unrecoverable"
    r"|conformidade|em conformidade|conforme com|certificad[oa]s?\b(?! de| do| da| não| n\.)|irrecuper|não recuperáve"
    r"|mematuhi|pematuhan|patuh\b|diperakui|bertauliah|tidak (?:boleh|dapat) dipulihkan",
    re.IGNORECASE,
)


def _catalog(language: str, document: str) -> dict[str, str]:
    return tomllib.loads((CATALOGS / language / f"{document}.toml").read_text(encoding="utf-8"))


def _placeholders(text: str) -> list[tuple[str, str, str]]:
    return sorted(
        (name, spec or "", conversion or "")
        for _, name, spec, conversion in string.Formatter().parse(text)
        if name is not None
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_documents(language: str) -> None:
    assert sorted(path.stem for path in (CATALOGS / language).glob("*.toml")) == DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_sentences_with_the_same_placeholders(language: str, document: str) -> None:
    english, other = _catalog("en", document), _catalog(language, document)
    assert list(other) == list(english), "the same keys in the same order"
    for key, text in english.items():
        assert _placeholders(other[key]) == _placeholders(text), key


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_and_none_promises(language: str, document: str) -> None:
    for key, text in _catalog(language, document).items():
        assert isinstance(text, str), key
        assert text.strip() == text, key
        assert text, key
        assert not FORBIDDEN.search(text), f"{key}: {text}"


def test_the_forbidden_words_are_found_in_every_language() -> None:
    for promise in (
        "This is compliant.",
        "Certified by us.",
        "unrecoverable data",
        "em conformidade com a norma",
        "suporte certificado",
        "dados irrecuperáveis",
        "mematuhi piawaian",
        "media diperakui",
        "tidak boleh dipulihkan",
    ):
        assert FORBIDDEN.search(promise), promise


def _used() -> tuple[set[str], set[str]]:
    """Whole keys and beginnings of keys that stand in code and templates."""
    whole: set[str] = set()
    begun: set[str] = set()
    for path in REPORTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                first = node.args[0]
                if node.func.attr == "word" and isinstance(first, ast.Constant):
                    begun.add(f"words.{first.value!s}-")
                elif node.func.attr == "count" and isinstance(first, ast.Constant):
                    whole |= {f"{first.value!s}-one", f"{first.value!s}-many"}
    for path in (REPORTS / "templates").glob("*"):
        text = path.read_text(encoding="utf-8")
        whole |= set(re.findall(r"[\"']([a-z]+\.[a-z0-9-]+)[\"']", text))
        begun |= {f"words.{family}-" for family in re.findall(r"word\([\"']([a-z]+)[\"']", text)}
        for key in re.findall(r"count\([\"']([a-z]+\.[a-z0-9-]+)[\"']", text):
            whole |= {f"{key}-one", f"{key}-many"}
    return whole, {beginning for beginning in begun if re.fullmatch(r"[a-z]+\.[a-z-]+-", beginning)}


def test_every_sentence_that_code_asks_for_is_there() -> None:
    whole, _ = _used()
    keys = {f"{document}.{key}" for document in DOCUMENTS for key in _catalog("en", document)}
    asked = {word for word in whole if re.fullmatch(rf"(?:{'|'.join(DOCUMENTS)})\.[a-z0-9-]*[a-z0-9]", word)}
    files = {word for word in asked if word.endswith((".html", ".css", ".json", ".toml"))}
    families = {one.rpartition("-")[0] for one in keys if one.endswith(("-one", "-many"))}
    assert asked - files - keys - families == set()


def test_days_moments_and_numbers_are_said_as_the_language_says_them() -> None:
    instant = "2026-03-01T09:05:07Z"
    assert [speaker(one).day(instant) for one in LANGUAGES] == ["1 March 2026", "1 de março de 2026", "1 Mac 2026"]
    assert all(speaker(one).moment(instant).endswith(", 09:05:07 UTC") for one in LANGUAGES)
    assert [speaker(one).number(1234567) for one in LANGUAGES] == ["1,234,567", "1\u00a0234\u00a0567", "1,234,567"]
    assert [speaker(one).number(1234) for one in LANGUAGES] == ["1,234", "1234", "1,234"]
    assert [speaker(one).size(2_500_000) for one in LANGUAGES] == [
        "2,500,000 bytes (2.5 MB)",
        "2\u00a0500\u00a0000 bytes (2,5 MB)",
        "2,500,000 bait (2.5 MB)",
    ]


def test_a_sentence_kept_for_later_is_said_in_any_language_with_the_sentences_in_it() -> None:
    inner = said("words.method-purge")
    kept = said("common.enumeration", first=inner, last="x")
    assert ENGLISH.tell(kept) == "Purge and x"
    assert speaker("pt").tell(kept) == "Purga (Purge) e x"
    assert speaker("pt").tell("as it is") == "as it is"


def test_what_is_filled_in_is_never_taken_for_a_placeholder() -> None:
    assert ENGLISH.say("common.enumeration", first="{last}", last="{0.__class__}") == "{last} and {0.__class__}"


@pytest.mark.parametrize("language", ["", "EN", "pt-BR", "de", "../en", "en\n"])
def test_a_language_without_catalogs_is_refused(language: str) -> None:
    with pytest.raises(UnknownLanguage, match="there are en, pt, ms"):
        speaker(language)


def test_a_key_that_is_not_there_is_an_error_of_the_program() -> None:
    for key in ("common.nothing", "nothing.title", "../common.page", "common", ""):
        with pytest.raises(KeyError):
            ENGLISH.say(key)
    with pytest.raises(KeyError):
        ENGLISH.word("outcome", "won")
    assert ENGLISH.word("outcome", "won", "x") == "x"


def test_catalogs_repeat_no_key_and_are_in_utf_8() -> None:
    for path in CATALOGS.rglob("*.toml"):
        keys = re.findall(r"(?m)^([a-z0-9-]+) = ", path.read_text(encoding="utf-8"))
        assert all(a != b for a, b in pairwise(sorted(keys))), path
