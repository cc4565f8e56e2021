"""What the service adds to an operator's note about a destruction: written and signed in English, read in any language. Pure."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from .language import ENGLISH, Said, Speaker, said

_OURS: Final = (
    "note-elsewhere-one",
    "note-elsewhere-all",
    "note-elsewhere-some-one",
    "note-elsewhere-some-many",
    "note-elsewhere-before",
    "note-weighed",
)
_NUMBERS: Final = frozenset({"after", "before", "count", "lost", "missing", "named"})
_HOLE: Final = re.compile(r"\\{([a-z]+)\\}")


def weighed(before: int, after: int) -> Said:
    """What the scales showed, in grams."""
    return said("destruction.note-weighed", before=before, after=after, lost=before - after)


def kept_elsewhere(named: int, missing: int, where: str) -> Said:
    """Where files are kept that are not among the issuer's: `missing` of the `named` ones, one at least."""
    number = "one" if missing == 1 else "many"
    which = f"some-{number}" if missing < named else "one" if named == 1 else "all"
    return said(f"destruction.note-elsewhere-{which}", named=named, count=missing, where=where)


def in_language(note: str, voice: Speaker) -> str:
    """A note with our sentences in that language; what the operator wrote before them stands as it is."""
    rest, found = note, []
    for name in _OURS:  # the files stand behind the weights
        match = _pattern(name).search(rest)
        if match is not None:
            values = {one: int(value) if one in _NUMBERS else value for one, value in match.groupdict().items()}
            found.append(voice.say(f"destruction.{name}", **values))
            rest = rest[: match.start()]
    return " ".join([*([rest] if rest else []), *reversed(found)])


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """One of our sentences at the end of a note."""
    holes = {one: f"{{{one}}}" for one in (*_NUMBERS, "where")}
    english = re.escape(ENGLISH.say(f"destruction.{name}", **holes))
    inside = _HOLE.sub(lambda one: f"(?P<{one[1]}>" + (r"\d+" if one[1] in _NUMBERS else ".{3,150}") + ")", english)
    return re.compile(rf"(?:^|(?<=\S) ){inside}$", re.DOTALL)
