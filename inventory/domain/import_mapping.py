"""Tables from elsewhere: what a column means, and what a row says in our words. Pure."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from inventory.errors import Invalid

from .import_fields import (
    FIELDS,
    KNOWN_TITLES,
    LIMITS,
    MOST_LETTERS,
    NEEDED,
    Field,
    Problem,
    Subject,
    problem,
    squeezed,
)
from .import_subjects import Said, said_of

FORMAT: Final = "sanitrail/import-mapping/1"
MEDIA: Final = ("magnetic", "flash", "virtual", "pmem", "unknown")
MAX_CELL: Final = 2000
_MAX_WORDS: Final = 500


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a row says about a device; None: nothing."""

    asset_tag: str | None = None
    serial: str | None = None
    vendor: str | None = None
    model: str | None = None
    capacity_bytes: int | None = None
    media: str | None = None
    location: str | None = None
    """As it stands in the file, or as the mapping's words translate it."""
    source: str = ""

    @property
    def identity(self) -> str | None:
        """By which the device is known without an asset tag."""
        if self.serial is None or self.model is None:
            return None
        return f"{squeezed(self.model)} {squeezed(self.serial)}"


@dataclass(frozen=True, kw_only=True)
class ImportMapping:
    """What the columns of one kind of file mean."""

    name: str
    subject: Subject = Subject.DEVICES
    """What the rows are about."""
    columns: Mapping[Field, tuple[str, ...]]
    """Titles a column may have; the first of them that the file has and that is filled in the row counts."""
    fixed: Mapping[Field, str] = field(default_factory=dict)
    """Said of every row whose columns say nothing."""
    words: Mapping[Field, Mapping[str, str]] = field(default_factory=dict)
    """Words of the file (case and space do not matter) -> ours."""
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Column -> the values of rows that are read; all others are left out."""
    skip: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unit: str = "auto"
    """Of a capacity without a unit."""

    def to_document(self) -> dict[str, Any]:
        """As it is kept and sent."""
        about = {} if self.subject is Subject.DEVICES else {"subject": str(self.subject)}
        return {
            "format": FORMAT,
            "name": self.name,
            **about,
            "columns": {str(key): list(titles) for key, titles in self.columns.items()},
            "fixed": {str(key): text for key, text in self.fixed.items()},
            "words": {str(key): dict(words) for key, words in self.words.items()},
            "only": {title: sorted(values) for title, values in self.only.items()},
            "skip": {title: sorted(values) for title, values in self.skip.items()},
            "unit": self.unit,
        }


_MEMBERS: Final = frozenset({"format", "name", "subject", "columns", "fixed", "words", "only", "skip", "unit"})
UNITS: Final[Mapping[str, int]] = {
    "b": 1, "byte": 1, "bytes": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "pb": 10**15,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "pib": 2**50,
}  # fmt: skip
_CAPACITY: Final = re.compile(r"([0-9][0-9 .,'’_]*)\s*([A-Za-z]*)")  # noqa: RUF001 - an apostrophe some countries write
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:((?:,[0-9]{3})+)(?:\.[0-9]+)?|(?:\.[0-9]{3})+(?:,[0-9]+)?)")
_LEAST_BYTES: Final = 10**6


def mapping_of(document: object) -> ImportMapping:
    """Read a mapping. Raises `Invalid` with what is wrong."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Invalid("mapping", f"A mapping begins with format = {FORMAT!r}.")
    unknown = set(document) - _MEMBERS
    if unknown:
        raise Invalid("mapping", f"A mapping has no {min(map(str, unknown))!r}.")
    unit = document.get("unit", "auto")
    if not isinstance(unit, str) or (unit != "auto" and unit not in UNITS):
        raise Invalid("mapping", f"The unit is auto or one of {', '.join(UNITS)}.")
    about = subject_named(document.get("subject", "devices"))
    columns = {
        _field(about, key): _texts(f"columns.{key}", value) for key, value in _table(document, "columns").items()
    }
    fixed = {_field(about, key): _text(f"fixed.{key}", value) for key, value in _table(document, "fixed").items()}
    absent = _nameless(about, {*columns, *(fixed if about is not Subject.DEVICES else ())})
    if absent is not None:
        if about is Subject.DEVICES:
            raise Invalid("mapping", "Name the column of the asset tag, or those of serial number and model.")
        words = absent.replace("_", " ")
        raise Invalid("mapping", f"Name the column of {words}: without it a row about {about} says nothing.")
    return ImportMapping(
        name=_text("name", document.get("name", "")),
        subject=about,
        columns=columns,
        fixed=fixed,
        words={_field(about, key): _words(f"words.{key}", value) for key, value in _table(document, "words").items()},
        only={_title(key): frozenset(_texts(f"only.{key}", value)) for key, value in _table(document, "only").items()},
        skip={_title(key): frozenset(_texts(f"skip.{key}", value)) for key, value in _table(document, "skip").items()},
        unit=unit,
    )


