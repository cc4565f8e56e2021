"""How values look on a page: sizes, times, durations, digests. Pure; templates get each function as a filter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup, escape

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
NO_BREAK: Final = "\u00a0"
_DIGEST: Final = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{64}(?![0-9a-zA-Z])")
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_SPANS: Final = ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second"))


def size(count: int | None) -> str:
    """A size as disks are sold: decimal units, three significant digits.

    Args:
        count: Bytes; None where nobody reported it.
    """
    if count is None:
        return "unknown size"
    value = float(count)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            if unit == "B":
                return f"{count} B"
            digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{digits}f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: the last unit always answers")


def exact_bytes(count: int | None) -> str:
    """The exact number of bytes, grouped in threes."""
    return "unknown" if count is None else f"{count:,} bytes".replace(",", " ")


def rate(per_second: int) -> str:
    """Bytes per second."""
    return f"{size(per_second)}/s"


def duration(seconds: int | None) -> str:
    """A length of time in its two largest units, on one line; None where nothing honest can be said."""
    return "not yet known" if seconds is None else _two_units(seconds).replace(" ", NO_BREAK)


def _two_units(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return (
            f"{seconds // _MINUTE} min {seconds % _MINUTE} s"
            if seconds < 10 * _MINUTE
            else f"{round(seconds / _MINUTE)} min"
        )
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"


def in_utc(moment: datetime) -> datetime:
    """The moment as UTC has it, with no seconds' fractions."""
    return moment.astimezone(UTC).replace(microsecond=0)


def moment(stamp: str) -> datetime:
    """A moment as a record writes it, RFC 3339 UTC."""
    return datetime.fromisoformat(stamp)


def iso(moment: datetime) -> str:
    """RFC 3339 UTC, for `<time datetime>`."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def utc(moment: datetime) -> str:
    """Day and minute, UTC."""
    return f"{moment.astimezone(UTC):%-d %b %Y, %H:%M}"


def utc_exact(moment: datetime) -> str:
    """Day and second, UTC, and says so."""
    return f"{moment.astimezone(UTC):%A, %-d %B %Y, %H:%M:%S} UTC"


def day(moment: datetime) -> str:
    """The day, UTC."""
    return f"{moment.astimezone(UTC):%-d %B %Y}"


def clock(moment: datetime) -> str:
    """The time of day, UTC."""
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, or in how long; days from a month on are given as a date."""
    seconds = int((now - moment).total_seconds())
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds < 45 and not ahead:
        return "just now"
    if seconds >= 30 * _DAY:
        return day(moment)
    unit, name = next((pair for pair in _SPANS if seconds >= pair[0]), _SPANS[-1])
    count = seconds // unit
    words = f"{count} {name}{'' if count == 1 else 's'}"
    return f"in {words}" if ahead else f"{words} ago"


def short_digest(value: str) -> str:
    """The first and last digits of a digest, for places where the whole one is one click away."""
    return f"{value[:8]}…{value[-6:]}" if len(value) > 18 else value


def ends(text: str) -> Markup:
    """A text whose digests show their ends on the screen, and are whole when pointed at and on paper."""
    made, at = Markup(), 0
    for found in _DIGEST.finditer(text):
        short = Markup('<span class="ends" title="{}">{}</span>').format(found[0], short_digest(found[0]))
        made, at = made + escape(text[at : found.start()]) + short, found.end()
    return made + escape(text[at:])


def groups(value: str) -> list[str]:
    """A digest in groups of four, as both sides of a comparison show it (`reports.keys.fingerprint_words`)."""
    bare = value.replace(" ", "")
    return [bare[start : start + 4] for start in range(0, len(bare), 4)]


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 device`, `2 devices`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def initials(name: str) -> str:
    """Two letters for a round badge."""
    words = [word for word in name.replace("-", " ").replace(":", " ").split() if word[0].isalnum()]
    return ("".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)) or "?").upper()


def sentence_case(value: str) -> str:
    """`in_service` -> `In service`."""
    words = value.replace("_", " ").replace("-", " ").replace(".", " ")
    return words[:1].upper() + words[1:]


def capital(value: str) -> str:
    """Words of ours that stand by themselves: the first letter large, the others as they are."""
    return value[:1].upper() + value[1:]


def finished(value: str) -> str:
    """A reason as an agent writes it, `the drive is locked`, made a sentence of its own."""
    return value[:1].upper() + value[1:] + ("" if value.endswith(".") or not value else ".")


_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"), ("HeadlessChrome", "Chrome"), ("Chrome", "Chrome"), ("Version", "Safari"),
)  # fmt: skip
"""What a browser calls itself -> its name; the first that fits, because many also claim to be others."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser(label: str) -> str:
    """A browser as people call it; what is not known stays as it introduced itself."""
    found = ((name, re.search(rf"\b{mark}/(\d+)", label)) for mark, name in _BROWSERS)
    name = next((f"{name} {version[1]}" for name, version in found if version), None)
    system = next((name for mark, name in _SYSTEMS if mark in label), None)
    return ", ".join(filter(None, (name, system))) if name else label


def coded(text: str) -> Markup:
    """A sentence with what stands between backticks as something to type."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)  # one without its other is no pair
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "size": size,
    "exact_bytes": exact_bytes,
    "rate": rate,
    "duration": duration,
    "moment": moment,
    "iso": iso,
    "utc": utc,
    "utc_exact": utc_exact,
    "day": day,
    "clock": clock,
    "short_digest": short_digest,
    "ends": ends,
    "groups": groups,
    "plural": plural,
    "initials": initials,
    "sentence_case": sentence_case,
    "capital": capital,
    "finished": finished,
    "browser": browser,
    "coded": coded,
}
"""Name -> filter; `ago` is added by the application, which knows the time."""
