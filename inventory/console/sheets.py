"""Simple forms described as values: one template shows them all, so that every form behaves and reads alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .forms import Option
from .views.story import Link

Kind = Literal["text", "area", "select", "choices", "ticks", "tick", "day", "number", "password", "digest", "hidden"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a sheet."""

    kind: Kind
    name: str
    label: str
    hint: str = ""
    required: bool = True
    options: tuple[Option, ...] = ()
    blank: str = ""
    """Select only: the first, empty choice."""
    limit: int = 256
    autocomplete: str = "off"
    mono: bool = False


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A form with everything a person must know before sending it."""

    title: str
    submit: str
    fields: tuple[Field, ...]
    lead: str = ""
    crumbs: tuple[tuple[str, str], ...] = ()
    tone: Literal["primary", "danger"] = "primary"
    sentence: str = ""
    """What the person signs or states, in words: such a sheet is shown as a decision."""
    consequences: tuple[str, ...] = ()
    """What will be true afterwards, one sentence each."""
    final: str = ""
    """What can never be taken back."""
    others: tuple[str, ...] = ()
    """Who else has a part in it."""
    warning: bool = False
    """Whether the consequences deserve a warning's colour."""
    facts: tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""
    """A digest to compare, shown in groups of four."""
    notes: tuple[Link, ...] = ()
    back: str = ""


def reason(hint: str = "Stands in the history for good.", label: str = "Reason") -> Field:
    """The reason every change of state asks for."""
    return Field(kind="area", name="reason", label=label, hint=hint, limit=500)
