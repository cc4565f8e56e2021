"""CSV as programs write it: UTF-8, one of four separators, quoted where it must be. What cannot be read is told, not guessed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, Final

from inventory.errors import Invalid

from .rows import Line, Unreadable

SEPARATORS: Final = (",", ";", "\t", "|")
_MOST_UNREADABLE: Final = 1000


def lines(file: IO[bytes]) -> Iterator[Line | Unreadable]:
    """Every line with its number, the header first. Raises `Invalid` where it is no table in UTF-8."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="strict", newline="")
    unreadable = 0
    try:
        separator = _separator(text)
        reader = csv.reader(text, delimiter=separator, strict=True)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                unreadable += 1
                if unreadable > _MOST_UNREADABLE:
                    raise Invalid(
                        "file", f"More than {_MOST_UNREADABLE} lines cannot be read; is this a CSV file?"
                    ) from None
                yield Unreadable(reader.line_num, f"This line is no CSV: {error}.")
                continue
            if any(cells):
                yield Line(reader.line_num, cells)
    except UnicodeDecodeError as error:
        raise Invalid("file", "The file is not in UTF-8; save it as `CSV UTF-8`.") from error
    finally:
        text.detach()


def _separator(text: io.TextIOWrapper) -> str:
    """The one that stands most often in the header."""
    head = text.readline(65_536)
    text.seek(0)
    return max(SEPARATORS, key=lambda one: (head.count(one), -SEPARATORS.index(one)))