def subject_named(word: object) -> Subject:
    """What a table is about. Raises `Invalid`."""
    if word not in set(Subject):
        raise Invalid("subject", f"A table is about one of {', '.join(Subject)}.")
    return Subject(str(word))


def _nameless(about: Subject, said: set[Field]) -> Field | None:
    """The first field without which no row about such a thing says anything; None where all are there."""
    if about is Subject.DEVICES:
        return None if Field.ASSET_TAG in said or {Field.SERIAL, Field.MODEL} <= said else Field.ASSET_TAG
    return next((one for one in NEEDED[about] if one not in said), None)


def mapping_from_text(text: str) -> ImportMapping:
    """A mapping as TOML or JSON. Raises `Invalid`."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise Invalid("mapping", "The mapping is neither TOML nor JSON.") from error
    return mapping_of(document)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict) or len(found) > _MAX_WORDS:
        raise Invalid("mapping", f"{name} is a table with at most {_MAX_WORDS} entries.")
    return found


def _field(about: Subject, key: object) -> Field:
    if key not in FIELDS[about]:
        raise Invalid("mapping", f"There is no field {str(key)[:64]!r}; there are {', '.join(FIELDS[about])}.")
    return Field(str(key))


def _title(key: str) -> str:
    return _text("column", key)


def _text(where: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_CELL or not value.isprintable():
        raise Invalid("mapping", f"{where[:64]} is a line of text.")
    return value.strip()


def _texts(where: str, value: object) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or not 1 <= len(several) <= _MAX_WORDS:
        raise Invalid("mapping", f"{where[:64]} is a text or a list of texts.")
    return tuple(_text(where, one) for one in several)


def _words(where: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MAX_WORDS:
        raise Invalid("mapping", f"{where[:64]} is a table of words.")
    return {squeezed(_text(where, key)): _text(where, ours) for key, ours in value.items()}


def guessed(header: Sequence[str], about: Subject = Subject.DEVICES) -> ImportMapping:
    """A first proposal from the titles alone; no column means two things."""
    left = {title.strip().lower(): title for title in header}
    columns: dict[Field, tuple[str, ...]] = {}
    for one, titles in KNOWN_TITLES[about].items():
        found = next((left.pop(title) for title in titles if title in left), None)
        if found is not None:
            columns[one] = (found,)
    return ImportMapping(name="From the titles", subject=about, columns=columns)


class Reader:
    """A mapping held against one file's header."""

    def __init__(self, mapping: ImportMapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._places = {squeezed(title): place for place, title in reversed(list(enumerate(header)))}
        self._columns = {
            one: [self._places[squeezed(title)] for title in titles if squeezed(title) in self._places]
            for one, titles in mapping.columns.items()
        }
        self.missing = tuple(one for one, places in self._columns.items() if not places)
        """Fields none of whose columns the file has."""
        absent = [title for title in (*mapping.only, *mapping.skip) if squeezed(title) not in self._places]
        if absent:
            raise Invalid("mapping", f"The file has no column {absent[0][:64]!r}, by which rows shall be left out.")
        have = {one for one, places in self._columns.items() if places}
        lacking = _nameless(
            mapping.subject, {*have, *(mapping.fixed if mapping.subject is not Subject.DEVICES else ())}
        )
        if lacking is not None:
            if mapping.subject is Subject.DEVICES:
                raise Invalid(
                    "mapping", "The file has no column with an asset tag, and none with serial number and model."
                )
            words = lacking.replace("_", " ")
            raise Invalid("mapping", f"The file has no column with {words}; without it a row says nothing.")

    def read(self, cells: Sequence[str]) -> Row | Said | tuple[Problem, ...] | None:
        """What the row says; None where the mapping leaves it out; every problem where it says nothing usable."""
        if self._left_out(cells):
            return None
        problems: list[Problem] = []
        said = {one: self._cell(one, cells, problems) for one in FIELDS[self._mapping.subject]}
        if self._mapping.subject is not Subject.DEVICES:
            return tuple(problems) or said_of(self._mapping.subject, said)
        capacity, written = None, said[Field.CAPACITY]
        if written is not None:
            capacity = bytes_of(written, self._mapping.unit)
            if capacity is None:
                problems.append(problem("capacity-unreadable", Field.CAPACITY, f"{written!r} is no capacity."))
        media = said[Field.MEDIA]
        if media is not None:
            media = media.lower()
            if media not in MEDIA:
                problems.append(
                    problem(
                        "media-unknown",
                        Field.MEDIA,
                        f"{media!r} is none of {', '.join(MEDIA)}; the mapping can translate it.",
                    )
                )
        row = Row(
            asset_tag=said[Field.ASSET_TAG], serial=said[Field.SERIAL], vendor=said[Field.VENDOR],
            model=said[Field.MODEL], capacity_bytes=capacity, media=media,
            location=said[Field.LOCATION], source=said[Field.SOURCE] or "",
        )  # fmt: skip
        if row.asset_tag is None and row.identity is None and not problems:
            problems.append(
                problem("no-identity", Field.ASSET_TAG, "It has no asset tag, and no serial number with a model.")
            )
        return tuple(problems) or row

    def _left_out(self, cells: Sequence[str]) -> bool:
        for title, wanted in self._mapping.only.items():
            if squeezed(_at(cells, self._places[squeezed(title)])) not in {squeezed(one) for one in wanted}:
                return True
        return any(
            squeezed(_at(cells, self._places[squeezed(title)])) in {squeezed(one) for one in unwanted}
            for title, unwanted in self._mapping.skip.items()
        )

    def _cell(self, one: Field, cells: Sequence[str], problems: list[Problem]) -> str | None:
        """The first filled column's text, in our words."""
        text = next((found for place in self._columns.get(one, ()) if (found := cleaned(_at(cells, place)))), "")
        text = text or self._mapping.fixed.get(one, "")
        if not text:
            return None
        words = self._mapping.words.get(one, {})
        text = words.get(squeezed(text), text)
        if not text:
            return None  # the mapping says that this word says nothing
        most = LIMITS.get(one, MOST_LETTERS)
        if len(text) > most:
            problems.append(problem("too-long", one, f"At most {most} characters; this has {len(text)}."))
        elif not text.isprintable():
            problems.append(problem("unprintable", one, "It has characters that cannot be printed."))
        else:
            return text
        return None


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def cleaned(text: str) -> str:
    """A cell without padding, and without the apostrophe an export put before what spreadsheets take for a formula."""
    trimmed = " ".join(text.split())
    return trimmed[1:] if trimmed[:1] == "'" and trimmed[1:2] in {"=", "+", "-", "@"} else trimmed


def bytes_of(text: str, unit: str = "auto") -> int | None:
    """A capacity in bytes; None where it cannot be told. A small number without a unit says nothing."""
    found = _CAPACITY.fullmatch(text.strip())
    if found is None:
        return None
    number, word = re.sub(r"[ '’_]", "", found[1]), found[2].lower()  # noqa: RUF001 - as above
    if re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", number):
        return None  # a thousand, or a fraction? Nobody can tell
    if (grouped := _GROUPED.fullmatch(number)) is not None:
        mark = "," if grouped[1] is not None else "."
        number = number.replace(mark, "")
    number = number.replace(",", ".")
    if not word and unit == "auto":
        return int(number) if number.isdigit() and _LEAST_BYTES <= int(number) < 2**53 else None
    scale = UNITS.get(word or unit)
    try:
        exact = Decimal(number) * (scale or 0)
    except InvalidOperation:
        return None
    return int(exact) if scale and 0 < exact < 2**53 else None
