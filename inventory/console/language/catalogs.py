"""Says an English sentence in another language: one the catalog holds, or one that a pattern of it made.

A service builds `f"{subject} is {state}; {event} is not possible from there."`. The catalog holds the pattern; the sentence that
arrives is recognised by the words around its values, so neither the service nor a stored row needs to know of languages. What
nothing recognises stays English: a sentence is never guessed.
"""

from __future__ import annotations

import heapq
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

from babel.messages.pofile import read_po

import reports.language
from reports.language import speaker

Tongue = Literal["en", "pt", "ms"]
TONGUES: Final[tuple[Tongue, ...]] = get_args(Tongue)
NAMES: Final[dict[Tongue, str]] = {"en": "English", "pt": "Português", "ms": "Bahasa Melayu"}
"""What each language calls itself."""

_FOLDER: Final = Path(__file__).resolve().parent
_HOLE = re.compile(r"\{([a-z_A-Z][a-zA-Z_0-9]*)\}")
_TOO_FEW_LETTERS: Final = 4
_KEY_LENGTH: Final = 6
_LABEL_LETTERS: Final = 12
_LABEL_WORDS: Final = 4
"""A message with so few letters of its own is a label (`Device {id}`); a value of more small words is a sentence."""
_FEW_LETTERS: Final = 6
_SMALL = re.compile(r"(?<![\w./-])[a-z]+(?![\w/-]|\.\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?:;]) (?=[A-Z])")
_MOST_TOGETHER: Final = 3
"""Parts of a text that one message may hold together: `A hold forbids it: {reference} ({reason}).`"""
_GROUPS: Final[Mapping[str, str]] = dict.fromkeys(("count", "threshold"), r"(\d[\d ]*)")
"""What a hole of that name recognises, where that is less than anything: a team called `CRM operations` counts nothing."""
_SENTENCES: Final = frozenset(
    {
        "at", "compared", "content", "detail", "details", "found", "held", "problem", "reasons", "said", "self", "trust", "why",
        "words",
    }
)  # fmt: skip
"""Holes of these names hold a sentence of ours, or a part of one, and are said like one."""
_SHORT: Final = frozenset({"At {at}:", "At {at}: {problem}"})
"""Patterns all the same, with fewer letters of their own: where evidence broke."""
_MONTHS: Final = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAY: Final = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS[1:])}) (\d{{4}})\b")
_COUNTED = re.compile(r"\d[\d ]* [a-z][a-z -]*|.+, size unknown")
"""A value that is a message with a value of its own."""


def is_pattern(message: str) -> bool:
    """Whether the message can be recognised in a sentence that somebody else filled in."""
    letters = sum(map(str.isalpha, _HOLE.sub("", message)))
    return message in _SHORT or (bool(_HOLE.search(message)) and letters >= _TOO_FEW_LETTERS)


def fill(message: str, values: Mapping[str, object]) -> str:
    """The message with its values; a value that is missing stays visible as its name."""
    return _HOLE.sub(lambda found: str(values.get(found.group(1), found.group(0))), message)


@dataclass(frozen=True)
class Pattern:
    """A message with values, as it is recognised and as it is said."""

    message: str
    expression: re.Pattern[str]
    names: tuple[str, ...]
    said: str
    start: str
    longest: str
    letters: int
    """Of its own, values apart."""

    @property
    def is_label(self) -> bool:
        """Whether it says too little of its own to hold a whole sentence as a value."""
        return self.letters <= _LABEL_LETTERS

    @property
    def most_words(self) -> int:
        """From so many small words on a value of a label is somebody's sentence."""
        return _LABEL_WORDS if self.letters >= _FEW_LETTERS else _LABEL_WORDS // 2

    def values(self, sentence: str) -> dict[str, str] | None:
        """The values, where the sentence was made by this pattern."""
        if not sentence.startswith(self.start) or self.longest not in sentence:
            return None
        found = self.expression.fullmatch(sentence)
        if found is None:
            return None
        values = dict(zip(self.names, found.groups(), strict=True))
        told = [value for name, value in values.items() if name not in _SENTENCES]
        if self.is_label and any(len(_SMALL.findall(value)) >= self.most_words for value in told):
            return None
        return values


def pattern(message: str, said: str) -> Pattern:
    """A message made ready to be recognised."""
    parts = _HOLE.split(message)
    literals, names = parts[::2], parts[1::2]
    groups = [_GROUPS.get(name, "(.+?)") for name in names]
    expression = "".join(re.escape(literal) + group for literal, group in zip(literals, [*groups, ""], strict=True))
    longest, letters = max(literals, key=len), sum(map(str.isalpha, "".join(literals)))
    return Pattern(message, re.compile(expression, re.DOTALL), tuple(names), said, literals[0], longest, letters)


def _order(one: Pattern) -> tuple[int, str]:
    """Whatever says most by itself is tried first, wherever its values stand."""
    return -len(_HOLE.sub("", one.message)), one.message


