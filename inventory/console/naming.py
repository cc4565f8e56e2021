"""Numbers in a sentence of ours as links, under the names people know: a medium by its asset tag, a case by its reference.

Services write numbers, for what is stored, exported and sent must not depend on who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import url_for
from markupsafe import Markup, escape

from .blueprint import ACCESS
from .web import called, may

_NUMBER: Final = re.compile(r"(?<![\w/-])([A-Z]{1,2})-(?:\d{4}-)?\d{4,8}(?![\w/-])")
_PAGES: Final[Mapping[str, str]] = {
    "CT": "container",
    "D": "device",
    "EC": "case",
    "H": "host",
    "HV": "handover",
    "LT": "lot",
    "O": "order",
    "RD": "reading",
    "SM": "sample",
}
"""How a number begins -> its page, which calls it by its own name."""


class Naming:
    """The names of what some sentences are about, asked for once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._names = called(found.group() for text in texts for found in _NUMBER.finditer(text))

    def __call__(self, text: str) -> Markup:
        """The sentence, in whatever language, with links; a name in brackets behind its number is not said twice."""
        made, at = Markup(), 0
        for found in _NUMBER.finditer(text):
            if found.start() < at:  # a tag that looks like a number of ours, in brackets that were passed over
                continue
            name = self._names.get(found.group(), found.group())
            made += escape(text[at : found.start()]) + self._link(found.group(), found.group(1), name)
            at = found.end()
            if text.startswith(f" ({name})", at):
                at += len(f" ({name})")
        return made + escape(text[at:])

    def _link(self, number: str, series: str, name: str) -> Markup:
        page = _PAGES.get(series)
        if page is None or not _opens(page):
            return escape(name)
        address: dict[str, Any] = {page: number}
        return Markup('<a href="{}" title="{}">{}</a>').format(url_for(f"console.{page}", **address), number, name)


def _opens(page: str) -> bool:
    permission = ACCESS[f"console.{page}"].permission
    return permission is None or may(permission)
