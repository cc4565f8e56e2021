"""Frozen dataclasses to and from plain JSON values, by their annotations.

`Part` keeps the unknown fields of a newer writer; `StrictPart` refuses them, for statements of which every field must be
understood. Standard library only.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from .errors import MalformedDocument


def _decode(hint: object, value: object, where: str) -> object:  # noqa: C901, PLR0911 - one case a kind
    """Read `value` as the annotated type `hint`; `MalformedDocument` names `where` when it does not fit."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        (only,) = [option for option in options if option is not type(None)]
        return _decode(only, value, where)
    if origin is Literal:
        if value not in typing.get_args(hint) or not isinstance(value, str):
            raise MalformedDocument(where, f"none of {', '.join(typing.get_args(hint))}")
        return value
    if origin is tuple:
        return _decode_tuple(typing.get_args(hint), value, where)
    if isinstance(hint, type) and issubclass(hint, Part):
        return hint.from_dict(value, where)
    if hint is bool or hint is str:
        if type(value) is not hint:
            raise MalformedDocument(where, f"expected {hint.__name__}")
        return value
    if hint is int:
        if type(value) is not int or not -(2**53) < value < 2**53:
            raise MalformedDocument(where, "expected an integer below 2^53")
        return value
    if origin is dict:
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        return dict(value)
    raise TypeError(f"{where}: no reader for {hint!r}")  # our own annotation is wrong: a bug


def _decode_tuple(arguments: tuple[Any, ...], value: object, where: str) -> tuple[object, ...]:
    if not isinstance(value, (list, tuple)):
        raise MalformedDocument(where, "expected a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_decode(arguments[0], item, f"{where}[{n}]") for n, item in enumerate(value))
    if len(value) != len(arguments):
        raise MalformedDocument(where, f"expected {len(arguments)} items")
    return tuple(_decode(a, v, f"{where}[{n}]") for n, (a, v) in enumerate(zip(arguments, value, strict=True)))


def _encode(value: object) -> object:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


_HINTS: dict[type[Part], dict[str, object]] = {}
"""Resolving annotations is slow and their number is fixed; a benign race writes the same value twice."""


def _hints(cls: type[Part]) -> dict[str, object]:
    if cls not in _HINTS:
        names = {f.name for f in dataclasses.fields(cls) if f.name != "extra"}
        _HINTS[cls] = {name: hint for name, hint in typing.get_type_hints(cls).items() if name in names}
    return _HINTS[cls]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One level of a document: fixed fields plus whatever a newer writer added."""

    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The level as plain JSON values, unknown fields included."""
        own = {f.name: _encode(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "extra"}
        return {**self.extra, **own}

    @classmethod
    def from_dict(cls, value: object, where: str = "document") -> Self:
        """Read a level; every known field is required.

        Raises:
            MalformedDocument: it names the place of the first thing that does not fit.
        """
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        hints = _hints(cls)
        missing = sorted(hints.keys() - value.keys())
        if missing:
            raise MalformedDocument(where, f"missing {', '.join(missing)}")
        read: dict[str, Any] = {name: _decode(hint, value[name], f"{where}.{name}") for name, hint in hints.items()}
        return cls(**read, extra=cls._keep({k: v for k, v in value.items() if k not in hints}, where))

    @classmethod
    def _keep(cls, unknown: dict[str, Any], where: str) -> dict[str, Any]:  # noqa: ARG003 - the strict reader names the place
        return unknown


@dataclass(frozen=True, kw_only=True)
class StrictPart(Part):
    """One level of a statement of which nothing may be left unread."""

    @classmethod
    def _keep(cls, unknown: dict[str, Any], where: str) -> dict[str, Any]:
        if unknown:
            names = ", ".join(sorted(str(name)[:40] for name in unknown)[:5])
            raise MalformedDocument(where, f"unknown field {names}")
        return {}
