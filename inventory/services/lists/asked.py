"""What is asked of a list, as one value: read from an address, written into one, and kept as a saved view. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import parse_qsl, urlencode

from inventory.errors import Invalid

from .spec import MOST_VALUES, Column, Listed, Sort

TEXT_MOST = 128
QUERY_MOST = 2000
_ANY = "any"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Filters and columns of one list. What is not among them is not asked."""

    text: str = ""
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Facet -> its values, as given; `any` lifts what is presumed."""
    exact: dict[str, str] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    """Included."""
    columns: tuple[str, ...] = ()
    """Empty: the usual ones."""
    sort: str = ""
    """The column to put the list in order by, with `-` before it the other way round; empty: the list's own order."""

    @property
    def narrows(self) -> bool:
        """Whether anything but columns was asked."""
        return bool(self.text or self.chosen or self.exact or self.since or self.until)

    def values(self, listed: Listed, name: str) -> tuple[str, ...]:
        """The values of a facet, what is presumed included; none: it does not narrow."""
        facet = listed.facet(name)
        given = self.chosen.get(name, facet.presumed if facet else ())
        return () if _ANY in given else given

    def pairs(self) -> list[tuple[str, str]]:
        """As an address holds it, always in the same order."""
        found = [("q", self.text)] if self.text else []
        found += [(name, value) for name, values in sorted(self.chosen.items()) for value in values]
        found += sorted(self.exact.items())
        found += [(name, day.isoformat()) for name, day in (("since", self.since), ("until", self.until)) if day]
        if self.sort:
            found.append(("sort", self.sort))
        if self.columns:
            found.append(("columns", ",".join(self.columns)))
        return found

    def query(self) -> str:
        """As the part of an address after the question mark."""
        return urlencode(self.pairs())

    def toggled(self, listed: Listed, name: str, value: str) -> Asked:
        """With a facet's value added or taken away."""
        facet, now = listed.facet(name), self.values(listed, name)
        if value in now:
            then = tuple(one for one in now if one != value)
        else:
            then = (value,) if facet is not None and facet.single else (*now, value)
        return self.with_values(listed, name, then)

    def with_values(self, listed: Listed, name: str, values: tuple[str, ...]) -> Asked:
        """With these values of a facet."""
        facet = listed.facet(name)
        chosen = {key: given for key, given in self.chosen.items() if key != name}
        if facet is not None and values != facet.presumed:
            chosen[name] = values or ((_ANY,) if facet.presumed else ())
        return replace(self, chosen={key: given for key, given in chosen.items() if given})

    def without(self, name: str) -> Asked:
        """Without an exact filter, the text or one of the days."""
        if name == "q":
            return replace(self, text="")
        if name == "since":
            return replace(self, since=None)
        if name == "until":
            return replace(self, until=None)
        return replace(self, exact={key: value for key, value in self.exact.items() if key != name})

    def sorted_by(self, listed: Listed) -> tuple[Sort, bool] | None:
        """By what, and whether the other way round; None: the list's own order."""
        column = listed.column(self.sort.removeprefix("-"))
        return None if column is None or column.sort is None else (column.sort, self.sort.startswith("-"))

    def shown(self, listed: Listed) -> tuple[Column, ...]:
        """The columns to show, in the list's own order; the first one always is, as it names the row."""
        wanted = set(self.columns) or {column.name for column in listed.columns if column.usual}
        return tuple(column for number, column in enumerate(listed.columns) if number == 0 or column.name in wanted)

    def moments(self) -> tuple[datetime | None, datetime | None]:
        """The days as times, UTC; the second is not included."""
        first = datetime.combine(self.since, time(), tzinfo=UTC) if self.since else None
        last = datetime.combine(self.until + timedelta(days=1), time(), tzinfo=UTC) if self.until else None
        return first, last


def asked_of(listed: Listed, pairs: Iterable[tuple[str, str]]) -> Asked:
    """Read an address. What names no filter of this list is passed over; a filter's unknown value stays, and finds nothing.

    Raises:
        Invalid: a day that is none, or too many values.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    exact: dict[str, str] = {}
    text, columns, sort, days = "", "", "", {}
    for name, raw in pairs:
        value = "".join(char for char in raw.strip() if char.isprintable())[:TEXT_MOST]
        if not value:
            continue
        if name == "q":
            text = value
        elif name == "columns":
            columns = raw[:QUERY_MOST]
        elif name == "sort":
            sort = value
        elif name in {"since", "until"}:
            days[name] = _day(name, value)
        elif listed.facet(name) is not None:
            given = chosen.get(name, ())
            chosen[name] = given if value in given else (*given, value)
        elif any(one.name == name for one in listed.exacts):
            exact[name] = value
    if any(len(values) > MOST_VALUES for values in chosen.values()):
        raise Invalid("filters", f"At most {MOST_VALUES} values of one filter.")
    known = tuple(name for name in dict.fromkeys(columns.split(",")) if listed.column(name) is not None)
    dated = listed.time is not None
    return Asked(
        text=text if listed.text is not None else "",
        chosen=chosen,
        exact=exact,
        since=days.get("since") if dated else None,
        until=days.get("until") if dated else None,
        columns=known,
        sort=sort if (by := listed.column(sort.removeprefix("-"))) is not None and by.sort is not None else "",
    )


def asked_in(listed: Listed, query: str) -> Asked:
    """Read the part of an address after the question mark. Raises `Invalid`."""
    if len(query) > QUERY_MOST:
        raise Invalid("filters", f"Filters have at most {QUERY_MOST} characters.")
    try:
        return asked_of(listed, parse_qsl(query, max_num_fields=100))
    except ValueError as error:
        raise Invalid("filters", "These are no filters of a list.") from error


def _day(name: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(name, "A day as YYYY-MM-DD, please.") from error
    if not 1970 <= found.year <= 9000:
        raise Invalid(name, "A day as YYYY-MM-DD, please.")
    return found