class Catalog:
    """The sentences of one language."""

    def __init__(self, messages: Mapping[str, str], tongue: Tongue = "en") -> None:
        self._speaker = speaker(tongue)
        self._exact = dict(messages)
        self._finished = frozenset(messages.values())
        made = sorted((pattern(message, said) for message, said in messages.items() if is_pattern(message)), key=_order)
        self._by_start: dict[str, list[Pattern]] = {}
        self._anywhere: list[Pattern] = []
        for one in made:
            if len(one.start) >= _KEY_LENGTH:
                self._by_start.setdefault(one.start[:_KEY_LENGTH], []).append(one)
            else:
                self._anywhere.append(one)
        self._recall = lru_cache(maxsize=4096)(self._recognised)

    def __len__(self) -> int:
        return len(self._exact)

    def __contains__(self, message: str) -> bool:
        return message in self._exact

    def message(self, message: str) -> str:
        """A message of the sources, holes and all."""
        return self._exact.get(message, message)

    def sentence(self, text: str) -> str:
        """A finished sentence, whoever made it; unchanged where nothing recognises it."""
        core = text.strip()
        if not core:
            return text
        start = text[: len(text) - len(text.lstrip())]
        return start + self._recall(core) + text[len(text.rstrip()) :]

    def _recognised(self, core: str) -> str:
        if core in self._finished and core not in self._exact:
            return core  # said already: a page that says a value twice says the same
        parts = _SENTENCE_END.split(core)
        if core in self._exact or len(parts) == 1:
            return self._whole(core) or core
        said = [self._whole(part) or _without_words(part) for part in parts]
        if None not in said:
            return " ".join(map(str, said))
        return self._whole(core) or " ".join(self._together(parts))

    def _together(self, parts: list[str]) -> Iterator[str]:
        """Each part said, or as many in a row as one message holds; what nothing recognises as it is."""
        at = 0
        while at < len(parts):
            for end in range(at + 1, min(at + _MOST_TOGETHER, len(parts)) + 1):
                known = self._whole(" ".join(parts[at:end]))
                if known is not None:
                    break
            else:
                known, end = parts[at], at + 1
            yield known
            at = end

    def _whole(self, core: str) -> str | None:
        known = self._known(core)
        if known is not None:
            return known
        for one in heapq.merge(self._by_start.get(core[:_KEY_LENGTH], ()), self._anywhere, key=_order):
            values = one.values(core)
            if values is not None:
                return fill(one.said, {name: self._placed(one, name, value) for name, value in values.items()})
        return None

    def _known(self, value: str) -> str | None:
        """A word of the catalog as a whole, also in the middle of a sentence (`cancelled` for *Cancelled*)."""
        known = self._exact.get(value)
        if known is None and value.islower():
            known = self._exact.get(value[0].upper() + value[1:])
            known = known and known[0].lower() + known[1:]
        if known is None and value.endswith(":"):
            before = self._known(value[:-1])
            known = before and f"{before}:"
        return known

    def days(self, text: str) -> str:
        """The text with its days as the language writes them; evidence writes them in English (`reports.times`)."""
        return _DAY.sub(self._day, text)

    def _day(self, found: re.Match[str]) -> str:
        month = self._speaker.say(f"common.month-{_MONTHS.index(found[2])}")
        return self._speaker.say("common.day", day=found[1], month=month, year=found[3])

    def _placed(self, one: Pattern, name: str, value: str) -> str:
        """A value; a word that began the English sentence and does not begin this one is written small."""
        said = self._recognised(value) if name in _SENTENCES else self._value(value)
        moved = one.message.startswith(f"{{{name}}}") and not one.said.startswith(f"{{{name}}}")
        return f"{said[0].lower()}{said[1:]}" if moved and said != value and value.istitle() else said

    def _value(self, value: str) -> str:
        """A word of the catalog, or something counted; else as it is."""
        known = self._known(value)
        if known is None and _COUNTED.fullmatch(value):
            known = self._whole(value)
        return known or value


def _without_words(part: str) -> str | None:
    """A part of a text that is numbers and names alone, and reads the same in every language."""
    return None if _SMALL.search(part) else part


def path_of(tongue: Tongue) -> Path:
    """The file of a language's catalog."""
    return _FOLDER / f"{tongue}.po"


def read(path: Path) -> dict[str, str]:
    """The translated messages of a PO file."""
    with path.open("rb") as stream:
        found = read_po(stream)
    return {str(message.id): str(message.string) for message in found if message.id and message.string}


_DOCUMENTS: Final = Path(reports.language.__file__).resolve().parent
_OF_DOCUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("words", "findings", "claims", "destruction", "people"), ("",)),
    "processor": ("open-", "why-"),
}
"""File of words -> how the keys begin that pages show, too."""
_FORMAT = re.compile(r"\{([a-z_]+)[!:][^}]*\}")


def of_documents(tongue: Tongue) -> dict[str, str]:
    """What records and documents say that pages show, too: techniques, findings, reasons; in the documents' words."""
    found: dict[str, str] = {}
    for name, shown in _OF_DOCUMENTS.items():
        english, said = (
            tomllib.loads((_DOCUMENTS / folder / f"{name}.toml").read_text(encoding="utf-8"))
            for folder in ("en", tongue)
        )
        for key, sentence in ((key, words) for key, words in english.items() if key.startswith(shown)):
            ways = [(sentence, said[key]), (_as_sentence(sentence), _as_sentence(said[key]))]
            if name == "claims":  # as the verifier says them, with the clause behind
                ways.append((f"{sentence} [{{clause}}]", f"{said[key]} [{{clause}}]"))
            for one, other in ways:
                found.setdefault(_FORMAT.sub(r"{\1}", one), _FORMAT.sub(r"{\1}", other))
    return found


def _as_sentence(words: str) -> str:
    """Words that begin small as the sentence a page makes of them."""
    return words if words[:1].isupper() or not words[:1].isalpha() else f"{words[0].upper()}{words[1:]}."


@lru_cache(maxsize=len(TONGUES))
def catalog(tongue: Tongue) -> Catalog:
    """The catalog of a language, and beneath it the words of documents; English needs none."""
    return Catalog({} if tongue == "en" else {**of_documents(tongue), **read(path_of(tongue))}, tongue)
