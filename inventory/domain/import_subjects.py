"""Rows about anything but devices: places, data sets, holdings, people, hosts. Pure.

As with devices a row never overwrites: it adds what nobody knew, agrees with what is known, or is refused with every reason.
What a row about a person says is never repeated in a reason: reasons are kept, and people's names and addresses are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from .import_fields import NEEDED, Field, Problem, Subject, problem, squeezed
from .import_outcomes import Outcome, Verdict
from .roles import Role, incompatible
from .scopes import UNLIMITED
from .vocabulary import Category, HoldingKind, Zone

ENCRYPTION: Final = ("none", "software", "self-encrypting", "unknown")
WORDS: Final[Mapping[Field, tuple[str, ...]]] = {
    Field.ZONE: tuple(map(str, Zone)),
    Field.CATEGORY: tuple(map(str, Category)),
    Field.KIND: tuple(map(str, HoldingKind)),
    Field.ENCRYPTION: ENCRYPTION,
}
"""Fields that hold one word of ours."""
_LISTS: Final = frozenset({Field.ROLES, Field.SITES, Field.TEAMS})
_MOMENTS: Final = frozenset({Field.SINCE, Field.UNTIL})
_DATA_SET_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?")
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_MOST_DAYS: Final = 36_525
_ROLES: Final = {squeezed(role.replace("_", " ")): role for role in Role}
_FALLBACK: Final = {(Subject.HOLDINGS, Field.KIND): "primary", (Subject.DATA_SETS, Field.ENCRYPTION): "unknown"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a row says, in our words; what it does not say is left out. Lists are joined by commas, moments are ISO 8601, UTC."""

    subject: Subject
    facts: Mapping[Field, str]

    @property
    def key(self) -> str:
        """Two rows with the same key are about the same thing."""
        match self.subject:
            case Subject.HOLDINGS:
                return "\n".join(self.facts[one] for one in (Field.DEVICE, Field.DATA_SET, Field.KIND, Field.SINCE))
            case Subject.HOSTS:
                return self.facts[Field.HOST]
            case Subject.PEOPLE:
                return self.facts[Field.LOGIN]
            case _:
                return self.facts[Field.NAME]

    def listed(self, one: Field) -> tuple[str, ...]:
        """The entries of a list."""
        return tuple(filter(None, self.facts.get(one, "").split(",")))

    def moment(self, one: Field) -> datetime | None:
        """A moment, where the row says one."""
        return datetime.fromisoformat(self.facts[one]) if one in self.facts else None


@dataclass(frozen=True, kw_only=True)
class KnownThing:
    """What is known of the thing a row is about."""

    number: str
    facts: Mapping[Field, str]
    """In the same words; a field left out cannot be compared."""
    private: bool = False
    """What it says must not be repeated."""


def said_of(subject: Subject, cells: Mapping[Field, str | None]) -> Said | tuple[Problem, ...]:
    """A row's cells in our words, or everything that is wrong with them."""
    problems: list[Problem] = []
    facts: dict[Field, str] = {}
    for one, text in cells.items():
        text = text or _FALLBACK.get((subject, one))  # noqa: PLW2901 - what a cell that says nothing stands for
        if text is None:
            continue
        understood = _understood(one, text)
        if isinstance(understood, Problem):
            problems.append(understood)
        else:
            facts[one] = understood
    problems += [
        problem("missing", one, f"It says nothing about {one.replace('_', ' ')}.")
        for one in NEEDED[subject]
        if not cells.get(one)
    ]
    problems += _RULES[subject](facts) if subject in _RULES else []
    return tuple(problems) or Said(subject=subject, facts=facts)


def _understood(one: Field, text: str) -> str | Problem:
    if one in WORDS:
        word = text.lower().replace(" ", "-") if one is Field.ENCRYPTION else text.lower()
        if word not in WORDS[one]:
            return problem(
                "word-unknown", one, f"{text!r} is none of {', '.join(WORDS[one])}; the mapping can translate it."
            )
        return word
    if one in _LISTS:
        parts = [" ".join(part.split()) for part in re.split(r"[,;|]", text)]
        return ",".join(sorted({part for part in parts if part}))
    if one in _MOMENTS:
        return _moment(one, text)
    if one is Field.RETENTION and not (text.isascii() and text.isdigit() and int(text) <= _MOST_DAYS):
        return problem("retention", one, f"Retention is a number of days, 0 to {_MOST_DAYS}.")
    return text.lower() if one is Field.LOGIN else text


