"""What a person typed, and what was wrong with it. A refused form comes back with every word still in it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from inventory.errors import Invalid, InventoryError

Word = TypeVar("Word", bound=StrEnum)
_DIGITS = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class Option:
    """One entry of a list to choose from."""

    value: str
    label: str
    hint: str = ""
    disabled: bool = False


@dataclass
class Form:
    """The values of one form and everything wrong with them.

    Reading methods never raise: they note the problem under the field and return None, so that one submission reports
    every mistake at once. Ask `ok` before acting.
    """

    values: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: dict[str, str] = field(default_factory=dict)
    sentence: str = ""
    reasons: list[str] = field(default_factory=list)
    status: int = 0
    """HTTP status of a service's refusal; 0 where there was none."""
    once: str = field(default_factory=lambda: secrets.token_hex(16))
    """Names this one submission: sent twice, it counts once (idempotency)."""

    @classmethod
    def starting(cls, values: Mapping[str, str] | None = None) -> Form:
        """An empty form, or one with suggestions."""
        return cls(MultiDict(values or {}))

    @classmethod
    def received(cls, values: MultiDict[str, str]) -> Form:
        """What came with a request."""
        once = values.get("once", "")
        form = cls(MultiDict(values))
        if re.fullmatch(r"[0-9a-f]{32}", once):
            form.once = once
        return form

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.errors and not self.sentence

    def value(self, name: str) -> str:
        """What stands in the field, as typed."""
        return self.values.get(name, "")

    def has(self, name: str, value: str) -> bool:
        """Whether this choice is ticked."""
        return value in self.values.getlist(name)

    def fail(self, name: str, message: str) -> None:
        """Note a mistake; the first one of a field counts."""
        self.errors.setdefault(name, message)

    def text(self, name: str, message: str = "", *, limit: int = 500) -> str:
        """A line of text without surrounding space. With a `message` it is required."""
        value = self.value(name).strip()
        if message and not value:
            self.fail(name, message)
        elif len(value) > limit:
            self.fail(name, f"At most {limit} characters; this has {len(value)}.")
        elif any(char < " " and char not in "\r\n\t" for char in value):
            self.fail(name, "This holds characters that cannot be printed.")
        return value

    def optional(self, name: str, *, limit: int = 256) -> str | None:
        """A line of text, or None where nothing was typed."""
        return self.text(name, limit=limit) or None

    def word(self, name: str, kind: type[Word], message: str) -> Word | None:
        """One member of an enumeration."""
        try:
            return kind(self.value(name))
        except ValueError:
            self.fail(name, message)
            return None

    def words(self, name: str, kind: type[Word]) -> frozenset[Word]:
        """Every ticked member of an enumeration."""
        found: set[Word] = set()
        for value in self.values.getlist(name):
            try:
                found.add(kind(value))
            except ValueError:
                self.fail(name, "One of the choices is unknown; load the page again.")
        return frozenset(found)

    def one_of(self, name: str, options: Iterable[Option], message: str) -> str:
        """One of the values that were offered."""
        value = self.value(name)
        if value not in {option.value for option in options if not option.disabled}:
            self.fail(name, message)
        return value

    def number(self, name: str, message: str, *, low: int, high: int) -> int | None:
        """A whole number within bounds, both included; None and no mistake where nothing was typed and no message is given."""
        value = self.value(name).strip().replace(" ", "")
        if not value and not message:
            return None
        if not _DIGITS.fullmatch(value):
            self.fail(name, message or "A whole number, please.")
            return None
        if not low <= int(value) <= high:
            self.fail(name, f"Between {low} and {high}, please.")
            return None
        return int(value)

    def day(self, name: str, message: str = "", *, end: bool = False) -> datetime | None:
        """A day as the moment it begins (or ends), UTC."""
        value = self.value(name).strip()
        if not value and not message:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            self.fail(name, message or "A day as YYYY-MM-DD, please.")
            return None
        return datetime.combine(found, time(23, 59, 59) if end else time(0, 0), tzinfo=UTC)

    def digest(self, name: str, message: str) -> str | None:
        """A SHA-256 in hexadecimal; spaces between groups are welcome."""
        value = re.sub(r"\s", "", self.value(name)).lower()
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            self.fail(name, message)
            return None
        return value

    def refused(self, error: InventoryError) -> None:
        """Take in what a service refused: beside its field where it names one, else above the form."""
        self.status = error.status
        name = error.field if isinstance(error, Invalid) else None
        if name and name in self.values:
            self.fail(name, error.sentence)
        else:
            self.sentence = error.summarize()
        self.reasons.extend(reason.sentence for reason in error.reasons)


def options(
    words: Iterable[StrEnum], label: Callable[[StrEnum], str], hints: Mapping[str, str] | None = None
) -> tuple[Option, ...]:
    """The members of an enumeration as choices."""
    return tuple(Option(str(word), label(word), (hints or {}).get(str(word), "")) for word in words)
