"""The cells of a list's table as HTML: a page has hundreds of them, and Jinja's macros took half of its time for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from numbers import Number
from typing import Final

from markupsafe import Markup, escape

from inventory.console import formatting
from inventory.console.language import speaking
from inventory.console.language.catalogs import Tongue
from inventory.console.language.speaking import words

from .chips import Chip, state_chip, word_chip
from .listing import Cell, Shown

_DIGEST_LENGTH: Final = 64
_NARROW: Final = 16
"""So short a name of a row is never broken."""
_MARKS: Final = {"held": Chip("On hold", "warn", "hold")}
"""Marks that look the same on the page of the thing itself."""
_TO_THE_RIGHT: Final = frozenset({"number", "size"})


class Cells:
    """Draws the cells of one page; `_ui.html` has the same parts for templates.

    Args:
        icons: address of the file of icons.
        now: when the page is made.
        person: how a person is called, by pseudonym.
    """

    def __init__(self, icons: str, now: datetime, person: Callable[[str], str]) -> None:
        self._icons, self._now, self._person = icons, now, person
        self._tongue = speaking.tongue()
        self._known: dict[str, Markup] = {}
        self._kinds: dict[str, Callable[[Shown], Markup]] = {
            "state": lambda shown: self._chip(state_chip(shown.value)),
            "severity": lambda shown: self._chip(word_chip("severity", shown.value)),
            "time": self._time,
            "size": lambda shown: escape(speaking.size(shown.value)),
            "person": lambda shown: escape(self._person(shown.value)),
            "words": lambda shown: escape(words(speaking.sentence_case(shown.value))),
            "technique": self._technique,
            "progress": self._progress,
            "yes": self._yes,
        }

    def draw(self, cell: Cell, *, first: bool) -> Markup:
        """One cell of a row, the first of which names it."""
        main = cell.main
        label = "" if first else f' data-label="{self._said(main.title)}"'
        right = _RIGHT if main.kind in _TO_THE_RIGHT else ""
        if first and main.url:
            short = " nowrap" if len(str(main.value)) <= _NARROW else ""
            drawn = f'<a class="cell-main{short}" href="{escape(main.url)}">{escape(main.value)}</a>'
        else:
            drawn = self._value(main)
        below = "".join([self._under(each) for each in cell.below])
        return Markup(f"<td{label}{right}><div>{drawn}{below}</div></td>")  # noqa: S704 - each part is escaped

    def _value(self, shown: Shown) -> str:
        if shown.value is None or shown.value == "":
            return f'<span class="faint">{self._said("not known" if shown.kind == "size" else "none")}</span>'
        draw = self._kinds.get(shown.kind)
        if draw is not None:
            return draw(shown)
        if shown.url:
            return f'<a href="{escape(shown.url)}">{escape(shown.value)}</a>'
        if shown.kind != "mono":
            return escape(shown.value)
        return (
            self._digest(shown)
            if len(shown.value) == _DIGEST_LENGTH
            else f'<span class="mono">{escape(shown.value)}</span>'
        )

    def _under(self, shown: Shown) -> str:
        value = shown.value
        if value is None or value == "" or value is False or (shown.kind == "text" and value == 0):
            return ""
        if shown.kind == "yes":
            return self._chip(_MARKS.get(shown.name) or Chip(shown.title, "bad", "alert"))
        if shown.kind == "progress":
            return f'<span class="cell-progress">{self._value(shown)}</span>'
        if isinstance(value, Number):
            return f'<span class="cell-sub">{self._said(shown.title)}: {escape(value)}</span>'
        return f'<span class="cell-sub">{self._value(shown)}</span>'

    def _said(self, text: str) -> Markup:
        """Words of ours: the heads of columns stand in every row."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = escape(words(text))
        return known

    def _chip(self, chip: Chip) -> Markup:
        return _chip(self._icons, self._tongue, chip)

    def _time(self, shown: Shown) -> Markup:
        exact, ago = speaking.utc_exact(shown.value), speaking.ago(shown.value, self._now)
        moment, on = formatting.iso(shown.value), speaking.utc(shown.value)
        return Markup('<time datetime="{}" title="{}" data-on="{}"><span>{}</span></time>').format(
            moment, exact, on, ago
        )

    def _progress(self, shown: Shown) -> Markup:
        bar = Markup('<progress max="100" value="{}" aria-label="{}">{} %</progress>')
        return bar.format(shown.value, words(shown.title), shown.value)

    def _technique(self, shown: Shown) -> Markup:
        """What it is called; the code stands in evidence and in orders."""
        return Markup('<span title="{}">{}</span>').format(shown.value, speaking.technique(shown.value))

    def _yes(self, shown: Shown) -> Markup:
        if shown.value:
            return _icon(self._icons, "check", small=True) + " " + words("yes")
        return Markup('<span class="faint">{}</span>').format(words("no"))

    def _digest(self, shown: Shown) -> Markup:
        copy = Markup('<button class="copy" type="button" hidden data-copy="{}" aria-label="{}">{}</button>').format(
            shown.value, words("Copy {what}", what=words(shown.title)), _icon(self._icons, "copy", small=True)
        )
        short = formatting.short_digest(shown.value)
        return Markup('<span class="digest"><code title="{}">{}</code>{}</span>').format(shown.value, short, copy)


_RIGHT: Final = ' class="num"'


@lru_cache(maxsize=256)
def _icon(icons: str, name: str, *, small: bool = False) -> Markup:
    size = " icon-s" if small else ""
    return Markup('<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(size, icons, name)


@lru_cache(maxsize=1024)
def _chip(icons: str, _tongue: Tongue, chip: Chip) -> Markup:
    """The chip of a state; a few dozen words in a few languages, drawn again and again."""
    meaning = Markup(' title="{}"').format(words(chip.meaning)) if chip.meaning else ""
    return Markup('<span class="chip chip-{}"{}>{}{}</span>').format(
        chip.tone, meaning, _icon(icons, chip.icon), words(chip.label)
    )
