"""Says sentences, days, moments and numbers in one language. The same input gives the same text; no clock, no locale."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from reports.errors import UnknownLanguage
from reports.times import parse_instant

Language = Literal["en", "pt", "ms"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
"""BCP 47 tags. English first: it is the language of what is signed."""
NO_BREAK: Final = "\u00a0"

_CATALOGS = Path(__file__).resolve().parent
_UNITS: Final = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6))
_FIVE_DIGITS: Final = 10_000


class Said(NamedTuple):
    """A sentence before it is said in some language: its key, and what is filled in (which may be sentences, too)."""

    key: str
    values: tuple[tuple[str, object], ...] = ()


def said(key: str, /, **values: object) -> Said:
    """A sentence to be said later, in a language that is not yet known."""
    return Said(key, tuple(values.items()))


class _Number(int):
    """An integer that a catalog may group: `{count:,}`. Any other format is that of `int`."""

    speaker: Speaker

    def __format__(self, spec: str) -> str:
        return self.speaker.number(int(self)) if spec == "," else int.__format__(int(self), spec)


class Speaker:
    """One language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def say(self, key: str, /, **values: object) -> str:
        """The sentence with this key, `document.key`.

        Raises:
            KeyError: no catalog has it, or a placeholder has no value; a test holds that neither happens.
        """
        document, _, name = key.partition(".")
        text = _catalog(self.language, document)[name]
        return text.format_map({name: self._filled(value) for name, value in values.items()}) if "{" in text else text

    def tell(self, one: Said | str) -> str:
        """A sentence kept for later; text that is already said stays as it is."""
        return self.say(one.key, **dict(one.values)) if isinstance(one, Said) else one

    def word(self, family: str, value: str, otherwise: str | None = None) -> str:
        """The word for a value of a vocabulary: `words.<family>-<value>`.

        Args:
            family: The vocabulary.
            value: One of its values, as evidence writes it.
            otherwise: Said for a value that is none of them; without it such a value is a `KeyError`.
        """
        words = _catalog(self.language, "words")
        name = f"{family}-{value}"
        return words[name] if otherwise is None or name in words else otherwise

    def count(self, key: str, count: int, /, **values: object) -> str:
        """A sentence about `count` things: the key with `-one` for one, with `-many` for any other number."""
        return self.say(f"{key}-{'one' if count == 1 else 'many'}", count=count, **values)

    def joined(self, words: list[str]) -> str:
        """An enumeration: `a, b and c`."""
        if len(words) < 2:
            return "".join(words)
        return self.say("common.enumeration", first=", ".join(words[:-1]), last=words[-1])

    def day(self, instant: str) -> str:
        """The day of an instant in UTC: `22 November 2026`. Raises `MalformedDocument`."""
        moment = parse_instant(instant)
        month = self.say(f"common.month-{moment.month}")
        return self.say("common.day", day=moment.day, month=month, year=moment.year)

    def moment(self, instant: str) -> str:
        """An instant with its time, always in UTC: `22 November 2026, 14:03:11 UTC`. Raises `MalformedDocument`."""
        time = f"{parse_instant(instant):%H:%M:%S}"
        return self.say("common.moment", day=self.day(instant), time=time)

    def number(self, count: int) -> str:
        """An integer with its digits grouped."""
        if (
            self.language == "pt"
        ):  # groups of three apart by a space, from five digits on; good on both sides of the ocean
            return f"{count:,}".replace(",", NO_BREAK) if abs(count) >= _FIVE_DIGITS else str(count)
        return f"{count:,}"

    def size(self, count: int) -> str:
        """Bytes: the exact number, and the customary decimal unit."""
        exact = self.say("common.bytes", count=count)
        for unit, step in _UNITS:
            if count >= step:
                told = f"{count / step:,.1f}"
                if self.language == "pt":
                    told = told.replace(",", NO_BREAK).replace(".", ",")
                return f"{exact} ({told} {unit})"
        return exact

    def _filled(self, value: object) -> object:
        if isinstance(value, Said):
            return self.tell(value)
        if isinstance(value, int) and not isinstance(value, bool):
            number = _Number(value)
            number.speaker = self
            return number
        return value


def speaker(language: str) -> Speaker:
    """Who says it in this language. Raises `UnknownLanguage` for one that has no catalogs."""
    for known in LANGUAGES:
        if language == known:
            return _speaker(known)
    raise UnknownLanguage(language, LANGUAGES)


@lru_cache(maxsize=len(LANGUAGES))
def _speaker(language: Language) -> Speaker:
    return Speaker(language)


@lru_cache(maxsize=64)
def _catalog(language: Language, document: str) -> dict[str, str]:
    path = _CATALOGS / language / f"{document}.toml"
    if not document.isidentifier() or not path.is_file():
        raise KeyError(f"no catalog {language}/{document}")
    catalog: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))
    return catalog


ENGLISH: Final = _speaker("en")
