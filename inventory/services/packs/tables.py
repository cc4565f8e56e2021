"""Rows as CSV, JSON Lines and XLSX, from a temporary file: however many there are, one is in memory.

Spreadsheets take text that begins with `=`, `+`, `-`, `@`, a tab or a return for a formula, and a formula can call out. So such
text gets an apostrophe in CSV, and is written as text in XLSX. JSON Lines has every value as it is.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final

from reports.pack.archive import CHUNK

Cell = str | int | None

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are their full-width forms, which spreadsheets take for the same."""
SHEET_ROWS: Final = 1_048_575
"""Of one sheet, beneath its head."""
_CELL_CHARACTERS: Final = 32_000
_EPOCH: Final = datetime(1980, 1, 1, tzinfo=UTC)
_SHEET_NAME: Final = 28


@dataclass(frozen=True)
class Table:
    """What a table is called and what stands in its columns."""

    name: str
    title: str
    columns: tuple[str, ...]


class Rows:
    """The rows of one table in a temporary file without a name."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.count = 0
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - closed by `close`

    def add(self, *cells: Cell) -> None:
        """One more row. Raises `ValueError` where it has another number of cells than the table columns."""
        if len(cells) != len(self.table.columns):
            raise ValueError(f"{self.table.name}: {len(cells)} cells, {len(self.table.columns)} columns")
        self._file.write(json.dumps(cells, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.count += 1

    def __iter__(self) -> Iterator[list[Cell]]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)

    def first(self, most: int) -> list[list[Cell]]:
        """The first rows, for a page."""
        return [row for row, _ in zip(self, range(most), strict=False)]

    def close(self) -> None:
        """The file is gone."""
        self._file.close()


def defused(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def as_csv(rows: Rows) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, with the mark by which spreadsheets know it."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(rows.table.columns)
    for row in rows:
        writer.writerow(["" if cell is None else defused(cell) for cell in row])
        if buffer.tell() > CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def as_json_lines(rows: Rows) -> Iterator[bytes]:
    """One object a line, by the columns' names."""
    names = [column.lower().replace(" ", "_").replace("-", "_") for column in rows.table.columns]
    parts: list[str] = []
    size = 0
    for row in rows:
        parts.append(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")
        size += len(parts[-1])
        if size > CHUNK:
            yield "".join(parts).encode()
            parts, size = [], 0
    yield "".join(parts).encode()


def workbook(tables: Sequence[Rows], title: str = "Audit pack") -> Iterator[bytes | None]:
    """An XLSX workbook with a sheet a table (or several, where one is too long); None while it works."""
    import xlsxwriter  # noqa: PLC0415 - only packs and exports need it

    with tempfile.TemporaryFile() as file:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "use_zip64": True,
        }
        book = xlsxwriter.Workbook(file, options)
        book.set_properties({"created": _EPOCH.replace(tzinfo=None), "title": title})
        head = book.add_format({"bold": True, "bottom": 1})
        text = book.add_format({"num_format": "@"})
        guarded = book.add_format({"num_format": "@", "quote_prefix": True})
        for rows in tables:
            for number, _ in enumerate(_sheets(book, rows, head, text, guarded)):
                if number % 1000 == 0:
                    yield None
        book.close()
        file.seek(0)
        while part := file.read(CHUNK):
            yield part


def _sheets(book: Any, rows: Rows, head: Any, text: Any, guarded: Any) -> Iterator[None]:  # noqa: ANN401 - the library has no types
    sheet, line, number = None, 0, 0
    for row in rows:
        if sheet is None or line > SHEET_ROWS:
            number += 1
            sheet, line = _sheet(book, rows.table, number, head), 1
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                risky = defused(cell) != cell
                sheet.write_string(line, column, cell[:_CELL_CHARACTERS], guarded if risky else text)
            elif cell is not None:
                sheet.write_number(line, column, cell)
        line += 1
        yield
    if sheet is None:
        _sheet(book, rows.table, 1, head)


def _sheet(book: Any, table: Table, number: int, head: Any) -> Any:  # noqa: ANN401 - as above
    name = table.title[:_SHEET_NAME] + (f" {number}" if number > 1 else "")
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(table.columns):
        sheet.set_column(column, column, max(12, min(48, len(title) + 6)))
    for column, title in enumerate(table.columns):
        sheet.write_string(0, column, title, head)
    return sheet
