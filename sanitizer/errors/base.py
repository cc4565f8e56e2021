"""What every error of this package is: a fixed sentence, typed fields, a stable code, a remedy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Touched = Literal["no", "maybe", "yes"]
"""Whether the medium was changed: no, maybe (a write was sent and not answered), yes."""

Fault = Literal["operator", "host", "device", "tool"]
"""Who has to act: the person, the host's set-up, the medium, or us."""

ByteRange = tuple[int, int]
"""Half-open range of bytes `[start, end)` on the medium."""

_TOUCHED_SENTENCE = {
    "no": "The medium was not changed.",
    "maybe": "The medium may have been changed.",
    "yes": "The medium was changed.",
}


def printable(text: str) -> str:
    """Text that any terminal and any JSON reader takes: bytes of a path that are no UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        head = ", ".join(_shown(item) for item in value[:8])
        return head + (f" and {len(value) - 8} more" if len(value) > 8 else "")
    return printable(str(value))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return printable(value) if isinstance(value, str) else value


@dataclass(eq=False, kw_only=True)
class SanitizerError(Exception):
    """Base of everything this package raises; never raised itself."""

    code: ClassVar[str] = ""
    sentence: ClassVar[str] = ""
    remedy: ClassVar[str] = ""
    fault: ClassVar[Fault] = "tool"

    fingerprint: str | None = None
    """Identity of the device in question, where one was read."""
    step: str | None = None
    """State of the run table in which it happened."""
    touched: Touched = "no"

    def details(self) -> dict[str, object]:
        """The class's own fields that hold something, as plain JSON values."""
        base = {"fingerprint", "step", "touched"}
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in base}
        return {name: _plain(v) for name, v in own.items() if v not in (None, ())}

    def summarize(self) -> str:
        """One line: the fixed sentence and the case's facts."""
        base = {"fingerprint", "step", "touched"}
        own = [(f.name, getattr(self, f.name)) for f in dataclasses.fields(self) if f.name not in base]
        facts = "; ".join(f"{name.replace('_', ' ')}: {_shown(v)}" for name, v in own if v not in (None, ()))
        return f"{self.sentence} ({facts})" if facts else self.sentence

    def explain(self) -> str:
        """What happened, what is true of the medium now, and what to do."""
        return f"{self.summarize()}. {_TOUCHED_SENTENCE[self.touched]} {self.remedy}"

    def __str__(self) -> str:
        return self.summarize()


@dataclass(eq=False, kw_only=True)
class Refused(SanitizerError):
    """We did not start; `touched` is always no."""

    fault: ClassVar[Fault] = "operator"
    touched: Touched = field(default="no", init=False)
