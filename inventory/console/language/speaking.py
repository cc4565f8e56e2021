"""Which language this reader wants, and what a page says in it.

The person's own setting decides; without one the browser's wish; without that the language of the organisation's documents.
Moments are shown as the language writes them, always in UTC: evidence names moments in UTC, and a page must agree with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final

from babel.dates import format_date
from flask import g, has_request_context, request
from markupsafe import Markup, escape

from inventory.auth import web as auth
from inventory.console import formatting
from inventory.errors import InventoryError
from reports.destruction_notes import in_language
from reports.drive_words import technique_words
from reports.language import speaker

from .catalogs import NAMES, TONGUES, Tongue, catalog, fill
from .marking import HOLE

COOKIE: Final = "language"
_TAGS = re.compile(r"<(\d)>|</(\d)>|\{([a-z_A-Z][a-zA-Z_0-9]*)\}")
_ISO_DAY: Final = re.compile(r"(?<![\w/.-])\d{4}-\d\d-\d\d(?![\w/:-]|\.\w)")
_LOCALES: Final[dict[Tongue, str]] = {"en": "en_GB", "pt": "pt_PT", "ms": "ms_MY"}
_AGO: Final = re.compile(r"(in )?(\d+) (day|hour|minute|second)s?( ago)?")


def known(word: str | None) -> Tongue | None:
    """The language of that tag, if the console speaks it; `pt-BR` is `pt`."""
    short = (word or "").split("-")[0].split("_")[0].lower()
    return next((tongue for tongue in TONGUES if tongue == short), None)


def tongue() -> Tongue:
    """The language of this request; English outside of one."""
    if not has_request_context():
        return "en"
    chosen: Tongue | None = g.get("console_tongue")
    if chosen is None:
        chosen = g.console_tongue = _chosen()
    return chosen


def _chosen() -> Tongue:
    setting = None
    try:
        caller = auth.find_caller()
        setting = known(caller.person.language) if caller is not None else None
    except InventoryError:  # an error page is drawn: whoever cannot be asked is a stranger
        setting = None
    return setting or known(request.cookies.get(COOKIE)) or _of_browser() or known(_of_organisation()) or "en"


def _of_browser() -> Tongue | None:
    return next((found for wish in request.accept_languages.values() if (found := known(wish))), None)


def _of_organisation() -> str:
    return auth.context().settings.documents.language


def say(text: object, /, **values: object) -> object:
    """A sentence in the reader's language: a message with its values, or one that a service made.

    Args:
        text: English. What is no text, and what is HTML already, comes back as it is.
        values: what stands in the braces of the message.
    """
    return say_in(tongue(), text, **values)


def say_in(spoken: Tongue, text: object, /, **values: object) -> object:
    """`say`, in a language that is known already: a page says hundreds of things and asks once."""
    if not isinstance(text, str) or isinstance(text, Markup):
        return text
    if not values:
        said = text if spoken == "en" else catalog(spoken).sentence(text)
        return _ISO_DAY.sub(lambda found: _named_day(found, spoken), said) if "-" in said else said
    message = text if spoken == "en" else catalog(spoken).message(text)
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(fill(str(escape(message)), {name: escape(value) for name, value in values.items()}))  # noqa: S704 - each part is escaped
    return fill(message, values)


def _named_day(found: re.Match[str], spoken: Tongue) -> str:
    """A day that a service wrote for programs, as every other day of the page; what is no day stays."""
    try:
        named = date.fromisoformat(found[0])
    except ValueError:
        return found[0]
    return (
        formatting.day(datetime.combine(named, time(), tzinfo=UTC)) if spoken == "en" else _date(named, "long", spoken)
    )


def words(text: str, /, **values: object) -> str:
    """`say` for Python: always text."""
    return str(say(text, **values))


def evidence(text: str) -> str:
    """What the verifier says of a file: the sentence, and its days as the language writes them."""
    spoken = tongue()
    return text if spoken == "en" else catalog(spoken).days(words(text))


def told(body: str, message: str) -> Markup:
    """A sentence of a template around its values; the filter that `marking` writes.

    Args:
        body: the values as HTML, each followed by the mark between them.
        message: English, with `{name}` for each value and `<1>...</1>` for each tag.
    """
    values = str(body).split(HOLE)[:-1]
    names, pieces, last = _pieces(message, tongue())
    if len(values) != len(names):  # somebody's text holds the mark: say it in English, where the order is known
        return Markup("".join(values))  # noqa: S704 - rendered by the template, escaped there
    by_name = dict(zip(names, values, strict=True))
    made = "".join([before + by_name.get(name, "") for before, name in pieces])
    return Markup(made + last)  # noqa: S704 - values are rendered HTML, the rest is escaped


@lru_cache(maxsize=8192)
def _pieces(message: str, spoken: Tongue) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], str]:
    """The names of a message as in English; what is said before each name, escaped, in the language's order; and the rest."""
    names = tuple(found.group(0) for found in _TAGS.finditer(message))
    text = message if spoken == "en" else catalog(spoken).message(message)
    pieces, at = [], 0
    for found in _TAGS.finditer(text):
        pieces.append((str(escape(text[at : found.start()])), found.group(0)))
        at = found.end()
    return names, tuple(pieces), str(escape(text[at:]))


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 device`, `2 devices`: two messages, `{count} device` and `{count} devices`."""
    return _counted(count, one if count == 1 else many or one + "s", tongue())


@lru_cache(maxsize=8192)
def _counted(count: int, noun: str, spoken: Tongue) -> str:
    """A list says the same few numbers of the same few things again and again."""
    return str(say_in(spoken, f"{{count}} {noun}", count=number(count)))


def number(count: int) -> str:
    """A whole number, its digits as the other filters print them."""
    return str(count)


def sentence_case(value: str) -> str:
    """A word of a vocabulary: `in_service` -> `In service`."""
    return words(formatting.sentence_case(value))


def finished(value: str) -> str:
    """See `formatting.finished`."""
    return formatting.finished(words(value))


def utc(moment: datetime) -> str:
    """Day and minute, UTC."""
    spoken = tongue()
    if spoken == "en":
        return formatting.utc(moment)
    return f"{_date(formatting.in_utc(moment).date(), 'd MMM y', spoken)}, {formatting.clock(moment)[:5]}"


def utc_exact(moment: datetime) -> str:
    """Day and second, UTC, and says so."""
    spoken = tongue()
    if spoken == "en":
        return formatting.utc_exact(moment)
    form = "EEEE, d 'de' MMMM 'de' y" if spoken == "pt" else "EEEE, d MMMM y"
    return f"{_date(formatting.in_utc(moment).date(), form, spoken)}, {formatting.clock(moment)} UTC"


def day(moment: datetime) -> str:
    """The day, UTC."""
    spoken = tongue()
    if spoken == "en":
        return formatting.day(moment)
    return _date(formatting.in_utc(moment).date(), "long", spoken)


def day_of(named: date) -> str:
    """A day that somebody named."""
    return day(datetime.combine(named, time(), tzinfo=UTC))


def clock(moment: datetime) -> str:
    """The time of day, UTC."""
    return formatting.clock(moment)


@lru_cache(maxsize=2048)
def _date(day: date, form: str, spoken: Tongue) -> str:
    """A page names the same few days again and again, and a language's calendar is slow to ask."""
    return format_date(day, form, locale=_LOCALES[spoken])


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, or in how long."""
    text = formatting.ago(moment, now)
    found = _AGO.fullmatch(text)
    if found is None:
        return words(text) if text == "just now" else day(moment)
    ahead, count, unit, _ = found.groups()
    message = f"in {{count}} {unit}" if ahead else f"{{count}} {unit} ago"
    if count != "1":
        message = message.replace(unit, unit + "s")
    return words(message, count=count)


def size(count: int | None) -> str:
    """A size as disks are sold; a decimal comma where the language writes one."""
    text = formatting.size(count)
    return words(text) if count is None else _comma(text)


def exact_bytes(count: int | None) -> str:
    """The exact number of bytes, grouped in threes."""
    text = formatting.exact_bytes(count)
    return words(text) if count is None else words("{count} bytes", count=text.removesuffix(" bytes"))


def rate(per_second: int) -> str:
    """Bytes per second."""
    return _comma(formatting.rate(per_second))


def duration(seconds: int | None) -> str:
    """A length of time in its two largest units."""
    return words(formatting.duration(seconds)) if seconds is None else formatting.duration(seconds)


def operators_note(note: str) -> str:
    """What an operator wrote about a destruction, with what the service added to it in the reader's language."""
    return in_language(note, speaker(tongue()))


def technique(code: str) -> str:
    """What a technique is called; the code stands in evidence."""
    return technique_words(code, speaker(tongue()))


def _comma(text: str) -> str:
    return text.replace(".", ",") if tongue() == "pt" else text


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "told": told,
    "said": say,
    "evidence": evidence,
    "size": size,
    "exact_bytes": exact_bytes,
    "rate": rate,
    "duration": duration,
    "utc": utc,
    "utc_exact": utc_exact,
    "day": day,
    "clock": clock,
    "plural": plural,
    "technique": technique,
    "operators_note": operators_note,
    "sentence_case": sentence_case,
    "finished": finished,
}
"""Filters of templates that speak; they stand over those of `formatting`."""

__all__ = ["FILTERS", "NAMES", "ago", "known", "plural", "say", "say_in", "tongue", "words"]
