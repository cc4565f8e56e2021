"""Any view of the services with plausible values in it, built from its type alone; a test replaces what it is about."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from datetime import UTC, datetime
from typing import Any, TypeVar

View = TypeVar("View")
_WHEN = datetime(2026, 11, 22, 3, 40, tzinfo=UTC)


def _value(hint: Any, name: str) -> object:  # noqa: ANN401, PLR0911 - one case a kind of annotation
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(next(option for option in arguments if option is not type(None)), name)
    if origin is tuple:
        return (
            (_value(arguments[0], name),)
            if len(arguments) == 2 and arguments[1] is Ellipsis
            else tuple(_value(a, name) for a in arguments)
        )
    if origin is frozenset:
        return frozenset({_value(arguments[0], name)})
    if origin is dict:
        return {}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return example(hint)
    return {str: name, int: 1, bool: True, datetime: _WHEN, bytes: b"x"}[hint]


def example(view: type[View]) -> View:
    """One view of this type."""
    hints = typing.get_type_hints(view)
    assert dataclasses.is_dataclass(view)
    values = {field.name: _value(hints[field.name], field.name) for field in dataclasses.fields(view)}
    return view(**values)
