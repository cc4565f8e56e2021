"""Labels: what their codes say, how sheets are divided, and how a code that was read is understood. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

NUMBER: Final = re.compile(r"(D|CT|LT)-[0-9]{4,9}")
"""Numbers that labels bear: devices, containers, lots."""
SCAN_PATH: Final = "/console/scan"


@dataclass(frozen=True)
class Sheet:
    """An A4 sheet of labels, in tenths of a millimetre."""

    columns: int
    rows: int
    width: int
    height: int
    left: int
    top: int
    gap_across: int
    gap_down: int
    words: str

    @property
    def labels(self) -> int:
        """How many labels a sheet has."""
        return self.columns * self.rows

    def place(self, index: int) -> tuple[int, int]:
        """Where a label begins, from the sheet's left and top; the first is 0, and rows are filled one by one."""
        row, column = divmod(index, self.columns)
        return self.left + column * (self.width + self.gap_across), self.top + row * (self.height + self.gap_down)


SHEETS: Final[Mapping[str, Sheet]] = {
    "70x37": Sheet(3, 8, 700, 370, 0, 5, 0, 0, "24 labels of 70 x 37 mm"),
    "63x38": Sheet(3, 7, 635, 381, 72, 151, 25, 0, "21 labels of 63.5 x 38.1 mm"),
    "48x25": Sheet(4, 10, 485, 254, 80, 215, 0, 0, "40 labels of 48.5 x 25.4 mm"),
    "105x74": Sheet(2, 4, 1050, 740, 0, 5, 0, 0, "8 labels of 105 x 74 mm"),
}
"""Sheets as they are sold; others are set up as the next larger one."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """What stands on one label."""

    number: str
    title: str
    """Asset tag or name."""
    text: str
    """One more line; no serial number and no data set, for a label is read by whoever passes."""


def address_of(base: str, number: str) -> str:
    """What the code of a label says: an address of this service, so that any phone's camera leads there."""
    return f"{base}{SCAN_PATH}?code={number}"


def code_read(text: str) -> str:
    """The code in what was read: of a label of ours its number, else the text itself."""
    bare = " ".join(text.split())
    parts = urlsplit(bare) if "://" in bare[:12] else None
    if parts is not None and parts.path == SCAN_PATH:
        (number, *_) = parse_qs(parts.query).get("code", [""])
        if NUMBER.fullmatch(number):
            return number
    return bare


def codes_read(text: str, most: int = 5000) -> tuple[str, ...]:
    """The codes that were typed, pasted or read, one a line (or apart by comma, semicolon or tab), in order."""
    found = [code_read(one) for one in re.split(r"[\n\r\t,;]+", text) if one.strip()]
    return tuple(found[:most])
