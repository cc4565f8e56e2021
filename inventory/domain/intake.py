"""Withdrawals from a list: CSV in, rows out, each with what is wrong with it. Nothing is guessed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

COLUMNS: Final = ("reference", "data_sets", "withdrawn", "customer_since", "due")
REQUIRED: Final = COLUMNS[:3]
MOST_ROWS: Final = 5000
MOST_BYTES: Final = 4 << 20
_FIELD: Final = 4096


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of one row."""

    field: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class IntakeRow:
    """One withdrawal as a list tells it."""

    row: int
    """Counted from 1, the heading not included."""
    reference: str
    data_sets: tuple[str, ...]
    withdrawn: datetime | None
    customer_since: datetime | None = None
    due: datetime | None = None
    problems: tuple[Problem, ...] = ()


class UnreadableList(Exception):
    """The list as a whole cannot be read; the text says why."""


def read_list(content: bytes) -> tuple[IntakeRow, ...]:
    """Read a CSV list: UTF-8, a heading, commas or tabs between the columns, semicolons between data sets.

    Raises:
        UnreadableList: no row of it can be trusted.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableList(f"The list is longer than {MOST_BYTES} bytes; send it in parts.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList("The list is not UTF-8.") from error
    if "\0" in text:
        raise UnreadableList("The list holds a zero byte.")
    heading = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in heading else ",", strict=True)
    try:
        lines = list(reader)
    except csv.Error as error:
        raise UnreadableList(f"Line {reader.line_num} is no CSV: {error}.") from error
    return _rows(lines)


def _rows(lines: list[list[str]]) -> tuple[IntakeRow, ...]:
    if not lines:
        raise UnreadableList("The list is empty.")
    columns = [name.strip().lower() for name in lines[0]]
    unknown = sorted(set(columns) - set(COLUMNS))
    missing = [name for name in REQUIRED if name not in columns]
    if unknown or missing or len(set(columns)) != len(columns):
        said = f"unknown: {', '.join(unknown)}; " if unknown else ""
        said += f"missing: {', '.join(missing)}; " if missing else ""
        raise UnreadableList(
            f"The heading has other columns than {', '.join(COLUMNS)} ({said or 'one stands twice; '}each once)."
        )
    body = [(number, line) for number, line in enumerate(lines[1:], 1) if any(cell.strip() for cell in line)]
    if not body:
        raise UnreadableList("The list has a heading and no row.")
    if len(body) > MOST_ROWS:
        raise UnreadableList(f"The list has more than {MOST_ROWS} rows; send it in parts.")
    return tuple(_row(number, columns, line) for number, line in body)


def _row(number: int, columns: list[str], line: list[str]) -> IntakeRow:
    if len(line) != len(columns):
        problem = Problem("", f"The row has {len(line)} cells, and the heading {len(columns)}.")
        return IntakeRow(row=number, reference="", data_sets=(), withdrawn=None, problems=(problem,))
    cells = {name: cell.strip()[:_FIELD] for name, cell in zip(columns, line, strict=True)}
    problems: list[Problem] = []
    data_sets = tuple(dict.fromkeys(part.strip() for part in cells["data_sets"].split(";") if part.strip()))
    if not data_sets:
        problems.append(Problem("data_sets", "Name at least one data set."))
    return IntakeRow(
        row=number,
        reference=cells["reference"],
        data_sets=data_sets,
        withdrawn=_moment(cells, "withdrawn", problems),
        customer_since=_moment(cells, "customer_since", problems),
        due=_moment(cells, "due", problems, end=True),
        problems=tuple(problems),
    )


def _moment(cells: Mapping[str, str], name: str, problems: list[Problem], *, end: bool = False) -> datetime | None:
    text = cells.get(name, "")
    if not text:
        if name in REQUIRED:
            problems.append(Problem(name, "Give the day as YYYY-MM-DD."))
        return None
    try:
        if len(text) == len("YYYY-MM-DD"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59) if end else time(), tzinfo=UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        problems.append(Problem(name, "This is no day as YYYY-MM-DD, and no time as RFC 3339 writes it."))
        return None
    if found.tzinfo is None:
        problems.append(Problem(name, "A time needs an offset from UTC, such as Z."))
        return None
    return found