def _moment(one: Field, text: str) -> str | Problem:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return problem("moment-unreadable", one, "A moment is written 2026-11-22, or 2026-11-22T08:30:00Z.")
    if found.tzinfo is None:
        if len(text) > len("2026-11-22"):
            return problem("moment-unreadable", one, "A time of day needs its offset, as in 2026-11-22T08:30:00Z.")
        found = found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat()


def _data_set(facts: Mapping[Field, str]) -> list[Problem]:
    if Field.NAME in facts and not _DATA_SET_NAME.fullmatch(facts[Field.NAME]):
        words = "A name has 1 to 64 letters, digits, dots, hyphens, underscores and inner spaces."
        return [problem("name", Field.NAME, words)]
    return []


def _holding(facts: Mapping[Field, str]) -> list[Problem]:
    begin, end = facts.get(Field.SINCE), facts.get(Field.UNTIL)
    if begin is not None and end is not None and datetime.fromisoformat(end) < datetime.fromisoformat(begin):
        return [problem("backwards", Field.UNTIL, "It ends before it begins.")]
    return []


def _person(facts: Mapping[Field, str]) -> list[Problem]:
    problems = []
    if Field.LOGIN in facts and not _LOGIN.fullmatch(facts[Field.LOGIN]):
        words = "A login name has 3 to 64 of a-z, 0-9, dot, underscore and hyphen."
        problems.append(problem("login", Field.LOGIN, words))
    named = [squeezed(part.replace("_", " ")) for part in facts.get(Field.ROLES, "").split(",") if part]
    if any(part not in _ROLES for part in named):
        sentence = f"It names a role that is none of {', '.join(Role)}."
        return [*problems, problem("role-unknown", Field.ROLES, sentence)]
    roles = [_ROLES[part] for part in named]
    problems += [
        problem(
            "roles-exclude", Field.ROLES, f"Nobody may be both {one.replace('_', ' ')} and {other.replace('_', ' ')}."
        )
        for one, other in incompatible(roles)
    ]
    if UNLIMITED & set(roles) and (facts.get(Field.SITES) or facts.get(Field.TEAMS)):
        problems.append(
            problem("unlimited", Field.ROLES, "An administrator sees everything; a limit would only pretend.")
        )
    return problems


_RULES: Final = {Subject.DATA_SETS: _data_set, Subject.HOLDINGS: _holding, Subject.PEOPLE: _person}


def roles_of(said: Said) -> frozenset[Role]:
    """The roles a row names."""
    return frozenset(_ROLES[squeezed(part.replace("_", " "))] for part in said.listed(Field.ROLES))


def decide_thing(said: Said, known: KnownThing | None) -> Verdict:
    """What becomes of a row, given what is known of the thing it is about."""
    if known is None:
        return Verdict(outcome=Outcome.NEW)
    differing = [
        problem("differs", one, _differs(known, one, text))
        for one, text in said.facts.items()
        if one in known.facts and squeezed(known.facts[one]) != squeezed(text)
    ]
    if differing:
        return Verdict(outcome=Outcome.REFUSED, device=known.number, problems=tuple(differing))
    return Verdict(outcome=Outcome.SAME, device=known.number)


def _differs(known: KnownThing, one: Field, text: str) -> str:
    word = one.replace("_", " ")
    if known.private:
        return f"{known.number} is known with another {word}; nothing is overwritten."
    return f"{known.number} has {known.facts[one] or 'nothing'} as {word} here, the row says {text}."


def decide_belonging(said: Said, known: KnownThing | None) -> Verdict:
    """What becomes of a row about a host: where it belongs is said once, and never changed by a table."""
    if known is None:
        words = "There is no such host: a host comes to be when its agent is enrolled and confirmed."
        return Verdict(outcome=Outcome.REFUSED, problems=(problem("host-unknown", Field.HOST, words),))
    placed = {one: text for one, text in known.facts.items() if text}
    verdict = decide_thing(said, KnownThing(number=known.number, facts=placed))
    fresh = [one for one in (Field.SITE, Field.TEAM) if one in said.facts and one not in placed]
    if verdict.outcome is Outcome.SAME and fresh:
        return Verdict(outcome=Outcome.ADOPT, device=known.number)
    return verdict
