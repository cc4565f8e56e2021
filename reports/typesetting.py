"""Keeps what belongs together on one line of a page: a number and its unit, the groups of a number's digits. Pure.

It is done to finished HTML, once, so that no sentence, table or signed text has to know of it: what is compared, exported and
signed keeps its plain spaces, and so does what is typed, copied or run.
"""

from __future__ import annotations

import re
from typing import Final

NO_BREAK: Final = "\u00a0"
_UNITS: Final = r"[kMGTPE]?B(?:/s)?|%|mm|cm|kg|g|°C|ms|s|min|h|d"
_APART: Final = re.compile(rf"(?<=[0-9]) (?=(?:{_UNITS})(?!\w)|[0-9]{{3}}(?![0-9]))")
_AS_IT_STANDS: Final = re.compile(r"<(textarea|script|style|pre|code|svg)\b.*?</\1\s*>", re.DOTALL)


def together(html: str) -> str:
    """The page with no-break spaces between numbers and units; tags, and what stands in a form or in code, unchanged."""
    spaces = [found.start() for found in _APART.finditer(html)]
    if not spaces:
        return html
    kept = [found.span() for found in _AS_IT_STANDS.finditer(html)]
    made, at = [], 0
    for space in spaces:
        in_tag = html.rfind("<", 0, space) > html.rfind(">", 0, space)
        if in_tag or any(start < space < end for start, end in kept):
            continue
        made += [html[at:space], NO_BREAK]
        at = space + 1
    return "".join([*made, html[at:]])
