"""XLSX, as far as a table needs it: the first sheet's cells as text, one row in memory, whatever the file claims.

Nothing of an office document is executed, followed or resolved. A document type declaration, an entity, a file that unpacks to
far more than it is, or one that is locked with a password is refused.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from typing import IO, Any, Final
from xml.parsers import expat

from inventory.errors import Invalid

from .rows import MAX_COLUMNS, Line

_CHUNK: Final = 1 << 16
_MAX_UNPACKED: Final = 4 << 30
_MAX_RATIO: Final = 200
"""How much a member may unpack to, for each byte packed, beyond the first megabytes."""
_FREE: Final = 16 << 20
_MAX_TEXT: Final = 40_000
_OLE: Final = b"\xd0\xcf\x11\xe0"
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NO_WORKBOOK: Final = "This is no XLSX workbook that can be read."


def lines(file: IO[bytes]) -> Iterator[Line]:
    """Every row of the first sheet that has a cell, the header first. Raises `Invalid`."""
    if file.read(4) == _OLE:
        raise Invalid("file", "This is an old or a password-protected workbook; save it as XLSX without a password.")
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive, tempfile.TemporaryFile() as kept:
            texts = _Texts(kept)
            names = set(archive.namelist())
            if "xl/sharedStrings.xml" in names:
                for _ in _parsed(archive, "xl/sharedStrings.xml", texts):
                    pass
            yield from _parsed(archive, _first_sheet(archive, names), _Sheet(texts))
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        expat.ExpatError,
        KeyError,
    ) as error:
        raise Invalid("file", _NO_WORKBOOK) from error


class _Handler:
    """Takes elements as they come; `taken` gives what is complete."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Characters within."""

    def taken(self) -> list[Any]:
        """What is complete since it was asked last."""
        return []


def _parsed(archive: zipfile.ZipFile, member: str, handler: _Handler) -> Iterator[Any]:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: handler.start(name.rpartition(" ")[2], attributes)
    parser.EndElementHandler = lambda name: handler.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    info = archive.getinfo(member)
    allowed = min(_MAX_UNPACKED, _FREE + info.compress_size * _MAX_RATIO)
    read = 0
    with archive.open(info) as content:
        while part := content.read(_CHUNK):
            read += len(part)
            if read > allowed:
                raise Invalid("file", "The workbook unpacks to far more than a table of its size.")
            parser.Parse(part, False)
            yield from handler.taken()
        parser.Parse(b"", True)
    yield from handler.taken()


def _refuse(*_: object) -> None:
    raise Invalid("file", "The workbook declares a document type or entities, which no table does.")


class _Links(_Handler):
    """The sheets in their order, or the targets of references."""

    def __init__(self, element: str, attributes: tuple[str, ...]) -> None:
        self._element, self._attributes = element, attributes
        self.found: list[tuple[str, ...]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A sheet or a reference."""
        if name == self._element:
            bare = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
            self.found.append(tuple(bare.get(one, "") for one in self._attributes))


def _first_sheet(archive: zipfile.ZipFile, names: set[str]) -> str:
    sheets, targets = _Links("sheet", ("id",)), _Links("Relationship", ("Id", "Target"))
    for member, handler in (("xl/workbook.xml", sheets), ("xl/_rels/workbook.xml.rels", targets)):
        for _ in _parsed(archive, member, handler):
            pass
    wanted = sheets.found[0][0] if sheets.found else ""
    target = next((target for key, target in targets.found if key == wanted), "")
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    if path not in names:
        raise Invalid("file", _NO_WORKBOOK)
    return path


class _Texts(_Handler):
    """Shared strings on disk; where each begins is in memory, eight bytes each."""

    def __init__(self, kept: IO[bytes]) -> None:
        self._kept = kept
        self._begins = array("Q", [0])
        self._parts: list[str] = []
        self._length = 0
        self._inside = self._aside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An item, a text in it, or a phonetic run that is not part of it."""
        del attributes
        if name == "si":
            self._parts, self._length = [], 0
        elif name == "rPh":
            self._aside = True
        elif name == "t":
            self._inside = not self._aside

    def end(self, name: str) -> None:
        """Keep an item."""
        if name == "t":
            self._inside = False
        elif name == "rPh":
            self._aside = False
        elif name == "si":
            content = "".join(self._parts)[:_MAX_TEXT].encode("utf-8", "replace")
            self._kept.write(content)
            self._begins.append(self._begins[-1] + len(content))

    def text(self, data: str) -> None:
        """A part of an item."""
        if self._inside and self._length < _MAX_TEXT:
            self._parts.append(data)
            self._length += len(data)

    def get(self, number: int) -> str:
        """The item of this number. Raises `KeyError`."""
        if not 0 <= number < len(self._begins) - 1:
            raise KeyError(number)
        begin, end = self._begins[number], self._begins[number + 1]
        self._kept.seek(begin)
        return self._kept.read(end - begin).decode("utf-8")


class _Sheet(_Handler):
    """Rows of cells, each at its place."""

    def __init__(self, texts: _Texts) -> None:
        self._text_of: Callable[[int], str] = texts.get
        self._rows: list[Line] = []
        self._cells: dict[int, str] = {}
        self._row = self._column = 0
        self._kind = ""
        self._parts: list[str] = []
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A row, a cell, or its value."""
        if name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else self._row + 1
            self._cells, self._column = {}, 0
        elif name == "c":
            place = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(place[1]) if place else self._column + 1
            self._kind, self._parts = attributes.get("t", ""), []
        elif name in {"v", "t"}:
            self._inside = True

    def end(self, name: str) -> None:
        """Keep a cell, or a row."""
        if name in {"v", "t"}:
            self._inside = False
        elif name == "c" and self._parts and self._column <= MAX_COLUMNS:
            self._cells[self._column] = self._value("".join(self._parts))
        elif name == "row" and any(self._cells.values()):
            last = max(self._cells)
            self._rows.append(Line(self._row, [self._cells.get(one, "") for one in range(1, last + 1)]))

    def _value(self, text: str) -> str:
        if self._kind == "s":
            return self._text_of(int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else ""
        if self._kind == "e":
            return ""
        if self._kind in {"", "n"}:
            return _plain_number(text)
        return text

    def text(self, data: str) -> None:
        """A part of a value."""
        if self._inside and sum(map(len, self._parts)) < _MAX_TEXT:
            self._parts.append(data)

    def taken(self) -> list[Line]:
        """Rows that are complete."""
        found, self._rows = self._rows, []
        return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _plain_number(text: str) -> str:
    """A number as a person reads it: `1.2E+3` and `1200.0` are 1200. Serial numbers that were stored as numbers stay digits."""
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else text
