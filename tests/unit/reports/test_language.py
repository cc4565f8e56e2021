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
from reports.language.promises import promise_in

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / "reports"
SPEAKING = ("reports", "inventory", "agents")
CATALOGS = REPORTS / "language"
TEMPLATES = [*(REPORTS / "templates").glob("*"), ROOT / "inventory/incident_paper.py"]
DOCUMENTS = sorted(path.stem for path in (CATALOGS / "en").glob("*.toml"))


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
        assert promise_in(text) is None, f"{key}: {text}"


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
        assert promise_in(promise), promise


def _sources() -> list[Path]:
    """Code of ours that may say a sentence."""
    files = [path for package in SPEAKING for path in (ROOT / package).rglob("*.py")]
    return [
        path
        for path in files
        if "reports.language" in (text := path.read_text(encoding="utf-8")) or ".language" in text
    ]


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def _asked_by(call: ast.Call) -> tuple[set[str], set[str]]:
    """Whole keys and beginnings of keys that a call of `say`, `said`, `count` or `word` asks for."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    # A form of the console has a `word` too: one member of a vocabulary that was chosen in a field.
    form = ast.unparse(call.func) == "typed.word"
    if name not in {"say", "said", "count", "word"} or not call.args or form:
        return set(), set()
    nodes = list(ast.walk(call.args[0]))
    made = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in made for part in ast.walk(node)}
    begun = {str(node.values[0].value) for node in made if isinstance(node.values[0], ast.Constant)}
    whole = {str(node.value) for node in nodes if isinstance(node, ast.Constant) and id(node) not in parts}
    if name == "word":
        return set(), {f"words.{family}-" for family in whole}
    keys = {f"{key}-{number}" for key in whole for number in ("one", "many")} if name == "count" else whole
    return {key for key in keys if "." in key and not key.endswith("-")}, {key for key in begun if "-" in key}


def _asked() -> tuple[set[str], set[str]]:
    """All that code and templates ask for."""
    found = [_asked_by(call) for path in _sources() for call in _calls(path)]
    whole = {key for keys, _ in found for key in keys}
    begun = {key for _, keys in found for key in keys}
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        begun |= {f"{key}-" for key in re.findall(r"\bchoice\([\"']([a-z]+\.[a-z-]+)[\"']", text)}
        whole |= set(re.findall(r"\b(?:say|marked)\([\"']([a-z]+\.[a-z0-9-]+)[\"']", text))
        begun |= {f"words.{family}-" for family in re.findall(r"\bword\([\"']([a-z]+)[\"']", text)}
        for key in re.findall(r"\bcount\([\"']([a-z]+\.[a-z0-9-]+)[\"']", text):
            whole |= {f"{key}-one", f"{key}-many"}
    return whole, begun


def _mentioned() -> set[str]:
    """Every text in code and templates; a key may be chosen before it is said."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in _sources()]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    pages = " ".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    found = set(re.findall(r"[\"']([a-z]+\.[a-z0-9-]+)[\"']", pages))
    return found | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_sentence_is_used() -> None:
    whole, begun = _asked()
    whole |= _mentioned() | {f"{document}.title" for document in DOCUMENTS}  # `sheet` says the title of its document
    keys = [f"{document}.{key}" for document in DOCUMENTS for key in _catalog("en", document)]
    assert [key for key in keys if key not in whole and not key.startswith(tuple(begun))] == []


def test_every_sentence_that_is_asked_for_is_there() -> None:
    whole, begun = _asked()
    keys = {f"{document}.{key}" for document in DOCUMENTS for key in _catalog("en", document)}
    assert whole - keys == set()
    assert [beginning for beginning in begun if not any(key.startswith(beginning) for key in keys)] == []


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
